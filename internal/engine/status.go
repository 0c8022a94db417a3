package engine

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"suar/flows"
	"suar/storage"
)

// counts are what this engine did since New.
type counts struct {
	handled, delivered, undelivered, deferred, alarms, damaged, trouble, unheard atomic.Int64
}

// A Status is how the engine is doing. It holds numbers only.
type Status struct {
	// Waiting counts the effects of a side that wait in the store, those under
	// way included.
	Waiting map[flows.Side]int
	// Oldest is since when the oldest of those waits that this process has tried
	// to perform or is performing, zero if it knows of none.
	Oldest map[flows.Side]time.Time
	// The others count since New, in this process. Handled are the edges'
	// events; Delivered, Undelivered and Deferred deliveries by their outcome.
	Handled, Delivered, Undelivered, Deferred, Alarms int64
	// Damaged counts meetings with something that does not open or a step that
	// fails: somebody must look. Trouble counts failures of the store.
	Damaged, Trouble int64
	// Unheard counts words that were passed on without being compared with a duress
	// phrase, because too many wrote at once.
	Unheard int64
}

// Status asks the store and returns how the engine is doing.
func (e *Engine) Status(ctx context.Context) (Status, error) {
	s := Status{
		Waiting:     map[flows.Side]int{},
		Oldest:      map[flows.Side]time.Time{},
		Handled:     e.counts.handled.Load(),
		Delivered:   e.counts.delivered.Load(),
		Undelivered: e.counts.undelivered.Load(),
		Deferred:    e.counts.deferred.Load(),
		Alarms:      e.counts.alarms.Load(),
		Damaged:     e.counts.damaged.Load(),
		Trouble:     e.counts.trouble.Load(),
		Unheard:     e.counts.unheard.Load(),
	}
	for side, lane := range map[flows.Side]storage.Lane{
		flows.Caller:   storage.LaneCaller,
		flows.Officers: storage.LaneOfficers,
		flows.Keeper:   storage.LaneKeeper,
		flows.Pager:    storage.LanePager,
	} {
		n, _, err := e.store.Waiting(ctx, lane)
		if err != nil {
			return s, fmt.Errorf("engine: status: %w", err)
		}
		s.Waiting[side] = n
		s.Oldest[side] = e.ages.oldest(lane, e.now())
	}
	return s, nil
}
