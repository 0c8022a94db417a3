package engine

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

	"suar/flows"
	"suar/storage"
)

// storeTimeout bounds a call to the store. It is shorter than the end of a
// process may take: what hangs then must not hold that up.
const storeTimeout = 8 * time.Second

// settle commits the outcome and with it takes the item out of the outbox.
// While the store does not take it, it is kept and tried again, and this
// process leases nothing: what was performed must not be performed again
// because the store had a bad minute. Only when somebody else took the item
// over, or with the end of the process, the outcome is dropped.
func (d *dispatcher) settle(ctx context.Context, j job, it item, outcome flows.Event) {
	l := j.Leased
	st := step{
		conversation: l.Conversation,
		events:       []event{{outcome, effectIdentity(l.Item)}},
		caller:       it.Caller,
		begins:       true,
		ack:          &l.Lease,
		acked:        &j,
	}
	switch d.side { //nolint:exhaustive // Nothing else is delivered.
	case flows.Officers:
		st.of = &it.Case
		_, st.handed = it.Effect.Effect.(flows.Hand)
	case flows.Keeper, flows.Pager:
		// What was said in a conversation that was erased since is erased with it.
		st.begins, st.lives = false, true
	}
	for tries := 1; ; tries++ {
		err := d.outcome(ctx, st)
		switch {
		case err == nil, errors.Is(err, storage.ErrLeaseLost):
			return
		case errors.Is(err, ErrStep) && flows.EffectKind(it.Effect.Effect) == "open",
			errors.Is(err, errDamaged), errors.Is(err, ErrWrongKey):
			// Without the outcome of Open a case has no thread; a deliverer
			// finds the card that is there already.
			d.again(ctx, l, it, err)
			return
		case errors.Is(err, ErrStep) && len(st.events) > 0:
			// It cannot be told to the conversation, but it is done and must
			// not be done again.
			d.log.ErrorContext(ctx, "outcome dropped", append(d.attrs(l, it, err), "event", flows.EventKind(outcome))...)
			st.events = nil
			continue
		}
		d.trouble(ctx, "outcome", err)
		if tries == 1 {
			d.unsettled.Add(1)
			defer d.unsettled.Add(-1)
		}
		if ctx.Err() != nil {
			return
		}
		wait(ctx, d.backoff(l.Item, tries))
	}
}

// effectIdentity is the identity of the outcome of an item.
func effectIdentity(item string) string { return "effect:" + item }

// outcome applies a step although the process may have been asked to end.
func (d *dispatcher) outcome(ctx context.Context, st step) error {
	ctx, cancel := writing(ctx)
	defer cancel()
	_, err := d.apply(ctx, st)
	return err
}

// writing is the context of a write to the store that is made although the
// given context may have ended; from its end on there is little time left.
func writing(ctx context.Context) (context.Context, context.CancelFunc) {
	write, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	stop := context.AfterFunc(ctx, func() {
		wait(write, lastWrite)
		cancel()
	})
	return write, func() {
		stop()
		cancel()
	}
}

// giveBack gives an item back that is not begun, or not ended with the process,
// for whoever comes to have it at once.
func (d *dispatcher) giveBack(ctx context.Context, l storage.Leased) {
	ctx, cancel := writing(ctx)
	defer cancel()
	err := d.store.Defer(ctx, l.Lease, d.now())
	if err != nil && !errors.Is(err, storage.ErrLeaseLost) {
		d.trouble(ctx, "give back", err) // The lease runs out by itself.
	}
}

// again gives the item back to be tried later.
func (d *dispatcher) again(ctx context.Context, l storage.Leased, it item, cause error) {
	delay := d.backoff(l.Item, l.Tries)
	now := d.now()
	failure := new(Failure)
	switch {
	case ctx.Err() != nil && (!errors.As(cause, &failure) || failure.Status == 0):
		// It was the end of the process that ended it, and no fault.
		d.log.InfoContext(ctx, "effect given back", d.attrs(l, it, cause)...)
		d.giveBack(ctx, l)
		return
	case errors.As(cause, &failure):
		if failure.After > 0 {
			delay = max(delay, failure.After)
			if failure.All {
				d.pause(time.Now().Add(failure.After))
			}
		}
		d.log.InfoContext(ctx, "effect deferred", d.attrs(l, it, cause)...)
	case errors.Is(cause, ErrWrongKey):
		d.log.ErrorContext(ctx, "effect deferred", d.attrs(l, it, cause)...)
		d.fail(cause)
	case errors.Is(cause, errDamaged), errors.Is(cause, ErrStep):
		// Somebody must look at it; until then it waits, and what is behind it.
		delay = d.limits.MaxBackoff
		d.counts.damaged.Add(1)
		d.log.ErrorContext(ctx, "effect deferred", d.attrs(l, it, cause)...)
	default:
		d.log.WarnContext(ctx, "effect deferred", d.attrs(l, it, cause)...)
	}
	d.counts.deferred.Add(1)
	d.meter.Performed(d.side, OutcomeDeferred, max(now.Sub(it.At), 0))
	d.ages.waits(l, it.At, now.Add(delay+d.limits.Lease))
	ctx, cancel := writing(ctx)
	defer cancel()
	err := d.store.Defer(ctx, l.Lease, now.Add(delay))
	if err != nil && !errors.Is(err, storage.ErrLeaseLost) {
		d.trouble(ctx, "defer", err) // The lease runs out by itself.
	}
}

// backoff is the wait after the given number of tries: doubling, with up to
// half of it taken off so that what failed together does not come back
// together. What is taken off follows from the item's ID, which is random.
func (d *dispatcher) backoff(id string, tries int) time.Duration {
	delay := d.limits.MaxBackoff
	if shift := tries - 1; shift < 30 {
		delay = min(delay, d.limits.Backoff<<shift)
	}
	var seed [8]byte
	_, _ = hex.Decode(seed[:], []byte(id[:min(len(id), 16)]))
	share := float64(binary.BigEndian.Uint64(seed[:])>>11) / (1 << 53)
	return delay - time.Duration(share*float64(delay)/2)
}

// wait returns after the time or when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
