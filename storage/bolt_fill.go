package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

const (
	// fillingFormat is the format while the store is being filled, so that no
	// process takes half a store for a whole one.
	fillingFormat = "filling"
	// minFill and maxFill are how many pieces are kept in one transaction: the
	// first are small, because a page of the tree is split only at the end of
	// one.
	minFill, maxFill = 64, 8192
	// fillTxBytes is how many bytes of content end a transaction earlier.
	fillTxBytes = 16 << 20
)

// errFilled says that two items have the same age.
var errFilled = errors.New("storage: two items of the pieces have the same age")

// Fill implements Store. A store whose filling did not come to its end is
// not opened again: ErrFormat.
func (b *Bolt) Fill(ctx context.Context, next func() (Piece, error)) error {
	err := b.writer.do(ctx, func(t *table) error {
		if !t.empty() {
			return ErrNotEmpty
		}
		t.put([]byte{kindFormat}, []byte(fillingFormat))
		return nil
	})
	if err != nil {
		return err
	}
	f := newFiller(func(change func(*table) error) error { return b.writer.do(ctx, change) })
	for {
		p, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := f.add(p); err != nil {
			return err
		}
	}
	if err := f.finish(); err != nil {
		return err
	}
	return b.writer.do(ctx, func(t *table) error {
		t.put([]byte{kindFormat}, []byte(formatName))
		return nil
	})
}

// A filler keeps pieces, many of them in one transaction.
type filler struct {
	// write makes a change in a transaction.
	write func(change func(*table) error) error
	batch []Piece
	bytes int
	size  int // of the batch, at most
}

func newFiller(write func(change func(*table) error) error) *filler {
	return &filler{write: write, size: minFill}
}

func (f *filler) add(p Piece) error {
	if err := p.Validate(); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	f.batch = append(f.batch, p)
	f.bytes += p.size()
	if len(f.batch) < f.size && f.bytes < fillTxBytes {
		return nil
	}
	f.size = min(2*f.size, maxFill)
	return f.finish()
}

// finish keeps the pieces that are left.
func (f *filler) finish() error {
	err := f.write(func(t *table) error {
		for i := range f.batch {
			if err := t.fill(&f.batch[i]); err != nil {
				return err
			}
		}
		return nil
	})
	f.batch, f.bytes = f.batch[:0], 0
	return err
}

// size is about how many bytes are in the piece.
func (p *Piece) size() int {
	n := len(p.State)
	for _, item := range p.Items {
		n += len(item.Body)
	}
	for _, t := range p.Transcripts {
		n += len(t.Header)
		for _, entry := range t.Entries {
			n += len(entry)
		}
	}
	return n
}

// empty tells whether nothing is kept, but for the format and for counters.
func (t *table) empty() bool {
	for _, kind := range []byte{kindConversation, kindTranscript} {
		if k, _ := t.first([]byte{kind}); k != nil {
			return false
		}
	}
	return true
}

// fill keeps a piece.
func (t *table) fill(p *Piece) error {
	if p.ID != "" {
		o := t.owner(p.ID)
		t.expel(o)
		for _, item := range p.Items {
			if t.get(bodyKey(item.Age)) != nil {
				return errFilled
			}
		}
		t.admit(&o)
		t.fillRecord(o, p)
		for _, h := range p.Events {
			t.putEvent(o, h.Event, h.At)
		}
		t.fillOutbox(o, p)
		t.retire(o)
	}
	for name, transcript := range p.Transcripts {
		t.forget(name)
		// A transcript is there even if it has neither header nor entries.
		t.put(key(kindTranscript, name), []byte{0})
		c := Commit{Transcript: name, Header: transcript.Header, Entries: transcript.Entries}
		t.transcribe(&c)
	}
	return nil
}

func (t *table) fillRecord(o owner, p *Piece) {
	if p.Version == 0 {
		return
	}
	names := slices.Compact(slices.Sorted(slices.Values(p.Names)))
	for _, name := range names {
		if id := t.get(key(kindName, name)); id != nil {
			t.takeName(t.owner(string(id)), name)
		}
	}
	c := Commit{ID: p.ID, Version: p.Version - 1, State: p.State, Alarm: p.Alarm}
	if c.State == nil {
		c.State = []byte{}
	}
	t.replaceRecord(o, &c, boltRecord{}, names)
}

// takeName takes a further name from its owner, who has it no more.
func (t *table) takeName(from owner, name string) {
	r := t.record(from)
	r.names = slices.DeleteFunc(r.names, func(n string) bool { return n == name })
	t.put(partKey(from.serial, partRecord), r.encode())
}

func (t *table) fillOutbox(o owner, p *Piece) {
	count := make(map[Lane]int, 2)
	for _, q := range p.Items {
		t.reach(max(q.Age, q.Token))
		item := boltItem{seq: q.Age, id: q.ID, priority: q.Priority, token: q.Token, tries: uint32(q.Tries), ready: released()}
		t.put(bodyKey(q.Age), q.Body)
		count[q.Lane]++
		if !q.Until.IsZero() {
			t.hold(o, q.Lane, item, q.Until)
			continue
		}
		t.put(itemKey(o.serial, q.Lane, q.Age), item.encode())
		if count[q.Lane] == 1 {
			t.listHead(o, q.Lane, item)
		}
	}
	for lane, n := range count {
		t.count(lane, n)
	}
}

// expel takes out what an earlier piece brought of the conversation.
func (t *table) expel(o owner) {
	if o.serial == 0 {
		return
	}
	p := t.piece(o)
	t.replaceRecord(o, &Commit{ID: o.id}, t.record(o), nil)
	for _, h := range p.Events {
		t.delete(eventKey(o.serial, h.Event))
		t.delete(eventTimeKey(h.At, o.serial, h.Event))
	}
	for _, lane := range Lanes() {
		for head, ok := t.head(o, lane); ok; head, ok = t.head(o, lane) {
			t.remove(o, lane, head)
		}
	}
}
