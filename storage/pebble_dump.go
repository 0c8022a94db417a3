package storage

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// Dump implements Store. All pieces are of one instant. The store does not say
// whose a transcript is, so transcripts come last, as pieces of their own.
//
// Writers go on meanwhile; but the files stay that the dump reads, and Compact
// waits for it. So yield does not wait for anybody.
func (e *Embedded) Dump(ctx context.Context, yield func(Piece) error) error {
	e.copying.RLock()
	defer e.copying.RUnlock()
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	d, err := e.dumper()
	if err != nil {
		return err
	}
	if err := e.settleAll(); err != nil {
		return d.close(err)
	}
	d.yield = func(p Piece) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return yield(p)
	}
	closed := false
	defer func() { // yield may panic.
		if !closed {
			_ = d.close(nil)
		}
	}()
	err = d.pieces()
	if err == nil {
		err = d.transcripts()
	}
	closed = true
	return d.close(err)
}

// A dumper reads the store as it was at one instant: each cursor stands in its
// own part of it.
type dumper struct {
	all   []*cursor
	yield func(Piece) error

	conversations, names, contents *cursor
	items                          []*cursor // one a lane
}

// dumper returns one for this instant.
func (e *Embedded) dumper() (*dumper, error) {
	d := &dumper{}
	var err error
	cursor := func(prefix ...byte) *cursor {
		c := &cursor{}
		if err != nil {
			return c
		}
		options := &pebble.IterOptions{LowerBound: prefix, UpperBound: behind(slices.Clone(prefix))}
		if len(d.all) == 0 {
			c.it, err = e.db.NewIter(options)
		} else {
			c.it, err = d.all[0].it.Clone(pebble.CloneOptions{IterOptions: options})
		}
		if err == nil {
			d.all = append(d.all, c)
			c.it.First()
		}
		return c
	}
	d.conversations = cursor(keyConversation)
	for _, lane := range Lanes() {
		d.items = append(d.items, cursor(keyItem, byte(lane)))
	}
	d.names = cursor(keyTranscript)
	d.contents = cursor(keyContent)
	if err != nil {
		return nil, d.close(unreadable(err))
	}
	return d, nil
}

// close ends the dump with the error, or with the one that a cursor met.
func (d *dumper) close(err error) error {
	for _, c := range d.all {
		if failed := c.it.Close(); failed != nil && err == nil {
			err = unreadable(failed)
		}
	}
	return err
}

// A cursor goes through a part of the store in order.
type cursor struct{ it *pebble.Iterator }

// at returns the key at which the cursor is, nil if it is at the end or cannot
// read on.
func (c *cursor) at() []byte {
	if !c.it.Valid() {
		return nil
	}
	return c.it.Key()
}

func (c *cursor) value() ([]byte, error) {
	value, err := c.it.ValueAndErr()
	if err != nil {
		return nil, unreadable(err)
	}
	return value, nil
}

func (c *cursor) next() { c.it.Next() }

// pieces yields all conversations, in the order in which they began.
func (d *dumper) pieces() error {
	for k := d.conversations.at(); k != nil; k = d.conversations.at() {
		p, err := d.piece(numberIn(k))
		if err != nil {
			return err
		}
		if err := d.yield(p); err != nil {
			return err
		}
	}
	for _, c := range d.items {
		if c.at() != nil && d.conversations.it.Error() == nil {
			return fmt.Errorf("%w (an item of the outbox is nobody's)", ErrDamaged)
		}
	}
	return nil
}

// piece returns all that is kept of the conversation at which the cursor is but
// its transcripts.
func (d *dumper) piece(serial uint64) (Piece, error) {
	var p Piece
	prefix := numbered(keyConversation, serial)
	for k := d.conversations.at(); bytes.HasPrefix(k, prefix); k = d.conversations.at() {
		value, err := d.conversations.value()
		if err != nil {
			return Piece{}, err
		}
		if err := p.add(pair{k, value}); err != nil {
			return Piece{}, err
		}
		d.conversations.next()
	}
	if p.ID == "" {
		if err := d.conversations.it.Error(); err != nil {
			return Piece{}, unreadable(err)
		}
		return Piece{}, fmt.Errorf("%w (a conversation has no record)", ErrDamaged)
	}
	for i, lane := range Lanes() {
		items, err := d.queued(d.items[i], lane, serial)
		if err != nil {
			return Piece{}, err
		}
		p.Items = append(p.Items, items...)
	}
	return p, nil
}

