package engine

import (
	"context"
	"sync"
	"time"
)

// A lazy context is context.WithDeadline that has a timer only when somebody
// waits for its end. The embedded store asks whether a context has ended, and
// never waits for it: most timers would be made for nothing.
type lazy struct {
	context.Context
	end time.Time

	mu sync.Mutex
	// waited is the context with a timer, nil as long as nobody asked for it.
	waited context.Context
	stop   context.CancelFunc
	ended  bool
}

// Deadline implements context.Context.
func (t *lazy) Deadline() (time.Time, bool) { return t.end, true }

// Done implements context.Context.
func (t *lazy) Done() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waited == nil {
		t.waited, t.stop = context.WithDeadline(t.Context, t.end)
		if t.ended {
			t.stop()
		}
	}
	return t.waited.Done()
}

// Err implements context.Context.
func (t *lazy) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.waited != nil:
		return t.waited.Err()
	case t.ended:
		return context.Canceled
	case t.Context.Err() != nil:
		return t.Context.Err()
	case !time.Now().Before(t.end):
		return context.DeadlineExceeded
	}
	return nil
}

// Value implements context.Context. A context made of this one finds the one
// that it has to wait for.
func (t *lazy) Value(key any) any {
	t.mu.Lock()
	waited := t.waited
	t.mu.Unlock()
	if waited != nil {
		return waited.Value(key)
	}
	return t.Context.Value(key)
}

func (t *lazy) cancel() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	if t.stop != nil {
		t.stop()
	}
}
