package storagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"suar/storage"
)

// RunFlaky makes random calls to a store that refuses, stalls, and loses its
// answers. A caller who repeats each call until it is through ends with what a
// Memory holds to which every call was made once. With a reopen the store is
// also closed and opened in between.
func RunFlaky(t *testing.T, open Opener) {
	rapid.Check(t, func(r *rapid.T) {
		store, reopen := open(t)
		s := &storm{t: t, model: NewMemory()}
		s.machine = &machine{t: t, model: s.model}
		s.use(store)
		defer func() { _ = s.store.Close() }()
		actions := map[string]func(*rapid.T){
			"commit": s.commit,
			"lease":  s.lease,
			"defer":  s.postpone,
			"read":   s.read,
			"forget": s.forget,
			"sweep":  s.sweep,
			"hold":   s.hold,
			"pace":   s.pace,
		}
		if reopen != nil {
			actions["reopen"] = func(*rapid.T) {
				s.use(reopen())
				s.machine.epoch++
			}
		}
		r.Repeat(actions)
		s.same(r)
		s.drain(r)
		s.same(r)
	})
}

// A storm calls a flaky store and a model.
type storm struct {
	t       *testing.T
	machine *machine // for what it draws and compares
	store   storage.Store
	model   *Memory
	fault   Fault
	stop    context.CancelFunc
	leases  []leasePair
	events  int
}

func (s *storm) use(store storage.Store) {
	s.store = NewFlaky(store, func(Call) Fault {
		if s.fault == Stalled {
			s.stop() // The caller's patience is at its end.
		}
		return s.fault
	})
}

var aFault = rapid.SampledFrom([]Fault{None, None, None, Refused, Lost, Lost, Stalled})

// through repeats the call until no fault befalls it and returns what it
// returned last. lost is called for each time that it was made and the caller
// did not learn of it.
func (s *storm) through(r *rapid.T, lost func(), call func(context.Context) error) error {
	defer func() { s.fault = None }()
	for attempt := 0; ; attempt++ {
		var ctx context.Context
		ctx, s.stop = context.WithCancel(s.t.Context())
		s.fault = None
		if attempt < 4 {
			s.fault = aFault.Draw(r, "fault")
		}
		err := call(ctx)
		s.stop()
		switch {
		case s.fault == None:
			return err
		case err == nil:
			r.Fatalf("the fault %d was reported as success", s.fault)
		case s.fault == Lost:
			lost()
		}
	}
}

func nothingLost() {}

// commit makes a commit with an event of its own, or with one seen before, and
// expects of a repetition after a lost answer that it is a duplicate.
func (s *storm) commit(r *rapid.T) {
	c := s.machine.draw(r)
	s.events++
	c.Events = []string{fmt.Sprint("event ", s.events)}
	if rapid.IntRange(0, 4).Draw(r, "another event") == 0 {
		c.Events = append(c.Events, fmt.Sprint("event ", rapid.IntRange(1, s.events).Draw(r, "event")-1))
	}
	toModel := c
	if len(s.leases) > 0 && rapid.Bool().Draw(r, "acknowledge") {
		pair := rapid.SampledFrom(s.leases).Draw(r, "lease")
		c.ID, c.Version = pair.model.Conversation, s.machine.version(pair.model.Conversation)
		toModel.ID, toModel.Version = c.ID, c.Version
		c.Ack, toModel.Ack = &pair.store, &pair.model
	}
	lanes, until := someLanes.Draw(r, "lanes"), anInstant.Draw(r, "until")
	kept := false
	var leased []storage.Leased
	err := s.through(r, func() { kept = true }, func(ctx context.Context) (err error) {
		if lanes == nil {
			return s.store.Commit(ctx, c)
		}
		leased, err = s.store.CommitAndLease(ctx, c, until, lanes...)
		return err
	})
	want, wantErr := s.model.CommitAndLease(s.t.Context(), toModel, until, lanes...)
	if kept && wantErr == nil {
		// Nobody knows the leases: they run out.
		want, wantErr = nil, storage.ErrDuplicate
	}
	s.machine.sameError(r, err, wantErr)
	s.remember(r, leased, want)
}

func (s *storm) remember(r *rapid.T, got, want []storage.Leased) {
	s.machine.leases = s.leases
	s.machine.sameLeases(r, got, want)
	s.leases = s.machine.leases
}

func (s *storm) lease(r *rapid.T) {
	lane, n := aLane.Draw(r, "lane"), rapid.IntRange(0, 3).Draw(r, "n")
	s.take(r, lane, n, anInstant.Draw(r, "now"), anInstant.Draw(r, "until"))
}

