package seal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"

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
// A fifth field, confirmed: and names with commas between, says who compared the
// fingerprint. A line that begins with '?' waits for that and does not count; one
// that begins with '-' is a key that was revoked, and is refused in another line.
// One that begins with '@' is refused and reserved for a signature over the file.
func ParseRecipients(text []byte) (Recipients, error) {
	p := newRecipientsParser()
	p.read(text)
	p.kinds()
	p.whole()
	if err := errors.Join(p.faults...); err != nil {
		return Recipients{}, err
	}
	return Recipients{p.list}, nil
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
