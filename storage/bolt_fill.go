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
	fillingFormat = "filling 1"
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
	for size, more := minFill, true; more; size = min(2*size, maxFill) {
		var batch []Piece
		if batch, more, err = gatherPieces(next, size); err != nil {
			return err
		}
		err := b.writer.do(ctx, func(t *table) error {
			for i := range batch {
				if err := t.fill(&batch[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return b.writer.do(ctx, func(t *table) error {
		t.put([]byte{kindFormat}, []byte(formatName))
		return nil
	})
}

// gatherPieces returns what is kept in one transaction; more is false after the
// last piece.
func gatherPieces(next func() (Piece, error), size int) (batch []Piece, more bool, err error) {
	for bytes := 0; len(batch) < size && bytes < fillTxBytes; {
		p, err := next()
		if errors.Is(err, io.EOF) {
			return batch, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		if err := p.Validate(); err != nil {
			return nil, false, fmt.Errorf("fill: %w", err)
		}
		batch = append(batch, p)
		bytes += p.size()
	}
	return batch, true, nil
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
	for _, kind := range []byte{kindRecord, kindEvent, kindItem, kindTranscript} {
		if k, _ := t.first([]byte{kind}); k != nil {
			return false
		}
	}
	return true
}

// fill keeps a piece.
func (t *table) fill(p *Piece) error {
	if p.ID != "" {
		t.expel(p.ID)
		for _, item := range p.Items {
			if t.get(bodyKey(item.Age)) != nil {
				return errFilled
			}
		}
		t.fillRecord(p)
		for _, h := range p.Events {
			t.put(eventKey(p.ID, h.Event), appendInstant(nil, h.At))
			t.put(eventTimeKey(h.At, p.ID, h.Event), nil)
		}
		t.fillOutbox(p)
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

func (t *table) fillRecord(p *Piece) {
	if p.Version == 0 {
		return
	}
	names := slices.Compact(slices.Sorted(slices.Values(p.Names)))
	for _, name := range names {
		if owner := t.get(key(kindName, name)); owner != nil {
			t.takeName(string(owner), name)
		}
	}
	c := Commit{ID: p.ID, Version: p.Version - 1, State: p.State, Alarm: p.Alarm}
	if c.State == nil {
		c.State = []byte{}
	}
	t.replaceRecord(&c, boltRecord{}, names)
}

// takeName takes a further name from its owner, who has it no more.
func (t *table) takeName(owner, name string) {
	k := key(kindRecord, owner)
	r := decodeRecord(t.get(k))
	r.names = slices.DeleteFunc(r.names, func(n string) bool { return n == name })
	t.put(k, r.encode())
}

func (t *table) fillOutbox(p *Piece) {
	count := make(map[Lane]int, 2)
	for _, q := range p.Items {
		t.reach(max(q.Age, q.Token))
		item := boltItem{seq: q.Age, id: q.ID, priority: q.Priority, token: q.Token, tries: uint32(q.Tries), ready: released()}
		t.put(bodyKey(q.Age), q.Body)
		count[q.Lane]++
		if !q.Until.IsZero() {
			t.hold(p.ID, q.Lane, item, q.Until)
			continue
		}
		t.put(itemKey(p.ID, q.Lane, q.Age), item.encode())
		if count[q.Lane] == 1 {
			t.put(headKey(q.Lane, q.Priority, q.Age), []byte(p.ID))
		}
	}
	for lane, n := range count {
		t.count(lane, n)
	}
}

// expel takes out what an earlier piece brought of the conversation.
func (t *table) expel(id string) {
	if value := t.get(key(kindRecord, id)); value != nil {
		old := decodeRecord(value)
		t.replaceRecord(&Commit{ID: id}, old, nil)
	}
	p := t.piece(id)
	for _, h := range p.Events {
		t.delete(eventKey(id, h.Event))
		t.delete(eventTimeKey(h.At, id, h.Event))
	}
	for _, lane := range []Lane{LaneCaller, LaneOfficers} {
		for head, ok := t.head(id, lane); ok; head, ok = t.head(id, lane) {
			t.remove(id, lane, head)
		}
	}
}
