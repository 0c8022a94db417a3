package engine

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
	"suar/storage/storagetest"
)

// only returns the one transcript of the world.
func (w *world) only() []string {
	w.t.Helper()
	all := w.transcripts()
	if len(all) != 1 {
		w.t.Fatalf("%d transcripts, want 1", len(all))
	}
	for _, lines := range all {
		return lines
	}
	return nil
}

func TestRepeatedEventIsAppliedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.engine()
	for range 3 {
		w.handle(e, said(1, 1, "a "+canary))
	}
	w.handle(w.engine(), said(1, 1, "a "+canary))
	w.handle(e, said(1, 2, "b"))
	want := []string{"person said a " + canary, "person said b"}
	if diff := cmp.Diff(want, w.only()); diff != "" {
		t.Errorf("transcript (-want +got):\n%s", diff)
	}
	// Open, and a Relay and a Show for each message.
	s, err := e.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Waiting[flows.Officers]; got != 3 {
		t.Errorf("%d effects wait for the officers, want 3", got)
	}
	if got := s.Waiting[flows.Caller]; got != 2 {
		t.Errorf("%d effects wait for the person, want 2", got)
	}
}

// TestCommitFailure goes through both things that a failed commit can mean, at
// the first and at a later event of a conversation.
func TestCommitFailure(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct{ refused, lost int }{
		"not kept": {refused: 1},
		"kept":     {lost: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			var commits faults
			e := w.engineOn(storagetest.NewFlaky(w.store, commits.decide))
			for n, text := range []string{"a", "b", "c"} {
				commits.set(f.refused, f.lost)
				if err := e.Handle(t.Context(), said(1, n, text)); err == nil {
					t.Fatalf("%s: Handle reported success of a failed commit", text)
				}
				// The edge hands it over again; here to another process.
				e = w.engineOn(storagetest.NewFlaky(w.store, commits.decide))
				w.handle(e, said(1, n, text))
			}
			want := []string{"person said a", "person said b", "person said c"}
			if diff := cmp.Diff(want, w.only()); diff != "" {
				t.Errorf("transcript (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConcurrentEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const events = 20
	done := make(chan error)
	for n := range events {
		e := w.engine()
		go func() { done <- e.Handle(t.Context(), said(1, n, "x")) }()
	}
	for range events {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if got := len(w.only()); got != events {
		t.Errorf("%d entries, want %d", got, events)
	}
}

// TestTwoDevicesAtOnce: somebody presses "Danger now" on one device while "Delete &
// leave" or "More" is pressed on another, at two processes. Whichever is first,
// danger reaches the officers once, nothing is an error, and what the bubble shows in
// the end is what the state says.
func TestTwoDevicesAtOnce(t *testing.T) {
	t.Parallel()
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	firsts := map[string]int{}
	for n := range 24 {
		other := []string{"Delete & leave", "More", "A person"}[n%3]
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.flow = book
			one, two := w.engine(), w.engine()
			w.run(one)
			w.run(two)
			begin := said(1, 0, "")
			begin.Event = flows.Started{}
			w.handle(one, begin)
			synctest.Wait()
			press := func(n int, label string) Inbound {
				t.Helper()
				v := w.lastView()
				for _, row := range v.Rows {
					for _, b := range row {
						if b.Label == label {
							in := said(1, n, "")
							in.Event = flows.Chose{Data: b.Data}
							return in
						}
					}
				}
				t.Fatalf("no button %q beneath %q", label, v.Text)
				return Inbound{}
			}
			w.handle(one, press(1, "English"))
			synctest.Wait()
			w.handle(one, said(1, 2, "please help"))
			synctest.Wait()

			// Both are of the same bubble; the one that comes second meets a newer
			// version of the state.
			presses := []Inbound{press(3, "Danger now"), press(4, other)}
			start, done := make(chan struct{}), make(chan error)
			for i, e := range []*Engine{one, two} {
				go func() {
					<-start
					if i == n/3%2 { // So that either can be the first.
						runtime.Gosched()
					}
					done <- e.Handle(t.Context(), presses[i])
				}()
			}
			close(start)
			for range presses {
				if err := <-done; err != nil {
					t.Errorf("with %q at once: %v", other, err)
				}
			}
			synctest.Wait()
			c, _, err := one.load(t.Context(), w.vault.Blind("conversation", "tg:555001"))
			if err != nil {
				t.Fatal(err)
			}
			s := c.State
			if !s.Urgent() {
				t.Errorf("with %q at once danger is lost: %s", other, s.Screen)
			}
			order := "danger last" // or "More", which is of a screen that is gone
			if s.Screen != "emergency.what" {
				order = "danger first"
			}
			if other == "Delete & leave" && order == "danger first" && !s.Left {
				t.Error("the chat was not deleted")
			}
			firsts[other+", "+order]++
			if want := book.View(s, one.now()).Text; w.lastView().Text != want && want != "" {
				t.Errorf("with %q at once the bubble shows %q, the state says %q", other, w.lastView().Text, want)
			}
			var card flows.Card
			for _, d := range w.channel.deliveries() {
				switch d.Effect.(type) {
				case flows.Open, flows.Update:
					card = d.Card
				}
			}
			if !strings.Contains(card.Title, "BAHAYA") {
				t.Errorf("with %q at once the card says %q", other, card.Title)
			}
			w.mustBeSilent()
		})
	}
	t.Log(firsts)
}

func TestUnknownThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.engine()
	if err := e.Handle(t.Context(), replied("nobody", 1, "x")); !errors.Is(err, ErrUnknown) {
		t.Errorf("a reply in nobody's thread: %v, want ErrUnknown", err)
	}
}

// TestReplyInAnOldThread lets the case change just after the thread was
// looked up.
func TestReplyInAnOldThread(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		w.run(e)
		w.handle(e, said(1, 1, "a"))
		synctest.Wait()
		late := &lateStore{Store: w.store, meanwhile: func() {
			leave := said(1, 2, "")
			leave.Event = flows.Asked{What: flows.AskPrivacy}
			w.handle(e, leave)
			w.handle(e, said(1, 3, "b"))
			synctest.Wait()
		}}
		err := w.engineOn(late).Handle(t.Context(), replied("p1", 1, "to the first case"))
		if !errors.Is(err, ErrUnknown) {
			t.Errorf("Handle: %v, want ErrUnknown", err)
		}
		for _, line := range slices.Concat(slices.Collect(maps.Values(w.transcripts()))...) {
			if strings.Contains(line, "to the first case") {
				t.Errorf("the reply is in a transcript: %q", line)
			}
		}
	})
}

