package storage

import (
	"encoding/binary"
	"slices"
	"time"
)

// commit keeps c, or returns why not, and leases the heads of the given lanes.
func (t *turn) commit(c *Commit, until time.Time, lanes []Lane) ([]Leased, error) {
	o, err := t.conversation(c.ID)
	if err != nil {
		return nil, err
	}
	if err := t.refuse(o, c); err != nil {
		return nil, err
	}
	var names []string
	if c.State != nil && len(c.Names) > 0 {
		names = slices.Compact(slices.Sorted(slices.Values(c.Names)))
	}
	if err := t.refuseNames(o, names); err != nil {
		return nil, err
	}
	g := &grab{owner: o, now: c.At, until: until, lanes: lanes}
	if err := g.read(t, c.Ack); err != nil {
		return nil, err
	}
	var transcript transcriptOf
	if c.Header != nil || len(c.Entries) > 0 {
		if transcript, err = t.transcriptOf(c.Transcript); err != nil {
			return nil, err
		}
	}
	leftover := false // something of the conversation is left without a record
	if c.State == nil && len(c.Events) == 0 && o.serial != 0 {
		if leftover, err = t.hasEvents(o.serial); err != nil {
			return nil, err
		}
	}

	// From here on nothing fails.
	t.admit(o)
	for _, event := range c.Events {
		t.putEvent(o, event, c.At)
	}
	t.transcribe(transcript, c)
	leased := g.write(t, c.Ack, c.Items)
	t.replace(o, c, names)
	if c.State == nil && len(c.Events) == 0 && !leftover && t.outbox.isEmpty(o.serial) {
		t.retire(o)
	}
	return leased, nil
}

// refuse returns why the commit is not kept, but for its names.
func (t *turn) refuse(o *conversation, c *Commit) error {
	for _, event := range c.Events {
		// An event too long to be kept was never kept.
		if len(event) > MaxName || o.serial == 0 || o.seen.lacks(event) {
			continue
		}
		switch found, err := t.look(eventKey(o.serial, event), ignore); {
		case err != nil:
			return err
		case found:
			t.since = o.changed
			return ErrDuplicate
		}
	}
	if err := c.Validate(); err != nil {
		return err
	}
	if c.Ack != nil && t.outbox.held(o.serial, c.Ack) == nil {
		t.since = t.changes
		return ErrLeaseLost
	}
	if o.version != c.Version {
		return ErrConflict
	}
	return nil
}

func ignore([]byte) error { return nil }

// refuseNames returns ErrNameTaken if another conversation has one of the names.
func (t *turn) refuseNames(o *conversation, names []string) error {
	for _, name := range names {
		if slices.Contains(o.names, name) {
			continue
		}
		taken := false
		if t.names.lacks(keyName, name) {
			continue
		}
		_, err := t.look(key(keyName, name), func(id []byte) error {
			taken = string(id) != o.id
			return nil
		})
		if err != nil {
			return err
		}
		if taken {
			t.since = t.changes
			return ErrNameTaken
		}
	}
	return nil
}

// admit gives the conversation a serial if it has none.
func (t *turn) admit(o *conversation) {
	if o.serial == 0 {
		o.serial = t.nextNumber()
		t.putNamed(keySerial, o.id, binary.BigEndian.AppendUint64(nil, o.serial))
	}
	o.changed = t.number
	t.known.put(o, t.line.durable.Load(), t.changes)
}

func (t *turn) putEvent(o *conversation, event string, at time.Time) {
	t.put(eventKey(o.serial, event), appendInstant(nil, at))
	t.put(eventTimeKey(at, o.serial, event), nil)
	o.seen.add(event)
}

// replace writes the record that the commit leaves.
func (t *turn) replace(o *conversation, c *Commit, names []string) {
	for _, name := range o.names {
		if !slices.Contains(names, name) {
			t.delete(key(keyName, name))
			t.erased = t.number
		}
	}
	for _, name := range names {
		if !slices.Contains(o.names, name) {
			t.putNamed(keyName, name, []byte(o.id))
		}
	}
	o.names = names
	if c.State == nil {
		t.setAlarm(o, time.Time{})
		o.version = 0
		t.erased = t.number
	} else {
		t.setAlarm(o, c.Alarm)
		o.version = c.Version + 1
	}
	t.putRecord(o, c.State)
}

// setAlarm moves the alarm. Its place in the order of time follows at once only
// if it would go off too late there.
func (t *turn) setAlarm(o *conversation, at time.Time) {
	o.alarm = at
	if !o.listed.IsZero() && !at.IsZero() && !at.Before(o.listed) {
		return
	}
	if !o.listed.IsZero() {
		t.delete(alarmKey(o.listed, o.serial))
	}
	if !at.IsZero() {
		t.put(alarmKey(at, o.serial), nil)
	}
	o.listed = at
}

