package storage

import (
	"slices"
	"time"
)

// commit keeps c, or returns why not, and leases the heads of the given lanes.
// Everything is checked before anything is written: a commit that fails leaves
// its neighbours in the same transaction alone.
func (t *table) commit(c *Commit, until time.Time, lanes []Lane) ([]Leased, error) {
	o := t.owner(c.ID)
	for _, event := range c.Events {
		// An event too long to be kept was never kept.
		if o.serial != 0 && len(event) <= MaxName && t.get(eventKey(o.serial, event)) != nil {
			return nil, ErrDuplicate
		}
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	var done boltItem
	if c.Ack != nil {
		var held bool
		if done, held = t.held(o, c.Ack); !held {
			return nil, ErrLeaseLost
		}
	}
	old := t.record(o)
	if old.version != c.Version {
		return nil, ErrConflict
	}
	var names []string
	if c.State != nil && len(c.Names) > 0 {
		names = slices.Compact(slices.Sorted(slices.Values(c.Names)))
	}
	for _, name := range names {
		if owner := t.get(key(kindName, name)); owner != nil && string(owner) != c.ID {
			return nil, ErrNameTaken
		}
	}

	t.admit(&o)
	for _, event := range c.Events {
		t.putEvent(o, event, c.At)
	}
	t.replaceRecord(o, c, old, names)
	t.transcribe(c)
	g := &grab{owner: o, now: c.At, until: until, lanes: lanes}
	if c.Ack != nil {
		t.remove(o, c.Ack.Lane, done)
		t.promote(c.Ack.Lane, g)
	}
	t.enqueue(c.Items, g)
	leased := g.finish(t)
	if c.State == nil {
		t.retire(o)
	}
	return leased, nil
}

func (t *table) putEvent(o owner, event string, at time.Time) {
	t.put(eventKey(o.serial, event), appendInstant(nil, at))
	t.put(eventTimeKey(at, o.serial, event), nil)
}

func (t *table) replaceRecord(o owner, c *Commit, old boltRecord, names []string) {
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
			t.delete(alarmKey(old.alarm, o.id))
		}
		if !alarm.IsZero() {
			t.put(alarmKey(alarm, o.id), nil)
		}
	}
	if c.State == nil {
		if old.version != 0 {
			t.delete(partKey(o.serial, partRecord))
		}
		return
	}
	for _, name := range names {
		if !slices.Contains(old.names, name) {
			t.put(key(kindName, name), []byte(o.id))
		}
	}
	r := boltRecord{version: c.Version + 1, alarm: c.Alarm, names: names, state: c.State}
	t.put(partKey(o.serial, partRecord), r.encode())
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
