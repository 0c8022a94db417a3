package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
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
	slots     slots
	// work is the context of the deliveries.
	work context.Context //nolint:containedctx // Who commits starts them, in no context of his own.
	// wake holds a token if there may be something to lease.
	wake chan struct{}
	// idle takes a job if a worker waits for one; idling counts those. done is
	// closed when there will be none any more.
	idle   chan job
	idling atomic.Int32
	done   chan struct{}
	// begin, if not nil, takes a job instead of a goroutine: tests set it.
	begin func(job)

	mu sync.Mutex
	// paused is until when the other side asked all deliveries to wait, by the
	// machine's clock: no other process sees it.
	paused time.Time
}

func (e *Engine) dispatcher(side flows.Side, d Deliverer) *dispatcher {
	out := &dispatcher{Engine: e, side: side, deliverer: d, wake: make(chan struct{}, 1), idle: make(chan job), done: make(chan struct{})}
	switch side {
	case flows.Caller:
		out.lane, out.slots.least, out.slots.most = storage.LaneCaller, e.limits.Callers, 16*e.limits.Callers
	case flows.Pager:
		out.lane, out.slots.least, out.slots.most = storage.LanePager, pagersAtOnce, pagersAtOnce
	case flows.Keeper:
		out.lane, out.slots.least, out.slots.most = storage.LaneKeeper, mostTurns, mostTurns
	default:
		out.lane, out.slots.least, out.slots.most = storage.LaneOfficers, e.limits.Officers, e.limits.Officers
	}
	out.slots.size = out.slots.least
	return out
}

// run leases and delivers until ctx ends, and returns when the last delivery
// is settled. work is the context of the deliveries, which outlives ctx by the
// grace.
func (d *dispatcher) run(ctx, work context.Context) {
	d.work = work
	d.slots.setOpen(true)
	d.serving[d.lane].Store(d)
	riding, dismount := context.WithCancel(work)
	var rides sync.WaitGroup
	if d.side == flows.Caller {
		rides.Go(func() { d.rides(riding) })
	}
	defer func() {
		d.serving[d.lane].CompareAndSwap(d, nil)
		d.slots.setOpen(false)
		d.slots.running.Wait()
		dismount()
		rides.Wait()
		d.settleRides(d.memory.dismount(d.now()))
		close(d.done)
	}()
	for ctx.Err() == nil {
		d.await(ctx, d.fill(ctx))
	}
}

// fill leases as much as there are slots, and returns how long to wait before
// that is of use again, should nobody say so before.
func (d *dispatcher) fill(ctx context.Context) time.Duration {
	mark := d.slots.mark()
	if !d.may() {
		return d.next(ctx)
	}
	n := d.slots.take(d.slots.most)
	if n == 0 {
		d.slots.leave() // Whoever ends a job says so.
		return d.limits.Poll
	}
	leased, err := d.lease(ctx, n)
	if op := "lease for " + sideName(d.side); err == nil {
		d.well(ctx, op)
	} else if ctx.Err() == nil {
		d.trouble(ctx, op, err)
	}
	for _, l := range leased {
		d.start(job{Leased: l, behind: unknown})
	}
	d.slots.giveBack(n - len(leased))
	if err != nil || len(leased) == n {
		return d.limits.Poll
	}
	d.slots.caughtUp(mark)
	return d.next(ctx)
}

// rouse says that there may be something to lease.
func (d *dispatcher) rouse() {
	select {
	case d.wake <- struct{}{}:
	default: // One token is enough.
	}
}

// await returns when there is something new to lease, after the wait, or when
// ctx ends.
func (d *dispatcher) await(ctx context.Context, wait time.Duration) {
	select {
	case <-d.wake: // It comes before the wait, so that both are one reason.
		return
	default:
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-d.wake:
	}
}

// next is how long to wait for the next head that can be leased, should nobody
// of this process say so before.
func (d *dispatcher) next(ctx context.Context) time.Duration {
	d.mu.Lock()
	paused := time.Until(d.paused)
	d.mu.Unlock()
	if paused > 0 {
		return min(paused, d.limits.Poll)
	}
	now := d.now()
	_, at, err := d.store.Waiting(ctx, d.lane)
	if err != nil || !now.Before(at) {
		return d.limits.Poll
	}
	return min(max(at.Sub(d.now()), 0), d.limits.Poll)
}

