package storage

import (
	"slices"
	"time"
)

// commit keeps c, or returns why not, and leases the heads of the given lanes.
// Everything is checked before anything is written: a commit that fails leaves
// its neighbours in the same transaction alone.
func (t *table) commit(c *Commit, until time.Time, lanes []Lane) ([]Leased, error) {
	for _, event := range c.Events {
		// An event too long to be kept was never kept.
		if len(event) <= MaxName && len(c.ID) <= MaxName && t.get(eventKey(c.ID, event)) != nil {
			return nil, ErrDuplicate
		}
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	var done boltItem
	if c.Ack != nil {
		var held bool
		if done, held = t.held(c.Ack); !held {
			return nil, ErrLeaseLost
		}
	}
	var old boltRecord
	if b := t.get(key(kindRecord, c.ID)); b != nil {
		old = decodeRecord(b)
	}
	if old.version != c.Version {
		return nil, ErrConflict
	}
	var names []string
	if c.State != nil {
		names = slices.Compact(slices.Sorted(slices.Values(c.Names)))
	}
	for _, name := range names {
		if owner := t.get(key(kindName, name)); owner != nil && string(owner) != c.ID {
			return nil, ErrNameTaken
		}
	}

	for _, event := range c.Events {
		t.put(eventKey(c.ID, event), appendInstant(nil, c.At))
		t.put(eventTimeKey(c.At, c.ID, event), nil)
	}
	t.replaceRecord(c, old, names)
	t.transcribe(c)
	g := &grab{id: c.ID, now: c.At, until: until, lanes: lanes}
	if c.Ack != nil {
		t.remove(c.ID, c.Ack.Lane, done)
		t.promote(c.Ack.Lane, g)
	}
	t.enqueue(c.Items, g)
	return g.finish(t), nil
}

func (t *table) replaceRecord(c *Commit, old boltRecord, names []string) {
	for _, name := range old.names {
		if !slices.Contains(names, name) {
			t.delete(key(kindName, name))
		}
	}
	alarm := c.Alarm
	if c.State == nil {
		alarm = time.Time{}
	}
	if !old.alarm.Equal(alarm) {
		if !old.alarm.IsZero() {
			t.delete(alarmKey(old.alarm, c.ID))
		}
		if !alarm.IsZero() {
			t.put(alarmKey(alarm, c.ID), nil)
		}
	}
	if c.State == nil {
		if old.version != 0 {
			t.delete(key(kindRecord, c.ID))
		}
		return
	}
	for _, name := range names {
		if !slices.Contains(old.names, name) {
			t.put(key(kindName, name), []byte(c.ID))
		}
	}
	r := boltRecord{version: c.Version + 1, alarm: c.Alarm, names: names, state: c.State}
	t.put(key(kindRecord, c.ID), r.encode())
}

func (t *table) transcribe(c *Commit) {
	if c.Header == nil && len(c.Entries) == 0 {
		return
	}
	name := key(kindTranscript, c.Transcript)
	if c.Header != nil {
		t.put(name, append([]byte{1}, c.Header...))
	} else if t.get(name) == nil {
		t.put(name, []byte{0})
	}
	for _, entry := range c.Entries {
		t.put(entryKey(c.Transcript, t.next()), entry)
	}
}

// forget erases a transcript.
func (t *table) forget(transcript string) {
	name := key(kindTranscript, transcript)
	if t.get(name) == nil {
		return
	}
	t.delete(name)
	var keys [][]byte
	for k := range t.all(entriesKey(transcript)) {
		keys = append(keys, slices.Clone(k))
	}
	for _, k := range keys {
		t.delete(k)
	}
}
