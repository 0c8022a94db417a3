package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
)

// fillAtOnce is how many pieces are kept with one fsync.
const fillAtOnce = 1000

// Fill implements Store. A store whose filling did not come to its end is
// not opened again: ErrFormat.
func (e *Embedded) Fill(ctx context.Context, next func() (Piece, error)) error {
	err := e.change(ctx, func(t *turn) error {
		empty, err := t.isEmpty()
		if err == nil && !empty {
			return ErrNotEmpty
		}
		if err == nil {
			err = t.folder.setFormat(fillingFormat)
		}
		return err
	})
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		p, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if err := p.Validate(); err != nil {
			return fmt.Errorf("fill: %w", err)
		}
		if err := e.fill(ctx, &p); err != nil {
			return err
		}
		if n%fillAtOnce == 0 {
			if err := e.settleAll(); err != nil {
				return err
			}
		}
	}
	if err := e.settleAll(); err != nil {
		return err
	}
	return e.guard(func() error { return e.folder.setFormat(formatName) })
}

// isEmpty tells whether nothing is kept, but for counters.
func (t *turn) isEmpty() (bool, error) {
	for _, kind := range []byte{keyConversation, keyTranscript} {
		for _, err := range scan(t.db, []byte{kind}) {
			return false, err
		}
	}
	return true, nil
}

// fill keeps a piece. It is on the disk with the last one.
func (e *Embedded) fill(ctx context.Context, p *Piece) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	if p.ID != "" {
		// What an earlier piece brought goes first, and is looked for again.
		for _, change := range []func(*turn) error{
			func(t *turn) error { return t.expel(p.ID) },
			func(t *turn) error { return t.makeRoom(p) },
			func(t *turn) error { return t.fill(p) },
		} {
			if _, err := e.makeOne(ctx, change); err != nil {
				return err
			}
		}
	}
	for name, transcript := range p.Transcripts {
		if _, err := e.makeOne(ctx, func(t *turn) error { return t.forget(name) }); err != nil {
			return err
		}
		_, err := e.makeOne(ctx, func(t *turn) error {
			c := Commit{Transcript: name, Header: transcript.Header, Entries: transcript.Entries}
			t.transcribe(transcriptOf{name: name}, &c)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// makeOne makes a change that is not yet on the disk.
func (e *Embedded) makeOne(ctx context.Context, change func(*turn) error) (since uint64, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.perform(ctx, change)
}

// expel takes out what an earlier piece brought of the conversation.
func (t *turn) expel(id string) error {
	o, err := t.conversation(id)
	if err != nil || o.serial == 0 {
		return err
	}
	var handled []Handled
	for found, err := range scan(t.db, partKey(keyConversation, o.serial, partEvent)) {
		if err != nil {
			return err
		}
		handled = append(handled, Handled{Event: string(found.key[numberedSize+1:]), At: instantOf(found.value)})
	}
	for _, h := range handled {
		t.delete(eventKey(o.serial, h.Event))
		t.delete(eventTimeKey(h.At, o.serial, h.Event))
	}
	for _, lane := range Lanes() {
		for q := t.outbox.queue(o.serial, lane); q != nil; q = t.outbox.queue(o.serial, lane) {
			t.delete(itemKey(lane, o.serial, q.ages[0]))
			t.outbox.shift(q)
		}
	}
	t.replace(o, &Commit{ID: id}, nil)
	t.retire(o)
	return nil
}

// makeRoom takes the piece's further names from those who have them.
func (t *turn) makeRoom(p *Piece) error {
	type loss struct {
		record record
		serial uint64
	}
	var losses []loss
	for _, name := range p.Names {
		id := ""
		found, err := t.look(key(keyName, name), func(value []byte) error { id = string(value); return nil })
		if err != nil {
			return err
		}
		if !found {
			continue
		}
		serial, err := t.lookNumber(key(keySerial, id))
		if err != nil {
			return err
		}
		i := slices.IndexFunc(losses, func(l loss) bool { return l.serial == serial })
		if i < 0 {
			l := loss{serial: serial}
			if _, err := t.look(recordKey(serial), func(value []byte) (err error) {
				l.record, err = decodeRecord(slices.Clone(value))
				return err
			}); err != nil {
				return err
			}
			losses, i = append(losses, l), len(losses)
		}
		r := &losses[i].record
		r.names = slices.DeleteFunc(r.names, func(n string) bool { return n == name })
	}
	for i := range losses {
		t.scratch = losses[i].record.encode(t.scratch[:0])
		t.put(recordKey(losses[i].serial), t.scratch)
		t.known.forget(losses[i].record.id)
	}
	return nil
}

// fill keeps the conversation of a piece of which nothing is kept.
func (t *turn) fill(p *Piece) error {
	if p.Version == 0 && len(p.Items)+len(p.Events) == 0 {
		return nil
	}
	o := &conversation{id: p.ID}
	t.admit(o)
	for _, h := range p.Events {
		t.putEvent(o, h.Event, h.At)
	}
	for _, q := range p.Items {
		t.fillItem(o, &q)
	}
	c := Commit{ID: p.ID, Version: p.Version - 1, State: p.State, Alarm: p.Alarm}
	if p.Version == 0 {
		c.State = nil
	} else if c.State == nil {
		c.State = []byte{}
	}
	t.replace(o, &c, slices.Compact(slices.Sorted(slices.Values(p.Names))))
	return nil
}

func (t *turn) fillItem(o *conversation, q *Queued) {
	t.reach(max(q.Age, q.Token))
	item := keptItem{id: q.ID, priority: q.Priority, body: q.Body}
	if q.Token != 0 {
		item.lease = leaseState{token: q.Token, tries: uint32(q.Tries), ready: released()}
	}
	if !q.Until.IsZero() {
		item.lease.ready = q.Until.UTC()
	}
	t.putItem(itemKey(q.Lane, o.serial, q.Age), &item)
	queue, first := t.outbox.add(o.serial, q.Lane, q.Age, headOf(&item))
	switch {
	case !first:
	case q.Until.IsZero():
		t.outbox.listReady(queue)
	default:
		t.outbox.listWaiting(queue)
	}
}