// add adds what is under a key of the conversation.
func (p *Piece) add(part pair) error {
	if len(part.key) <= numberedSize {
		return fmt.Errorf("%w (%w)", ErrDamaged, errValue)
	}
	switch part.key[numberedSize] {
	case partEvent:
		if len(part.value) != instantSize {
			return fmt.Errorf("%w (%w)", ErrDamaged, errValue)
		}
		p.Events = append(p.Events, Handled{Event: string(part.key[numberedSize+1:]), At: instantOf(part.value)})
	case partRecord:
		r, err := decodeRecord(part.value)
		if err != nil {
			return fmt.Errorf("%w (%w)", ErrDamaged, err)
		}
		p.ID, p.Version, p.Names, p.Alarm = r.id, r.version, r.names, r.alarm
		if r.version != 0 {
			p.State = append([]byte{}, r.state...)
		}
	}
	return nil
}

// queued returns a conversation's items of one lane.
func (d *dumper) queued(c *cursor, lane Lane, serial uint64) (items []Queued, err error) {
	prefix := laneKey(lane, serial)
	for k := c.at(); k != nil; k = c.at() {
		if order := bytes.Compare(k[:min(len(prefix), len(k))], prefix); order > 0 {
			return items, nil
		} else if order < 0 || len(k) != itemSize {
			return nil, fmt.Errorf("%w (an item of the outbox is nobody's)", ErrDamaged)
		}
		value, err := c.value()
		if err != nil {
			return nil, err
		}
		item, err := decodeItem(value)
		if err != nil {
			return nil, fmt.Errorf("%w (an item of the outbox: %w)", ErrDamaged, err)
		}
		items = append(items, queuedOf(lane, seqOf(k), &item))
		c.next()
	}
	if err := c.it.Error(); err != nil {
		return nil, unreadable(err)
	}
	return items, nil
}

func queuedOf(lane Lane, age uint64, item *keptItem) Queued {
	q := Queued{
		Item:  Item{ID: item.id, Lane: lane, Priority: item.priority, Body: slices.Clone(item.body)},
		Age:   age,
		Tries: int(item.lease.tries),
		Token: item.lease.token,
	}
	if l := item.lease; l.token != 0 && !l.held && !l.ready.Equal(released()) {
		q.Until = l.ready
	}
	return q
}

// transcripts yields every transcript as a piece of its own, in the order of
// their names.
func (d *dumper) transcripts() error {
	for k := d.names.at(); k != nil; k = d.names.at() {
		value, err := d.names.value()
		if err != nil {
			return err
		}
		if len(value) != 8 {
			return fmt.Errorf("%w (%w)", ErrDamaged, errValue)
		}
		found, err := d.transcript(value)
		if err != nil {
			return err
		}
		if err := d.yield(Piece{Transcripts: map[string]Transcript{string(k[1:]): found}}); err != nil {
			return err
		}
		d.names.next()
	}
	return nil
}

func (d *dumper) transcript(number []byte) (found Transcript, err error) {
	prefix := append([]byte{keyContent}, number...)
	d.contents.it.SeekGE(prefix)
	for k := d.contents.at(); bytes.HasPrefix(k, prefix); k = d.contents.at() {
		value, err := d.contents.value()
		if err != nil {
			return Transcript{}, err
		}
		if err := found.add(pair{k, value}); err != nil {
			return Transcript{}, fmt.Errorf("%w (%w)", ErrDamaged, err)
		}
		d.contents.next()
	}
	if err := d.contents.it.Error(); err != nil {
		return Transcript{}, unreadable(err)
	}
	return found, nil
}
