package engine

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"suar/flows"
	"suar/storage"
)

func TestHold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		hold := func() func(time.Duration) error {
			f, err := w.engine().Hold("listener")
			if err != nil {
				t.Fatal(err)
			}
			return func(life time.Duration) error { return f(t.Context(), life) }
		}
		a, b := hold(), hold()
		for i, step := range []struct {
			who  func(time.Duration) error
			life time.Duration
			held bool // by the other
			then time.Duration
		}{
			{who: a, life: 8 * time.Second},
			{who: b, life: 8 * time.Second, held: true, then: 6 * time.Second},
			{who: a, life: 8 * time.Second, then: 6 * time.Second},
			{who: b, life: 8 * time.Second, held: true, then: 3 * time.Second},
			{who: b, life: 8 * time.Second},
			{who: a, life: 0, held: true}, // gives up what it has not
			{who: b, life: 0},
			{who: a, life: time.Second},
		} {
			if err := step.who(step.life); errors.Is(err, ErrHeld) != step.held || err != nil && !step.held {
				t.Errorf("step %d: %v", i, err)
			}
			time.Sleep(step.then)
		}
	})
}

// A slowStore stops a process before it reads a conversation, or between that
// and the commit.
type slowStore struct {
	storage.Store
	before string
	reach  chan struct{} // has a token when the process stands there
	goOn   chan struct{}
	once   sync.Once
}

func (s *slowStore) stop(at string) {
	if at == s.before {
		s.once.Do(func() {
			s.reach <- struct{}{}
			<-s.goOn
		})
	}
}

func (s *slowStore) Load(ctx context.Context, id string) (storage.Record, error) {
	s.stop("load")
	return s.Store.Load(context.WithoutCancel(ctx), id)
}

func (s *slowStore) Commit(ctx context.Context, c storage.Commit) error {
	s.stop("commit")
	return s.Store.Commit(context.WithoutCancel(ctx), c)
}

// CommitAndLease is Commit for an engine that performs at once what it commits.
func (s *slowStore) CommitAndLease(ctx context.Context, c storage.Commit, until time.Time, lanes ...storage.Lane) ([]storage.Leased, error) {
	s.stop("commit")
	return s.Store.CommitAndLease(context.WithoutCancel(ctx), c, until, lanes...)
}

// TestASupersededHolderComesTooLate suspends a process while it hands over an
// officer's words. Its successor hands over the same and later ones; the first
// process goes on then, on a store that does not look at contexts, and adds
// nothing.
func TestASupersededHolderComesTooLate(t *testing.T) {
	t.Parallel()
	for _, before := range []string{"load", "commit"} {
		t.Run("before the "+before, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				other := w.engine()
				stop := w.run(other)
				w.handle(other, said(1, 1, "help "+canary))
				synctest.Wait()
				stop()

				slow := &slowStore{Store: w.store, reach: make(chan struct{}), goOn: make(chan struct{})}
				first := w.engineOn(slow)
				slow.before = before
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				done := make(chan error, 1)
				go func() { done <- first.Handle(ctx, replied("p1", 1, "an old wording "+canary)) }()
				<-slow.reach
				time.Sleep(10 * time.Second) // The right is over.
				w.handle(other, replied("p1", 2, "a new wording "+canary))
				close(slow.goOn)
				if err := <-done; err == nil || errors.Is(err, ErrStep) || errors.Is(err, ErrUnknown) {
					t.Errorf("Handle: %v, want an error that lets it be handed over again", err)
				}
				w.run(other)
				synctest.Wait()
				says := 0
				for _, d := range w.chat.deliveries() {
					if say, ok := d.Effect.(flows.Say); ok {
						if says++; say.Text != "a new wording "+canary {
							t.Error("what was superseded was committed")
						}
					}
				}
				if says != 1 {
					t.Errorf("%d replies arrived, want 1", says)
				}
			})
		})
	}
}
