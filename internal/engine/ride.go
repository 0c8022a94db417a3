package engine

import (
	"context"
	"sync"
	"time"

	"suar/flows"
	"suar/storage"
)

const (
	// ridesFor is for how long an outcome waits for a commit to ride on: a
	// person who was shown something presses within seconds, or not at all.
	ridesFor = 2 * time.Second
	// ridesEvery is how often those are looked for that waited for so long.
	ridesEvery = ridesFor / 4
	// ridesAtOnce is how many of them are settled at the same time.
	ridesAtOnce = 64
)

// A ride is the outcome of a Show that found the bubble where the state has it,
// or of an Erase after which nothing was left over. It says nothing that the next
// step must know before, so it waits for the next commit of its conversation and
// is recorded with that, instead of by a commit of its own. A crash before that
// loses no more than it would lose between a delivery and its commit, and the
// same effect is then performed again, which leaves the same bubble with the same
// words, and the same messages gone.
//
// Only what has nothing behind it in its lane may wait, and only where no other
// process could put something there.
type ride struct {
	lease   storage.Lease
	outcome event
	// settle commits the outcome by itself.
	settle func(ctx context.Context)
	// since is when it began to wait; zero for one that is to wait no longer.
	since time.Time
}

// mount lets the outcome of a job wait for a ride, and reports whether it may.
func (d *dispatcher) mount(j job, it item, del Delivery, delivered flows.Delivered) bool {
	if j.draft == nil || j.behind != 0 || !d.mayRide() {
		return false
	}
	switch it.Effect.Effect.(type) {
	case flows.Show:
		if delivered.Message != del.Bubble {
			return false
		}
	case flows.Erase:
		// Who asked for it is told when all is gone.
		if len(delivered.Kept) > 0 || j.draft.after.State.Left {
			return false
		}
	default:
		return false
	}
	// The draft is not kept for it.
	l, alone := j.Leased, job{Leased: j.Leased, behind: unknown}
	return d.memory.mount(l.Conversation, j.draft.after.version, &ride{
		lease:   l.Lease,
		outcome: event{delivered, effectIdentity(l.Item)},
		settle:  func(ctx context.Context) { d.settle(ctx, alone, it, delivered) },
		since:   d.now(),
	})
}

// mayRide reports whether a lease outlasts the longest delivery and a ride.
func (e *Engine) mayRide() bool { return e.limits.Lease-e.limits.Delivery >= 2*ridesFor }

// rides settles what waited too long for a ride, until ctx ends.
func (d *dispatcher) rides(ctx context.Context) {
	for ctx.Err() == nil {
		wait(ctx, ridesEvery)
		d.settleRides(d.memory.dismount(d.now().Add(-ridesFor)))
	}
}

// settleRides settles each by a commit of its own.
func (d *dispatcher) settleRides(all []*ride) {
	var running sync.WaitGroup
	slots := make(chan struct{}, ridesAtOnce)
	for _, r := range all {
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			r.settle(d.work)
		})
	}
	running.Wait()
}

// mount keeps the outcome of what the conversation's given version asked for,
// unless anything was committed to it since or is about to be.
func (m *memory) mount(id string, version uint64, r *ride) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.recent[id]
	if !ok {
		c, ok = m.old[id]
	}
	if !ok || c.version != version || m.under[id] != nil || m.rides[id] != nil {
		return false
	}
	m.putRide(id, r)
	return true
}

// remount keeps an outcome whose ride did not come off. It waits no longer.
func (m *memory) remount(id string, r *ride) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r.since = time.Time{}
	m.putRide(id, r)
}

func (m *memory) putRide(id string, r *ride) {
	if m.rides == nil {
		m.rides = map[string]*ride{}
	}
	m.rides[id] = r
}

// dismount takes the outcomes that wait since the given instant or longer.
func (m *memory) dismount(since time.Time) (all []*ride) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, r := range m.rides {
		if !r.since.After(since) {
			all = append(all, r)
			delete(m.rides, id)
		}
	}
	return all
}