// may reports whether anything may be leased: not while all are asked to wait,
// and not while an outcome of this process waits for the store.
func (d *dispatcher) may() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return !time.Now().Before(d.paused) && d.unsettled.Load() == 0
}

// lease takes up to n heads.
func (d *dispatcher) lease(ctx context.Context, n int) ([]storage.Leased, error) {
	if !d.may() {
		return nil, nil
	}
	now := d.now()
	return d.store.Lease(ctx, d.lane, n, now, now.Add(d.limits.Lease))
}

func (d *dispatcher) pause(until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if until.After(d.paused) {
		d.paused = until
	}
}

// start performs a job for which a slot is taken.
func (d *dispatcher) start(j job) {
	if d.begin != nil {
		d.begin(j)
		return
	}
	select {
	case d.idle <- j:
	default:
		go d.worker(j)
	}
}

// mostIdle is how many goroutines wait for a job: one that has a job behind it
// has the stack for the next, and growing that costs as much as the rest.
const mostIdle = 256

// worker completes a job and those that come while it is idle.
func (d *dispatcher) worker(j job) {
	for {
		d.complete(d.work, j)
		if d.idling.Add(1) > mostIdle {
			d.idling.Add(-1)
			return
		}
		select {
		case j = <-d.idle:
			d.idling.Add(-1)
		case <-d.done:
			return
		}
	}
}

// complete performs a job and gives its slot back as soon as it is delivered.
func (d *dispatcher) complete(ctx context.Context, j job) {
	settle := d.attempt(ctx, j)
	if d.slots.delivered(d.now()) {
		d.rouse()
	}
	settle()
	if d.slots.ended() {
		d.rouse()
	}
}

// perform delivers one leased item and settles what came of it.
func (d *dispatcher) perform(ctx context.Context, j job) { d.attempt(ctx, j)() }

// attempt delivers one leased item and returns what settles it.
func (d *dispatcher) attempt(ctx context.Context, j job) (settle func()) {
	l := j.Leased
	var it item
	again := func(err error) func() {
		d.again(ctx, l, it, err)
		return func() {}
	}
	if j.item != nil {
		it = *j.item
	} else {
		var err error
		if it, err = d.openItem(ctx, l); err != nil {
			return again(err)
		}
	}
	d.ages.waits(l, it.At, d.now().Add(d.limits.Lease))
	performed := func(o Outcome) {
		d.ages.ended(l)
		d.meter.Performed(d.side, o, max(d.now().Sub(it.At), 0))
	}
	delivery, err := d.delivery(ctx, j, it)
	if errors.Is(err, errUnwanted) {
		d.counts.undelivered.Add(1)
		performed(OutcomeUnwanted)
		return func() {
			// An earlier try of which nobody learnt the outcome may have succeeded.
			d.settle(ctx, j, it, flows.Undelivered{Effect: it.Effect.Effect, Reason: flows.ReasonUnwanted, Perhaps: l.Tries > 1})
		}
	}
	if err != nil {
		return again(err)
	}
	outcome, err := d.deliver(ctx, delivery)
	if err == nil {
		d.counts.delivered.Add(1)
		performed(OutcomeDelivered)
		d.meterCall(it.Effect.Effect)
		return func() {
			if delivered, ok := outcome.(flows.Delivered); !ok || !d.mount(j, it, delivery, delivered) {
				d.settle(ctx, j, it, outcome)
			}
		}
	}
	undelivered, over := d.over(l, it, err)
	if !over {
		return again(err)
	}
	d.counts.undelivered.Add(1)
	performed(OutcomeUndelivered)
	d.log.WarnContext(ctx, "effect not delivered", append(d.attrs(l, it, err), "reason", string(undelivered.Reason))...)
	return func() { d.settle(ctx, j, it, undelivered) }
}

// errUnwanted says that the state as it is now does not want the effect.
var errUnwanted = errors.New("engine: the effect is not wanted any more")

// wanted reports whether the effect is to be performed. What was to be said to
// a person who has left meanwhile, or may not be written to any more, must not
// be.
func (e *Engine) wanted(c conversation, found bool, at time.Time, ef flows.Effect) bool {
	switch ef.(type) {
	case flows.Say, flows.Amend, flows.Fetch, flows.Refer, flows.Summon:
		return found && e.flow.Wanted(c.State, at, ef)
	case flows.Open, flows.Relay, flows.Page, flows.Offer, flows.Present, flows.Prompt:
		return !found || e.flow.Wanted(c.State, at, ef)
	}
	return true
}