// A lateStore lets something happen after the first Resolve.
type lateStore struct {
	storage.Store
	meanwhile func()
}

func (s *lateStore) Resolve(ctx context.Context, name string) (string, error) {
	id, err := s.Store.Resolve(ctx, name)
	if s.meanwhile != nil {
		s.meanwhile()
		s.meanwhile = nil
	}
	return id, err
}

func TestPanicInStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.engine()
	w.handle(e, said(1, 1, "before"))
	err := e.Handle(t.Context(), said(1, 2, "panic"))
	if !errors.Is(err, ErrStep) {
		t.Fatalf("Handle: %v, want ErrStep", err)
	}
	const line = `engine: the step failed: event "said", panic at engine/fake_test.go:`
	if got := err.Error(); len(got) < len(line) || got[:len(line)] != line {
		t.Errorf("the error is %q, want %q and a number", got, line)
	}
	w.handle(e, said(1, 3, "after"))
	want := []string{"person said before", "person said after"}
	if diff := cmp.Diff(want, w.only()); diff != "" {
		t.Errorf("transcript (-want +got):\n%s", diff)
	}
	w.mustBeSilent()
}

func TestWrongKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.engine()
	w.vault = testVault(t, 2)
	if _, err := New(t.Context(), w.config(w.store)); !errors.Is(err, ErrWrongKey) {
		t.Errorf("New with another key: %v, want ErrWrongKey", err)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, change := range map[string]func(*Config){
		"no flow":       func(c *Config) { c.Flow = nil },
		"no store":      func(c *Config) { c.Store = nil },
		"no vault":      func(c *Config) { c.Vault = nil },
		"no officers":   func(c *Config) { c.Officers = nil },
		"no recipients": func(c *Config) { c.Officers = func() (none seal.Recipients) { return none } },
		"no log":        func(c *Config) { c.Log = nil },
		"long delivery": func(c *Config) { c.Limits = Limits{Lease: time.Second, Delivery: time.Second} },
	} {
		c := w.config(w.store)
		change(&c)
		if _, err := New(t.Context(), c); err == nil {
			t.Errorf("%s: New took it", name)
		}
	}
}

