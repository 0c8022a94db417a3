package storage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// item reads an item of the outbox. It is false if the item is damaged: one must
// not stop the others of its lane.
func (e *Embedded) item(q *queue, age uint64) (item keptItem, ok bool, err error) {
	found, err := e.look(itemKey(q.lane, q.serial, age), func(value []byte) (err error) {
		item, err = decodeItem(value)
		item.body = slices.Clone(item.body)
		return err
	})
	if errors.Is(err, ErrDamaged) {
		return keptItem{}, false, nil
	}
	return item, found && err == nil, err
}

func (t *turn) putItem(key []byte, item *keptItem) {
	t.scratch = item.encode(t.scratch[:0])
	t.put(key, t.scratch)
}

// take leases a head that is in no order.
func (t *turn) take(q *queue, conversation string, item *keptItem, until time.Time) Leased {
	item.lease.token = t.nextNumber()
	item.lease.tries++
	item.lease.held = true
	t.hold(q, item, until)
	return Leased{
		Lease: Lease{Conversation: conversation, Item: item.id, Lane: q.lane, Token: item.lease.token},
		Body:  slices.Clone(item.body),
		Tries: int(item.lease.tries),
	}
}

// hold keeps a head that is in no order, and lets it wait until the instant.
func (t *turn) hold(q *queue, item *keptItem, until time.Time) {
	item.lease.ready = until.UTC()
	q.head = headOf(item)
	t.putItem(itemKey(q.lane, q.serial, q.ages[0]), item)
	t.outbox.listWaiting(q)
}

// Lease implements Store. It costs no write when there is nothing to lease.
func (e *Embedded) Lease(ctx context.Context, lane Lane, n int, now, until time.Time) ([]Leased, error) {
	var leased []Leased
	var news int
	err := e.change(ctx, func(t *turn) (err error) {
		leased, news, err = t.lease(lane, n, now, until)
		return err
	})
	if err != nil {
		return nil, err
	}
	if news > 0 {
		err = fmt.Errorf("%w: %d items of the outbox cannot be read, and each holds up its conversation; the others were leased", ErrDamaged, news)
	}
	return leased, err
}

// A candidate is a head that can be leased.
type candidate struct {
	*queue
	conversation string
	item         keptItem
}

// lease leases the first n heads that can be leased. It passes over damaged ones
// and counts those that were not told of before.
func (t *turn) lease(lane Lane, n int, now, until time.Time) (leased []Leased, news int, err error) {
	order := t.outbox.lanes[lane]
	if order == nil {
		return nil, 0, nil
	}
	t.outbox.wake(lane, now)
	var take []candidate
	var passed []*queue
	for len(take) < n && err == nil {
		q := order.ready.first()
		if q == nil {
			break
		}
		order.ready.remove(q)
		passed = append(passed, q)
		// It was leasable at a later instant than this now: the clocks of two
		// callers differ.
		if !q.head.broken && !q.leasable(now) {
			continue
		}
		var c candidate
		var ok bool
		if c, ok, err = t.candidate(q); ok {
			take = append(take, c)
		} else if err == nil {
			news += t.tell(q.ages[0])
		}
	}
	for _, q := range passed {
		order.ready.push(q)
	}
	if err != nil {
		return nil, 0, err
	}
	for i := range take {
		c := &take[i]
		t.outbox.unlist(c.queue)
		leased = append(leased, t.take(c.queue, c.conversation, &c.item, until))
	}
	return leased, news, nil
}

// candidate reads a head. It is false if it is damaged.
func (t *turn) candidate(q *queue) (c candidate, ok bool, err error) {
	c.queue = q
	if c.item, ok, err = t.item(q, q.ages[0]); !ok || err != nil {
		return c, false, err
	}
	ok, err = t.look(recordKey(q.serial), func(value []byte) error {
		r, err := decodeRecord(value)
		c.conversation = r.id
		return err
	})
	if errors.Is(err, ErrDamaged) {
		return c, false, nil
	}
	return c, ok, err
}

// tell counts a damaged item that was not told of before.
func (t *turn) tell(age uint64) int {
	if _, told := t.told[age]; told {
		return 0
	}
	t.told[age] = struct{}{}
	return 1
}

// Defer implements Store.
func (e *Embedded) Defer(ctx context.Context, l Lease, until time.Time) error {
	return e.change(ctx, func(t *turn) error {
		o, err := t.conversation(l.Conversation)
		if err != nil {
			return err
		}
		q := t.outbox.held(o.serial, &l)
		if q == nil {
			t.since = t.changes
			return ErrLeaseLost
		}
		item, ok, err := t.item(q, q.ages[0])
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w (an item of the outbox)", ErrDamaged)
		}
		t.outbox.unlist(q)
		item.lease = q.head.lease
		item.lease.held = false
		t.hold(q, &item, until)
		return nil
	})
}

// released is when a head can be leased again that nobody holds any more and
// nobody deferred.
func released() time.Time { return time.Unix(0, 0).UTC() }

// releaseAtOnce is how many leases are given up in one change.
const releaseAtOnce = 1000

// Release gives up every lease: its items can be leased again at once. Whoever
// opens the store calls it before the first lease, because the store has one
// process, and who held them is no more: otherwise what a process was doing
// when it died would wait until the leases run out. A lease that was given up
// still counts until somebody else takes the item over.
func (e *Embedded) Release(ctx context.Context) error {
	for _, lane := range Lanes() {
		for more := true; more; {
			err := e.change(ctx, func(t *turn) (err error) {
				more, err = t.release(lane)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// release makes some of the heads that are leased in the lane leasable again. A
// damaged one stays as it is. more says that there may be others.
func (t *turn) release(lane Lane) (more bool, err error) {
	var held []candidate
	for _, q := range t.outbox.lanes[lane].waiting.heads {
		if !q.head.lease.held {
			continue
		}
		if len(held) == releaseAtOnce {
			more = true
			break
		}
		item, ok, err := t.item(q, q.ages[0])
		if err != nil {
			return false, err
		}
		if ok {
			held = append(held, candidate{queue: q, item: item})
		}
	}
	for i := range held {
		q, item := held[i].queue, &held[i].item
		t.outbox.unlist(q)
		item.lease.held, item.lease.ready = false, released()
		q.head = headOf(item)
		t.putItem(itemKey(q.lane, q.serial, q.ages[0]), item)
		t.outbox.listReady(q)
	}
	return more, nil
}
