package seal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Standing is whether a line of a recipients file counts.
type Standing string

// The standings.
const (
	// Counts: new cases are sealed to the key.
	Counts Standing = "counts"
	// Waits: two people have not confirmed the fingerprint yet. The line begins
	// with '?'.
	Waits Standing = "waits"
	// Revoked: the key was removed and never counts again. The line begins with
	// '-'.
	Revoked Standing = "revoked"
)

// needConfirm is how many people confirm a fingerprint before a key counts.
const needConfirm = 2

// A Listed is a line of a recipients file.
type Listed struct {
	Recipient
	Standing Standing
	// Confirmed are those who heard the fingerprint from the key's owner and
	// compared it.
	Confirmed []string
}

// String returns the line as the file has it.
func (l Listed) String() string {
	line := l.Recipient.String()
	if len(l.Confirmed) > 0 {
		line += "  " + confirmedBy + strings.Join(l.Confirmed, ",")
	}
	switch l.Standing {
	case Waits:
		return "? " + line
	case Revoked:
		return "- " + line
	case Counts:
	}
	return line
}

// confirmedBy begins the fifth field of a line.
const confirmedBy = "confirmed:"

// parseConfirmed reads the fifth field.
func parseConfirmed(field string) ([]string, bool) {
	names, ok := strings.CutPrefix(field, confirmedBy)
	if !ok {
		return nil, false
	}
	list := strings.Split(names, ",")
	for i, n := range list {
		if !ValidName(n) || slices.ContainsFunc(list[:i], func(o string) bool { return strings.EqualFold(o, n) }) {
			return nil, false
		}
	}
	return list, true
}

// A Ledger is a recipients file with all that stands in it: who counts, who waits
// and who was revoked, and the comments. It is how the file is changed; ParseRecipients
// is how it is used.
type Ledger struct{ lines []ledgerLine }

type ledgerLine struct {
	text   string // of a comment or an empty line
	listed *Listed
}

// ParseLedger reads a recipients file like ParseRecipients, and also one in which
// nobody counts yet.
func ParseLedger(text []byte) (Ledger, error) {
	p := newRecipientsParser()
	p.read(text)
	p.kinds()
	return Ledger{p.ledger}, errors.Join(p.faults...)
}

// All returns the lines in the order of the file.
func (l Ledger) All() []Listed {
	var out []Listed
	for _, line := range l.lines {
		if line.listed != nil {
			out = append(out, *line.listed)
		}
	}
	return out
}

// String returns the file.
func (l Ledger) String() string {
	var b strings.Builder
	for _, line := range l.lines {
		if line.listed != nil {
			line.text = line.listed.String()
		}
		b.WriteString(line.text + "\n")
	}
	return b.String()
}

// with returns a copy whose lines can be changed.
func (l Ledger) with(more ...Listed) Ledger {
	next := Ledger{make([]ledgerLine, 0, len(l.lines)+len(more))}
	for _, line := range l.lines {
		if line.listed != nil {
			own := *line.listed
			line.listed = &own
		}
		next.lines = append(next.lines, line)
	}
	for _, m := range more {
		next.lines = append(next.lines, ledgerLine{listed: &m})
	}
	return next
}

// checked returns the ledger if what it writes reads back without a fault.
func (l Ledger) checked() (Ledger, error) { return ParseLedger([]byte(l.String())) }

// Add returns the ledger with a key that waits for two confirmations. It refuses a
// name or a key that is there, a key that was revoked, and one of another kind than
// the others, each as a *LineFault.
func (l Ledger) Add(r Recipient) (Ledger, error) {
	return l.with(Listed{Recipient: r, Standing: Waits}).checked()
}

// find returns the line of that name which is not revoked.
func (l Ledger) find(name string) (*Listed, error) {
	for _, line := range l.lines {
		if line.listed != nil && line.listed.Standing != Revoked && strings.EqualFold(line.listed.Name, name) {
			return line.listed, nil
		}
	}
	return nil, fmt.Errorf("seal: recipients: there is no %s who counts or waits", name)
}

// ErrHeard says that a fingerprint that was heard is another one than the line's.
var ErrHeard = errors.New("seal: recipients: that is not this key's fingerprint: somebody misread it, or the line was changed on its way; do not confirm it, have the line sent again")

// Confirm returns the ledger in which somebody confirms that they heard the
// fingerprint from the owner of the key, and what the line is then. At the second
// confirmation the key counts. Nobody confirms their own key, or twice.
func (l Ledger) Confirm(name, by, heard string) (Ledger, Listed, error) {
	next := l.with()
	line, err := next.find(name)
	if err != nil {
		return l, Listed{}, err
	}
	same := func(other string) bool { return strings.EqualFold(other, by) }
	digits := strings.NewReplacer("-", "", " ", "", "\t", "")
	switch {
	case !ValidName(by):
		return l, Listed{}, errors.New("seal: recipients: who confirms: want a name of letters, digits, '.', '-' and '_', at most 64 bytes")
	case same(line.Name):
		return l, Listed{}, fmt.Errorf("seal: recipients: %s cannot confirm their own key", line.Name)
	case slices.ContainsFunc(line.Confirmed, same):
		return l, Listed{}, fmt.Errorf("seal: recipients: %s has confirmed it already: it takes two people", by)
	case !strings.EqualFold(digits.Replace(heard), digits.Replace(line.Fingerprint())):
		return l, Listed{}, ErrHeard
	}
	line.Confirmed = append(slices.Clone(line.Confirmed), by)
	if len(line.Confirmed) >= needConfirm {
		line.Standing = Counts
	}
	return next, *line, nil
}

// Remove returns the ledger in which the key of that name is revoked: it stays in
// the file so that it cannot come back. The last officer that counts stays.
func (l Ledger) Remove(name string) (Ledger, error) {
	next := l.with()
	line, err := next.find(name)
	if err != nil {
		return l, err
	}
	was := line.Standing
	line.Standing = Revoked
	if was == Waits {
		return next, nil
	}
	if _, err := ParseRecipients([]byte(next.String())); err != nil {
		return l, fmt.Errorf("seal: recipients: without %s the file would be refused: %w", line.Name, err)
	}
	return next, nil
}

// Unconfirmed returns the names of those that count although no two people have
// confirmed them: somebody wrote the line into the file by hand.
func (l Ledger) Unconfirmed() (names []string) {
	for _, line := range l.All() {
		if line.Standing == Counts && len(line.Confirmed) < needConfirm {
			names = append(names, line.Name)
		}
	}
	return names
}
