package engine

import (
	"context"
	"sync"
)

// batches are the conversations to which this process is applying several
// events at once. What else is to be applied there waits for that. The version
// would see to the order as well, but a hundred messages of a flood would be
// done over for each outcome that was quicker.
type batches struct {
	// off leaves it to the version: for tests in which one thing happens in the
	// middle of another.
	off bool

	mu    sync.Mutex
	under map[string]chan struct{} // closed when the batch is done
}

// enter waits until no batch is being applied to the conversation, and begins
// one if it is for several events. It fails only with the context.
func (b *batches) enter(ctx context.Context, id string, events int) (leave func(), err error) {
	for !b.off {
		b.mu.Lock()
		other := b.under[id]
		if other == nil {
			leave := func() {}
			if events > 1 {
				leave = b.begin(id)
			}
			b.mu.Unlock()
			return leave, nil
		}
		b.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return func() {}, nil
}

// begin begins a batch, with the lock held.
func (b *batches) begin(id string) (end func()) {
	if b.under == nil {
		b.under = map[string]chan struct{}{}
	}
	done := make(chan struct{})
	b.under[id] = done
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.under, id)
		close(done)
	}
}
