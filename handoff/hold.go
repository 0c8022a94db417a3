package handoff

import (
	"context"
	"errors"
	"sync"
	"time"

	"suar/internal/engine"
)

// Several processes of one hotline may run, and each serves presses and
// deliveries; one of them listens to the websocket. It holds that right for a
// few seconds at a time. When it ends in order it gives the right up, and
// another one takes over at once; when it is killed, after holdLife.
//
// That the right is over is noticed by the one who has it before another can
// take it: it counts from before it asked, and stops holdMargin early. It then
// hands nothing more over. Why not even a change that was on its way at that
// moment, or in a process that was suspended meanwhile, can come after a later
// one of the successor:
//
//   - Every call of the handler has the end of the right as its deadline, and
//     the engine looks at the deadline between reading the conversation and
//     committing. So what was read is from before the successor began.
//   - If the successor has committed anything to the conversation since, its
//     version is another. The commit is refused, and not tried again after the
//     deadline.
//   - If it has not, the change comes before all of the successor's, which begins
//     at the saved mark, behind which everything was committed. The successor
//     hands the same change over again, and the engine knows it.
const (
	holdLife = 8 * time.Second
	// holdMargin is more than the clocks of two processes are apart.
	holdMargin = 2500 * time.Millisecond
	// holdEvery is how often the right is prolonged, and how long that may take.
	holdEvery = 2 * time.Second
	// holdRetry is how often a process asks that does not have it.
	holdRetry = time.Second
)

// errSuperseded ends the listening of a process whose right is over.
var errSuperseded = errors.New("handoff: another process listens, or nobody can say who does")

// errNobodySays is why a process does not listen that cannot learn whether it
// may.
var errNobodySays = errors.New("handoff: the store does not say which process listens")

// A right is that of this process to listen.
type right struct {
	// hold is Config.Hold; nil if there is no other process.
	hold func(ctx context.Context, life time.Duration) error

	mu    sync.Mutex
	until time.Time
}

// ask takes or prolongs the right.
func (r *right) ask(ctx context.Context) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, holdEvery)
	defer cancel()
	if err := r.hold(ctx, holdLife); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.until = began.Add(holdLife - holdMargin)
	return nil
}

// end is when the right is over unless it is prolonged.
func (r *right) end() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.until
}

// over reports whether the right is over, by either of the machine's clocks: one
// stands still while the machine is suspended.
func (r *right) over() bool {
	now, end := time.Now(), r.end()
	return !now.Before(end) || !now.Round(0).Before(end.Round(0))
}

// keep prolongs the right until ctx ends, and returns errSuperseded when it is
// over before.
func (r *right) keep(ctx context.Context) error {
	for {
		if err := sleep(ctx, min(holdEvery, time.Until(r.end()))); err != nil {
			return err
		}
		err := r.ask(ctx)
		if errors.Is(err, engine.ErrHeld) || r.over() {
			return errSuperseded
		}
	}
}

// within is the context of one change that is handed over under the right.
func (r *right) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.hold == nil {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, r.end())
}

// giveUp lets another process listen at once. If it fails the right is over
// soon.
func (r *right) giveUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = r.hold(ctx, 0)
}

// awaitRight returns when this process is to listen, or the end of ctx.
func (d *Desk) awaitRight(ctx context.Context, r *right) error {
	for {
		err := r.ask(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.Is(err, engine.ErrHeld) {
			d.setFault(nil) // Somebody hears.
		} else {
			d.setFault(errNobodySays)
		}
		if err := sleep(ctx, holdRetry/2+d.spread(holdRetry/2)); err != nil {
			return err
		}
	}
}

// listenInTurn listens whenever this process is the one to do it, until ctx
// ends.
func (d *Desk) listenInTurn(ctx context.Context) {
	r := &right{hold: d.Hold}
	if r.hold == nil {
		d.listen(ctx, r)
		return
	}
	for d.awaitRight(ctx, r) == nil {
		d.Log.Info("this process listens to Mattermost")
		d.listenUnder(ctx, r)
		if ctx.Err() != nil {
			r.giveUp(ctx)
			return
		}
		d.Log.Warn("this process listens to Mattermost no longer")
	}
}

// listenUnder listens for as long as the right lasts.
func (d *Desk) listenUnder(ctx context.Context, r *right) {
	held, over := context.WithCancelCause(ctx)
	defer over(nil)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		over(r.keep(held))
	}()
	d.listen(held, r)
	over(nil)
	<-kept
}

// Listening reports whether this is the process that listens. Fault says
// whether it hears.
func (d *Desk) Listening() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.listening
}