func (t *turn) putRecord(o *conversation, state []byte) {
	r := record{id: o.id, version: o.version, alarm: o.alarm, listed: o.listed, names: o.names, seen: o.seen, state: state}
	t.scratch = r.encode(t.scratch[:0])
	t.put(recordKey(o.serial), t.scratch)
}

// hasEvents tells whether an event of the conversation is remembered.
func (t *turn) hasEvents(serial uint64) (bool, error) {
	for _, err := range scan(t.db, partKey(keyConversation, serial, partEvent)) {
		return err == nil, err
	}
	return false, nil
}

// retire forgets the conversation: nothing else is kept of it.
func (t *turn) retire(o *conversation) {
	t.delete(key(keySerial, o.id))
	t.delete(recordKey(o.serial))
	t.known.forget(o.id)
	t.erased = t.number
}

// A transcriptOf is where a commit's header and entries go: number is 0 if
// there is no such transcript yet.
type transcriptOf struct {
	name   string
	number uint64
}

func (t *turn) transcriptOf(name string) (transcriptOf, error) {
	if t.names.lacks(keyTranscript, name) {
		return transcriptOf{name: name}, nil
	}
	number, err := t.lookNumber(key(keyTranscript, name))
	return transcriptOf{name, number}, err
}

// transcribe writes what the commit adds to its transcript.
func (t *turn) transcribe(to transcriptOf, c *Commit) {
	if to.name == "" {
		return
	}
	if to.number == 0 {
		to.number = t.nextNumber()
		t.putNamed(keyTranscript, to.name, binary.BigEndian.AppendUint64(nil, to.number))
	}
	if c.Header != nil {
		t.put(partKey(keyContent, to.number, partHeader), c.Header)
	}
	for _, entry := range c.Entries {
		t.put(entryKey(to.number, t.nextNumber()), entry)
	}
}

// add adds what is under a key of the transcript. Entries come in their order.
func (t *Transcript) add(part pair) error {
	if len(part.key) <= numberedSize {
		return errValue
	}
	switch part.key[numberedSize] {
	case partHeader:
		t.Header = append([]byte{}, part.value...)
	case partEntry:
		t.Entries = append(t.Entries, append([]byte{}, part.value...))
	}
	return nil
}

// forget erases a transcript.
func (t *turn) forget(name string) error {
	to, err := t.transcriptOf(name)
	if err != nil {
		return err
	}
	if to.number == 0 {
		t.since = t.changes
		return nil
	}
	var keys [][]byte
	for part, err := range scan(t.db, numbered(keyContent, to.number)) {
		if err != nil {
			return err
		}
		keys = append(keys, slices.Clone(part.key))
	}
	t.delete(key(keyTranscript, name))
	for _, k := range keys {
		t.delete(k)
	}
	return nil
}

// sweep drops the identities of at most n events handled before the instant.
func (t *turn) sweep(before time.Time, n int) (int, error) {
	type swept struct{ timeKey, eventKey []byte }
	var events []swept
	var serials []uint64
	for found, err := range scan(t.db, []byte{keyEventTime}) {
		if len(events) >= n {
			break
		}
		if err != nil {
			return 0, err
		}
		at, serial, event := timed(found.key)
		if !at.Before(before) {
			break
		}
		events = append(events, swept{slices.Clone(found.key), eventKey(serial, string(event))})
		serials = append(serials, serial)
	}
	gone := make(map[string]bool, len(events))
	for _, s := range events {
		gone[string(s.eventKey)] = true
	}
	slices.Sort(serials)
	var retiring []*conversation
	for _, serial := range slices.Compact(serials) {
		o, err := t.leftover(serial, gone)
		if err != nil {
			return 0, err
		}
		if o != nil {
			retiring = append(retiring, o)
		}
	}
	for _, s := range events {
		t.delete(s.timeKey)
		t.delete(s.eventKey)
	}
	for _, o := range retiring {
		t.retire(o)
	}
	return len(events), nil
}

// leftover returns the conversation if nothing is left of it without the events
// that are going, and otherwise nil.
func (t *turn) leftover(serial uint64, going map[string]bool) (*conversation, error) {
	if !t.outbox.isEmpty(serial) {
		return nil, nil
	}
	var r record
	found, err := t.look(recordKey(serial), func(value []byte) (err error) {
		r, err = decodeRecord(value)
		return err
	})
	if err != nil || !found || r.version != 0 {
		return nil, err
	}
	for event, err := range scan(t.db, partKey(keyConversation, serial, partEvent)) {
		if err != nil || !going[string(event.key)] {
			return nil, err
		}
	}
	return conversationOf(serial, &r), nil
}
