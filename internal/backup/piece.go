package backup

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"time"

	"suar/storage"
)

// errPiece says that bytes are not what appendPiece gives.
var errPiece = errors.New("backup: not a piece")

// appendPiece appends the piece's bytes. Equal pieces have equal bytes.
func appendPiece(b []byte, p storage.Piece) []byte {
	b = appendConversation(b, p)
	names := slices.Sorted(maps.Keys(p.Transcripts))
	b = appendCount(b, len(names))
	for _, name := range names {
		b = appendTranscript(b, name, p.Transcripts[name])
	}
	return b
}

// appendConversation appends all of a piece but its transcripts.
func appendConversation(b []byte, p storage.Piece) []byte {
	b = appendText(b, p.ID)
	b = binary.BigEndian.AppendUint64(b, p.Version)
	b = appendText(b, p.State)
	b = appendCount(b, len(p.Names))
	for _, name := range p.Names {
		b = appendText(b, name)
	}
	b = appendInstant(b, p.Alarm)
	b = appendCount(b, len(p.Events))
	for _, e := range p.Events {
		b = appendInstant(appendText(b, e.Event), e.At)
	}
	b = appendCount(b, len(p.Items))
	for _, it := range p.Items {
		b = appendText(b, it.ID)
		b = append(b, byte(it.Lane), it.Priority)
		b = appendText(b, it.Body)
		b = binary.BigEndian.AppendUint64(b, it.Age)
		b = appendCount(b, it.Tries)
		b = binary.BigEndian.AppendUint64(b, it.Token)
		b = appendInstant(b, it.Until)
	}
	return b
}

func appendTranscript(b []byte, name string, t storage.Transcript) []byte {
	b = appendText(b, name)
	if t.Header == nil {
		b = append(b, 0)
	} else {
		b = appendText(append(b, 1), t.Header)
	}
	b = appendCount(b, len(t.Entries))
	for _, entry := range t.Entries {
		b = appendText(b, entry)
	}
	return b
}

func appendText[T string | []byte](b []byte, text T) []byte {
	return append(appendCount(b, len(text)), text...)
}

func appendCount(b []byte, n int) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) }

func appendInstant(b []byte, t time.Time) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(t.Unix()))
	return binary.BigEndian.AppendUint32(b, uint32(t.Nanosecond()))
}

// parsePiece reads what appendPiece gives, and nothing else.
func parsePiece(b []byte) (storage.Piece, error) {
	c := &cursor{rest: b}
	p := storage.Piece{ID: string(c.text()), Version: c.u64(), State: c.text()}
	for range c.count() {
		p.Names = append(p.Names, string(c.text()))
	}
	p.Alarm = c.instant()
	for range c.count() {
		p.Events = append(p.Events, storage.Handled{Event: string(c.text()), At: c.instant()})
	}
	for range c.count() {
		p.Items = append(p.Items, storage.Queued{
			Item:  storage.Item{ID: string(c.text()), Lane: storage.Lane(c.u8()), Priority: c.u8(), Body: c.text()},
			Age:   c.u64(),
			Tries: int(c.u32()),
			Token: c.u64(),
			Until: c.instant(),
		})
	}
	last := ""
	for i := range c.count() {
		name := string(c.text())
		if i == 0 {
			p.Transcripts = map[string]storage.Transcript{}
		} else if name <= last {
			c.bad = true // Twice, or in another order than appendPiece's.
		}
		p.Transcripts[name], last = c.transcript(), name
	}
	if c.bad || len(c.rest) > 0 {
		return storage.Piece{}, errPiece
	}
	if p.Version == 0 && len(p.State) == 0 {
		p.State = nil
	}
	return p, nil
}

// A cursor reads bytes from the front. Once something was not there it is bad,
// and gives nothing any more.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) take(n int) []byte {
	if c.bad || n > len(c.rest) {
		c.bad, c.rest = true, nil
		return make([]byte, min(n, 8))
	}
	b := c.rest[:n:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) u8() uint8   { return c.take(1)[0] }
func (c *cursor) u32() uint32 { return binary.BigEndian.Uint32(c.take(4)) }
func (c *cursor) u64() uint64 { return binary.BigEndian.Uint64(c.take(8)) }

// count reads the length of a list, whose members take a byte each at least: a
// length that lies allocates nothing.
func (c *cursor) count() int {
	n := int(c.u32())
	if n > len(c.rest) {
		c.bad = true
		return 0
	}
	return n
}

// text is a copy: what is kept of a piece must not hold the whole of it.
func (c *cursor) text() []byte {
	if n := c.count(); !c.bad {
		return slices.Clone(c.take(n))
	}
	return nil
}

func (c *cursor) instant() time.Time {
	seconds, nanos := int64(c.u64()), c.u32()
	if nanos >= uint32(time.Second) {
		c.bad = true
	}
	return time.Unix(seconds, int64(nanos)).UTC()
}

func (c *cursor) transcript() (t storage.Transcript) {
	switch c.u8() {
	case 0:
	case 1:
		if t.Header = c.text(); t.Header == nil {
			t.Header = []byte{} // It is there, and empty.
		}
	default:
		c.bad = true
	}
	for range c.count() {
		t.Entries = append(t.Entries, c.text())
	}
	return t
}
