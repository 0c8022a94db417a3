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

func dump(ctx context.Context, t *table, yield func(Piece) error) (err error) {
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
	for k := range t.all([]byte{kindRecord}) {
		if !give(t.piece(string(k[1:]))) {
			return err
		}
	}
	recorded := func(id string) bool { return t.get(key(kindRecord, id)) != nil }
	if !t.conversations(kindItem, func(id string) bool { return recorded(id) || give(t.piece(id)) }) {
		return err
	}
	if !t.conversations(kindEvent, func(id string) bool {
		item, _ := t.first(appendName([]byte{kindItem}, id))
		return item != nil || recorded(id) || give(t.piece(id))
	}) {
		return err
	}
	for k := range t.all([]byte{kindTranscript}) {
		name := string(k[1:])
		found, _ := t.transcript(name)
		if !give(Piece{Transcripts: map[string]Transcript{name: found}}) {
			return err
		}
	}
	return nil
}

// conversations calls visit with each conversation that has keys of the kind,
// until it returns false, and returns what it returned last.
func (t *table) conversations(kind byte, visit func(id string) bool) bool {
	c := t.bucket.Cursor()
	for k, _ := c.Seek([]byte{kind}); k != nil && k[0] == kind; {
		end := 2 + int(k[1])
		prefix := slices.Clone(k[:end])
		if !visit(string(k[2:end])) {
			return false
		}
		k, _ = c.Seek(behind(prefix))
	}
	return true
}

// behind returns the first key after all that begin with prefix, which has a
// byte that is not 0xff.
func behind(prefix []byte) []byte {
	for i := len(prefix) - 1; ; i-- {
		if prefix[i]++; prefix[i] != 0 {
			return prefix[:i+1]
		}
	}
}

// piece returns all that is kept of a conversation but its transcripts. It
// panics if something of it is damaged.
func (t *table) piece(id string) Piece {
	p := Piece{ID: id}
	if value := t.get(key(kindRecord, id)); value != nil {
		r := decodeRecord(value)
		p.Version, p.State, p.Names, p.Alarm = r.version, slices.Clone(r.state), r.names, r.alarm
	}
	events := eventKey(id, "")
	for k, v := range t.all(events) {
		p.Events = append(p.Events, Handled{Event: string(k[len(events):]), At: instantOf(v)})
	}
	lanes := appendName([]byte{kindItem}, id)
	for k, v := range t.all(lanes) {
		item, ok := decodeItem(k, v)
		if !ok {
			panic("an item of the outbox cannot be read")
		}
		p.Items = append(p.Items, t.queued(Lane(k[len(lanes)]), item))
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
