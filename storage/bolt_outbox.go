package storage

import (
	"encoding/binary"
	"slices"
	"time"
)

// head returns the first item of a conversation's lane. It is false if there is
// none, or none that can be read.
func (t *table) head(o owner, lane Lane) (boltItem, bool) {
	if o.serial == 0 {
		return boltItem{}, false
	}
	k, v := t.first(laneKey(o.serial, lane))
	if k == nil {
		return boltItem{}, false
	}
	return decodeItem(k, v)
}

// held returns the item that the lease is for if the lease still counts. Only
// heads are ever leased, so it can only be the head.
func (t *table) held(o owner, l *Lease) (boltItem, bool) {
	if l.Token == 0 {
		return boltItem{}, false
	}
	item, ok := t.head(o, l.Lane)
	return item, ok && item.id == l.Item && item.token == l.Token
}

// enqueue appends items to the outbox.
func (t *table) enqueue(items []Item, g *grab) {
	added := make([]Lane, 0, 2)
	for _, item := range items {
		kept := boltItem{seq: t.next(), id: item.ID, priority: item.Priority}
		t.put(bodyKey(kept.seq), item.Body)
		t.count(item.Lane, 1)
		if !slices.Contains(added, item.Lane) {
			added = append(added, item.Lane)
			if ahead, _ := t.first(laneKey(g.owner.serial, item.Lane)); ahead == nil {
				if g.wants(item.Lane) {
					g.got = append(g.got, t.take(g.owner, item.Lane, kept, item.Body, g.until))
					continue
				}
				t.listHead(g.owner, item.Lane, kept)
			}
		}
		t.put(itemKey(g.owner.serial, item.Lane, kept.seq), kept.encode())
	}
}

// remove takes the head out of its lane. The one behind it is not listed as the
// head yet.
func (t *table) remove(o owner, lane Lane, head boltItem) {
	t.unlist(lane, head)
	t.delete(itemKey(o.serial, lane, head.seq))
	t.delete(bodyKey(head.seq))
	t.count(lane, -1)
}

// promote makes the first item of the lane its head, after the one before it
// was removed.
func (t *table) promote(lane Lane, g *grab) {
	k, v := t.first(laneKey(g.owner.serial, lane))
	if k == nil {
		return
	}
	head, ok := decodeItem(k, v)
	if ok && g.wants(lane) {
		g.got = append(g.got, t.take(g.owner, lane, head, t.get(bodyKey(head.seq)), g.until))
		return
	}
	// A damaged one is listed too: lease tells of it.
	t.listHead(g.owner, lane, head)
}

// listHead lists a head as one that may be leased.
func (t *table) listHead(o owner, lane Lane, head boltItem) {
	t.put(headKey(lane, head.priority, head.seq), binary.BigEndian.AppendUint64(nil, o.serial))
}

// unlist takes a head out of the list of heads that it is in.
func (t *table) unlist(lane Lane, head boltItem) {
	if head.token != 0 {
		if t.deleted(instantKey(kindWaiting, lane, head.ready, head.seq)) {
			return
		}
		t.delete(instantKey(kindPast, lane, head.ready, head.seq))
	}
	t.delete(headKey(lane, head.priority, head.seq))
}

// hold keeps a head that is in no list, and lists it to wait until the instant.
func (t *table) hold(o owner, lane Lane, head boltItem, until time.Time) {
	head.ready = until
	t.put(itemKey(o.serial, lane, head.seq), head.encode())
	t.put(instantKey(kindWaiting, lane, until, head.seq), binary.BigEndian.AppendUint64([]byte{head.priority}, o.serial))
}

// leasable tells whether lease would find anything to do.
func (t *table) leasable(lane Lane, now time.Time) bool {
	if k, _ := t.first([]byte{kindHead, byte(lane)}); k != nil {
		return true
	}
	k, _ := t.first([]byte{kindWaiting, byte(lane)})
	return k != nil && !instantOf(k[2:]).After(now)
}

// lease moves the heads whose instant has come to those that may be leased,
// and takes the first n of them. It passes over damaged ones and returns their
// numbers.
func (t *table) lease(lane Lane, n int, now, until time.Time) (leased []Leased, damaged []uint64) {
	t.wake(lane, now)
	type found struct {
		owner owner
		head  boltItem
	}
	var take []found
	for k, v := range t.all([]byte{kindHead, byte(lane)}) {
		if len(take) >= n {
			break
		}
		o := t.ownerOf(serialIn(v))
		item := itemKey(o.serial, lane, seqOf(k))
		head, ok := decodeItem(item, t.get(item))
		if !ok || o.id == "" {
			damaged = append(damaged, head.seq)
			continue
		}
		// It was leasable at a later instant than this now: the clocks of two
		// callers differ.
		if head.token != 0 && head.ready.After(now) {
			continue
		}
		take = append(take, found{o, head})
	}
	for _, f := range take {
		t.unlist(lane, f.head)
		leased = append(leased, t.take(f.owner, lane, f.head, t.get(bodyKey(f.head.seq)), until))
	}
	return leased, damaged
}

