package storagetest

import (
	"cmp"
	"context"
	"slices"
	"time"

	"suar/storage"
)

// A memoryOutbox keeps its heads in the order in which they are leased, and
// those that wait for an instant by it, so that ten thousand items cost a
// simulation little.
type memoryOutbox struct {
	queues map[memoryLane][]*memoryItem   // oldest first, never empty
	heads  map[storage.Lane][]*memoryItem // the first of each queue, by compareHeads
	waits  map[storage.Lane][]*memoryItem // the heads that wait, by compareReady
	counts map[storage.Lane]int
	age    uint64
	token  uint64
}

type memoryLane struct {
	conversation string
	lane         storage.Lane
}

type memoryItem struct {
	conversation string
	storage.Item
	age   uint64
	tries int
	token uint64
	// ready is when it can be leased again. It has no meaning before the item
	// was leased or deferred once: then waits is true.
	ready time.Time
	waits bool
	// deferred says that it waits because it was deferred, and not leased since.
	deferred bool
}

func newMemoryOutbox() memoryOutbox {
	return memoryOutbox{
		queues: make(map[memoryLane][]*memoryItem),
		heads:  make(map[storage.Lane][]*memoryItem),
		waits:  make(map[storage.Lane][]*memoryItem),
		counts: make(map[storage.Lane]int),
	}
}

// compareHeads orders heads as they are leased: the higher priority first, then
// the older.
func compareHeads(a, b *memoryItem) int {
	return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.age, b.age))
}

func compareReady(a, b *memoryItem) int {
	return cmp.Or(a.ready.Compare(b.ready), cmp.Compare(a.age, b.age))
}

func insert(sorted []*memoryItem, item *memoryItem, compare func(a, b *memoryItem) int) []*memoryItem {
	i, _ := slices.BinarySearchFunc(sorted, item, compare)
	return slices.Insert(sorted, i, item)
}

func without(sorted []*memoryItem, item *memoryItem, compare func(a, b *memoryItem) int) []*memoryItem {
	i, _ := slices.BinarySearchFunc(sorted, item, compare)
	return slices.Delete(sorted, i, i+1)
}

func (i *memoryItem) leasable(now time.Time) bool { return !i.waits || !i.ready.After(now) }

// add appends an item, which becomes the youngest.
func (o *memoryOutbox) add(item *memoryItem) {
	o.age++
	item.age = o.age
	o.fill(item)
}

// fill appends an item that has an age.
func (o *memoryOutbox) fill(item *memoryItem) {
	o.age, o.token = max(o.age, item.age), max(o.token, item.token)
	key := memoryLane{item.conversation, item.Lane}
	o.queues[key] = append(o.queues[key], item)
	o.counts[item.Lane]++
	if len(o.queues[key]) == 1 {
		o.list(item)
	}
}

// list lists the item as a head.
func (o *memoryOutbox) list(head *memoryItem) {
	o.heads[head.Lane] = insert(o.heads[head.Lane], head, compareHeads)
	if head.waits {
		o.waits[head.Lane] = insert(o.waits[head.Lane], head, compareReady)
	}
}

// wait lets a head wait until it is ready.
func (o *memoryOutbox) wait(head *memoryItem, ready time.Time) {
	if head.waits {
		o.waits[head.Lane] = without(o.waits[head.Lane], head, compareReady)
	}
	head.ready, head.waits = instant(ready), true
	o.waits[head.Lane] = insert(o.waits[head.Lane], head, compareReady)
}

// remove takes a head out; the one behind it is the head then.
func (o *memoryOutbox) remove(head *memoryItem) {
	o.heads[head.Lane] = without(o.heads[head.Lane], head, compareHeads)
	if head.waits {
		o.waits[head.Lane] = without(o.waits[head.Lane], head, compareReady)
	}
	o.counts[head.Lane]--
	key := memoryLane{head.conversation, head.Lane}
	if o.queues[key] = o.queues[key][1:]; len(o.queues[key]) > 0 {
		o.list(o.queues[key][0])
	} else {
		delete(o.queues, key)
	}
}

// anyLeasable tells whether the lane has a head that can be leased.
func (o *memoryOutbox) anyLeasable(lane storage.Lane, now time.Time) bool {
	waits := o.waits[lane]
	return len(o.heads[lane]) > len(waits) || len(waits) > 0 && waits[0].leasable(now)
}

// head returns the first item of a conversation's lane, nil if there is none.
func (o *memoryOutbox) head(conversation string, lane storage.Lane) *memoryItem {
	if queue := o.queues[memoryLane{conversation, lane}]; len(queue) > 0 {
		return queue[0]
	}
	return nil
}

// held returns the item that the lease is for, nil if the lease is lost.
func (o *memoryOutbox) held(l storage.Lease) *memoryItem {
	head := o.head(l.Conversation, l.Lane)
	if head == nil || head.ID != l.Item || head.tries == 0 || head.token != l.Token {
		return nil
	}
	return head
}

func (o *memoryOutbox) lease(head *memoryItem, until time.Time) storage.Leased {
	o.token++
	head.token = o.token
	head.tries++
	head.deferred = false
	o.wait(head, until)
	return storage.Leased{
		Lease: storage.Lease{Conversation: head.conversation, Item: head.ID, Lane: head.Lane, Token: head.token},
		Body:  slices.Clone(head.Body),
		Tries: head.tries,
	}
}

// Lease implements storage.Store.
func (m *Memory) Lease(ctx context.Context, lane storage.Lane, n int, now, until time.Time) ([]storage.Leased, error) {
	if err := m.begin(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	if !m.outbox.anyLeasable(lane, now) {
		return nil, nil
	}
	var leased []storage.Leased
	for _, head := range m.outbox.heads[lane] {
		if len(leased) >= n {
			break
		}
		if head.leasable(now) {
			leased = append(leased, m.outbox.lease(head, until))
		}
	}
	return leased, nil
}

// Defer implements storage.Store.
func (m *Memory) Defer(ctx context.Context, l storage.Lease, until time.Time) error {
	if err := m.begin(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	head := m.outbox.held(l)
	if head == nil {
		return storage.ErrLeaseLost
	}
	head.deferred = true
	m.outbox.wait(head, until)
	return nil
}

// Waiting implements storage.Store.
func (m *Memory) Waiting(ctx context.Context, lane storage.Lane) (int, time.Time, error) {
	if err := m.begin(ctx); err != nil {
		return 0, time.Time{}, err
	}
	defer m.mu.Unlock()
	var next time.Time
	if waits := m.outbox.waits[lane]; len(waits) > 0 {
		next = waits[0].ready
	}
	return m.outbox.counts[lane], next, nil
}
