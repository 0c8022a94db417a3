package storage

import (
	"slices"
	"time"
)

// A grab is what a commit does to the outbox of its conversation, and what it
// leases of it.
type grab struct {
	owner      *conversation
	now, until time.Time
	lanes      []Lane
	got        []Leased

	// behind is the item that becomes the head when the acknowledged one goes,
	// and heads are those that can be leased as they are. A damaged one is not
	// among them.
	behind *keptItem
	heads  map[Lane]keptItem
}

// wants tells whether the head of the lane is to be leased and was not yet.
func (g *grab) wants(lane Lane) bool {
	return slices.Contains(g.lanes, lane) && g.index(lane) < 0
}

func (g *grab) index(lane Lane) int {
	return slices.IndexFunc(g.got, func(l Leased) bool { return l.Lane == lane })
}

// read reads the items that write needs.
func (g *grab) read(t *turn, ack *Lease) error {
	if g.owner.serial == 0 {
		return nil
	}
	if ack != nil {
		if q := t.outbox.queue(g.owner.serial, ack.Lane); len(q.ages) > 1 {
			item, ok, err := t.item(q, q.ages[1])
			if err != nil {
				return err
			}
			g.behind = new(keptItem)
			if ok {
				g.behind = &item
			}
		}
	}
	for _, lane := range g.lanes {
		q := t.outbox.queue(g.owner.serial, lane)
		if q == nil || ack != nil && ack.Lane == lane || !q.leasable(g.now) {
			continue
		}
		item, ok, err := t.item(q, q.ages[0])
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if g.heads == nil {
			g.heads = make(map[Lane]keptItem, len(g.lanes))
		}
		g.heads[lane] = item
	}
	return nil
}

// leasable tells whether the head can be leased, if it can be read.
func (q *queue) leasable(now time.Time) bool {
	return !q.head.broken && (q.head.lease.token == 0 || !q.head.lease.ready.After(now))
}

// write takes the acknowledged item out of the outbox, puts the new ones into
// it, and leases what is to be leased. A new head that it leases is never listed
// as one that others may lease.
func (g *grab) write(t *turn, ack *Lease, items []Item) []Leased {
	if ack != nil {
		t.acknowledge(g, t.outbox.queue(g.owner.serial, ack.Lane))
	}
	for i := range items {
		t.enqueue(g, &items[i])
	}
	var leased []Leased
	for i, lane := range g.lanes {
		if slices.Contains(g.lanes[:i], lane) {
			continue
		}
		if i := g.index(lane); i >= 0 {
			leased = append(leased, g.got[i])
			continue
		}
		if item, ok := g.heads[lane]; ok {
			q := t.outbox.queue(g.owner.serial, lane)
			t.outbox.unlist(q)
			leased = append(leased, t.take(q, g.owner.id, &item, g.until))
		}
	}
	return leased
}

// acknowledge takes the head away and makes the item behind it the head.
func (t *turn) acknowledge(g *grab, q *queue) {
	t.delete(itemKey(q.lane, q.serial, q.ages[0]))
	t.outbox.shift(q)
	if g.behind == nil {
		return
	}
	q.head = headOf(g.behind)
	if !q.head.broken && g.wants(q.lane) {
		g.got = append(g.got, t.take(q, g.owner.id, g.behind, g.until))
		return
	}
	// A damaged one is listed too: lease tells of it.
	t.outbox.listReady(q)
}

// enqueue appends an item to the outbox.
func (t *turn) enqueue(g *grab, item *Item) {
	kept := keptItem{id: item.ID, priority: item.Priority, body: item.Body}
	age := t.nextNumber()
	q, first := t.outbox.add(g.owner.serial, item.Lane, age, headOf(&kept))
	if first && g.wants(item.Lane) {
		g.got = append(g.got, t.take(q, g.owner.id, &kept, g.until))
		return
	}
	if first {
		t.outbox.listReady(q)
	}
	t.putItem(itemKey(item.Lane, g.owner.serial, age), &kept)
}

// headOf is what an outbox remembers of an item. One without a name could not
// be read.
func headOf(item *keptItem) headItem {
	return headItem{id: item.id, priority: item.priority, broken: item.id == "", lease: item.lease}
}
