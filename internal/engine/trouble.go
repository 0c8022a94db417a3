package engine

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// troubleEvery is how often a trouble that goes on is said again.
const troubleEvery = time.Minute

// troubles are what cannot be read or written now. A store that is away fails
// several times a second: that is one thing to say, not a line each time. The
// zero value has none.
type troubles struct {
	// on counts the operations in trouble, so that who is not asks cheaply.
	on atomic.Int32
	mu sync.Mutex
	of map[string]*spell
}

// A spell is an operation's trouble from its first failure on.
type spell struct {
	class string
	said  time.Time
	// unsaid are the failures since then, all are those since the first.
	unsaid, all int
}

// happened notes a failure. If it is to be said, times is how often the operation
// failed since that was said last, this one included.
func (t *troubles) happened(op, class string, now time.Time) (times int, say bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.of[op]
	if s == nil {
		if t.of == nil {
			t.of = make(map[string]*spell)
		}
		s = new(spell)
		t.of[op] = s
		t.on.Add(1)
	}
	s.all++
	s.unsaid++
	if s.class == class && now.Sub(s.said) < troubleEvery {
		return 0, false
	}
	times = s.unsaid
	s.class, s.said, s.unsaid = class, now, 0
	return times, true
}

// over notes a success, and returns how often the operation failed before it.
func (t *troubles) over(op string) (failed int) {
	if t.on.Load() == 0 {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.of[op]
	if s == nil {
		return 0
	}
	delete(t.of, op)
	t.on.Add(-1)
	return s.all
}

// trouble logs that something could not be read or written, and ends Run if
// it never will be again. What goes on is said once a minute, and at once when
// its class changes.
func (e *Engine) trouble(ctx context.Context, what string, err error) {
	e.counts.trouble.Add(1)
	c := class(err)
	if times, say := e.troubles.happened(what, c, time.Now()); say {
		e.log.ErrorContext(ctx, "trouble", "op", what, "class", c, "times", times)
	}
	if errors.Is(err, ErrWrongKey) {
		e.fail(err)
	}
}

// well logs that an operation that was in trouble is not any more.
func (e *Engine) well(ctx context.Context, what string) {
	if failed := e.troubles.over(what); failed > 0 {
		e.log.InfoContext(ctx, "the trouble is over", "op", what, "times", failed)
	}
}
