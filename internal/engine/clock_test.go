package engine

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"suar/storage"
)

// A jumpy clock is the system's with what somebody set it off by.
type jumpy struct{ off atomic.Int64 }

func (j *jumpy) now() time.Time { return time.Now().Add(time.Duration(j.off.Load())) }

func (j *jumpy) jump(d time.Duration) { j.off.Add(int64(d)) }

// engineBy is an engine that follows a system's clock.
func (w *world) engineBy(j *jumpy) *Engine {
	w.t.Helper()
	c := w.config(w.store)
	c.Wall = j.now
	e, err := New(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// pages counts the calls to the officers.
func (w *world) pages() int {
	n := 0
	for _, ef := range w.channel.effects() {
		if ef == "page" {
			n++
		}
	}
	return n
}

// TestTheClockJumps sets the system's clock while an alarm waits for an hour
// and a delivery is tried again and again: neither comes at once or a day late.
func TestTheClockJumps(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]time.Duration{"a day ahead": 24 * time.Hour, "a day back": -24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				clock := &jumpy{}
				e := w.engineBy(clock)
				w.run(e)
				w.handle(e, said(1, 1, "help "+canary))
				synctest.Wait()
				w.chat.setAnswer(func(context.Context, Delivery) error { return errors.New("down") })
				w.handle(e, replied("p1", 1, "we read "+canary))
				time.Sleep(10 * time.Minute)
				clock.jump(by)
				time.Sleep(time.Minute)
				w.chat.setAnswer(nil)
				time.Sleep(time.Minute)
				if got := w.chat.effects(); !slices.Contains(got, "say we read "+canary) {
					t.Errorf("the reply waits a minute after the person can be reached: %q", got)
				}
				clock.jump(-by) // Somebody sets it right again.
				time.Sleep(42 * time.Minute)
				if n := w.pages(); n != 0 {
					t.Errorf("%d calls after 54 of 60 minutes", n)
				}
				time.Sleep(7 * time.Minute)
				if n := w.pages(); n != 1 {
					t.Errorf("%d calls after 61 minutes, want 1", n)
				}
				w.mustBeSilent()
			})
		})
	}
}

// TestTheClockWasAhead ends a process whose clock was a day ahead and starts
// one whose clock is right: what waits goes on to wait for what is left, and no
// longer.
func TestTheClockWasAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ahead := &jumpy{}
		ahead.jump(24 * time.Hour)
		w.limits.MaxBackoff = 10 * time.Minute
		e := w.engineBy(ahead)
		stop := w.run(e)
		w.handle(e, said(1, 1, "help "+canary))
		synctest.Wait()
		w.chat.setAnswer(func(context.Context, Delivery) error { return errors.New("down") })
		w.handle(e, replied("p1", 1, "we read "+canary))
		time.Sleep(20 * time.Minute)
		stop()
		w.chat.setAnswer(nil)

		w.run(w.engine())
		time.Sleep(11 * time.Minute)
		if got := w.chat.effects(); !slices.Contains(got, "say we read "+canary) {
			t.Errorf("the reply was deferred by ten minutes at most and waits: %q", got)
		}
		// The clock was set meanwhile. The alarm rang then, and is counted from there.
		if n := w.pages(); n != 1 {
			t.Errorf("%d calls, want 1", n)
		}
	})
}

// TestTheClockStaysBack starts a process whose machine's clock is a day ahead
// until the machine learns the time. That is believed after ten minutes; what
// waits since then for the next day is due soon, and is not waited for.
func TestTheClockStaysBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		clock := &jumpy{}
		clock.jump(24 * time.Hour)
		e := w.engineBy(clock)
		w.run(e)
		w.handle(e, said(1, 1, "help "+canary))
		synctest.Wait()
		w.chat.setAnswer(func(context.Context, Delivery) error { return errors.New("down") })
		w.handle(e, replied("p1", 1, "we read "+canary))
		clock.jump(-24 * time.Hour)
		time.Sleep(believed + 2*beatEvery)
		if off := time.Until(e.Now()).Abs(); off > time.Second {
			t.Errorf("the clock is off by %v", off)
		}
		w.chat.setAnswer(nil)
		time.Sleep(time.Minute)
		if got := w.chat.effects(); !slices.Contains(got, "say we read "+canary) {
			t.Errorf("the reply still waits: %q", got)
		}
		// testFlow knows no past but its own alarm, which rings at once.
		if n := w.pages(); n != 1 {
			t.Errorf("%d calls, want 1", n)
		}
	})
}

// A timedStore has a clock, off by something from this process's.
type timedStore struct {
	storage.Store
	clock *jumpy
}

func (s *timedStore) Time(context.Context) (time.Time, error) { return s.clock.now(), nil }

// TestProcessesGoByTheStoresClock, whatever their machines' say, and when one
// of them was suspended.
func TestProcessesGoByTheStoresClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.store = &timedStore{w.store, &jumpy{}}
		right, wrong := &jumpy{}, &jumpy{}
		wrong.jump(72 * time.Hour)
		a, b := w.engineBy(right), w.engineBy(wrong)
		w.run(a)
		w.run(b)
		time.Sleep(time.Minute)
		same := func(what string) {
			t.Helper()
			if off := a.Now().Sub(b.Now()).Abs(); off > time.Second {
				t.Errorf("%s two processes are %v apart", what, off)
			}
		}
		same("with one machine's clock off")
		b.clock.mu.Lock()
		b.clock.at = b.clock.at.Add(-2 * time.Hour) // Its time stood still.
		b.clock.mu.Unlock()
		time.Sleep(believed + 2*beatEvery)
		same("after one was suspended")
		if _, err := w.store.Load(t.Context(), clockRecord); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("the time was told to a store that has a clock: %v", err)
		}
		if !strings.Contains(w.logged(), "time synchronisation") {
			t.Error("nobody is told of the machine's clock")
		}
	})
}

// TestTheRecordOfTheTimeIsForged does not follow a time that nobody of ours
// wrote.
func TestTheRecordOfTheTimeIsForged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		if err := e.tell(t.Context()); err != nil {
			t.Fatal(err)
		}
		rec, err := w.store.Load(t.Context(), clockRecord)
		if err != nil {
			t.Fatal(err)
		}
		c := storage.Commit{ID: clockRecord, Version: rec.Version, At: time.Now(), State: bytes.Clone(rec.State)}
		c.State[len(c.State)-20] ^= 1
		if err := w.store.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		next := w.engine()
		if off := time.Until(next.Now()); off != 0 {
			t.Errorf("the clock is off by %v", off)
		}
		if err := next.tell(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
