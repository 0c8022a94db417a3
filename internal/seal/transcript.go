package seal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"
)

// A Transcript is what could be opened of a case and what its chain proves.
type Transcript struct {
	Case   CaseID
	Epoch  uint32
	Opened time.Time // the date, in UTC
	// Roster is the SHA-256 of the recipients file that the case was sealed to,
	// as Recipients.String gives it.
	Roster [32]byte
	// Entries are in the order in which they were found.
	Entries []OpenEntry
	// Count is how many records there are.
	Count int
	// Proven is how many of them, from the first on, the chain proves to be
	// unchanged, complete and in order. Beyond the first fault it proves
	// nothing, because each record is bound to all before it.
	Proven int
	// Faults is what is wrong, in order; empty if nothing is to be seen.
	Faults []Fault

	heads [][32]byte // heads[i] follows i proven records
}

// An OpenEntry is an entry that was opened.
type OpenEntry struct {
	Entry
	// Seq is the number of the entry's first record, Parts how many records
	// it was found in.
	Seq   uint64
	Parts int
	// Whole is false if a part of it is missing.
	Whole bool
	// Proven says that the chain proves it. What is not proven may be genuine,
	// but anybody who could write to the store may have put it there.
	Proven bool
}

// A FaultKind is how a transcript differs from what was written.
type FaultKind string

// The kinds of faults.
const (
	// FaultHeader: the header is another case's.
	FaultHeader FaultKind = "header"
	// FaultChanged: the record's bytes were changed; it does not open.
	FaultChanged FaultKind = "changed"
	// FaultMoved: the record is in another place than where it was written, or
	// is there twice.
	FaultMoved FaultKind = "moved"
	// FaultMissing: records before this one are not there.
	FaultMissing FaultKind = "missing"
	// FaultForged: the record opens and has the right number, but whoever wrote
	// it did not have the key of that moment, or its tag was changed.
	FaultForged FaultKind = "forged"
	// FaultCut: the end is missing.
	FaultCut FaultKind = "cut"
	// FaultReplaced: the history is another than the one that was witnessed.
	FaultReplaced FaultKind = "replaced"
)

// A Fault is one thing that is wrong. It holds nothing of what was said.
type Fault struct {
	// Position counts the records as found, from 1; 0 is the whole.
	Position int       `json:"position"`
	Kind     FaultKind `json:"kind"`
	Detail   string    `json:"detail"`
}

func (f *Fault) Error() string {
	if f.Position == 0 {
		return fmt.Sprintf("seal: %s: %s", f.Kind, f.Detail)
	}
	return fmt.Sprintf("seal: record %d: %s: %s", f.Position, f.Kind, f.Detail)
}

// Head is the head hash after the proven records: 32 bytes.
func (t Transcript) Head() []byte { return t.heads[t.Proven][:] }

// Witness is what Tape.Witness gave after the last proven record.
func (t Transcript) Witness() string { return witness(uint64(t.Proven), t.Head()) }

// ErrWitness says that a text is not a witness.
var ErrWitness = errors.New("seal: witness: want a count and the beginning of a hash such as #12·0a1b2c3d4e5f6071")

// Check compares the transcript with a witness that was written down when the
// case was still running or as it closed, with 16 digits of the head or more. It
// returns nil if all up to there is here and unchanged; a *Fault with FaultCut
// if there is less, with FaultReplaced if it is another history, or the first
// fault if the chain breaks before the witness; and ErrWitness if witness is
// none, or one with fewer digits.
func (t Transcript) Check(witness string) error {
	seq, head, err := parseWitness(witness)
	if err != nil {
		return err
	}
	switch {
	case seq <= uint64(t.Proven):
		if !strings.HasPrefix(hex.EncodeToString(t.heads[seq][:]), head) {
			return &Fault{Kind: FaultReplaced, Detail: fmt.Sprintf("the first %d records are not those that were witnessed", seq)}
		}
		return nil
	case t.Proven < t.Count && len(t.Faults) > 0:
		f := t.Faults[0]
		return &f
	default:
		return &Fault{Kind: FaultCut, Detail: fmt.Sprintf("%d records were witnessed, %d are here", seq, t.Count)}
	}
}

// CheckWitness returns an ErrWitness that says why if s is not a witness.
func CheckWitness(s string) error {
	_, _, err := parseWitness(s)
	return err
}

// parseWitness reads what Tape.Witness gives, with any of the signs for the dot
// that a keyboard has.
func parseWitness(s string) (seq uint64, head string, err error) {
	s = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(s)), "#")
	i := strings.IndexAny(s, "·.:- ")
	if i < 0 {
		return 0, "", ErrWitness
	}
	seq, err = strconv.ParseUint(s[:i], 10, 64)
	head = strings.TrimLeft(s[i:], "·.:- ")
	if err != nil || head == "" || len(head) > 64 || strings.Trim(head, "0123456789abcdef") != "" {
		return 0, "", ErrWitness
	}
	if len(head) < witnessDigits {
		return 0, "", fmt.Errorf("%w: it has %d digits after the dot; give all %d, because another transcript can be made to fit fewer", ErrWitness, len(head), witnessDigits)
	}
	return seq, head, nil
}

// ReadTranscript opens a case's transcript with an officer's identities, the
// header first and then each record, and verifies all that can be verified. It
// opens what can be opened and reports the rest as faults of the transcript; an
// error means that nothing could be opened: ErrNotRecipient or ErrHeader.
//
// A cut tail and a transcript replaced as a whole show only by
// [Transcript.Check].
func ReadTranscript(id CaseID, sealedHeader []byte, records [][]byte, identities ...age.Identity) (Transcript, error) {
	h, err := openHeader(sealedHeader, identities)
	if err != nil {
		return Transcript{}, err
	}
	t := Transcript{Case: h.caseID, Epoch: h.epoch, Opened: h.opened, Roster: h.roster, Count: len(records)}
	v := verifier{t: &t, link: firstLink(h.caseID, h.epoch, h.mac0, h.prevHead, h.identity.Recipient().String())}
	t.heads = append(t.heads, v.link.head)
	if h.caseID != id {
		v.fault(0, FaultHeader, "this is the header of another case")
	}
	v.run(openRecords(records, h.identity))
	return t, nil
}
