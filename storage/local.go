package storage

import (
	"maps"
	"sync"
	"time"
)

// local is what a store that serves one process need not write down: who holds
// what, and the queues that move at a pace.
type local struct {
	mu    sync.Mutex
	holds map[string]hold
	// mostHolds is at how many those that ran out are forgotten.
	mostHolds int
	queues    map[string]time.Time
}

type hold struct {
	holder string
	until  time.Time
}

func (l *local) hold(name, holder string, now, until time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if h, held := l.holds[name]; held && h.holder != holder && h.until.After(now) {
		return ErrHeld
	}
	if !until.After(now) {
		delete(l.holds, name)
		return nil
	}
	if l.holds == nil {
		l.holds = map[string]hold{}
	}
	if len(l.holds) >= l.mostHolds {
		maps.DeleteFunc(l.holds, func(_ string, h hold) bool { return !h.until.After(now) })
		l.mostHolds = max(maxQueues, 2*len(l.holds))
	}
	l.holds[name] = hold{holder, until}
	return nil
}

// maxQueues is how many queues are remembered before those that are idle are
// looked for: forgetting an idle one changes nothing.
const maxQueues = 4096

// pace is the generic cell rate algorithm: a queue is the instant at which it
// would be idle, and a turn comes burst before it.
func (l *local) pace(queue string, now time.Time, cost, burst time.Duration) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.queues == nil {
		l.queues = map[string]time.Time{}
	}
	if len(l.queues) >= maxQueues {
		maps.DeleteFunc(l.queues, func(_ string, idle time.Time) bool { return !idle.After(now) })
	}
	idle := l.queues[queue]
	if idle.Before(now) {
		idle = now
	}
	idle = idle.Add(cost)
	l.queues[queue] = idle
	if turn := idle.Add(-burst); turn.After(now) {
		return turn
	}
	return now
}
