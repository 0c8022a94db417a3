package engine

import (
	"context"
	"sync"
	"time"
)

const (
	// mostRemembered bounds the conversations that are remembered; at least
	// half of so many are.
	mostRemembered = 4096
	// remembered is for how long one is at least; it may be twice that.
	remembered = 30 * time.Second
)

// memory is the conversations that this process committed last, as the commits
// left them, where no other process uses the store: it spares reading them
// again. It is not believed: what follows from it is committed at its version
// or not at all. But versions begin anew after a record was erased, so nothing
// that was read before that may be remembered after it.
type memory struct {
	alone bool // no other process uses the store

	mu          sync.Mutex
	recent, old map[string]conversation
	turned      time.Time
	// under are the conversations that something is being applied to.
	under map[string]*underWay
	// rides are the outcomes that wait for their conversation's next commit.
	rides map[string]*ride
}

// A sole store is one process's, which can therefore let go at its start of what
// the process before it held.
type sole interface {
	Release(ctx context.Context) error
}

// underWay is what is being applied to a conversation: how much, and whether
// its record was erased meanwhile.
type underWay struct {
	n      int
	erased bool
}

// recall returns a conversation if it is remembered, and the outcome that waits
// for its next commit, nil if there is none. What is then applied to it must end
// with retain.
func (m *memory) recall(id string) (c conversation, ok bool, r *ride) {
	if !m.alone {
		return c, false, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.under[id]
	if u == nil {
		u = new(underWay)
		if m.under == nil {
			m.under = map[string]*underWay{}
		}
		m.under[id] = u
	}
	u.n++
	c, ok = m.recent[id]
	if !ok {
		c, ok = m.old[id]
	}
	r = m.rides[id]
	delete(m.rides, id)
	return c, ok, r
}

// retain remembers what a commit left, nil for nothing.
func (m *memory) retain(id string, d *draft, now func() time.Time) {
	if !m.alone {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.under[id]
	if u.n--; u.n == 0 {
		delete(m.under, id)
	}
	switch {
	case d == nil:
	case !d.found:
		u.erased = true
		m.forget(id)
	case u.erased || m.recent[id].version > d.after.version:
	default:
		if m.recent == nil || len(m.recent) >= mostRemembered/2 {
			m.turn(now())
		}
		m.recent[id] = d.after
	}
}

// drop forgets a conversation that proved to be another.
func (m *memory) drop(id string) {
	if !m.alone {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(id)
}

func (m *memory) forget(id string) {
	delete(m.recent, id)
	delete(m.old, id)
}

// fade forgets what was not committed for a while: nobody's words stay longer
// than they are of use.
func (m *memory) fade(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Sub(m.turned) > remembered {
		m.turn(now)
	}
}

func (m *memory) turn(now time.Time) {
	m.recent, m.old, m.turned = map[string]conversation{}, m.recent, now
}