// TestAConversation goes through a whole case with the loops running.
func TestAConversation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		w.run(e)
		w.handle(e, said(1, 1, "help "+canary))
		synctest.Wait()
		w.handle(e, replied("p1", 1, "we read "+canary))
		synctest.Wait()
		w.handle(e, said(1, 2, "thanks"))
		synctest.Wait()
		w.handle(e, Inbound{Name: "mm:p1", ID: "mm:close", Event: flows.Closed{Officer: flows.Officer{Name: "ayu-lestari"}}})
		synctest.Wait()

		want := []string{
			"person said help " + canary,
			"officer:ayu-lestari replied we read " + canary,
			"bot arrived we read " + canary,
			"person said thanks",
			"officer:ayu-lestari closed",
		}
		if diff := cmp.Diff(want, w.only()); diff != "" {
			t.Errorf("transcript (-want +got):\n%s", diff)
		}
		wantOfficers := []string{"open", "relay help " + canary, "mark", "relay thanks", "update"}
		if diff := cmp.Diff(wantOfficers, w.channel.effects()); diff != "" {
			t.Errorf("to the officers (-want +got):\n%s", diff)
		}
		wantCaller := []string{"show", "show", "say we read " + canary, "show", "show"}
		if diff := cmp.Diff(wantCaller, w.chat.effects()); diff != "" {
			t.Errorf("to the person (-want +got):\n%s", diff)
		}
		for i, del := range w.channel.deliveries() {
			if i == 0 && del.Thread != "" || i > 0 && del.Thread != "p1" {
				t.Errorf("effect %d to the officers: thread %q", i, del.Thread)
			}
			if del.Witness == "" {
				t.Errorf("effect %d to the officers has no witness", i)
			}
		}
		last := w.channel.deliveries()[4]
		if last.Card.Title != "phase closed" {
			t.Errorf("the last card is %q", last.Card.Title)
		}
		shows := w.chat.deliveries()
		if got := shows[len(shows)-1]; got.View.Text != "phase closed" || got.Bubble == "" || got.Caller != "chat-555001" {
			t.Errorf("the last Show has view %q, bubble %q, caller %q", got.View.Text, got.Bubble, got.Caller)
		}
		w.mustBeEmpty(e)
		w.mustBeSilent()
	})
}

// TestEffectIDsDiffer begins the same conversation twice. Its versions are the
// same, its effects must not be.
func TestEffectIDsDiffer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		w.run(e)
		w.handle(e, said(1, 1, "a"))
		synctest.Wait()
		leave := said(1, 2, "")
		leave.Event = flows.Asked{Message: "m2", What: flows.AskDelete}
		w.handle(e, leave)
		synctest.Wait()
		w.handle(e, said(1, 3, "a"))
		synctest.Wait()
		var ids []string
		for _, del := range slices.Concat(w.chat.deliveries(), w.channel.deliveries()) {
			ids = append(ids, del.ID)
			if len(del.ID) != 32 {
				t.Errorf("the ID %q has not 32 characters", del.ID)
			}
		}
		slices.Sort(ids)
		if n := len(slices.Compact(ids)); n != len(ids) {
			t.Errorf("%d effects have %d IDs", len(ids), n)
		}
		if got := len(w.transcripts()); got != 2 {
			t.Errorf("%d transcripts, want one for each case", got)
		}
	})
}
