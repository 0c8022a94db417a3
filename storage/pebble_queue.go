package storage

import (
	"container/heap"
	"time"
)

// An outbox is the order of what waits, in memory: of each lane of each
// conversation the ages of its items and what is known of the first. Only the
// items themselves are on the disk; when the store is opened they are gone
// through once. It is as large as the outbox is long, however many conversations
// are stored.
type outbox struct {
	queues map[queueKey]*queue
	lanes  map[Lane]*laneOrder
}

type queueKey struct {
	serial uint64
	lane   Lane
}

// A queue is what waits in one lane of one conversation.
type queue struct {
	queueKey
	// ages are of the items, the oldest first: it is the head, and there is one.
	ages []uint64
	head headItem
	// list is the order that the head is in, at place; past too if it waited
	// for an instant before it could be leased again.
	list      *order
	place     int
	past      *order
	pastPlace int
}

// A headItem is a queue's first item without its body.
type headItem struct {
	id       string
	priority uint8
	// broken says that the item cannot be read, and so nothing else is known.
	broken bool
	lease  leaseState
}

// A laneOrder is one lane's queues: those whose head may be leased, the best
// first, and those that wait for an instant; of the former those that waited are
// also in the order in which they did.
type laneOrder struct {
	items                int
	ready, waiting, past order
}

func newOutbox() *outbox {
	o := &outbox{queues: make(map[queueKey]*queue), lanes: make(map[Lane]*laneOrder)}
	for _, lane := range Lanes() {
		l := new(laneOrder)
		l.ready.before = func(a, b *queue) bool {
			if a.head.priority != b.head.priority {
				return a.head.priority > b.head.priority
			}
			return a.ages[0] < b.ages[0]
		}
		byInstant := func(a, b *queue) bool {
			if !a.head.lease.ready.Equal(b.head.lease.ready) {
				return a.head.lease.ready.Before(b.head.lease.ready)
			}
			return a.ages[0] < b.ages[0]
		}
		l.waiting.before, l.past.before = byInstant, byInstant
		l.past.second = true
		o.lanes[lane] = l
	}
	return o
}

func (o *outbox) queue(serial uint64, lane Lane) *queue { return o.queues[queueKey{serial, lane}] }

// isEmpty tells whether nothing of a conversation waits.
func (o *outbox) isEmpty(serial uint64) bool {
	for _, lane := range Lanes() {
		if o.queue(serial, lane) != nil {
			return false
		}
	}
	return true
}

// held returns the queue whose head the lease is for, nil if the lease does not
// count any more. Only heads are ever leased.
func (o *outbox) held(serial uint64, l *Lease) *queue {
	q := o.queue(serial, l.Lane)
	if serial == 0 || q == nil || l.Token == 0 || q.head.id != l.Item || q.head.lease.token != l.Token {
		return nil
	}
	return q
}

// add puts an item behind the others of its lane, and returns the queue. If it
// is the only one, it is the head, in no order yet.
func (o *outbox) add(serial uint64, lane Lane, age uint64, head headItem) (q *queue, first bool) {
	o.lanes[lane].items++
	k := queueKey{serial, lane}
	if q = o.queues[k]; q != nil {
		q.ages = append(q.ages, age)
		return q, false
	}
	q = &queue{queueKey: k, ages: []uint64{age}, head: head}
	o.queues[k] = q
	return q, true
}

// shift takes the head away. The one behind it is not the head yet; a queue
// without any is none.
func (o *outbox) shift(q *queue) {
	o.unlist(q)
	o.lanes[q.lane].items--
	if len(q.ages) == 1 {
		delete(o.queues, q.queueKey)
		return
	}
	q.ages = q.ages[1:]
}

// list puts a head that is in no order where it belongs: among those that may
// be leased, or among those that wait.
func (o *outbox) listReady(q *queue) {
	l := o.lanes[q.lane]
	l.ready.push(q)
	if q.head.lease.token != 0 {
		l.past.push(q)
	}
}

func (o *outbox) listWaiting(q *queue) { o.lanes[q.lane].waiting.push(q) }

// unlist takes a head out of the orders that it is in.
func (o *outbox) unlist(q *queue) {
	if q.list != nil {
		q.list.remove(q)
	}
	if q.past != nil {
		q.past.remove(q)
	}
}

// wake moves the heads whose instant is not after now to those that may be
// leased.
func (o *outbox) wake(lane Lane, now time.Time) {
	l := o.lanes[lane]
	for q := l.waiting.first(); q != nil && !q.head.lease.ready.After(now); q = l.waiting.first() {
		l.waiting.remove(q)
		o.listReady(q)
	}
}

// waits counts the lane's items and tells the earliest instant that one of its
// heads was leased or deferred until.
func (o *outbox) waits(lane Lane) (count int, next time.Time) {
	l := o.lanes[lane]
	if l == nil {
		return 0, time.Time{}
	}
	for _, q := range []*queue{l.waiting.first(), l.past.first()} {
		if q != nil && (next.IsZero() || q.head.lease.ready.Before(next)) {
			next = q.head.lease.ready
		}
	}
	return l.items, next
}

// An order is a heap of queues. Each queue knows its place in it, the second
// one if the order is second.
type order struct {
	heads  []*queue
	before func(a, b *queue) bool
	second bool
}

func (o *order) first() *queue {
	if len(o.heads) == 0 {
		return nil
	}
	return o.heads[0]
}

func (o *order) push(q *queue) {
	if o.second {
		q.past = o
	} else {
		q.list = o
	}
	heap.Push(o, q)
}

func (o *order) remove(q *queue) {
	if o.second {
		heap.Remove(o, q.pastPlace)
		q.past = nil
		return
	}
	heap.Remove(o, q.place)
	q.list = nil
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (o *order) Len() int           { return len(o.heads) }
func (o *order) Less(i, j int) bool { return o.before(o.heads[i], o.heads[j]) }

func (o *order) Swap(i, j int) {
	o.heads[i], o.heads[j] = o.heads[j], o.heads[i]
	o.seat(i)
	o.seat(j)
}

func (o *order) seat(i int) {
	if o.second {
		o.heads[i].pastPlace = i
	} else {
		o.heads[i].place = i
	}
}

func (o *order) Push(q any) {
	o.heads = append(o.heads, q.(*queue))
	o.seat(len(o.heads) - 1)
}

func (o *order) Pop() any {
	n := len(o.heads) - 1
	q := o.heads[n]
	o.heads[n] = nil
	o.heads = o.heads[:n]
	return q
}
