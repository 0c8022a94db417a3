package storage

import "time"

// A conversation is what is known of one without its state. Its serial is 0 if
// nothing is kept of it.
type conversation struct {
	id      string
	serial  uint64
	version uint64
	alarm   time.Time
	listed  time.Time
	names   []string

	// changed is the last change to it since the store was opened, 0 if there
	// was none.
	changed uint64
	seen    seen
}

// conversationOf is what a record says.
func conversationOf(serial uint64, r *record) *conversation {
	return &conversation{id: r.id, serial: serial, version: r.version, alarm: r.alarm, listed: r.listed, names: r.names, seen: r.seen}
}

// maxKnown is how many conversations are in each half of what is known.
const maxKnown = 4096

// known are the conversations that were lately in use. One with a change that
// is not yet on the disk is always among them: what is not known here is on the
// disk.
type known struct {
	young, old map[string]*conversation
	// turned is the last change before old was young, and turns counts that.
	turned uint64
	turns  uint64
}

func newKnown() known { return known{young: make(map[string]*conversation)} }

// get returns the conversation, nil if it is not known here.
func (k *known) get(id string) *conversation {
	if c := k.young[id]; c != nil {
		return c
	}
	return k.old[id]
}

// put makes the conversation one that was lately in use. durable and changes
// are the last change that is on the disk and the last of all.
func (k *known) put(c *conversation, durable, changes uint64) {
	if len(k.young) >= maxKnown && durable >= k.turned {
		k.old, k.young = k.young, make(map[string]*conversation, maxKnown)
		k.turned = changes
		k.turns++
	}
	k.young[c.id] = c
}

func (k *known) forget(id string) {
	delete(k.young, id)
	delete(k.old, id)
}

// A moment is one at which a conversation that is not known, neither before nor
// after, has not changed.
type moment struct{ turns, erased uint64 }

func (e *Embedded) moment() moment { return moment{e.known.turns, e.erased} }

// lastChange is the last change that what was read of a conversation since the
// moment can come from; if nothing was found, that which took it away. Its caller
// holds the store's mutex.
func (e *Embedded) lastChange(id string, found bool, since moment) uint64 {
	c := e.known.get(id)
	switch {
	case c != nil && found:
		return c.changed
	case c != nil:
		return max(c.changed, e.erased)
	case found && e.moment() == since:
		return 0
	}
	return e.erased
}

// conversation returns what is known of the conversation. Its caller holds the
// store's mutex.
func (e *Embedded) conversation(id string) (*conversation, error) {
	if c := e.known.get(id); c != nil {
		return c, nil
	}
	if e.names.lacks(keySerial, id) {
		return &conversation{id: id}, nil
	}
	return e.read(id, 0, func(*record) {})
}

// read reads a conversation's record. If its serial is 0 it is looked for; if
// nothing is kept, the result has none. use may look at the record.
func (e *Embedded) read(id string, serial uint64, use func(*record)) (*conversation, error) {
	if serial == 0 {
		var err error
		if serial, err = e.lookNumber(key(keySerial, id)); err != nil {
			return nil, err
		}
	}
	none := &conversation{id: id}
	if serial == 0 {
		return none, nil
	}
	c := none
	// There is none if it was erased since its serial was read.
	_, err := e.look(recordKey(serial), func(value []byte) error {
		r, err := decodeRecord(value)
		if err == nil && r.id != id {
			err = errValue
		}
		if err == nil {
			use(&r)
			c = conversationOf(serial, &r)
		}
		return err
	})
	return c, err
}
