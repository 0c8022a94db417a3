package storagetest

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"sync"
	"time"

	"suar/storage"
)

// ErrOutage is what a Flaky store's faults return. It stands for a connection
// that is refused or breaks, a server that restarts, a disk that is full.
var ErrOutage = errors.New("storagetest: simulated outage")

// A Fault is what befalls one call.
type Fault int

const (
	// None lets the call through.
	None Fault = iota
	// Refused fails before anything is done.
	Refused
	// Lost does what is asked and then reports a failure, so that the caller
	// cannot know it. It is the fault that idempotence is for.
	Lost
	// Stalled does nothing until the call's context ends.
	Stalled
)

// A Call is one call of a Store's method.
type Call struct {
	// Method is the method's name.
	Method string
	// Subject is what it is about: the conversation, the further name, the
	// transcript or, for a whole lane, its number. Empty for Due, Sweep, Dump and Fill.
	Subject string
	// Nth counts the calls with this method and subject, from 1.
	Nth int
}

// A Flaky is a Store with outages. Close always gets through.
type Flaky struct {
	store  storage.Store
	decide func(Call) Fault

	mu    sync.Mutex
	calls map[Call]int // Nth by method and subject
}

var _ storage.Store = (*Flaky)(nil)

// NewFlaky wraps a store. decide is asked before every call, one at a time, and
// must not call the store.
func NewFlaky(store storage.Store, decide func(Call) Fault) *Flaky {
	return &Flaky{store: store, decide: decide, calls: make(map[Call]int)}
}

// Seeded returns a decision by which about percent of a hundred calls fail. It
// is a function of the seed and the call alone, and so the same in every run,
// in whatever order concurrent calls arrive.
func Seeded(seed uint64, percent int, faults ...Fault) func(Call) Fault {
	return func(c Call) Fault {
		h := fnv.New64a()
		var b [16]byte
		binary.BigEndian.PutUint64(b[:8], seed)
		binary.BigEndian.PutUint64(b[8:], uint64(c.Nth))
		h.Write(b[:])
		h.Write([]byte(c.Method + "\x00" + c.Subject))
		// FNV's low bits hardly mix; this is the finaliser of MurmurHash3.
		n := h.Sum64()
		n = (n ^ n>>33) * 0xff51afd7ed558ccd
		n = (n ^ n>>33) * 0xc4ceb9fe1a85ec53
		n ^= n >> 33
		if len(faults) == 0 || int(n%100) >= percent {
			return None
		}
		return faults[n/100%uint64(len(faults))]
	}
}

func (f *Flaky) fault(method, subject string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := Call{Method: method, Subject: subject}
	f.calls[c]++
	c.Nth = f.calls[c]
	return f.decide(c)
}

// through makes a call that returns a value, or lets a fault befall it.
func through[T any](ctx context.Context, f *Flaky, method, subject string, call func() (T, error)) (T, error) {
	var zero T
	switch f.fault(method, subject) {
	case Refused:
		return zero, ErrOutage
	case Lost:
		_, _ = call()
		return zero, ErrOutage
	case Stalled:
		<-ctx.Done()
		return zero, ctx.Err()
	default:
		return call()
	}
}

type nothing struct{}

// Load implements storage.Store.
func (f *Flaky) Load(ctx context.Context, id string) (storage.Record, error) {
	return through(ctx, f, "Load", id, func() (storage.Record, error) { return f.store.Load(ctx, id) })
}

// Resolve implements storage.Store.
func (f *Flaky) Resolve(ctx context.Context, name string) (string, error) {
	return through(ctx, f, "Resolve", name, func() (string, error) { return f.store.Resolve(ctx, name) })
}

// Commit implements storage.Store.
func (f *Flaky) Commit(ctx context.Context, c storage.Commit) error {
	_, err := through(ctx, f, "Commit", c.ID, func() (nothing, error) { return nothing{}, f.store.Commit(ctx, c) })
	return err
}

