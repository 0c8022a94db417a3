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

// A dispatcher performs the effects of one side.
type dispatcher struct {
	*Engine
	side      flows.Side
	lane      storage.Lane
	deliverer Deliverer
	parallel  int

	mu sync.Mutex
	// paused is until when the other side asked all deliveries to wait.
	paused time.Time
}

func (e *Engine) dispatcher(side flows.Side, d Deliverer) *dispatcher {
	if side == flows.Caller {
		return &dispatcher{
			Engine: e, side: side, lane: storage.LaneCaller, deliverer: d,
			parallel: e.limits.Callers,
		}
	}
	return &dispatcher{
		Engine: e, side: side, lane: storage.LaneOfficers, deliverer: d,
		parallel: e.limits.Officers,
	}
}

// run leases and delivers until ctx ends, and returns when the last delivery
// is settled. work is the context of the deliveries, which outlives ctx by the
// grace.
func (d *dispatcher) run(ctx, work context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	slots := make(chan struct{}, d.parallel)
	for ctx.Err() == nil {
		free := d.parallel - len(slots)
		leased, err := d.lease(ctx, free)
		if err != nil && ctx.Err() == nil {
			d.trouble(ctx, "lease", err)
		}
		for _, l := range leased {
			slots <- struct{}{} // There is room: only this loop fills it.
			running.Go(func() {
				d.perform(work, l)
				<-slots
				d.rouseLane(d.lane) // There is a new head, and a free slot.
			})
		}
		wait := d.limits.Poll
		if err == nil && len(leased) < free {
			wait = d.next(ctx)
		}
		d.await(ctx, wait)
	}
}

// await returns when there is something new to lease, after the wait, or when
// ctx ends.
func (d *dispatcher) await(ctx context.Context, wait time.Duration) {
	select {
	case <-d.wake[d.lane]: // It comes before the wait, so that both are one reason.
		return
	default:
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-d.wake[d.lane]:
	}
}

// next is how long to wait for the next head that can be leased, should nobody
// of this process say so before.
func (d *dispatcher) next(ctx context.Context) time.Duration {
	d.mu.Lock()
	at := d.paused
	d.mu.Unlock()
	if now := d.now(); !now.Before(at) {
		var err error
		if _, at, err = d.store.Waiting(ctx, d.lane); err != nil || !now.Before(at) {
			return d.limits.Poll
		}
	}
	return min(max(at.Sub(d.now()), 0), d.limits.Poll)
}

// lease takes up to n heads. It takes none while all are asked to wait, and
// while an outcome of this process waits for the store.
func (d *dispatcher) lease(ctx context.Context, n int) ([]storage.Leased, error) {
	now := d.now()
	d.mu.Lock()
	paused := now.Before(d.paused)
	d.mu.Unlock()
	if n <= 0 || paused || d.unsettled.Load() > 0 {
		return nil, nil
	}
	return d.store.Lease(ctx, d.lane, n, now, now.Add(d.limits.Lease))
}

func (d *dispatcher) pause(until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if until.After(d.paused) {
		d.paused = until
	}
}

// perform delivers one leased item and settles what came of it.
func (d *dispatcher) perform(ctx context.Context, l storage.Leased) {
	it, err := d.openItem(ctx, l)
	if err != nil {
		d.again(ctx, l, it, err)
		return
	}
	delivery, err := d.delivery(ctx, l, it)
	if errors.Is(err, errUnwanted) {
		d.counts.undelivered.Add(1)
		// An earlier try of which nobody learnt the outcome may have succeeded.
		d.settle(ctx, l, it, flows.Undelivered{Effect: it.Effect.Effect, Reason: flows.ReasonUnwanted, Perhaps: l.Tries > 1})
		return
	}
	if err != nil {
		d.again(ctx, l, it, err)
		return
	}
	delivered, err := d.deliver(ctx, delivery)
	if err == nil {
		delivered.Effect = it.Effect.Effect
		d.counts.delivered.Add(1)
		d.settle(ctx, l, it, delivered)
		return
	}
	undelivered, over := d.over(l, it, err)
	if !over {
		d.again(ctx, l, it, err)
		return
	}
	d.counts.undelivered.Add(1)
	d.log.WarnContext(ctx, "effect not delivered", append(d.attrs(l, it, err), "reason", string(undelivered.Reason))...)
	d.settle(ctx, l, it, undelivered)
}

