package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"suar/flows"
	"suar/storage"
	"suar/storage/storagetest"
)

// A hotline is a world with the shipped book, and with what each side shows.
type hotline struct {
	*world
	book *flows.Book
	e    *Engine

	mu sync.Mutex
	// bubbles are what each person sees, and when it changed last; lag is the
	// longest that anybody waited for an answer to something.
	bubbles map[string]flows.View
	asked   map[string]time.Time
	lag     time.Duration
	// thread are the person's words in the order of their posts, opened when
	// each person's card was placed.
	thread map[string][]string
	opened map[string]time.Time
	seen   map[string]bool
}

func newHotline(t *testing.T) *hotline {
	t.Helper()
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	h := &hotline{
		world: newWorld(t), book: book, bubbles: map[string]flows.View{}, asked: map[string]time.Time{},
		thread: map[string][]string{}, opened: map[string]time.Time{}, seen: map[string]bool{},
	}
	h.e = h.engineOf(h.store)
	return h
}

func (h *hotline) engineOf(store storage.Store) *Engine {
	h.t.Helper()
	c := h.config(store)
	c.Flow = h.book
	e, err := New(h.t.Context(), c)
	if err != nil {
		h.t.Fatal(err)
	}
	return e
}

// serve runs an engine with both sides; what they are asked is asked first of
// the functions, whose errors are theirs.
func (h *hotline) serve(e *Engine, toPersons, toOfficers func(context.Context, Delivery) error) (stop func()) {
	h.t.Helper()
	h.chat.setAnswer(func(ctx context.Context, d Delivery) error {
		if toPersons != nil {
			if err := toPersons(ctx, d); err != nil {
				return err
			}
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if _, ok := d.Effect.(flows.Show); ok {
			h.bubbles[d.Caller] = d.View
			if at, ok := h.asked[d.Caller]; ok {
				h.lag = max(h.lag, time.Since(at))
				delete(h.asked, d.Caller)
			}
		}
		return nil
	})
	h.channel.setAnswer(func(ctx context.Context, d Delivery) error {
		if toOfficers != nil {
			if err := toOfficers(ctx, d); err != nil {
				return err
			}
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.seen[d.ID] {
			return nil
		}
		h.seen[d.ID] = true
		switch ef := d.Effect.(type) {
		case flows.Open:
			h.opened[d.Caller] = time.Now()
		case flows.Relay:
			h.thread[d.Caller] = append(h.thread[d.Caller], ef.Text)
		}
		return nil
	})
	return h.run(e)
}

// does hands over what a person does.
func (h *hotline) does(e *Engine, in Inbound) error {
	h.mu.Lock()
	if _, ok := h.asked[in.Caller]; !ok {
		h.asked[in.Caller] = time.Now()
	}
	h.mu.Unlock()
	return e.Handle(h.t.Context(), in)
}

// taps presses the button of somebody's bubble that fits.
func (h *hotline) taps(e *Engine, person, n int, fits func(flows.Button) bool) {
	h.t.Helper()
	h.mu.Lock()
	rows := slices.Concat(h.bubbles[said(person, 0, "").Caller].Rows...)
	h.mu.Unlock()
	i := slices.IndexFunc(rows, fits)
	if i < 0 {
		h.t.Fatal("there is no such button")
	}
	in := said(person, n, "")
	in.Event = flows.Chose{Data: rows[i].Data}
	if err := h.does(e, in); err != nil {
		h.t.Fatal(err)
	}
}

// shows is what a person sees.
func (h *hotline) shows(person int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.bubbles[said(person, 0, "").Caller].Text
}

// TestMattermostIsDownForAnHour while many messages come, as many as
// SUAR_MESSAGES says; 10,000 take a minute of a processor. The persons are
// answered at once and told the truth; afterwards everything arrives in order
// and once; and whoever is in danger in the middle of that does not wait for it.
func TestMattermostIsDownForAnHour(t *testing.T) {
	t.Parallel()
	messages := 1000
	if n, err := strconv.Atoi(os.Getenv("SUAR_MESSAGES")); err == nil {
		messages = n
	}
	const lines = 50
	people := messages / lines
	// It takes two minutes to make up for the outage.
	post := min(8*time.Minute/time.Duration(messages), 300*time.Millisecond)
	synctest.Test(t, func(t *testing.T) {
		h := newHotline(t)
		down := true
		var mu sync.Mutex
		h.serve(h.e, nil, func(ctx context.Context, _ Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			if down {
				return &Failure{Status: 502}
			}
			mu.Unlock()
			defer mu.Lock()
			return sleepy(ctx, post)
		})
		stuck, _, _ := strings.Cut(h.book.OfficerText("ui.status.stuck"), "\n")
		want := map[string][]string{}
		for line := range lines {
			for p := range people {
				text := fmt.Sprintf("%d.%d %s", p, line, canary)
				in := said(p, line, text)
				want[in.Caller] = append(want[in.Caller], text)
				if err := h.does(h.e, in); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Hour / time.Duration(lines))
			for p := range people {
				if got := h.shows(p); !strings.Contains(got, stuck) {
					t.Fatalf("after %d lines a person sees %q, want %q", line+1, got, stuck)
				}
			}
		}
		h.mu.Lock()
		if len(h.thread) > 0 || h.lag > time.Second {
			t.Errorf("%d threads, and a person waited %v", len(h.thread), h.lag)
		}
		h.mu.Unlock()

		mu.Lock()
		down = false
		mu.Unlock()
		// Mattermost answers again within the longest pause; the danger comes when
		// it is busy with what waited.
		time.Sleep(h.e.limits.MaxBackoff)
		const someone = 9000
		start := said(someone, 0, "")
		start.Event = flows.Started{}
		if err := h.does(h.e, start); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		h.taps(h.e, someone, 1, func(b flows.Button) bool { return b.Label == "English" })
		synctest.Wait()
		h.taps(h.e, someone, 2, func(b flows.Button) bool { return b.Label == "Contact the embassy" })
		synctest.Wait()
		tapped := time.Now()
		h.taps(h.e, someone, 3, func(b flows.Button) bool { return b.Danger })
		if s, err := h.e.Status(t.Context()); err != nil || s.Waiting[flows.Officers] < people*lines/4 {
			t.Errorf("only %d effects wait when the danger comes (%v)", s.Waiting[flows.Officers], err)
		}
		time.Sleep(10 * time.Second)
		if at := h.opened[start.Caller]; at.IsZero() || at.Sub(tapped) > time.Second {
			t.Errorf("the officers learn of the danger after %v", at.Sub(tapped))
		}

		time.Sleep(time.Hour)
		delete(h.thread, start.Caller)
		for caller, lines := range want {
			if !slices.Equal(h.thread[caller], lines) {
				t.Fatalf("%d of %d lines arrived, or not in order", len(h.thread[caller]), len(lines))
			}
		}
		for p := range people {
			if got := h.shows(p); strings.Contains(got, stuck) {
				t.Fatalf("a person still sees %q", got)
			}
		}
		h.mustBeEmpty(h.e)
		h.mustBeSilent()
	})
}

// sleepy takes its time.
func sleepy(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestTelegramIsIll in each of its ways for ten minutes, while the officers
// answer: their side goes on, and what they wrote arrives in order.
func TestTelegramIsIll(t *testing.T) {
	t.Parallel()
	for name, ill := range map[string]func(context.Context, int) error{
		"too many requests": func(context.Context, int) error {
			return &Failure{Status: 429, After: 30 * time.Second, All: true}
		},
		"broken": func(context.Context, int) error { return &Failure{Status: 502, Perhaps: true} },
		"reset":  func(context.Context, int) error { return &Failure{Perhaps: true} },
		"slow":   func(ctx context.Context, _ int) error { return sleepy(ctx, 20*time.Second) },
		"hangs": func(ctx context.Context, _ int) error {
			<-ctx.Done()
			return &Failure{Perhaps: true, Err: ctx.Err()}
		},
		"each third": func(_ context.Context, n int) error {
			if n%3 == 0 {
				return nil
			}
			return &Failure{Status: 500, Perhaps: true}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				e := w.engine()
				w.run(e)
				w.handle(e, said(1, 1, "help "+canary))
				synctest.Wait()
				var mu sync.Mutex
				calls := 0
				w.chat.setAnswer(func(ctx context.Context, _ Delivery) error {
					mu.Lock()
					calls++
					n := calls
					mu.Unlock()
					return ill(ctx, n)
				})
				var want []string
				for n := range 20 {
					text := fmt.Sprint(n, " ", canary)
					want = append(want, "say "+text)
					w.handle(e, replied("p1", n, text))
					before := len(w.channel.deliveries())
					w.handle(e, said(1, 10+n, "and "+canary))
					time.Sleep(30 * time.Second)
					if len(w.channel.deliveries()) == before {
						t.Fatal("the officers' side waits for Telegram")
					}
				}
				w.chat.setAnswer(nil)
				time.Sleep(2 * time.Minute)
				got := slices.DeleteFunc(w.chat.effects(), func(s string) bool { return !strings.HasPrefix(s, "say") })
				if !slices.Equal(got, want) {
					t.Errorf("the person got %q", got)
				}
				w.mustBeEmpty(e)
				w.mustBeSilent()
			})
		})
	}
}

