package engine

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"suar/flows"
	"suar/storage"
)

// A tellTale is a meter that remembers what it was told, in words.
type tellTale struct {
	mu   sync.Mutex
	told []string
	kept int
}

func (m *tellTale) tell(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.told = append(m.told, fmt.Sprintf(format, args...))
}

func (m *tellTale) Entered(p flows.Phase)            { m.tell("entered %s", p) }
func (m *tellTale) Acknowledged(after time.Duration) { m.tell("acknowledged after %v", after) }
func (m *tellTale) Called(level int)                 { m.tell("called %d", level) }
func (m *tellTale) Performed(s flows.Side, o Outcome, after time.Duration) {
	if s == flows.Officers {
		m.tell("%s after %v", o, after.Round(time.Second))
	}
}

func (m *tellTale) Committed(_ time.Duration, a Answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a == AnswerKept {
		m.kept++
	}
}

func (m *tellTale) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.told)
}

// TestMeter plays a shipped conversation: a case is opened by a tap, called out
// again because nobody comes, acknowledged and closed, and each is told once.
func TestMeter(t *testing.T) {
	t.Parallel()
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := newKeeperWorld(t)
		w.flow = book
		meter := &tellTale{}
		c := w.config(w.store)
		c.Meter = meter
		e, err := New(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		w.run(e)
		begin := said(1, 0, "")
		begin.Event = flows.Started{Message: "m"}
		w.handle(e, begin)
		synctest.Wait()
		n := 0
		press := func(label string) {
			t.Helper()
			for _, row := range w.lastView().Rows {
				for _, b := range row {
					if b.Label == label {
						n++
						in := said(1, n, "")
						in.Event = flows.Chose{Data: b.Data}
						w.handle(e, in)
						synctest.Wait()
						return
					}
				}
			}
			t.Fatalf("no button %q", label)
		}
		press("English")
		press("Contact the embassy")
		press("Danger now")
		// By the bubble's clock: past the first calls.
		time.Sleep(7 * time.Minute)
		synctest.Wait()
		thread := flows.PostID("")
		for _, d := range w.channel.deliveries() {
			if d.Thread != "" {
				thread = d.Thread
			}
		}
		officer := flows.Officer{ID: "u1", Name: "ayu"}
		for i, ev := range []flows.Event{flows.Claimed{Officer: officer}, flows.Closed{Officer: officer}} {
			w.handle(e, Inbound{Name: "mm:" + string(thread), ID: fmt.Sprint("mm:", i), Event: ev})
			synctest.Wait()
		}
		told := meter.all()
		count := func(what string) (n int) {
			for _, s := range told {
				if s == what {
					n++
				}
			}
			return n
		}
		for _, once := range []string{"entered opening", "entered alerting", "entered claimed", "entered closed", "acknowledged after 7m0s", "called 1", "called 2"} {
			if count(once) != 1 {
				t.Errorf("%q is told %d times, want once, in %q", once, count(once), told)
			}
		}
		if count("delivered after 0s") == 0 || count("deferred after 0s") != 0 || meter.kept == 0 {
			t.Errorf("deliveries and commits: %q, %d kept", told, meter.kept)
		}
	})
}

// TestOldest: how long the officers' side has waited is known while nothing gets
// through, by the process that tries; and by none after another one got through.
func TestOldest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		meter := &tellTale{}
		away := func(context.Context, Delivery) error { return &Failure{Status: 502} }
		w.channel.answer = away
		c := w.config(w.store)
		c.Meter = meter
		e, err := New(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		stop := w.run(e)
		oldest := func() time.Time {
			t.Helper()
			s, err := e.Status(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !s.Oldest[flows.Caller].IsZero() {
				t.Errorf("the person's side waits since %v", s.Oldest[flows.Caller])
			}
			return s.Oldest[flows.Officers]
		}
		if at := oldest(); !at.IsZero() {
			t.Errorf("nothing waits, since %v", at)
		}
		began := e.now()
		w.handle(e, said(1, 1, "first "+canary))
		time.Sleep(10 * time.Minute)
		w.handle(e, said(2, 1, "second"))
		time.Sleep(10 * time.Minute)
		if at := oldest(); !at.Equal(began) {
			t.Errorf("the oldest waits since %v, want %v", at, began)
		}
		if told := meter.all(); !slices.Contains(told, "deferred after 0s") {
			t.Errorf("no failure is told: %q", told)
		}
		w.channel.mu.Lock()
		w.channel.answer = nil
		w.channel.mu.Unlock()
		time.Sleep(time.Minute)
		if at := oldest(); !at.IsZero() {
			t.Errorf("all is delivered, and something waits since %v", at)
		}

		// Another process takes over what this one tried.
		w.channel.mu.Lock()
		w.channel.answer = away
		w.channel.mu.Unlock()
		w.handle(e, said(3, 1, "third"))
		time.Sleep(time.Minute)
		if oldest().IsZero() {
			t.Error("nothing waits although nothing gets through")
		}
		stop()
		w.channel.mu.Lock()
		w.channel.answer = nil
		w.channel.mu.Unlock()
		other := w.engine()
		w.run(other)
		time.Sleep(5 * time.Minute)
		w.mustBeEmpty(other)
		if at := oldest(); !at.IsZero() {
			t.Errorf("another process delivered it, and it waits since %v", at)
		}
	})
}

func TestAnswerOf(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]Answer{
		nil: AnswerKept, storage.ErrConflict: AnswerRefused, storage.ErrDuplicate: AnswerRefused,
		fmt.Errorf("engine: %w", storage.ErrLeaseLost): AnswerRefused, context.DeadlineExceeded: AnswerFailed,
	} {
		if got := answerOf(err); got != want {
			t.Errorf("%v is %q, want %q", err, got, want)
		}
	}
}