// take leases a head that is in no list.
func (t *table) take(o owner, lane Lane, head boltItem, body []byte, until time.Time) Leased {
	head.token = t.next()
	head.tries++
	head.leased = true
	t.hold(o, lane, head, until)
	return Leased{
		Lease: Lease{Conversation: o.id, Item: head.id, Lane: lane, Token: head.token},
		Body:  slices.Clone(body),
		Tries: int(head.tries),
	}
}

// wake lists the heads whose instant is not after now among those that may be
// leased. Each is moved once a lease or deferral, so that no call looks at
// more than what has become ready since the one before.
func (t *table) wake(lane Lane, now time.Time) {
	type found struct{ key, value []byte }
	var ready []found
	for k, v := range t.all([]byte{kindWaiting, byte(lane)}) {
		if instantOf(k[2:]).After(now) {
			break
		}
		if len(v) == 0 {
			v = []byte{0} // Damaged: lease tells of it.
		}
		ready = append(ready, found{slices.Clone(k), slices.Clone(v)})
	}
	for _, f := range ready {
		t.delete(f.key)
		past := slices.Clone(f.key)
		past[0] = kindPast
		t.put(past, nil)
		t.put(headKey(lane, f.value[0], seqOf(f.key)), f.value[1:])
	}
}

// serialIn returns the serial that is a value, 0 if it is damaged.
func serialIn(value []byte) uint64 {
	if len(value) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(value)
}

// waiting counts the lane's items and tells the earliest instant that one of
// its heads was leased or deferred until.
func (t *table) waiting(lane Lane) (count int, next time.Time) {
	if b := t.get([]byte{kindCount, byte(lane)}); b != nil {
		count = int(binary.BigEndian.Uint64(b))
	}
	for _, kind := range []byte{kindWaiting, kindPast} {
		k, _ := t.first([]byte{kind, byte(lane)})
		if k == nil {
			continue
		}
		if at := instantOf(k[2:]); next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return count, next
}

// count changes how many items the lane has, once the transaction is flushed.
func (t *table) count(lane Lane, change int) {
	if t.counts == nil {
		t.counts = make(map[Lane]int, 2)
	}
	t.counts[lane] += change
}

// flush writes what the changes of a transaction have in common.
func (t *table) flush() {
	for lane, change := range t.counts {
		k := []byte{kindCount, byte(lane)}
		var n uint64
		if b := t.get(k); b != nil {
			n = binary.BigEndian.Uint64(b)
		}
		t.put(k, binary.BigEndian.AppendUint64(nil, n+uint64(change)))
	}
	t.counts = nil
}

// release makes every head that is leased in the lane leasable again.
func (t *table) release(lane Lane) {
	type found struct {
		serial uint64
		head   boltItem
	}
	var held []found
	for k, v := range t.all([]byte{kindWaiting, byte(lane)}) {
		if len(v) == 0 {
			continue // Damaged.
		}
		serial := serialIn(v[1:])
		item := itemKey(serial, lane, seqOf(k))
		if head, ok := decodeItem(item, t.get(item)); ok && head.leased {
			held = append(held, found{serial, head})
		}
	}
	for _, f := range held {
		t.unlist(lane, f.head)
		f.head.leased = false
		f.head.ready = released()
		t.put(itemKey(f.serial, lane, f.head.seq), f.head.encode())
		t.put(instantKey(kindPast, lane, f.head.ready, f.head.seq), nil)
		t.listHead(owner{serial: f.serial}, lane, f.head)
	}
}

// sweep drops the identities of at most n events handled before the instant.
func (t *table) sweep(before time.Time, n int) int {
	var times, events [][]byte
	for k := range t.all([]byte{kindEventTime}) {
		if len(times) >= n || !instantOf(k[1:]).Before(before) {
			break
		}
		times = append(times, slices.Clone(k))
		serial := serialOf(k[instantSize:])
		events = append(events, append(partKey(serial, partEvent), k[1+instantSize+8:]...))
	}
	for i := range times {
		t.delete(times[i])
		t.delete(events[i])
		t.retire(t.ownerOf(serialOf(events[i])))
	}
	return len(times)
}
