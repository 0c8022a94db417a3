package simulation

import (
	"context"
	"time"

	"suar/storage"
	"suar/storage/storagetest"
)

// A procStore is one process's way to the store: each call waits for its turn
// and then meets its fate in a storagetest.Flaky.
type procStore struct {
	*storagetest.Flaky
	proc *process
	next storagetest.Fault
}

func newProcStore(p *process, store storage.Store) *procStore {
	s := &procStore{proc: p}
	s.Flaky = storagetest.NewFlaky(store, func(storagetest.Call) storagetest.Fault { return s.next })
	return s
}

// A sharedStore is a procStore with a clock, as a store of several processes
// has one.
type sharedStore struct{ *procStore }

func (s sharedStore) Time(ctx context.Context) (time.Time, error) {
	return call(ctx, s.procStore, "time", func() (time.Time, error) {
		if s.next != storagetest.None {
			return time.Time{}, storagetest.ErrOutage
		}
		return time.Now(), nil
	})
}

// A soleStore is a procStore of a world that has one process at a time, which
// therefore remembers what it committed. What the process before held runs out.
type soleStore struct{ *procStore }

func (soleStore) Release(context.Context) error { return nil }

// call makes one call of the store when its turn has come.
func call[T any](ctx context.Context, s *procStore, name string, do func() (T, error)) (T, error) {
	var zero T
	f, err := s.proc.world.turn(ctx, s.proc, name)
	if err != nil {
		return zero, err
	}
	switch f.verdict {
	case through:
		s.next = storagetest.None
	case lost:
		s.next = storagetest.Lost
	default:
		s.next = storagetest.Refused
	}
	if f.crashBefore {
		s.proc.kill()
		return zero, errDead
	}
	v, err := do()
	if f.crashAfter {
		s.proc.kill()
		return zero, errDead
	}
	return v, err
}

type nothing struct{}

func short(id string) string { return id[:min(len(id), 6)] }

func (s *procStore) Load(ctx context.Context, id string) (storage.Record, error) {
	return call(ctx, s, "load "+short(id), func() (storage.Record, error) { return s.Flaky.Load(ctx, id) })
}

func (s *procStore) Resolve(ctx context.Context, name string) (string, error) {
	return call(ctx, s, "resolve "+short(name), func() (string, error) { return s.Flaky.Resolve(ctx, name) })
}

func (s *procStore) Commit(ctx context.Context, c storage.Commit) error {
	_, err := call(ctx, s, commitName("commit", c), func() (nothing, error) { return nothing{}, s.Flaky.Commit(ctx, c) })
	return err
}

func (s *procStore) CommitAndLease(ctx context.Context, c storage.Commit, until time.Time, lanes ...storage.Lane) ([]storage.Leased, error) {
	what := "commit and lease"
	for _, l := range lanes {
		what += " " + laneName(l)
	}
	return call(ctx, s, commitName(what, c), func() ([]storage.Leased, error) {
		return s.Flaky.CommitAndLease(ctx, c, until, lanes...)
	})
}

// commitName tells commits apart that may wait at the same time.
func commitName(what string, c storage.Commit) string {
	name := what + " " + short(c.ID)
	if c.Ack != nil {
		name += " of " + short(c.Ack.Item)
	}
	for _, e := range c.Events {
		name += " " + short(e)
	}
	return name
}

func (s *procStore) Lease(ctx context.Context, lane storage.Lane, n int, now, until time.Time) ([]storage.Leased, error) {
	return call(ctx, s, "lease "+laneName(lane), func() ([]storage.Leased, error) {
		return s.Flaky.Lease(ctx, lane, n, now, until)
	})
}

func laneName(l storage.Lane) string {
	switch l {
	case storage.LaneCaller:
		return "person"
	case storage.LaneKeeper:
		return "keeper"
	case storage.LanePager:
		return "pager"
	case storage.LaneOfficers:
	}
	return "officers"
}

func (s *procStore) Defer(ctx context.Context, l storage.Lease, until time.Time) error {
	_, err := call(ctx, s, "defer "+short(l.Item), func() (nothing, error) { return nothing{}, s.Flaky.Defer(ctx, l, until) })
	return err
}

func (s *procStore) Waiting(ctx context.Context, lane storage.Lane) (int, time.Time, error) {
	type answer struct {
		n  int
		at time.Time
	}
	a, err := call(ctx, s, "waiting "+laneName(lane), func() (answer, error) {
		n, at, err := s.Flaky.Waiting(ctx, lane)
		return answer{n, at}, err
	})
	return a.n, a.at, err
}

func (s *procStore) Due(ctx context.Context, now time.Time, n int) ([]string, error) {
	return call(ctx, s, "due", func() ([]string, error) { return s.Flaky.Due(ctx, now, n) })
}

func (s *procStore) Sweep(ctx context.Context, before time.Time, n int) (int, error) {
	return call(ctx, s, "sweep", func() (int, error) { return s.Flaky.Sweep(ctx, before, n) })
}

func (s *procStore) Hold(ctx context.Context, name, holder string, now, until time.Time) error {
	_, err := call(ctx, s, "hold "+name, func() (nothing, error) { return nothing{}, s.Flaky.Hold(ctx, name, holder, now, until) })
	return err
}

func (s *procStore) Pace(ctx context.Context, queue string, now time.Time, cost, burst time.Duration) (time.Time, error) {
	return call(ctx, s, "pace "+queue, func() (time.Time, error) { return s.Flaky.Pace(ctx, queue, now, cost, burst) })
}
