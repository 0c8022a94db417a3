package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"suar/flows"
)

const (
	// alarmsAtOnce is how many alarms are handled in one go, and
	// alarmsParallel how many of them at the same time.
	alarmsAtOnce, alarmsParallel = 256, 8
	// alarmRetry is when an alarm comes again whose step fails, or leaves it due.
	alarmRetry = time.Minute
)

// errStuck says that an alarm is still due after its own step.
var errStuck = errors.New("engine: the step left its alarm due")

// alarms hands TimedOut to the conversations whose alarm has come, until ctx
// ends.
func (e *Engine) alarms(ctx context.Context) {
	// aside are conversations that cannot be handled and would otherwise be
	// the first for ever, with the time when to look at them again, by the
	// machine's clock.
	aside := map[string]time.Time{}
	for ctx.Err() == nil {
		e.memory.fade(e.now())
		if !e.ring(ctx, aside) {
			wait(ctx, e.limits.Poll)
		}
	}
}

// ring handles what is due. It reports whether there may be more.
func (e *Engine) ring(ctx context.Context, aside map[string]time.Time) (more bool) {
	now := e.now()
	n := alarmsAtOnce + len(aside)
	due, err := e.store.Due(ctx, now, n)
	if err != nil {
		if ctx.Err() == nil {
			e.trouble(ctx, "due", err)
		}
		return false
	}
	e.well(ctx, "due")
	var (
		running sync.WaitGroup
		mu      sync.Mutex
		failed  []string
	)
	slots := make(chan struct{}, alarmsParallel)
	rung := 0
	for _, id := range due {
		if until, ok := aside[id]; ok && time.Now().Before(until) {
			continue
		}
		rung++
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			if err := e.alarm(ctx, id, now); err != nil && ctx.Err() == nil {
				mu.Lock()
				defer mu.Unlock()
				failed = append(failed, id)
			}
		})
	}
	running.Wait()
	for id, until := range aside {
		if !time.Now().Before(until) {
			delete(aside, id)
		}
	}
	for _, id := range failed {
		aside[id] = time.Now().Add(alarmRetry)
	}
	return len(due) == n && rung > len(failed)
}

// alarm hands TimedOut to one conversation, if its alarm is still due.
func (e *Engine) alarm(ctx context.Context, id string, now time.Time) error {
	if isMedia(id) {
		return e.eraseMedia(ctx, id)
	}
	c, found, err := e.load(ctx, id)
	if err != nil {
		e.trouble(ctx, "alarm", err)
		return err
	}
	if !found || c.alarm.IsZero() || c.alarm.After(now) {
		return nil
	}
	st := step{
		conversation: id,
		// The version begins anew after the conversation was erased; with the
		// instant it is this alarm's and no other's.
		events:  []event{{flows.TimedOut{}, fmt.Sprintf("alarm:%s:%d:%d", id, c.version, c.alarm.UnixNano())}},
		version: c.version,
	}
	next, err := e.apply(ctx, st)
	if errors.Is(err, ErrStep) {
		_ = e.unstepped(ctx, flows.TimedOut{}, err)
		st.events, st.alarm = nil, now.Add(alarmRetry)
		next, err = e.apply(ctx, st)
	}
	if err != nil && !errors.Is(err, errNobody) {
		e.trouble(ctx, "alarm", err)
		return err
	}
	e.counts.alarms.Add(1)
	if !next.alarm.IsZero() && !next.alarm.After(now) {
		return e.unstepped(ctx, flows.TimedOut{}, fmt.Errorf("%w: event %q: %w", ErrStep, flows.EventKind(flows.TimedOut{}), errStuck))
	}
	return nil
}

// sweepInterval is how often the identities of old events are dropped, and
// sweepBatch how many in one go.
const (
	sweepInterval = time.Hour
	sweepBatch    = 1000
)

// sweep drops the identities of events that nobody will repeat any more, until
// ctx ends.
func (e *Engine) sweep(ctx context.Context) {
	for ctx.Err() == nil {
		before := e.now().Add(-e.limits.Remember)
		for ctx.Err() == nil {
			n, err := e.store.Sweep(ctx, before, sweepBatch)
			if err != nil && ctx.Err() == nil {
				e.trouble(ctx, "sweep", err)
			}
			if err != nil || n < sweepBatch {
				break
			}
		}
		wait(ctx, sweepInterval)
	}
}
