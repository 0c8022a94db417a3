package storage

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// errValue says that a value is not what the store writes. It never says what
// the value is.
var errValue = errors.New("a value is cut or overwritten")

// A record is a conversation as it is kept. Its version is 0 if it was erased
// and something of it is left, in the outbox or of its events.
type record struct {
	id      string
	version uint64
	alarm   time.Time // zero for never
	listed  time.Time // where the alarm is in the order of time; zero for nowhere
	names   []string
	seen    seen
	state   []byte
}

// The flags of a record.
const (
	hasAlarm  = 1 << iota
	hasListed // other than the alarm
)

// encode appends the record to b.
func (r *record) encode(b []byte) []byte {
	var flags byte
	if !r.alarm.IsZero() {
		flags |= hasAlarm
	}
	if !r.listed.Equal(r.alarm) {
		flags |= hasListed
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, r.version)
	if flags&hasAlarm != 0 {
		b = appendInstant(b, r.alarm)
	}
	if flags&hasListed != 0 {
		b = appendInstant(b, r.listed)
	}
	b = appendName(b, r.id)
	b = binary.AppendUvarint(b, uint64(len(r.names)))
	for _, name := range r.names {
		b = appendName(b, name)
	}
	return append(r.seen.encode(b), r.state...)
}

// decodeRecord returns a record whose state is a part of b.
func decodeRecord(b []byte) (record, error) {
	v := value{rest: b}
	flags := v.one()
	r := record{version: v.number()}
	if flags&hasAlarm != 0 {
		r.alarm = v.instant()
		r.listed = r.alarm
	}
	if flags&hasListed != 0 {
		r.listed = v.instant()
	}
	r.id = v.short()
	for range v.count() {
		r.names = append(r.names, v.short())
	}
	r.seen = v.seen()
	r.state = v.rest
	if v.bad || r.id == "" || flags > hasAlarm|hasListed {
		return record{}, errValue
	}
	return r, nil
}

// A kept item is one of the outbox. Its lane, its conversation and its age are
// in its key.
type keptItem struct {
	id       string
	priority uint8
	body     []byte
	lease    leaseState
}

// A leaseState is what the leases of an item left. Only the first of a lane has
// any.
type leaseState struct {
	// token and tries are 0 until the item is leased for the first time; from
	// then on ready says when it can be leased again, and held whether somebody
	// holds it until then, rather than that it was deferred.
	token uint64
	tries uint32
	held  bool
	ready time.Time
}

// encode appends the item to b.
func (i *keptItem) encode(b []byte) []byte {
	var held byte
	if i.lease.held {
		held = 1
	}
	b = append(b, i.priority, held)
	b = binary.AppendUvarint(b, i.lease.token)
	if i.lease.token != 0 {
		b = binary.AppendUvarint(b, uint64(i.lease.tries))
		b = appendInstant(b, i.lease.ready)
	}
	return append(appendName(b, i.id), i.body...)
}

// decodeItem returns an item whose body is a part of b.
func decodeItem(b []byte) (keptItem, error) {
	v := value{rest: b}
	i := keptItem{priority: v.one()}
	held := v.one()
	i.lease.token = v.number()
	if i.lease.token != 0 {
		tries := v.number()
		v.bad = v.bad || tries == 0 || tries > math.MaxUint32
		i.lease.tries = uint32(tries)
		i.lease.ready = v.instant()
		i.lease.held = held == 1
	}
	i.id = v.short()
	i.body = v.rest
	if v.bad || i.id == "" || held > 1 {
		return keptItem{}, errValue
	}
	return i, nil
}

// appendName appends a string of at most MaxName bytes.
func appendName(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

// A value is read from its beginning. Whoever read it looks whether it was bad.
type value struct {
	rest []byte
	bad  bool
}

func (v *value) take(n int) []byte {
	if n > len(v.rest) {
		v.bad, v.rest = true, nil
		return nil
	}
	b := v.rest[:n]
	v.rest = v.rest[n:]
	return b
}

func (v *value) one() byte {
	if b := v.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (v *value) number() uint64 {
	n, size := binary.Uvarint(v.rest)
	if size <= 0 {
		v.bad, v.rest = true, nil
		return 0
	}
	v.rest = v.rest[size:]
	return n
}

// count is how many things of at least one byte follow.
func (v *value) count() uint64 {
	n := v.number()
	if n > uint64(len(v.rest)) {
		v.bad = true
		return 0
	}
	return n
}

func (v *value) instant() time.Time {
	if b := v.take(instantSize); b != nil {
		return instantOf(b)
	}
	return time.Time{}
}

func (v *value) short() string { return string(v.take(int(v.one()))) }
