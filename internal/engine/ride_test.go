package engine

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"suar/flows"
	"suar/storage"
	"suar/storage/storagetest"
)

// A soleStore is one process's and counts what was committed.
type soleStore struct {
	storage.Store
	commits atomic.Int32
	refuse  atomic.Bool
}

func (*soleStore) Release(context.Context) error { return nil }

func (s *soleStore) Commit(ctx context.Context, c storage.Commit) error {
	_, err := s.CommitAndLease(ctx, c, time.Time{})
	return err
}

func (s *soleStore) CommitAndLease(ctx context.Context, c storage.Commit, until time.Time, lanes ...storage.Lane) ([]storage.Leased, error) {
	if s.refuse.Load() {
		return nil, storagetest.ErrOutage
	}
	leased, err := s.Store.CommitAndLease(ctx, c, until, lanes...)
	if err == nil && c.ID != keyRecord && c.ID != clockRecord {
		s.commits.Add(1)
	}
	return leased, err
}

// A bubble is a chat in which what is shown stays one message.
type bubble struct{ edge }

func (b *bubble) Deliver(ctx context.Context, d Delivery) (flows.Delivered, error) {
	made, err := b.edge.Deliver(ctx, d)
	if _, ok := d.Effect.(flows.Show); ok && err == nil && d.Bubble != "" {
		made.Message = d.Bubble
	}
	return made, err
}

// A riding is a world whose store is one process's, with a person who has begun.
type riding struct {
	*world
	sole *soleStore
	chat *bubble
	e    *Engine
	stop func()
	n    int
}

func newRiding(t *testing.T) *riding {
	w := newWorld(t)
	r := &riding{world: w, sole: &soleStore{Store: w.store}, chat: new(bubble)}
	r.start()
	r.press()
	if n := r.sole.commits.Load(); n != 2 {
		t.Fatalf("%d commits for a first message, want the event's and its outcome's", n)
	}
	return r
}

// start begins a process, until stop.
func (r *riding) start() {
	r.e = r.engineOn(r.sole)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- r.e.Run(ctx, map[flows.Side]Deliverer{flows.Caller: r.chat, flows.Officers: r.channel})
	}()
	r.stop = func() {
		cancel()
		if err := <-done; err != nil {
			r.t.Errorf("Run: %v", err)
		}
	}
}

func (r *riding) next() Inbound {
	r.n++
	in := said(1, r.n, "")
	in.Event = flows.Started{}
	return in
}

// press is an event that is answered by the same bubble.
func (r *riding) press() {
	r.t.Helper()
	r.handle(r.e, r.next())
	synctest.Wait()
}

// mustHave checks how many commits there were, and that nothing was delivered
// twice.
func (r *riding) mustHave(commits int) {
	r.t.Helper()
	if n := r.sole.commits.Load(); n != int32(commits) {
		r.t.Errorf("%d commits, want %d", n, commits)
	}
	seen := map[string]bool{}
	for _, d := range r.chat.deliveries() {
		if seen[d.ID] {
			r.t.Errorf("%s was delivered twice", describe(d.Effect))
		}
		seen[d.ID] = true
	}
}

func TestOutcomeRidesOnTheNextCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRiding(t)
		defer func() { r.stop() }()
		r.press()
		r.mustHave(3) // The outcome waits.
		r.press()
		r.mustHave(4) // It came along.
		time.Sleep(2 * ridesFor)
		synctest.Wait()
		r.mustHave(5) // Nothing came any more.
		r.mustBeEmpty(r.e)
	})
}

func TestOutcomeRidesWithSeveralEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRiding(t)
		defer func() { r.stop() }()
		r.press()
		if err := r.e.HandleAll(t.Context(), []Inbound{r.next(), r.next()}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.mustHave(4)
		time.Sleep(2 * ridesFor)
		synctest.Wait()
		r.mustBeEmpty(r.e)
	})
}

func TestOutcomeIsRecordedAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRiding(t)
		r.press()
		r.stop()
		r.mustHave(4)
		r.mustBeEmpty(r.e)
	})
}

// What comes behind an outcome that waits is delivered at once.
func TestNothingWaitsForARide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRiding(t)
		defer func() { r.stop() }()
		r.handle(r.e, said(1, 100, "begins a case"))
		synctest.Wait()
		r.press()
		r.handle(r.e, replied("p1", 1, "an officer's words"))
		synctest.Wait()
		got := r.chat.effects()
		if last := got[len(got)-1]; last != "say an officer's words" {
			t.Errorf("the chat got %q, not yet the officer's words", got)
		}
		time.Sleep(2 * ridesFor)
		synctest.Wait()
		r.mustBeEmpty(r.e)
	})
}

func TestRideThatDoesNotComeOff(t *testing.T) {
	for name, fail := range map[string]func(*riding){
		"the store refuses": func(r *riding) {
			r.sole.refuse.Store(true)
			if err := r.e.Handle(r.t.Context(), r.next()); !errors.Is(err, storagetest.ErrOutage) {
				r.t.Errorf("Handle: %v", err)
			}
			time.Sleep(ridesFor)
			r.sole.refuse.Store(false)
		},
		"the event was handled before": func(r *riding) {
			r.n--
			r.handle(r.e, r.next())
		},
		"the step fails": func(r *riding) {
			if err := r.e.Handle(r.t.Context(), said(1, 100, "panic")); !errors.Is(err, ErrStep) {
				r.t.Errorf("Handle: %v", err)
			}
		},
		"the event is of an old thread": func(r *riding) {
			if err := r.e.Handle(r.t.Context(), replied("p77", 1, "")); !errors.Is(err, ErrUnknown) {
				r.t.Errorf("Handle: %v", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRiding(t)
				r.t = t
				defer func() { r.stop() }()
				r.press()
				fail(r)
				time.Sleep(time.Minute)
				synctest.Wait()
				r.mustHave(4)
				r.mustBeEmpty(r.e)
				r.press()
				r.mustHave(5)
			})
		})
	}
}

// A process that dies while an outcome waits has it performed again by the next
// one: under the same identity, and as an edit of the same bubble.
func TestRideEndsWithTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRiding(t)
		r.press()
		r.sole.refuse.Store(true) // What the dying process writes comes to nothing.
		r.stop()
		r.sole.refuse.Store(false)
		before := r.chat.deliveries()
		r.start()
		defer func() { r.stop() }()
		time.Sleep(time.Minute) // The lease runs out.
		synctest.Wait()
		after := r.chat.deliveries()
		if len(after) != len(before)+1 {
			t.Fatalf("%d deliveries after the restart, want 1", len(after)-len(before))
		}
		was, is := before[len(before)-1], after[len(after)-1]
		if is.ID != was.ID || is.Bubble != was.Bubble || is.Bubble == "" || is.Tries != 2 {
			t.Errorf("it was repeated as %s", fmt.Sprint(is.ID == was.ID, is.Bubble == was.Bubble, is.Tries))
		}
		r.mustBeEmpty(r.e)
	})
}

// A process whose flow erases a message after it has shown something: the outcome
// of the Show is recorded by itself, because the Erase is behind it, and that of
// the Erase rides.
func TestErasureRides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRiding(t)
		defer func() { r.stop() }()
		r.handle(r.e, said(1, 100, "erase"))
		synctest.Wait()
		r.mustHave(4) // The event's and the Show's.
		r.press()
		r.mustHave(5) // The Erase's came along.
		time.Sleep(2 * ridesFor)
		synctest.Wait()
		r.mustHave(6)
		r.mustBeEmpty(r.e)
	})
}
