package engine

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"suar/storage"
)

// leaseless is a store that leases nothing while it has an error.
type leaseless struct {
	storage.Store
	err    atomic.Pointer[error]
	failed atomic.Int32
}

func (l *leaseless) Lease(ctx context.Context, lane storage.Lane, n int, now, until time.Time) ([]storage.Leased, error) {
	if err := l.err.Load(); err != nil {
		l.failed.Add(1)
		return nil, *err
	}
	return l.Store.Lease(ctx, lane, n, now, until)
}

// TestTroubleIsSaidOnce takes the store away for a while: it is said when that
// begins, when it becomes another trouble and when it is over.
func TestTroubleIsSaidOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		store := &leaseless{Store: w.store}
		stop := w.run(w.engineOn(store))
		lines := func(what string) (n int) {
			for line := range strings.Lines(w.logged()) {
				if strings.Contains(line, what) {
					n++
				}
			}
			return n
		}
		for _, err := range []error{
			fmt.Errorf("%w: %w", storage.ErrNoAnswer, io.EOF),
			&storage.RedisError{Code: "OOM"},
		} {
			store.err.Store(&err)
			before := store.failed.Load()
			time.Sleep(30 * time.Second)
			if n := store.failed.Load() - before; n < 10 {
				t.Fatalf("the store was asked %d times", n)
			}
		}
		for _, class := range []string{"Redis does not answer", "redis OOM: its memory is full: raise its maxmemory"} {
			// One for each side.
			if n := lines("class=\"" + class); n != 3 {
				t.Errorf("%q is said %d times:\n%s", class, n, w.logged())
			}
		}
		store.err.Store(nil)
		time.Sleep(time.Minute)
		stop()
		if n := lines("the trouble is over"); n != 3 {
			t.Errorf("the end is said %d times:\n%s", n, w.logged())
		}
		all := store.failed.Load()
		var told int32
		for line := range strings.Lines(w.logged()) {
			if _, times, ok := strings.Cut(line, "times="); ok && strings.Contains(line, "the trouble is over") {
				var n int32
				if _, err := fmt.Sscan(times, &n); err != nil || n == 0 {
					t.Errorf("%q: %v", line, err)
				}
				told += n
			}
		}
		if told != all {
			t.Errorf("it counts %d failures of %d", told, all)
		}
	})
}

// TestTroubleIsSaidAgain repeats what goes on, once a minute.
func TestTroubleIsSaidAgain(t *testing.T) {
	t.Parallel()
	var ts troubles
	start := time.Date(2031, time.March, 14, 12, 0, 0, 0, time.UTC)
	var said []int
	for second := range 150 {
		if times, say := ts.happened("due", "other", start.Add(time.Duration(second)*time.Second)); say {
			said = append(said, times)
		}
	}
	if fmt.Sprint(said) != "[1 60 60]" {
		t.Errorf("said with %v", said)
	}
	if n := ts.over("due"); n != 150 {
		t.Errorf("it counts %d", n)
	}
	if n := ts.over("due"); n != 0 {
		t.Errorf("once it is over, it counts %d", n)
	}
}
