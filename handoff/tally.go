package handoff

import (
	"sync"
	"time"
)

// tallyEvery is how often a tally has a line in the log.
const tallyEvery = 10 * time.Second

// A tally counts, so that a flood of something is no flood of log lines.
type tally struct {
	mu   sync.Mutex
	n    int
	last time.Time
}

// count adds one, and returns the count since the last line if it is time for
// another.
func (t *tally) count(now time.Time) (int, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
	if !t.last.IsZero() && now.Sub(t.last) < tallyEvery {
		return 0, false
	}
	n := t.n
	t.n, t.last = 0, now
	return n, true
}
