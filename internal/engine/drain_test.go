package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"suar/flows"
	"suar/storage/storagetest"
)

// mostly is what a service manager gives a process that it asks to end.
const mostly = 10 * time.Second

// TestWhatHangsHoldsNobodyUp ends a process all of whose deliveries hang, with
// a store that works, fails and hangs itself. It ends in time, and the next
// process has everything at once, without waiting for a lease.
func TestWhatHangsHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]storagetest.Fault{
		"the store works": storagetest.None, "the store fails": storagetest.Refused,
		"the store loses its answers": storagetest.Lost, "the store hangs": storagetest.Stalled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				var ending atomic.Bool
				hang := func(ctx context.Context, _ Delivery) error {
					<-ctx.Done()
					return ctx.Err()
				}
				w.chat.setAnswer(hang)
				w.channel.setAnswer(hang)
				e := w.engineOn(storagetest.NewFlaky(w.store, func(storagetest.Call) storagetest.Fault {
					if ending.Load() {
						return fault
					}
					return storagetest.None
				}))
				stop := w.run(e)
				for person := range 40 {
					w.handle(e, said(person, 1, "help "+canary))
				}
				synctest.Wait()
				ending.Store(true)
				began := time.Now()
				stop()
				if took := time.Since(began); took > mostly {
					t.Errorf("the end took %v", took)
				}

				w.chat.setAnswer(nil)
				w.channel.setAnswer(nil)
				next := w.engine()
				if fault == storagetest.Refused || fault == storagetest.Stalled {
					time.Sleep(next.limits.Lease) // It could not be given back.
				}
				w.run(next)
				synctest.Wait()
				w.mustBeEmpty(next)
				w.mustBeSilent()
			})
		})
	}
}

// TestADelivererThatNeverEnds is a fault of ours; Run ends all the same and
// says so.
func TestADelivererThatNeverEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		release := make(chan struct{})
		w.channel.setAnswer(func(context.Context, Delivery) error {
			<-release
			return nil
		})
		e := w.engine()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- e.Run(ctx, map[flows.Side]Deliverer{flows.Caller: w.chat, flows.Officers: w.channel})
		}()
		w.handle(e, said(1, 1, "help "+canary))
		synctest.Wait()
		began := time.Now()
		cancel()
		if err := <-done; !errors.Is(err, errHung) || time.Since(began) > mostly {
			t.Errorf("Run: %v after %v", err, time.Since(began))
		}
		close(release)
	})
}

// TestAnAnswerInTheLastMoment: what the other side did during the grace counts,
// and is not done again.
func TestAnAnswerInTheLastMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.channel.setAnswer(func(ctx context.Context, _ Delivery) error {
			time.Sleep(5 * time.Second)
			return nil
		})
		e := w.engine()
		stop := w.run(e)
		w.handle(e, said(1, 1, "help "+canary))
		synctest.Wait()
		stop()
		w.channel.setAnswer(nil)
		w.run(w.engine())
		synctest.Wait()
		if got := w.channel.effects(); !slices.Equal(got, []string{"open", "relay help " + canary}) {
			t.Errorf("to the officers: %s", strings.Join(got, ", "))
		}
	})
}