// take leases; what is leased with an answer that is lost runs out.
func (s *storm) take(r *rapid.T, lane storage.Lane, n int, now, until time.Time) {
	inModel := func() []storage.Leased {
		leased, err := s.model.Lease(s.t.Context(), lane, n, now, until)
		s.machine.sameError(r, err, nil)
		return leased
	}
	var leased []storage.Leased
	err := s.through(r, func() { inModel() }, func(ctx context.Context) (err error) {
		leased, err = s.store.Lease(ctx, lane, n, now, until)
		return err
	})
	s.machine.sameError(r, err, nil)
	s.remember(r, leased, inModel())
}

func (s *storm) postpone(r *rapid.T) {
	if len(s.leases) == 0 {
		r.Skip("nothing was leased")
	}
	pair, until := rapid.SampledFrom(s.leases).Draw(r, "lease"), anInstant.Draw(r, "until")
	err := s.through(r, nothingLost, func(ctx context.Context) error { return s.store.Defer(ctx, pair.store, until) })
	s.machine.sameError(r, err, s.model.Defer(s.t.Context(), pair.model, until))
}

func (s *storm) read(r *rapid.T) {
	var got map[string]any
	err := s.through(r, nothingLost, func(ctx context.Context) (err error) {
		got, err = everything(ctx, s.store, someIDs, someNames)
		return err
	})
	s.machine.sameError(r, err, nil)
	want, err := everything(s.t.Context(), s.model, someIDs, someNames)
	s.machine.sameError(r, err, nil)
	same(r, "the store", got, want)
}

func (s *storm) forget(r *rapid.T) {
	name := aTranscript.Draw(r, "transcript")
	err := s.through(r, nothingLost, func(ctx context.Context) error { return s.store.Forget(ctx, name) })
	s.machine.sameError(r, err, s.model.Forget(s.t.Context(), name))
}

func (s *storm) sweep(r *rapid.T) {
	before := anInstant.Draw(r, "before")
	got, want := 0, 0
	inModel := func() {
		n, err := s.model.Sweep(s.t.Context(), before, 1000)
		s.machine.sameError(r, err, nil)
		want = n
	}
	err := s.through(r, inModel, func(ctx context.Context) (err error) {
		got, err = s.store.Sweep(ctx, before, 1000)
		return err
	})
	s.machine.sameError(r, err, nil)
	inModel()
	same(r, "swept", got, want)
}

func (s *storm) hold(r *rapid.T) {
	name, holder, now, until := s.machine.drawHold(r)
	err := s.through(r, nothingLost, func(ctx context.Context) error { return s.store.Hold(ctx, name, holder, now, until) })
	s.machine.sameError(r, err, s.model.Hold(s.t.Context(), name, holder, now, until))
}

// pace loses a turn with each answer that is lost.
func (s *storm) pace(r *rapid.T) {
	queue, now, cost, burst := s.machine.drawPace(r)
	inModel := func() time.Time {
		turn, err := s.model.Pace(s.t.Context(), queue, now, cost, burst)
		s.machine.sameError(r, err, nil)
		return turn
	}
	var turn time.Time
	err := s.through(r, func() { inModel() }, func(ctx context.Context) (err error) {
		turn, err = s.store.Pace(ctx, queue, now, cost, burst)
		return err
	})
	s.machine.sameError(r, err, nil)
	same(r, "turn", turn.UTC(), inModel().UTC())
}

// same compares all that is kept.
func (s *storm) same(r *rapid.T) {
	var got []storage.Piece
	err := s.through(r, nothingLost, func(ctx context.Context) (err error) {
		got, err = dumped(ctx, s.store)
		return err
	})
	s.machine.sameError(r, err, nil)
	want, err := dumped(s.t.Context(), s.model)
	s.machine.sameError(r, err, nil)
	same(r, "the dump", contentOf(got), contentOf(want))
}

// drain delivers what is left, one item after the other.
func (s *storm) drain(r *rapid.T) {
	for _, lane := range storage.Lanes() {
		for {
			s.leases = nil
			s.take(r, lane, 1, at(forever), at(forever))
			if len(s.leases) == 0 {
				break
			}
			pair := s.leases[0]
			s.events++
			c := storage.Commit{
				ID: pair.model.Conversation, Version: s.machine.version(pair.model.Conversation),
				Events: []string{fmt.Sprint("event ", s.events)}, At: at(forever), Ack: &pair.store,
			}
			toModel := c
			toModel.Ack = &pair.model
			err := s.through(r, nothingLost, func(ctx context.Context) error { return s.store.Commit(ctx, c) })
			if err != nil && !errors.Is(err, storage.ErrDuplicate) {
				r.Fatalf("acknowledge: %v", err)
			}
			s.machine.sameError(r, s.model.Commit(s.t.Context(), toModel), nil)
		}
	}
}
