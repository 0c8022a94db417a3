package handoff

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
	"suar/internal/mattermosttest"
	"suar/storage"
	"suar/storage/storagetest"
)

// A rivalry is a store on which processes hold the right to listen. Its clock
// stands until the test sets it on, so that a slow machine ends no right.
type rivalry struct {
	store storage.Store
	mu    sync.Mutex
	now   time.Time
	// dead are the processes that reach the store no more.
	dead map[string]bool
}

func newRivalry() *rivalry {
	return &rivalry{store: storagetest.NewMemory(), now: time.Now(), dead: map[string]bool{}}
}

var errOutage = errors.New("test: the store is out of reach")

// hold is Config.Hold of one process.
func (r *rivalry) hold(process string) func(context.Context, time.Duration) error {
	return func(ctx context.Context, life time.Duration) error {
		r.mu.Lock()
		now, dead := r.now, r.dead[process]
		r.mu.Unlock()
		if dead {
			return errOutage
		}
		return r.store.Hold(ctx, "listener", process, now, now.Add(life))
	}
}

func (r *rivalry) kill(process string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dead[process] = true
}

func (r *rivalry) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// TestOneProcessListens lets two processes run. What officers write comes once
// and in order, through an orderly hand-over and through a kill.
func TestOneProcessListens(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		store := newRivalry()
		desk := func(name string, of *ledger) *rig {
			r := newRig(t, w, func(c *Config) {
				c.Hold = store.hold(name)
				if of != nil {
					c.Handler = of
				}
			})
			if of != nil {
				r.ledger = of
			}
			return r
		}
		first := desk("first", nil)
		root := first.open(1)
		var want []flows.Event
		say := func() {
			t.Helper()
			text := fmt.Sprint("words ", len(want))
			p := w.Post(w.Officers[0], string(root), text)
			want = append(want, flows.Replied{Post: flows.PostID(p.Id), Officer: officer(w.Officers[0]), Text: text})
		}
		listens := func(r *rig) {
			t.Helper()
			r.until("this process listens and hears", func() bool { return r.Listening() && r.Fault() == nil })
		}
		stop := first.run()
		listens(first)
		say()

		second := desk("second", first.ledger)
		second.run() // It is well, and does not listen.
		if second.Listening() {
			t.Error("two processes listen")
		}
		say()
		first.ledger.wait(t, root, 2)

		stop() // It gives the right up.
		say()
		listens(second)
		say()
		first.ledger.wait(t, root, 4)

		third := desk("third", first.ledger)
		third.run()
		store.kill("second")
		// That one notices by itself, before another may listen.
		second.until("a process that cannot prolong stops", func() bool { return !second.Listening() })
		say()
		store.pass(holdLife)
		listens(third)
		say()
		if diff := cmp.Diff(want, first.ledger.wait(t, root, len(want))); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// TestTheRightEndsInTime: whoever cannot prolong it stops before another can
// have it, also if the store does not answer at all.
func TestTheRightEndsInTime(t *testing.T) {
	for name, fail := range map[string]func(context.Context) error{
		"fails":    func(context.Context) error { return errOutage },
		"stalls":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"is taken": func(context.Context) error { return storage.ErrHeld },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				granted := 3
				last := time.Time{}
				r := &right{hold: func(ctx context.Context, _ time.Duration) error {
					if granted--; granted < 0 {
						return fail(ctx)
					}
					last = time.Now()
					return nil
				}}
				if err := r.ask(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := r.keep(t.Context()); !errors.Is(err, errSuperseded) {
					t.Errorf("%v, want errSuperseded", err)
				}
				if took := time.Since(last); took < holdEvery || took > holdLife-holdMargin+holdEvery || took >= holdLife {
					t.Errorf("it stops %v after the last time it was granted", took)
				}
				// What is handed over ends earlier than the keeping may notice.
				call, cancel := r.within(t.Context())
				defer cancel()
				if at, ok := call.Deadline(); !ok || at.Sub(last) > holdLife-holdMargin {
					t.Errorf("a change may be handed over until %v after it was granted", at.Sub(last))
				}
			})
		})
	}
}