// errUnwanted says that the state as it is now does not want the effect.
var errUnwanted = errors.New("engine: the effect is not wanted any more")

// wanted reports whether the effect is to be performed. What was to be said to
// a person who has left meanwhile, or may not be written to any more, must not
// be.
func (e *Engine) wanted(c conversation, found bool, at time.Time, ef flows.Effect) bool {
	switch ef.(type) {
	case flows.Say, flows.Amend:
		return found && e.flow.Wanted(c.State, at, ef)
	}
	return true
}

// patience is for how long after its commit an effect that fails is tried
// before it is given up and the conversation is told; 0 is for ever. What is
// behind it in its conversation's lane waits for as long.
//
//	Show, Say, Amend, Erase  a day: then the person is hardly there any more
//	Open, Relay              for ever: the person was told that it is not lost
//	Tell, Page               three days: over a weekend without an administrator
//	Update                   an hour: a later one shows the same; the last one
//	                         of a case for ever: it would look open
//	Mark                     five minutes: an ornament
func patience(ef flows.Effect) time.Duration {
	switch ef := ef.(type) {
	case flows.Open, flows.Relay:
		return 0
	case flows.Tell, flows.Page:
		return 72 * time.Hour
	case flows.Update:
		if ef.Last != nil {
			return 0
		}
		return time.Hour
	case flows.Mark:
		return 5 * time.Minute
	}
	return 24 * time.Hour
}

// leastTries is how often an effect is tried at least: it may have grown old
// behind another.
const leastTries = 3

// over reports whether a failed delivery is not to be tried again, and what is
// to be told to the conversation then.
func (d *dispatcher) over(l storage.Leased, it item, err error) (flows.Undelivered, bool) {
	u := flows.Undelivered{Effect: it.Effect.Effect, Reason: flows.ReasonGivenUp}
	failure := new(Failure)
	if errors.As(err, &failure) {
		u.Perhaps = failure.Perhaps
		if failure.Final {
			if failure.Reason != "" {
				u.Reason = failure.Reason
			}
			return u, true
		}
	}
	age := patience(u.Effect)
	if age == 0 || l.Tries < leastTries || d.now().Sub(it.At) < age {
		return u, false
	}
	// An earlier try of which nobody learnt the outcome may have succeeded.
	u.Perhaps = true
	return u, true
}

// delivery brings together what the performer needs, from the state as it is
// now; what is of a conversation or a case that is no more, from the item. It
// returns errUnwanted if the effect is not to be performed any more.
func (d *dispatcher) delivery(ctx context.Context, l storage.Leased, it item) (del Delivery, err error) {
	c, found, err := d.load(ctx, l.Conversation)
	if err != nil {
		return del, err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: effect %q, panic at %s", ErrStep, flows.EffectKind(it.Effect.Effect), panicLine())
		}
	}()
	at := d.now()
	if !d.wanted(c, found, at, it.Effect.Effect) {
		return del, errUnwanted
	}
	del = Delivery{
		ID:           l.Item,
		Conversation: l.Conversation,
		Caller:       it.Caller,
		Thread:       c.thread(it),
		Effect:       it.Effect.Effect,
		Urgent:       c.State.Urgent(),
		Tries:        l.Tries,
	}
	if it.Again {
		del.Tries = max(l.Tries, 2)
	}
	switch ef := it.Effect.Effect.(type) {
	case flows.Show:
		// A conversation that was erased since has nothing to show.
		if found {
			del.View = d.flow.View(c.State, at)
			del.Bubble, del.Buried = c.State.Bubble()
		}
	case flows.Open, flows.Update:
		present := found && sameCase(it.Case, presentCase(c.State))
		if update, ok := ef.(flows.Update); ok && update.Last != nil {
			present = false // Its card says how the case ended.
		}
		if present {
			del.Card = d.flow.Card(c.State, at)
		} else if it.Card != nil {
			del.Card = *it.Card
		}
	}
	if del.Witness = it.Witness; c.taped(it.Case) {
		del.Witness = c.Tape.Witness()
	}
	return del, nil
}

// deliver calls the deliverer, for as long as a delivery may take.
func (d *dispatcher) deliver(ctx context.Context, del Delivery) (delivered flows.Delivered, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.limits.Delivery)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: effect %q, panic at %s", ErrStep, flows.EffectKind(del.Effect), panicLine())
		}
	}()
	return d.deliverer.Deliver(ctx, del)
}
