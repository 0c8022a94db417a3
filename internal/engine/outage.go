package engine

import (
	"context"
	"time"

	"suar/storage"
)

// A bounded store answers within storeTimeout, by an error if it must: a store
// that hangs is no other than one that fails, and is asked again.
type bounded struct {
	storage.Store
	meter  Meter
	tracer Tracer
}

// soon is a context that ends within storeTimeout.
func soon(ctx context.Context) (context.Context, context.CancelFunc) {
	end := time.Now().Add(storeTimeout)
	if at, ok := ctx.Deadline(); ok && !at.After(end) {
		return ctx, func() {}
	}
	t := &lazy{Context: ctx, end: end}
	return t, t.cancel
}

// within makes one call.
func within[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := soon(ctx)
	defer cancel()
	return call(ctx)
}

// Failed is closed when the store takes no writes any more; it is nil for a
// store that does not say so.
func (b bounded) Failed() <-chan struct{} {
	if s, ok := b.Store.(interface{ Failed() <-chan struct{} }); ok {
		return s.Failed()
	}
	return nil
}

func (b bounded) Load(ctx context.Context, id string) (storage.Record, error) {
	return within(ctx, func(ctx context.Context) (storage.Record, error) { return b.Store.Load(ctx, id) })
}

func (b bounded) Resolve(ctx context.Context, name string) (string, error) {
	return within(ctx, func(ctx context.Context) (string, error) { return b.Store.Resolve(ctx, name) })
}

func (b bounded) Commit(ctx context.Context, c storage.Commit) error {
	ctx, cancel := soon(ctx)
	defer cancel()
	answered := b.commits(ctx)
	err := b.Store.Commit(ctx, c)
	answered(err)
	return err
}

func (b bounded) CommitAndLease(ctx context.Context, c storage.Commit, until time.Time, lanes ...storage.Lane) ([]storage.Leased, error) {
	return within(ctx, func(ctx context.Context) ([]storage.Leased, error) {
		answered := b.commits(ctx)
		leased, err := b.Store.CommitAndLease(ctx, c, until, lanes...)
		answered(err)
		return leased, err
	})
}

// commits measures a commit until the store has answered.
func (b bounded) commits(ctx context.Context) (answered func(error)) {
	began := time.Now()
	_, end := b.tracer.Begin(ctx, Span{Name: spanCommit})
	return func(err error) {
		answer := answerOf(err)
		end(string(answer))
		b.meter.Committed(time.Since(began), answer)
	}
}

func (b bounded) Lease(ctx context.Context, lane storage.Lane, n int, now, until time.Time) ([]storage.Leased, error) {
	return within(ctx, func(ctx context.Context) ([]storage.Leased, error) {
		return b.Store.Lease(ctx, lane, n, now, until)
	})
}

func (b bounded) Defer(ctx context.Context, l storage.Lease, until time.Time) error {
	ctx, cancel := soon(ctx)
	defer cancel()
	return b.Store.Defer(ctx, l, until)
}

func (b bounded) Waiting(ctx context.Context, lane storage.Lane) (count int, next time.Time, err error) {
	ctx, cancel := soon(ctx)
	defer cancel()
	return b.Store.Waiting(ctx, lane)
}

func (b bounded) Due(ctx context.Context, now time.Time, n int) ([]string, error) {
	return within(ctx, func(ctx context.Context) ([]string, error) { return b.Store.Due(ctx, now, n) })
}

func (b bounded) Sweep(ctx context.Context, before time.Time, n int) (int, error) {
	return within(ctx, func(ctx context.Context) (int, error) { return b.Store.Sweep(ctx, before, n) })
}

func (b bounded) Hold(ctx context.Context, name, holder string, now, until time.Time) error {
	ctx, cancel := soon(ctx)
	defer cancel()
	return b.Store.Hold(ctx, name, holder, now, until)
}