// TestTheStoreIsOutForMinutes in each of its ways: meanwhile nothing is
// confirmed, and afterwards everything is there once and in order.
func TestTheStoreIsOutForMinutes(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]storagetest.Fault{
		"fails": storagetest.Refused, "loses its answers": storagetest.Lost, "hangs": storagetest.Stalled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				var mu sync.Mutex
				out := false
				set := func(is bool) {
					mu.Lock()
					defer mu.Unlock()
					out = is
				}
				e := w.engineOn(storagetest.NewFlaky(w.store, func(storagetest.Call) storagetest.Fault {
					mu.Lock()
					defer mu.Unlock()
					if out {
						return fault
					}
					return storagetest.None
				}))
				w.run(e)
				w.handle(e, said(1, 0, "0 "+canary))
				// The outage begins in the middle of a delivery, whose outcome waits.
				w.channel.setAnswer(func(ctx context.Context, _ Delivery) error { return sleepy(ctx, time.Second) })
				time.Sleep(time.Second / 2)
				set(true)
				want := []string{"open", "relay 0 " + canary}
				for n := 1; n <= 5; n++ {
					text := fmt.Sprint(n, " ", canary)
					want = append(want, "relay "+text)
					hand := func() error {
						ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
						defer cancel()
						return e.Handle(ctx, said(1, n, text))
					}
					// An edge hands it over again and again.
					for range 3 {
						if err := hand(); err == nil || errors.Is(err, ErrStep) || errors.Is(err, ErrUnknown) {
							t.Fatalf("Handle: %v, want an error to come again after", err)
						}
						time.Sleep(20 * time.Second)
					}
					if n == 5 {
						set(false)
					}
					if err := hand(); (err == nil) != (n == 5) {
						t.Fatalf("Handle: %v", err)
					}
					if n < 5 { // The edge insists, and goes on only then.
						set(false)
						if err := hand(); err != nil {
							t.Fatal(err)
						}
						set(true)
					}
				}
				time.Sleep(2 * time.Minute)
				if got := w.channel.effects(); !slices.Equal(got, want) {
					t.Errorf("to the officers:\n%s", strings.Join(got, "\n"))
				}
				w.mustBeEmpty(e)
				w.mustBeSilent()
			})
		})
	}
}
