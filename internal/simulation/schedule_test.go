package simulation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"testing/synctest"
	"time"
)

// A verdict is what befalls one call.
type verdict string

const (
	through verdict = "through"
	// refused fails before anything is done, as a connection that is not taken.
	refused verdict = "refused"
	// reset fails before anything is done, but the caller cannot know that.
	reset verdict = "reset"
	// lost does what is asked, and the answer does not arrive.
	lost verdict = "lost"
	// half does what is asked, and half of the answer arrives.
	half verdict = "half"
	// gateway does what is asked, and a page of a gateway is the answer.
	gateway verdict = "gateway"
	// page is a page of a gateway, and nothing is done.
	page verdict = "page"
	// broken is the server's own error, and nothing is done.
	broken verdict = "broken"
	// tooMany is 429, and nothing is done.
	tooMany verdict = "too many"
	// slow lets the call wait and then decides anew.
	slow verdict = "slow"
)

// A fate is a verdict with what goes with it.
type fate struct {
	verdict
	// crash ends the process before the call is made, or after it was made and
	// before its answer is seen.
	crashBefore, crashAfter bool
	// wait is how long a slow call waits, or a server asks to wait.
	wait time.Duration
	// to is the process that a request from outside goes to.
	to *process
}

// errDead is what a call of a process gets that has ended.
var errDead = errors.New("simulation: the process has ended")

// A point is a call of the store or of a server that waits for its turn. All
// that the hotline does outside of its own memory goes through one.
type point struct {
	key   string // what is called
	round int    // since when it waits
	proc  *process
	after time.Time // a slow one's turn does not come before
	slow  bool
	go_   chan fate
}

// A schedule decides which call comes next: one goroutine lets exactly one call
// go on, waits until everything stands still again, and looks at what waits
// then. Nothing else of the order in which goroutines run can be seen from
// outside, so a seed plays the same every time.
type schedule struct {
	seed uint64
	rng  *rand.Rand

	mu     sync.Mutex
	round  int
	parked []*point
	news   chan struct{}
	trace  []string
	start  time.Time
}

func newSchedule(seed uint64) *schedule {
	return &schedule{
		seed:  seed,
		rng:   rand.New(rand.NewPCG(seed, 0x5ea12)),
		news:  make(chan struct{}, 1),
		start: time.Now(),
	}
}

// note adds a line to the trace.
func (s *schedule) note(format string, args ...any) {
	line := fmt.Sprintf("%12s ", time.Since(s.start).Round(time.Millisecond)) + fmt.Sprintf(format, args...)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trace = append(s.trace, line)
}

// turn waits for the driver to let the call go on, and returns what befalls it.
func (s *schedule) turn(ctx context.Context, p *process, key string) (fate, error) {
	if p != nil && p.dead.Load() {
		return fate{}, errDead
	}
	if err := ctx.Err(); err != nil {
		return fate{}, err
	}
	x := &point{key: key, proc: p, go_: make(chan fate, 1)}
	s.mu.Lock()
	x.round = s.round
	s.parked = append(s.parked, x)
	s.mu.Unlock()
	select {
	case s.news <- struct{}{}:
	default:
	}
	select {
	case f := <-x.go_:
		if p != nil && p.dead.Load() {
			return fate{}, errDead
		}
		return f, nil
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		s.parked = slices.DeleteFunc(s.parked, func(y *point) bool { return y == x })
		return fate{}, ctx.Err()
	}
}

// ready returns the calls whose turn may come, in an order that does not depend
// on how goroutines ran, and when the next slow one's may.
func (s *schedule) ready() (ready []*point, next time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for _, x := range s.parked {
		after := x.after
		if x.proc != nil && x.proc.frozen.After(after) {
			after = x.proc.frozen
		}
		if after.After(now) {
			if next.IsZero() || after.Before(next) {
				next = after
			}
			continue
		}
		ready = append(ready, x)
	}
	slices.SortStableFunc(ready, func(a, b *point) int {
		return cmp.Or(cmp.Compare(a.round, b.round), cmp.Compare(a.name(), b.name()))
	})
	return ready, next
}

func (x *point) name() string { return x.proc.String() + " " + x.key }

// let lets the calls go on that cannot be told apart from x, x among them, with
// one fate for all.
func (s *schedule) let(x *point, f fate) {
	s.mu.Lock()
	if !x.idle() {
		s.round++
	}
	var same []*point
	s.parked = slices.DeleteFunc(s.parked, func(y *point) bool {
		if y.round == x.round && y.name() == x.name() && y.after.Equal(x.after) {
			same = append(same, y)
			return true
		}
		return false
	})
	s.mu.Unlock()
	for _, y := range same {
		y.go_ <- f
		synctest.Wait()
	}
}

// lot is a number that depends on the call and the instant alone.
func (s *schedule) lot(x *point) uint64 {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, s.seed, x.name(), time.Since(s.start))
	return rand.NewPCG(h.Sum64(), s.seed).Uint64()
}

// delay puts a call off.
func (s *schedule) delay(x *point, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x.after, x.slow = time.Now().Add(d), true
}

// free lets all calls of a process go that has ended.
func (s *schedule) free(p *process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parked = slices.DeleteFunc(s.parked, func(x *point) bool {
		if x.proc == p {
			x.go_ <- fate{}
			return true
		}
		return false
	})
}

// idle lets time go by until the instant, or until a call waits.
func (s *schedule) idle(until time.Time) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-s.news:
	case <-timer.C:
	}
}

// chance is true in about n of a thousand cases.
func (s *schedule) chance(n int) bool { return n > 0 && s.rng.IntN(1000) < n }

// between draws a time.
func (s *schedule) between(from, to time.Duration) time.Duration {
	return from + time.Duration(s.rng.Int64N(int64(to-from)+1))
}

// oneOf draws an element.
func oneOf[T any](s *schedule, all []T) T { return all[s.rng.IntN(len(all))] }
