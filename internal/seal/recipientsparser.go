package seal

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// A recipientsParser reads a recipients file and notes every fault.
type recipientsParser struct {
	list    []Recipient // those that count
	marked  []Recipient // those that count or wait
	lines   []int       // of marked
	names   map[string]int
	keys    map[string]int
	revoked map[string]int
	ledger  []ledgerLine
	faults  []error
}

func newRecipientsParser() *recipientsParser {
	return &recipientsParser{names: map[string]int{}, keys: map[string]int{}, revoked: map[string]int{}}
}

// read reads the lines, the revoked ones first: they may come after.
func (p *recipientsParser) read(text []byte) {
	text = bytes.TrimSuffix(bytes.TrimPrefix(text, []byte("\ufeff")), []byte("\n"))
	if len(bytes.TrimSpace(text)) == 0 {
		return
	}
	lines := bytes.Split(text, []byte("\n"))
	for i, line := range lines {
		if f := strings.Fields(string(line)); len(f) > 3 && f[0] == "-" {
			p.revoked[f[3]] = i + 1
		}
	}
	for i, line := range lines {
		p.line(i+1, line)
	}
}

func (p *recipientsParser) fault(line int, format string, args ...any) {
	p.faults = append(p.faults, &LineFault{line, fmt.Sprintf(format, args...)})
}

func (p *recipientsParser) line(n int, raw []byte) {
	line := strings.TrimSpace(string(raw))
	if upper := strings.ToUpper(line); strings.Contains(upper, "AGE-SECRET-KEY-") || strings.Contains(upper, "AGE-PLUGIN-") {
		// It comes before the test for comments: age's own identity files are
		// pasted here with and without a '#'.
		p.fault(n, "this is a private key: take it out and make a new one, for whoever could read this file has it")
		return
	}
	switch {
	case line == "" || line[0] == '#':
		p.ledger = append(p.ledger, ledgerLine{text: line})
		return
	case !utf8.ValidString(line):
		p.fault(n, "not valid UTF-8")
		return
	}
	l := Listed{Standing: Counts}
	fields := strings.Fields(line)
	switch fields[0] {
	case "?":
		l.Standing, fields = Waits, fields[1:]
	case "-":
		l.Standing, fields = Revoked, fields[1:]
	}
	if len(fields) == 5 {
		var ok bool
		if l.Confirmed, ok = parseConfirmed(fields[4]); ok {
			fields = fields[:4]
		}
	}
	if len(fields) != 4 {
		p.fault(n, "want four fields, name role recipient fingerprint, found %d", len(fields))
		return
	}
	r := Recipient{Name: fields[0], Role: Role(fields[1]), Key: fields[2]}
	if !ValidName(r.Name) {
		p.fault(n, "the name must be letters, digits, '.', '-' and '_', at most 64 bytes")
		return // Nothing of the line is repeated: it is not what it should be.
	}
	ok := true
	if r.Role != RoleOfficer && r.Role != RoleRecovery {
		p.fault(n, "%s: unknown role: want officer or recovery", r.Name)
		ok = false
	}
	if _, err := parseKey(r.Key); err != nil {
		p.fault(n, "%s: the recipient is malformed: want age1pq1… as keys new printed it, whole", r.Name)
		ok = false
	} else if want := r.Fingerprint(); !strings.EqualFold(fields[3], want) {
		p.fault(n, "%s: the fingerprint is not this key's, which is %s: ask %s to read it aloud", r.Name, want, r.Name)
		ok = false
	}
	if l.Standing != Revoked {
		ok = p.once(n, r) && ok
	}
	if !ok {
		return
	}
	l.Recipient = r
	p.ledger = append(p.ledger, ledgerLine{listed: &l})
	switch l.Standing {
	case Counts:
		p.list = append(p.list, r)
		p.marked, p.lines = append(p.marked, r), append(p.lines, n)
	case Waits:
		p.marked, p.lines = append(p.marked, r), append(p.lines, n)
	case Revoked:
	}
}

// once reports whether name and key are in no line before, and the key was not
// revoked.
func (p *recipientsParser) once(n int, r Recipient) bool {
	ok := true
	if first, twice := p.names[strings.ToLower(r.Name)]; twice {
		p.fault(n, "%s: the name is already in line %d", r.Name, first)
		ok = false
	} else {
		p.names[strings.ToLower(r.Name)] = n
	}
	if first, twice := p.keys[r.Key]; twice {
		p.fault(n, "%s: the key is already in line %d", r.Name, first)
		ok = false
	} else {
		p.keys[r.Key] = n
	}
	if line, gone := p.revoked[r.Key]; gone {
		p.fault(n, "%s: the key was revoked in line %d: it never counts again; make a new one", r.Name, line)
		ok = false
	}
	return ok
}

// kinds reports the keys of the other kind than most.
func (p *recipientsParser) kinds() {
	hybrid := 0
	for _, r := range p.marked {
		if r.Hybrid() {
			hybrid++
		}
	}
	classic := len(p.marked) - hybrid
	if hybrid == 0 || classic == 0 {
		return
	}
	// The fewer are the others; of as many, the classic ones.
	odd := hybrid < classic
	for i, r := range p.marked {
		if r.Hybrid() != odd {
			continue
		}
		if odd {
			p.fault(p.lines[i], "%s: the key is hybrid (age1pq1…) and most are classic (age1…): a file is of one kind", r.Name)
		} else {
			p.fault(p.lines[i], "%s: the key is classic (age1…) and the others are hybrid (age1pq1…): a file is of one kind; make a new key", r.Name)
		}
	}
}

// whole reports what is wrong with the file as a whole.
func (p *recipientsParser) whole() {
	officers := 0
	for _, r := range p.list {
		if r.Role == RoleOfficer {
			officers++
		}
	}
	switch {
	case len(p.list) > maxRecipients:
		p.fault(0, "%d recipients: at most %d", len(p.list), maxRecipients)
	case len(p.faults) > 0: // Whoever is missing may be in a line at fault.
	case len(p.list) == 0 && len(p.marked) > 0:
		p.fault(0, "nobody counts yet: two people confirm each fingerprint with suar keys confirm")
	case len(p.list) == 0:
		p.fault(0, "empty: nobody could open a case")
	case officers == 0:
		p.fault(0, "no officer: only recovery keys could open a case")
	}
}