// CommitAndLease implements storage.Store.
func (f *Flaky) CommitAndLease(ctx context.Context, c storage.Commit, until time.Time, lanes ...storage.Lane) ([]storage.Leased, error) {
	return through(ctx, f, "CommitAndLease", c.ID, func() ([]storage.Leased, error) {
		return f.store.CommitAndLease(ctx, c, until, lanes...)
	})
}

// Hold implements storage.Store.
func (f *Flaky) Hold(ctx context.Context, name, holder string, now, until time.Time) error {
	_, err := through(ctx, f, "Hold", name, func() (nothing, error) {
		return nothing{}, f.store.Hold(ctx, name, holder, now, until)
	})
	return err
}

// Pace implements storage.Store.
func (f *Flaky) Pace(ctx context.Context, queue string, now time.Time, cost, burst time.Duration) (time.Time, error) {
	return through(ctx, f, "Pace", queue, func() (time.Time, error) {
		return f.store.Pace(ctx, queue, now, cost, burst)
	})
}

// Lease implements storage.Store.
func (f *Flaky) Lease(ctx context.Context, lane storage.Lane, n int, now, until time.Time) ([]storage.Leased, error) {
	return through(ctx, f, "Lease", laneName(lane), func() ([]storage.Leased, error) {
		return f.store.Lease(ctx, lane, n, now, until)
	})
}

// Defer implements storage.Store.
func (f *Flaky) Defer(ctx context.Context, l storage.Lease, until time.Time) error {
	_, err := through(ctx, f, "Defer", l.Conversation, func() (nothing, error) {
		return nothing{}, f.store.Defer(ctx, l, until)
	})
	return err
}

// Waiting implements storage.Store.
func (f *Flaky) Waiting(ctx context.Context, lane storage.Lane) (int, time.Time, error) {
	type answer struct {
		count int
		next  time.Time
	}
	a, err := through(ctx, f, "Waiting", laneName(lane), func() (answer, error) {
		count, next, err := f.store.Waiting(ctx, lane)
		return answer{count, next}, err
	})
	return a.count, a.next, err
}

// Due implements storage.Store.
func (f *Flaky) Due(ctx context.Context, now time.Time, n int) ([]string, error) {
	return through(ctx, f, "Due", "", func() ([]string, error) { return f.store.Due(ctx, now, n) })
}

// Transcript implements storage.Store.
func (f *Flaky) Transcript(ctx context.Context, name string) (storage.Transcript, error) {
	return through(ctx, f, "Transcript", name, func() (storage.Transcript, error) {
		return f.store.Transcript(ctx, name)
	})
}

// Transcripts implements storage.Store.
func (f *Flaky) Transcripts(ctx context.Context, prefix string, n int) ([]string, error) {
	return through(ctx, f, "Transcripts", prefix, func() ([]string, error) {
		return f.store.Transcripts(ctx, prefix, n)
	})
}

// Forget implements storage.Store.
func (f *Flaky) Forget(ctx context.Context, transcript string) error {
	_, err := through(ctx, f, "Forget", transcript, func() (nothing, error) {
		return nothing{}, f.store.Forget(ctx, transcript)
	})
	return err
}

// Sweep implements storage.Store.
func (f *Flaky) Sweep(ctx context.Context, before time.Time, n int) (int, error) {
	return through(ctx, f, "Sweep", "", func() (int, error) { return f.store.Sweep(ctx, before, n) })
}

// Dump implements storage.Store. A Lost one gives every piece.
func (f *Flaky) Dump(ctx context.Context, yield func(storage.Piece) error) error {
	_, err := through(ctx, f, "Dump", "", func() (nothing, error) {
		return nothing{}, f.store.Dump(ctx, yield)
	})
	return err
}

// Fill implements storage.Store.
func (f *Flaky) Fill(ctx context.Context, next func() (storage.Piece, error)) error {
	_, err := through(ctx, f, "Fill", "", func() (nothing, error) {
		return nothing{}, f.store.Fill(ctx, next)
	})
	return err
}

// Close implements storage.Store.
func (f *Flaky) Close() error { return f.store.Close() }

func laneName(lane storage.Lane) string { return string('0' + rune(lane)) }