// patience is for how long after its commit an effect that fails is tried
// before it is given up and the conversation is told; 0 is for ever. What is
// behind it in its conversation's lane waits for as long.
//
//	Show, Say, Amend, Erase  a day: then the person is hardly there any more
//	Open, Relay              for ever: the person was told that it is not lost
//	Hash, Check              for ever: words wait there to be relayed
//	Look, Seek, Hand         for ever: nobody else would notice; a case must
//	                         not be lost on its way
//	Fetch                    two minutes: the person's bubble waits behind it
//	Offer                    for ever, as Relay
//	Summon                   for ever: a later one, or an acknowledgement, ends it
//	Present                  ten minutes: the officer who waits presses again
//	Drop                     for ever: it was promised
//	Retract                  for ever: it is a packet that was revoked
//	Shred                    for ever: the person was told that it is done
//	Audit                    for ever: the trail must have no gap
//	Tell, Page, Prompt       three days: over a weekend without an administrator
//	Update, Restate          an hour: a later one shows the same; the last one
//	                         of a case for ever: it would look open
//	Mark                     five minutes: an ornament
func patience(ef flows.Effect) time.Duration {
	switch ef := ef.(type) {
	case flows.Open, flows.Relay, flows.Hash, flows.Check, flows.Look, flows.Seek, flows.Hand, flows.Offer, flows.Drop, flows.Shred, flows.Audit, flows.Retract, flows.Summon:
		return 0
	case flows.Tell, flows.Page, flows.Prompt:
		return 72 * time.Hour
	case flows.Update:
		if ef.Last != nil {
			return 0
		}
		return time.Hour
	case flows.Restate:
		return time.Hour
	case flows.Present:
		return 10 * time.Minute
	case flows.Mark:
		return 5 * time.Minute
	case flows.Fetch:
		return 2 * time.Minute
	}
	return 24 * time.Hour
}

// leastTries is how often an effect is tried at least: it may have grown old
// behind another.
const leastTries = 3

// pagersAtOnce is how many calls by the second way run at once.
const pagersAtOnce = 4

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
func (d *dispatcher) delivery(ctx context.Context, j job, it item) (del Delivery, err error) {
	l := j.Leased
	var c conversation
	var found bool
	if j.draft != nil {
		c, found = j.draft.after, j.draft.found
	} else if c, found, err = d.load(ctx, l.Conversation); err != nil {
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
		at:           it.At,
	}
	del.joins = joins{tape: it.Tape, second: it.Second}
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
		present := found && sameCase(it.Case, presentCase(&c.State))
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

// deliver calls the deliverer, for as long as a delivery may take, and returns
// the event that came of it.
func (d *dispatcher) deliver(ctx context.Context, del Delivery) (outcome flows.Event, err error) {
	ctx, cancel := context.WithTimeout(ctx, d.limits.Delivery)
	defer cancel()
	ctx, end := d.tracer.Begin(ctx, Span{Name: spanDeliver, Kind: flows.EffectKind(del.Effect), Side: sideName(d.side)})
	defer func() { end(outcomeOf(err)) }()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: effect %q, panic at %s", ErrStep, flows.EffectKind(del.Effect), panicLine())
		}
	}()
	if drop, ok := del.Effect.(flows.Drop); ok {
		return flows.Delivered{Effect: drop}, d.eraseMedia(ctx, d.mediaRecord(del.Conversation, drop.Media))
	}
	if audit, ok := del.Effect.(flows.Audit); ok {
		return flows.Delivered{Effect: audit}, d.note(ctx, del.ID, del.at, audit)
	}
	if shred, ok := del.Effect.(flows.Shred); ok {
		return flows.Delivered{Effect: shred}, d.shred(ctx, shred)
	}
	switch ef := del.Effect.(type) {
	case flows.Hand:
		return d.handOver(ctx, del, ef)
	case flows.Look:
		return d.look(ctx, del, ef)
	case flows.Seek:
		return d.seek(ctx, del, ef)
	}
	if d.side == flows.Keeper {
		return d.inTurn(ctx, del)
	}
	delivered, err := d.deliverer.Deliver(ctx, del)
	delivered.Effect = del.Effect
	return delivered, err
}
