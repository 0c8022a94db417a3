package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"suar/flows"
	"suar/storage"
)

// lastWrites is how long Run waits for its last writes to the store after the
// grace; each write has lastWrite.
const (
	lastWrite  = 1500 * time.Millisecond
	lastWrites = 2*lastWrite + 500*time.Millisecond
)

// errHung says that a deliverer did not end although it was told to.
var errHung = errors.New("engine: a delivery did not end with its context; its outcome is lost, and it comes again")

// Run delivers effects, rings alarms and forgets old identities until ctx
// ends. Then it leases nothing more, lets the deliveries under way go on for
// the grace, commits what came of them, gives back what did not end, so that
// another process or the next one has it at once, and returns nil. That takes
// lastWrites longer than the grace at most, whatever hangs. It returns an error
// before that if it makes no sense to go on: the process must end, so that it
// is noticed. It may be called once.
func (e *Engine) Run(ctx context.Context, deliverers map[flows.Side]Deliverer) error {
	if deliverers[flows.Caller] == nil || deliverers[flows.Officers] == nil {
		return errors.New("engine: Run without a deliverer for each side")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()

	var running sync.WaitGroup
	sides := []flows.Side{flows.Caller, flows.Officers, flows.Keeper}
	if deliverers[flows.Pager] != nil { // Without one nothing waits for it.
		sides = append(sides, flows.Pager)
	}
	for _, side := range sides {
		d := e.dispatcher(side, deliverers[side]) // The keeper is the engine itself.
		running.Go(func() { d.run(ctx, work) })
	}
	running.Go(func() { e.alarms(ctx) })
	running.Go(func() { e.sweep(ctx) })
	running.Go(func() { e.keepTime(ctx) })
	done := make(chan struct{})
	go func() {
		running.Wait()
		close(done)
	}()

	// A store that can fail for good says so.
	var broken <-chan struct{}
	if s, ok := e.store.(bounded); ok {
		broken = s.Failed()
	}
	var err error
	select {
	case err = <-e.failed:
	case <-broken:
		// Any write tells why.
		_, cause := e.store.Sweep(ctx, time.Time{}, 1)
		err = fmt.Errorf("engine: the store takes no writes any more: %w", cause)
		// Nothing that is under way could be committed any more.
		end()
	case <-ctx.Done():
	}
	stop()
	grace := time.NewTimer(e.limits.Grace)
	defer grace.Stop()
	select {
	case <-done:
		return err
	case <-grace.C:
	}
	end()
	last := time.NewTimer(lastWrites)
	defer last.Stop()
	select {
	case <-done:
		return err
	case <-last.C:
		return errors.Join(err, errHung)
	}
}

// fail ends Run.
func (e *Engine) fail(err error) {
	select {
	case e.failed <- err:
	default: // The first one counts.
	}
}

// attrs describes a delivery for the log.
func (d *dispatcher) attrs(l storage.Leased, it item, err error) []any {
	attrs := []any{"effect", flows.EffectKind(it.Effect.Effect), "side", sideName(d.side), "tries", l.Tries, "class", class(err)}
	if failure := new(Failure); errors.As(err, &failure) {
		attrs = append(attrs, "status", failure.Status)
	}
	return attrs
}

func sideName(s flows.Side) string {
	switch s {
	case flows.Caller:
		return "caller"
	case flows.Keeper:
		return "keeper"
	case flows.Pager:
		return "pager"
	case flows.Officers, flows.Archive:
	}
	return "officers"
}

// Class says what sort of error it is, for a log of an edge's.
func Class(err error) string { return class(err) }

// class says what sort of error it is. What an error says itself may quote
// anything, so it never reaches the log.
func class(err error) string {
	failure := new(Failure)
	answer := new(storage.RedisError)
	switch {
	case errors.Is(err, ErrWrongKey):
		return "wrong key"
	case errors.Is(err, storage.ErrLost):
		return "the store is lost: do not restart, bring its data back"
	case errors.Is(err, storage.ErrUnconfirmed):
		return "too few replicas"
	case errors.As(err, &answer):
		if answer.Code == "" {
			return "redis answers an error without a code"
		}
		return "redis " + answer.Code + ": " + answer.Advice()
	case errors.Is(err, errDamaged):
		return "damaged"
	case errors.Is(err, ErrStep):
		return "step"
	case errors.As(err, &failure):
		return "delivery"
	case errors.Is(err, storage.ErrLeaseLost):
		return "lease lost"
	case errors.Is(err, storage.ErrConflict):
		return "conflict"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, storage.ErrNoAnswer):
		return "Redis does not answer"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "other"
}
