package engine

import (
	"sync"
	"time"

	"suar/storage"
)

// mostAges bounds the items whose age is known: more than that wait in an outage
// only, and then the oldest are among those that came first.
const mostAges = 10_000

// ages are since when the items wait that this process has leased and not got rid
// of: what is being performed, and what is to be tried again. An item that nobody
// has tried yet is not among them; it is younger than those before it in its
// conversation, and begins to count when its turn comes. The zero value has none.
type ages struct {
	alone bool // no other process performs anything

	mu sync.Mutex
	of [laneCount]map[string]waiting
}

// A waiting is what is known of one item: see waits.
type waiting struct{ since, until time.Time }

// waits notes that an item, committed at since, is being performed or tried again.
// After until it is another process's, if this one has not come back to it.
func (a *ages) waits(l storage.Leased, since, until time.Time) {
	if since.IsZero() {
		return // It does not even open.
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	of := a.of[l.Lane]
	if of == nil {
		of = map[string]waiting{}
		a.of[l.Lane] = of
	}
	if _, known := of[l.Item]; known || len(of) < mostAges {
		of[l.Item] = waiting{since, until}
	}
}

// ended notes that an item need not be performed any more.
func (a *ages) ended(l storage.Leased) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.of[l.Lane], l.Item)
}

// oldest is since when the oldest item of a lane waits, zero if none is known.
func (a *ages) oldest(lane storage.Lane, now time.Time) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	var oldest time.Time
	for item, it := range a.of[lane] {
		switch {
		case !a.alone && now.After(it.until):
			delete(a.of[lane], item) // Another process has it, or had.
		case oldest.IsZero() || it.since.Before(oldest):
			oldest = it.since
		}
	}
	return oldest
}
