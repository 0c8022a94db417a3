package storage

import (
	"context"
	"runtime/debug"
	"slices"
	"time"
)

// Dump implements Store. All pieces are of one instant. The file does not
// say whose a transcript is, so transcripts come last, as pieces of their own.
//
// Writers go on meanwhile; but what they free stays in the file until the dump
// has ended, and Compact waits for that. So yield does not wait for anybody.
func (b *Bolt) Dump(ctx context.Context, yield func(Piece) error) error {
	b.copying.RLock()
	defer b.copying.RUnlock()
	b.open.gate.RLock()
	defer b.open.gate.RUnlock()
	tx, err := b.snapshot()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	return dump(ctx, &table{bucket: tx.Bucket([]byte(bucketName))}, yield)
}

func dump(ctx context.Context, t dumpable, yield func(Piece) error) (err error) {
	yielding := false
	defer func() {
		if yielding {
			return // Its panic is not the file's.
		}
		if p := recover(); p != nil {
			err = damaged(p)
		}
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	give := func(p Piece) bool {
		if err = ctx.Err(); err != nil {
			return false
		}
		yielding = true
		err = yield(p)
		yielding = false
		return err == nil
	}
	for p := range t.pieces {
		if !give(p) {
			return err
		}
	}
	for p := range t.transcripts {
		if !give(p) {
			return err
		}
	}
	return nil
}

// dumpable is a table of this version's format, or of an older one.
type dumpable interface {
	pieces(yield func(Piece) bool)
	transcripts(yield func(Piece) bool)
}

// pieces yields all conversations, in the order in which they began.
func (t *table) pieces(yield func(Piece) bool) {
	c := t.bucket.Cursor()
	for k, _ := c.Seek([]byte{kindConversation}); k != nil && k[0] == kindConversation; {
		serial := serialOf(k)
		if !yield(t.piece(t.ownerOf(serial))) {
			return
		}
		k, _ = c.Seek(conversationKey(serial + 1))
	}
}

// transcripts yields every transcript as a piece of its own.
func (t *table) transcripts(yield func(Piece) bool) {
	for k := range t.all([]byte{kindTranscript}) {
		name := string(k[1:])
		found, _ := t.transcript(name)
		if !yield(Piece{Transcripts: map[string]Transcript{name: found}}) {
			return
		}
	}
}

// piece returns all that is kept of a conversation but its transcripts. It
// panics if something of it is damaged.
func (t *table) piece(o owner) Piece {
	p := Piece{ID: o.id}
	if o.id == "" {
		panic("a conversation has no name")
	}
	for k, v := range t.all(conversationKey(o.serial)) {
		switch rest := k[serialSize+1:]; k[serialSize] {
		case partEvent:
			p.Events = append(p.Events, Handled{Event: string(rest), At: instantOf(v)})
		case partItem:
			item, ok := decodeItem(k, v)
			if !ok {
				panic("an item of the outbox cannot be read")
			}
			p.Items = append(p.Items, t.queued(Lane(rest[0]), item))
		case partRecord:
			r := decodeRecord(v)
			p.Version, p.State, p.Names, p.Alarm = r.version, slices.Clone(r.state), r.names, r.alarm
		}
	}
	return p
}

func (t *table) queued(lane Lane, item boltItem) Queued {
	q := Queued{
		Item: Item{
			ID: item.id, Lane: lane, Priority: item.priority,
			Body: slices.Clone(t.get(bodyKey(item.seq))),
		},
		Age:   item.seq,
		Tries: int(item.tries),
		Token: item.token,
	}
	if item.token != 0 && !item.leased && !item.ready.Equal(released()) {
		q.Until = item.ready
	}
	return q
}

// released is when a head can be leased again that nobody holds any more and
// nobody deferred.
func released() time.Time { return time.Unix(0, 0).UTC() }

// transcript returns a transcript, or false if there is none.
func (t *table) transcript(name string) (found Transcript, ok bool) {
	value := t.get(key(kindTranscript, name))
	if value == nil {
		return Transcript{}, false
	}
	if value[0] == 1 {
		found.Header = slices.Clone(value[1:])
	}
	for _, entry := range t.all(entriesKey(name)) {
		found.Entries = append(found.Entries, slices.Clone(entry))
	}
	return found, true
}
