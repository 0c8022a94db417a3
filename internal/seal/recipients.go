package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"filippo.io/age"
)

// A Role is why a recipient can open cases.
type Role string

// The roles.
const (
	// RoleOfficer is somebody who answers cases.
	RoleOfficer Role = "officer"
	// RoleRecovery is a key that is kept offline for the day when every
	// officer's key is lost.
	RoleRecovery Role = "recovery"
)

// A Recipient is somebody whose key opens the cases that are opened from now
// on.
type Recipient struct {
	// Name is letters, digits, '.', '-' and '_', at most 64 bytes.
	Name string
	Role Role
	// Key is the public half as age prints it: "age1pq1…" or "age1…".
	Key string
}

// Fingerprint is that of the recipient's key.
func (r Recipient) Fingerprint() string { return Fingerprint(r.Key) }

// Hybrid reports whether the key withstands a quantum computer.
func (r Recipient) Hybrid() bool { return isHybrid(r.Key) }

// String returns the recipient's line in a recipients file.
func (r Recipient) String() string {
	return fmt.Sprintf("%s  %s  %s  %s", r.Name, r.Role, r.Key, r.Fingerprint())
}

// Recipients are all to whom new cases are sealed: at least one officer, all
// keys of one kind. The zero Recipients is empty and seals nothing.
type Recipients struct{ list []Recipient }

// All returns the recipients in the order of the file.
func (r Recipients) All() []Recipient { return append([]Recipient(nil), r.list...) }

// Hybrid reports whether all the keys withstand a quantum computer.
func (r Recipients) Hybrid() bool { return len(r.list) > 0 && r.list[0].Hybrid() }

// String returns a recipients file that ParseRecipients reads back to the same.
func (r Recipients) String() string {
	var b strings.Builder
	for _, one := range r.list {
		b.WriteString(one.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// sum is what a header says of the roster it was sealed to.
func (r Recipients) sum() [sha256.Size]byte { return sha256.Sum256([]byte(r.String())) }

// keys returns the recipients for age.
func (r Recipients) keys() ([]age.Recipient, error) {
	if len(r.list) == 0 {
		return nil, errors.New("seal: no recipients")
	}
	out := make([]age.Recipient, 0, len(r.list))
	for _, one := range r.list {
		k, err := parseKey(one.Key)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// Fingerprint returns the first 10 bytes of the SHA-256 of the recipient as
// five groups of four hexadecimal digits, to be read aloud to somebody who
// compares them with the line in the file. Without this program:
//
//	printf %s age1pq1… | sha256sum | cut -c1-20
func Fingerprint(recipient string) string {
	sum := sha256.Sum256([]byte(recipient))
	h := hex.EncodeToString(sum[:10])
	return h[0:4] + "-" + h[4:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20]
}

// A LineFault is what is wrong with one line of a recipients file. It holds
// nothing of a key.
type LineFault struct {
	// Line counts from 1; 0 is the file as a whole.
	Line    int
	Problem string
}

func (f *LineFault) Error() string {
	if f.Line == 0 {
		return "seal: recipients: " + f.Problem
	}
	return fmt.Sprintf("seal: recipients: line %d: %s", f.Line, f.Problem)
}

// maxRecipients bounds a header, and so the work that a new case makes.
const maxRecipients = 100

// ParseRecipients reads a recipients file: UTF-8, a recipient a line, as
//
//	name  role  recipient  fingerprint
//
// between white space; role is officer or recovery. Empty lines and lines that
// begin with '#' are skipped. All faults are reported at once, joined, each a
// *LineFault. It refuses a file without an officer, a name or a key that is
// there twice, a fingerprint that is not the key's, keys of both kinds (age
// does not mix hybrid and classic ones) and a private key.
//
// A line that begins with '@' is refused and reserved for a signature over the
// file.
func ParseRecipients(text []byte) (Recipients, error) {
	p := recipientsParser{names: map[string]int{}, keys: map[string]int{}}
	for i, line := range bytes.Split(bytes.TrimPrefix(text, []byte("\ufeff")), []byte("\n")) {
		p.line(i+1, line)
	}
	p.whole()
	if err := errors.Join(p.faults...); err != nil {
		return Recipients{}, err
	}
	return Recipients{p.list}, nil
}

type recipientsParser struct {
	list   []Recipient
	lines  []int // of list
	names  map[string]int
	keys   map[string]int
	faults []error
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
		return
	case !utf8.ValidString(line):
		p.fault(n, "not valid UTF-8")
		return
	}
	fields := strings.Fields(line)
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
	if ok {
		p.list, p.lines = append(p.list, r), append(p.lines, n)
	}
}

// whole reports what is wrong with the file as a whole.
func (p *recipientsParser) whole() {
	var hybrid, officers int
	for _, r := range p.list {
		if r.Hybrid() {
			hybrid++
		}
		if r.Role == RoleOfficer {
			officers++
		}
	}
	if classic := len(p.list) - hybrid; hybrid > 0 && classic > 0 {
		// The fewer are the others; of as many, the classic ones.
		odd := hybrid < classic
		for i, r := range p.list {
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
	switch {
	case len(p.list) > maxRecipients:
		p.fault(0, "%d recipients: at most %d", len(p.list), maxRecipients)
	case len(p.faults) > 0: // Whoever is missing may be in a line at fault.
	case len(p.list) == 0:
		p.fault(0, "empty: nobody could open a case")
	case officers == 0:
		p.fault(0, "no officer: only recovery keys could open a case")
	}
}

// ValidName reports whether name can name a recipient.
func ValidName(name string) bool {
	if name == "" || len(name) > 64 || name[0] == '-' {
		return false
	}
	for _, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".-_", r) {
			return false
		}
	}
	return true
}

func isHybrid(key string) bool { return strings.HasPrefix(key, "age1pq1") }

// parseKey reads a recipient of either kind. Its error holds nothing of key.
func parseKey(key string) (age.Recipient, error) {
	if isHybrid(key) {
		if r, err := age.ParseHybridRecipient(key); err == nil && r.String() == key {
			return r, nil
		}
	} else if r, err := age.ParseX25519Recipient(key); err == nil && r.String() == key {
		return r, nil
	}
	return nil, errors.New("seal: malformed recipient")
}

// ValidRecipient reports whether key is the public half of an age key of either
// kind, as age prints it.
func ValidRecipient(key string) bool {
	_, err := parseKey(key)
	return err == nil
}
