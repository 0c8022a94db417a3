package engine

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
	"suar/storage"
	"suar/storage/storagetest"
)

func TestAlarmAfterRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		stop := w.run(e)
		w.handle(e, said(1, 1, "a"))
		time.Sleep(30 * time.Minute)
		stop()
		time.Sleep(3 * time.Hour)
		w.run(w.engine())
		synctest.Wait()
		want := []string{"person said a", "bot paged"}
		if diff := cmp.Diff(want, w.only()); diff != "" {
			t.Errorf("transcript after a restart (-want +got):\n%s", diff)
		}
		// Two processes see the next one.
		w.run(w.engine())
		time.Sleep(time.Hour + time.Second)
		want = append(want, "bot paged")
		if diff := cmp.Diff(want, w.only()); diff != "" {
			t.Errorf("transcript an hour later (-want +got):\n%s", diff)
		}
	})
}

// TestAlarmOfANewLife erases a conversation by its alarm, and again after it
// began anew: the version is the same both times.
func TestAlarmOfANewLife(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		w.run(e)
		id := w.vault.Blind("conversation", "tg:555001")
		for n := range 3 {
			start := said(1, n, "")
			start.Event = flows.Started{}
			w.handle(e, start)
			time.Sleep(time.Hour + 2*time.Second)
			if _, err := w.store.Load(t.Context(), id); !errors.Is(err, storage.ErrNotFound) {
				t.Fatalf("life %d: the record is still there: %v", n+1, err)
			}
		}
		erases := slices.DeleteFunc(w.chat.effects(), func(s string) bool { return s != "erase" })
		if len(erases) != 3 {
			t.Errorf("%d erasures, want 3", len(erases))
		}
	})
}

// TestPoisonedAlarm has an alarm whose step fails. It comes again later, and
// holds up nobody else's.
func TestPoisonedAlarm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		w.run(e)
		w.handle(e, said(1, 1, "poisoned"))
		w.handle(e, said(2, 1, "sound"))
		synctest.Wait()
		w.edit(e, "tg:555001", func(s *flows.State) { s.Case.Officer.Name = "panic" })
		time.Sleep(time.Hour + time.Minute/2)
		if n := strings.Count(w.logged(), `msg="step failed"`); n != 1 {
			t.Errorf("the failed step was logged %d times in half a minute, want once", n)
		}
		var sound []string
		for _, lines := range w.transcripts() {
			if lines[0] == "person said sound" {
				sound = lines
			}
		}
		if diff := cmp.Diff([]string{"person said sound", "bot paged"}, sound); diff != "" {
			t.Errorf("the other conversation (-want +got):\n%s", diff)
		}
		w.edit(e, "tg:555001", func(s *flows.State) { s.Case.Officer.Name = "" })
		time.Sleep(2 * time.Minute)
		for _, lines := range w.transcripts() {
			if !slices.Contains(lines, "bot paged") {
				t.Errorf("after it was mended: %q, want the page", lines)
			}
		}
		w.mustBeSilent()
	})
}

// TestStuckAlarm has a flow that leaves its alarm due, and an effect whose
// outcome leaves it so as well.
func TestStuckAlarm(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		w.run(e)
		w.handle(e, said(1, 1, "a"))
		synctest.Wait()
		w.edit(e, "tg:555001", func(s *flows.State) { s.Case.Officer.Name = "stuck" })
		time.Sleep(time.Hour + 10*time.Minute)
		pages := count(w.channel.effects(), "page")
		if pages < 5 || pages > 11 {
			t.Errorf("%d pages in ten minutes, want one a minute", pages)
		}
		if s, err := e.Status(t.Context()); err != nil || s.Damaged == 0 {
			t.Errorf("%d damages noted, %v, want some", s.Damaged, err)
		}
	})
}

func TestSweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		w.handle(e, said(1, 1, "a"))
		w.run(e)
		time.Sleep(47 * time.Hour)
		w.handle(e, said(1, 1, "a"))
		if n := count(w.only(), "person said a"); n != 1 {
			t.Errorf("after 47 hours the repeated event counts %d times, want once", n)
		}
		time.Sleep(3 * time.Hour)
		w.handle(e, said(1, 1, "a"))
		if n := count(w.only(), "person said a"); n != 2 {
			t.Errorf("after 50 hours the event counts %d times; its identity was kept", n)
		}
	})
}

func count(lines []string, line string) (n int) {
	for _, l := range lines {
		if l == line {
			n++
		}
	}
	return n
}

// TestAlarmStoreFails lets the commit of an alarm fail both ways.
func TestAlarmStoreFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var commits faults
		e := w.engineOn(storagetest.NewFlaky(w.store, commits.decide))
		stop := w.run(e)
		w.handle(e, said(1, 1, "a"))
		time.Sleep(time.Minute)
		stop()
		time.Sleep(time.Hour)
		commits.set(1, 1)
		w.run(e)
		time.Sleep(10 * time.Minute)
		if diff := cmp.Diff([]string{"person said a", "bot paged"}, w.only()); diff != "" {
			t.Errorf("transcript (-want +got):\n%s", diff)
		}
	})
}

// edit changes a conversation's state behind the flow's back.
func (w *world) edit(e *Engine, name string, change func(*flows.State)) {
	w.t.Helper()
	id := w.vault.Blind("conversation", name)
	c, found, err := e.load(w.t.Context(), id)
	if err != nil || !found {
		w.t.Fatalf("load: %v, %v", found, err)
	}
	change(&c.State)
	old := c.version
	c.version++
	sealed, err := e.sealState(id, &c)
	if err != nil {
		w.t.Fatal(err)
	}
	err = w.store.Commit(w.t.Context(), storage.Commit{
		ID: id, Version: old, At: time.Now(), State: sealed, Alarm: c.alarm,
		Names: []string{w.vault.Blind("name", "mm:"+string(c.State.Thread()))},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
