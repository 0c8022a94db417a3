package engine

import (
	"bytes"
	"context"
	"errors"
	"slices"
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
				// Of the 60 minutes 50 pass by a clock that is off by a tenth.
				time.Sleep(42 * time.Minute)
				if n := w.pages(); n != 0 {
					t.Errorf("%d calls after 54 of 60 minutes", n)
				}
				time.Sleep(12 * time.Minute)
				if n := w.pages(); n != 1 {
					t.Errorf("%d calls after 66 minutes, want 1", n)
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
		time.Sleep(24 * time.Minute)
		if n := w.pages(); n != 0 {
			t.Errorf("%d calls after 55 of 60 minutes", n)
		}
		time.Sleep(12 * time.Minute)
		if n := w.pages(); n != 1 {
			t.Errorf("%d calls after 67 minutes, want 1", n)
		}
	})
}

// TestAProcessThatWasSuspended takes over the others' time: otherwise its
// leases would be over when they begin.
func TestAProcessThatWasSuspended(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		a, b := w.engine(), w.engine()
		w.run(a)
		w.run(b)
		time.Sleep(time.Minute)
		b.clock.mu.Lock()
		b.clock.at = b.clock.at.Add(-2 * time.Hour) // Its time stood still.
		b.clock.mu.Unlock()
		time.Sleep(3 * beatEvery)
		if off := a.Now().Sub(b.Now()).Abs(); off > time.Second {
			t.Errorf("two processes are %v apart", off)
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
		if err := e.beat(t.Context()); err != nil {
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
		if off := next.Now().Sub(time.Now()); off != 0 {
			t.Errorf("the clock is off by %v", off)
		}
		if err := next.beat(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
