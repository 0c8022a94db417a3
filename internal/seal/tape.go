package seal

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"filippo.io/age"
)

// A Tape writes one case's transcript. It is a value: [Tape.Append] returns the
// next one and leaves this one as it is. It is kept as JSON in the case's
// sealed state, in the same commit as the header and the records that it has
// written.
//
// A Tape can write on but reads nothing: neither it nor the vault key opens a
// record. Chain is secret all the same, for whoever has it can forge what comes
// next; so a Tape prints as its witness only.
type Tape struct {
	Case      CaseID `json:"case"`
	Epoch     uint32 `json:"epoch"`
	Recipient string `json:"recipient"` // the case key's public half
	Chain     []byte `json:"chain"`     // a_i, 32 bytes
	Head      []byte `json:"head"`      // head_i, 32 bytes
	Seq       uint64 `json:"seq"`       // records so far
}

// NewTape begins the transcript of the case: it makes the case key, seals its
// private half to the officers as header, and drops it. rand gives a_0 and must
// be cryptographically random ([crypto/rand.Reader]); the case key's own
// randomness is always the system's. Of opened only the date is kept, in UTC.
func NewTape(id CaseID, officers Recipients, opened time.Time, rand io.Reader) (t Tape, sealedHeader []byte, err error) {
	to, err := officers.keys()
	if err != nil {
		return Tape{}, nil, err
	}
	key, err := age.GenerateHybridIdentity()
	if err != nil {
		return Tape{}, nil, fmt.Errorf("seal: case key: %w", err)
	}
	h := header{caseID: id, epoch: 1, opened: opened.UTC(), roster: officers.sum(), identity: key}
	if _, err := io.ReadFull(rand, h.mac0[:]); err != nil {
		return Tape{}, nil, fmt.Errorf("seal: randomness: %w", err)
	}
	sealedHeader, err = sealTo(h.marshal(), to...)
	if err != nil {
		return Tape{}, nil, fmt.Errorf("seal: header: %w", err)
	}
	recipient := key.Recipient().String()
	l := firstLink(id, h.epoch, h.mac0, h.prevHead, recipient)
	return Tape{Case: id, Epoch: h.epoch, Recipient: recipient, Chain: l.mac[:], Head: l.head[:]}, sealedHeader, nil
}

// Append seals the entries and returns the tape after them and the records to
// append to the transcript, in order: one for each, or several when a text is
// too long for one. It returns ErrEntry if there is no way to write one.
func (t Tape) Append(entries ...Entry) (Tape, [][]byte, error) {
	l, to, err := t.open()
	if err != nil {
		return t, nil, err
	}
	var parts []entryJSON
	for _, e := range entries {
		more, err := split(e, t.Seq+1+uint64(len(parts)))
		if err != nil {
			return t, nil, err
		}
		parts = append(parts, more...)
	}
	records := make([][]byte, 0, len(parts))
	for _, part := range parts {
		f := framed{seq: part.N}
		if f.entry, err = part.seal(to); err != nil {
			return t, nil, fmt.Errorf("seal: entry: %w", err)
		}
		f.tag = l.tag(f.untagged())
		record := f.bytes()
		l = l.next(record)
		records = append(records, record)
	}
	next := t
	next.Chain, next.Head, next.Seq = l.mac[:], l.head[:], t.Seq+uint64(len(parts))
	return next, records, nil
}

func (t Tape) open() (link, age.Recipient, error) {
	l := link{caseID: t.Case, epoch: t.Epoch}
	if t.Epoch == 0 || len(t.Chain) != len(l.mac) || len(t.Head) != len(l.head) || !isHybrid(t.Recipient) {
		return link{}, nil, errors.New("seal: not a tape")
	}
	copy(l.mac[:], t.Chain)
	copy(l.head[:], t.Head)
	to, err := parseKey(t.Recipient)
	return l, to, err
}

// Witness returns how many records there are and the beginning of the head
// hash, "#12·0a1b2c3d4e5f6071". Whoever wrote it down elsewhere can tell later
// that nothing up to there was cut off or replaced.
func (t Tape) Witness() string { return witness(t.Seq, t.Head) }

// witnessDigits are the digits of the head that a witness shows, 64 bits.
// Whoever can write to the store can put another transcript there, and vary it
// until the beginning of its head fits: for 32 bits that takes minutes.
const witnessDigits = 16

func witness(seq uint64, head []byte) string {
	h := hex.EncodeToString(head)
	return fmt.Sprintf("#%d·%s", seq, h[:min(witnessDigits, len(h))])
}

// Format prints the case code and the witness whatever the verb.
func (t Tape) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, t.String())
}

// String returns the case code and the witness.
func (t Tape) String() string { return "tape " + t.Case.Code() + " " + t.Witness() }

// LogValue returns String.
func (t Tape) LogValue() slog.Value { return slog.StringValue(t.String()) }
