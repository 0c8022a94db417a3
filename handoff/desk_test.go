package handoff

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/mattermosttest"
	"suar/internal/secret"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// onEach runs a test against the real server and against the stand-in.
func onEach(t *testing.T, test func(t *testing.T, w *mattermosttest.World)) {
	t.Run("real", func(t *testing.T) { test(t, mattermosttest.Real(t)) })
	t.Run("stand-in", func(t *testing.T) { test(t, mattermosttest.StandIn(t)) })
}

// A ledger is an engine as the desk sees it: it knows some cases, takes each
// event once and keeps them in order.
type ledger struct {
	mu     sync.Mutex
	known  map[string]string // the conversations of the cards
	seen   map[string]bool
	events map[string][]flows.Event
	times  int           // Handle was called
	fail   error         // what Handle returns instead
	fresh  chan struct{} // closed and made anew with every event
}

func newLedger() *ledger {
	return &ledger{known: map[string]string{}, seen: map[string]bool{}, events: map[string][]flows.Event{}, fresh: make(chan struct{})}
}

func (l *ledger) Handle(_ context.Context, in engine.Inbound) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.times++
	switch {
	case l.fail != nil:
		return l.fail
	case len(in.ID) > 64 || in.Caller != "":
		return errors.New("not an officers' event")
	case l.known[in.Name] == "" || in.Conversation != "" && in.Conversation != l.known[in.Name]:
		return fmt.Errorf("load: %w", engine.ErrUnknown)
	case l.seen[in.ID]:
		return nil
	}
	l.seen[in.ID] = true
	l.events[in.Name] = append(l.events[in.Name], in.Event)
	close(l.fresh)
	l.fresh = make(chan struct{})
	return nil
}

func (l *ledger) know(root flows.PostID) { l.knowAs(root, "blind") }

func (l *ledger) knowAs(root flows.PostID, conversation string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known["mm:"+string(root)] = conversation
}

func (l *ledger) setFail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = err
}

func (l *ledger) of(root flows.PostID) []flows.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]flows.Event{}, l.events["mm:"+string(root)]...)
}

func (l *ledger) calls() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.times
}

// wait returns a case's events as soon as there are n.
func (l *ledger) wait(t *testing.T, root flows.PostID, n int) []flows.Event {
	t.Helper()
	late := time.After(patience)
	for {
		l.mu.Lock()
		fresh, events := l.fresh, append([]flows.Event{}, l.events["mm:"+string(root)]...)
		l.mu.Unlock()
		if len(events) >= n {
			return events
		}
		select {
		case <-fresh:
		case <-late:
			t.Fatalf("%d events, want %d: %v", len(events), n, events)
		}
	}
}

// A rig is a desk with its endpoint served, and what it logged.
type rig struct {
	*Desk
	t      *testing.T
	w      *mattermosttest.World
	ledger *ledger
	log    *safeBuffer
	// handler is what the endpoint serves.
	handler http.Handler
}

// wrap puts something before the desk.
func (r *rig) wrap(around func(http.Handler) http.Handler) { r.handler = around(r.handler) }

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newRig makes a desk for a world. The options change its configuration.
func newRig(t *testing.T, w *mattermosttest.World, options ...func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, w: w, ledger: newLedger(), log: &safeBuffer{}}
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { r.handler.ServeHTTP(w, q) }))
	t.Cleanup(endpoint.Close)
	c := Config{
		URL: w.URL, Token: secret.New(w.Bot.Token), Channel: w.ChannelID, CallbackURL: endpoint.URL,
		Key: bytes.Repeat([]byte{7}, 32), OnCall: []string{w.Officers[0].Username}, Handler: r.ledger,
		Log:       slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Heartbeat: 200 * time.Millisecond,
		Pace:      1000, // One officer does in a moment what several do in an hour.
	}
	for _, o := range options {
		o(&c)
	}
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r.handler, r.Desk = d, d
	t.Cleanup(func() {
		if strings.Contains(r.log.String(), w.Bot.Token) {
			t.Error("the token is in the log")
		}
	})
	return r
}

// run runs the desk until the test ends or stop is called, and returns when it
// hears.
func (r *rig) run() (stop func()) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				r.t.Errorf("Run: %v", err)
			}
		})
	}
	r.t.Cleanup(stop)
	r.hears()
	return stop
}

// hears waits until the listener hears.
func (r *rig) hears() {
	r.t.Helper()
	r.until("the desk hears", func() bool { return r.Fault() == nil })
}

// until waits until something holds.
func (r *rig) until(what string, holds func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); !holds(); {
		if time.Now().After(deadline) {
			r.t.Fatalf("never: %s (fault: %v)", what, r.Fault())
		}
		<-time.After(5 * time.Millisecond)
	}
}

// card is a card with both buttons.
func card(code string) flows.Card {
	return flows.Card{
		Code: code, Title: "DANGER " + code, Urgent: true, Tone: flows.ToneDanger, Mention: true,
		Lines:   []flows.Line{{Label: "Language", Value: "Indonesian"}, {Label: "Area", Value: "Bokeo"}},
		More:    "More…",
		Menu:    []flows.Action{{Name: "mark", Choice: "on", Label: "Mark it", Confirm: "Mark it?"}, {Name: "look", Label: "Look"}},
		Actions: []flows.Action{{Name: flows.ActionClaim, Label: "Claim"}, {Name: flows.ActionClose, Label: "Close", Confirm: "Close the case?"}},
	}
}

// id is a delivery's id in a test: like the engine's, 32 hexadecimal digits.
func id(n int) string { return fmt.Sprintf("%032x", n) }

// open delivers a card and returns its post, known to the ledger.
func (r *rig) open(n int) flows.PostID {
	r.t.Helper()
	done := r.deliver(engine.Delivery{ID: id(n), Effect: flows.Open{}, Card: card(fmt.Sprintf("K%04d", n))})
	r.ledger.know(done.Post)
	return done.Post
}

// deliver delivers what must succeed.
func (r *rig) deliver(dl engine.Delivery) flows.Delivered {
	r.t.Helper()
	dl.Tries = max(dl.Tries, 1)
	if dl.Conversation == "" {
		dl.Conversation = "blind"
	}
	done, err := r.Deliver(r.t.Context(), dl)
	if err != nil {
		r.t.Fatalf("deliver %T: %v (%v)", dl.Effect, err, errors.Unwrap(err))
	}
	return done
}

// message is a post's text.
func (r *rig) message(post flows.PostID) string {
	r.t.Helper()
	p, _, err := r.w.Bot.Client().GetPost(r.t.Context(), string(post), "")
	if err != nil {
		r.t.Fatal(err)
	}
	return p.Message
}

// deliveryOf is the delivery of a card.
func deliveryOf(n int) engine.Delivery {
	return engine.Delivery{ID: id(n), Effect: flows.Open{}, Card: card(fmt.Sprintf("K%04d", n))}
}
