//go:build !race

package simulation

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"suar/flows"
	"suar/internal/engine"
	"suar/storage"
)

// TestMutants builds faults into the hotline, one at a time, and expects each to
// be found: the simulation can fail. With the race detector it would take too
// long.
func TestMutants(t *testing.T) {
	k := newKeys(t)
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			for seed := uint64(1); seed <= mutantSeeds; seed++ {
				if r := playSeed(t, seed, k, m, map[string]int{}); len(r.faults) > 0 {
					t.Logf("found by seed %d: %s", seed, r.faults[0])
					return
				}
			}
			t.Errorf("%d seeds did not find it", mutantSeeds)
		})
	}
}

// mutants are the faults.
func mutants() []mutant {
	onCommit := func(change func(*world, *storage.Commit)) func(*world, storage.Store) storage.Store {
		return func(w *world, s storage.Store) storage.Store {
			return &mutantStore{Store: s, change: func(c *storage.Commit) { change(w, c) }}
		}
	}
	return []mutant{
		{name: "a repeated event is taken for a new one", onStore: onCommit(func(_ *world, c *storage.Commit) {
			c.Events = nil
		})},
		{name: "effects are kept apart from the state", onStore: onCommit(func(w *world, c *storage.Commit) {
			if w.mutations++; w.mutations%40 == 0 {
				c.Items = nil
			}
		})},
		{name: "an entry of the transcript is dropped", onStore: onCommit(func(_ *world, c *storage.Commit) {
			if len(c.Entries) > 1 {
				c.Entries = c.Entries[1:]
			}
		})},
		{name: "a conflict is overwritten", onStore: func(_ *world, s storage.Store) storage.Store {
			return &overwriting{s}
		}},
		{name: "alarms are forgotten", onStore: onCommit(func(_ *world, c *storage.Commit) {
			c.Alarm = time.Time{}
		})},
		{name: "confirmed before it is kept", onHandler: func(h engine.Handler) engine.Handler { return hasty{h} }},
		{name: "posted again without looking", onDeliverer: func(d engine.Deliverer) engine.Deliverer {
			return deliverer(func(ctx context.Context, x engine.Delivery) (flows.Delivered, error) {
				x.Tries = 1
				return d.Deliver(ctx, x)
			})
		}},
		{name: "nothing is erased", onDeliverer: func(d engine.Deliverer) engine.Deliverer {
			return deliverer(func(ctx context.Context, x engine.Delivery) (flows.Delivered, error) {
				if _, erase := x.Effect.(flows.Erase); erase {
					return flows.Delivered{}, nil
				}
				return d.Deliver(ctx, x)
			})
		}},
		{name: "told before the card is there", onFlow: func(b *flows.Book) engine.Flow { return eager{b} }},
		{name: "replies come whatever the person's rule", onFlow: func(b *flows.Book) engine.Flow { return deaf{b} }},
		{name: "what waited is said whatever became of the person", onFlow: func(b *flows.Book) engine.Flow { return stubborn{b} }},
		{name: "nobody is called a second time", onFlow: func(b *flows.Book) engine.Flow { return drowsy{b} }},
	}
}

// A mutantStore changes what is committed.
type mutantStore struct {
	storage.Store
	change func(*storage.Commit)
}

func (s *mutantStore) Commit(ctx context.Context, c storage.Commit) error {
	s.change(&c)
	return s.Store.Commit(ctx, c)
}

func (s *mutantStore) CommitAndLease(ctx context.Context, c storage.Commit, until time.Time, lanes ...storage.Lane) ([]storage.Leased, error) {
	s.change(&c)
	return s.Store.CommitAndLease(ctx, c, until, lanes...)
}

// overwriting commits over what another committed since.
type overwriting struct{ storage.Store }

func (s *overwriting) Commit(ctx context.Context, c storage.Commit) error {
	err := s.Store.Commit(ctx, c)
	if rec, no := s.Load(ctx, c.ID); errors.Is(err, storage.ErrConflict) && no == nil {
		c.Version = rec.Version
		err = s.Store.Commit(ctx, c)
	}
	return err
}

// hasty says that an event is kept, whatever became of it.
type hasty struct{ engine.Handler }

func (h hasty) Handle(ctx context.Context, in engine.Inbound) error {
	_ = h.Handler.Handle(ctx, in)
	return nil
}

// A deliverer is a function that delivers.
type deliverer func(context.Context, engine.Delivery) (flows.Delivered, error)

func (f deliverer) Deliver(ctx context.Context, d engine.Delivery) (flows.Delivered, error) {
	return f(ctx, d)
}

// eager shows that somebody was alerted while the card is on its way.
type eager struct{ *flows.Book }

func (b eager) View(s flows.State, at time.Time) flows.View {
	if s.Case != nil && s.Case.Phase == flows.Opening {
		c := *s.Case
		c.Phase = flows.Alerting
		s.Case = &c
	}
	return b.Book.View(s, at)
}

// stubborn performs what the state does not want any more.
type stubborn struct{ *flows.Book }

func (stubborn) Wanted(flows.State, time.Time, flows.Effect) bool { return true }

// deaf answers as if everybody had said that it may write at any time.
type deaf struct{ *flows.Book }

func (b deaf) Step(s flows.State, m flows.Moment, ev flows.Event) (flows.State, []flows.Effect) {
	if _, ok := ev.(flows.Replied); !ok {
		return b.Book.Step(s, m, ev)
	}
	answers := s.Answers
	s.Answers = slices.DeleteFunc(slices.Clone(answers), func(a flows.Answer) bool { return a.Fact == "contact" })
	s.Answers = append(s.Answers, flows.Answer{Fact: "contact", Options: []string{"any"}})
	s, effects := b.Book.Step(s, m, ev)
	s.Answers = answers
	return s, effects
}

func (deaf) Wanted(flows.State, time.Time, flows.Effect) bool { return true }

// drowsy forgets to call again.
type drowsy struct{ *flows.Book }

func (b drowsy) Step(s flows.State, m flows.Moment, ev flows.Event) (flows.State, []flows.Effect) {
	s, effects := b.Book.Step(s, m, ev)
	if s.Case != nil && s.Case.Phase == flows.Alerting {
		s.Due = time.Time{}
	}
	return s, effects
}
