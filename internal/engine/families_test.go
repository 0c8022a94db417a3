package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
	"suar/storage"
	"suar/storage/storagetest"
)

// A familyLine is an engine with the shipped book, people who press what they see,
// and officers.
type familyLine struct {
	*world
	e     *Engine
	began time.Time

	mu    sync.Mutex
	views map[string]flows.View   // what each caller sees
	posts map[string]flows.PostID // each conversation's card
	seen  []string                // what the reporter got, and the store was asked of her
	n     int
	down  bool           // the officers' side
	done  []flows.Effect // what was performed
}

func (h *familyLine) setDown(is bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.down = is
}

func (h *familyLine) performed() []flows.Effect {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.done)
}

// reporter is who looks for somebody.
const reporter = 1

// pause is how long somebody takes for the next thing. No loop of the engine
// comes at such instants.
const pause = 2*time.Second + 17*time.Millisecond

func (h *familyLine) Deliver(_ context.Context, dl Delivery) (flows.Delivered, error) {
	took := 50 * time.Millisecond
	if dl.Effect.To() == flows.Officers {
		took = 200 * time.Millisecond
	}
	time.Sleep(took)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.down && dl.Effect.To() == flows.Officers {
		return flows.Delivered{}, &Failure{Err: errors.New("down"), After: time.Minute}
	}
	h.done = append(h.done, dl.Effect)
	if _, open := dl.Effect.(flows.Open); open {
		h.posts[dl.Caller] = flows.PostID("card-" + dl.ID)
	}
	if _, show := dl.Effect.(flows.Show); show {
		h.views[dl.Caller] = dl.View
	}
	if dl.Caller == fmt.Sprintf("chat-%d", 555000+reporter) {
		raw, err := json.Marshal([]any{dl.Effect, dl.View, dl.Card, dl.Urgent, dl.Tries})
		if err != nil {
			return flows.Delivered{}, err
		}
		h.sees("%s to side %d: %s", flows.EffectKind(dl.Effect), dl.Effect.To(), raw)
	}
	return flows.Delivered{Message: flows.MessageID("m-" + dl.ID), Post: flows.PostID("card-" + dl.ID)}, nil
}

// sees notes something of the reporter's with the time since it began.
func (h *familyLine) sees(format string, args ...any) {
	h.seen = append(h.seen, time.Since(h.began).String()+" "+fmt.Sprintf(format, args...))
}

// person lets a person do something: "/start", a label of a button, or else words.
func (h *familyLine) person(who int, what string) {
	h.t.Helper()
	h.n++
	in := said(who, h.n, what)
	in.ID = fmt.Sprintf("tg:%d:%d", who, h.n)
	if what == "/start" {
		in.Event = flows.Started{Message: flows.MessageID(fmt.Sprint("m", h.n))}
	}
	h.mu.Lock()
	for _, row := range h.views[in.Caller].Rows {
		for _, b := range row {
			if b.Label == what {
				in.Event = flows.Chose{Data: b.Data}
			}
		}
	}
	h.mu.Unlock()
	h.handle(h.e, in)
	time.Sleep(pause)
}

// officer lets an officer do something in the case of a person.
func (h *familyLine) officer(who int, ev flows.Event) {
	h.t.Helper()
	h.n++
	h.mu.Lock()
	post := h.posts[fmt.Sprintf("chat-%d", 555000+who)]
	h.mu.Unlock()
	h.handle(h.e, Inbound{Name: threadName(post), ID: fmt.Sprint("mm:", h.n), Event: ev})
	time.Sleep(pause)
}

// opens runs an engine on a store, until stop is called.
func (h *familyLine) opens(store storage.Store) (stop func()) {
	h.t.Helper()
	h.e = h.engineOn(store)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.e.Run(ctx, map[flows.Side]Deliverer{flows.Caller: h, flows.Officers: h}) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("Run: %v", err)
		}
	}
}

// newFamilyLine returns a hotline with the shipped book that does not run yet.
func newFamilyLine(t *testing.T) *familyLine {
	t.Helper()
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	h := &familyLine{world: newWorld(t), views: map[string]flows.View{}, posts: map[string]flows.PostID{}}
	h.flow = book
	return h
}

// TestNobodyCanAskWhetherSomeoneContactedUs is promise G15. The same report about
// the same name is made in worlds in which the person is unknown, has an open
// case, is known under a closed one, or was found and lets it be said that they
// are alive. Everything that the reporter gets must be the same byte for byte,
// in the same order and at the same time, and the store must be asked the same of
// her conversation. Time is synctest's, so what differs is what the program does
// and never how fast the machine is.
func TestNobodyCanAskWhetherSomeoneContactedUs(t *testing.T) {
	siti, budi := flows.Officer{ID: "u1", Name: "siti"}, flows.Officer{ID: "u2", Name: "budi"}
	const name = "Budi Contoh"
	sought := func(h *familyLine) {
		for _, what := range []string{"/start", "English", "Contact the embassy", "Yes", "Agree", "Help for me", "Yes", "No", "my name is " + name} {
			h.person(77, what)
		}
	}
	worlds := map[string]func(h *familyLine){
		"unknown": func(*familyLine) {},
		"has a case that waits": func(h *familyLine) {
			sought(h)
		},
		"has a case that an officer has": func(h *familyLine) {
			sought(h)
			h.officer(77, flows.Claimed{Officer: siti})
			h.officer(77, flows.Replied{Post: "r1", Officer: siti, Text: "hello " + name})
		},
		"is known under a closed case": func(h *familyLine) {
			sought(h)
			h.officer(77, flows.Claimed{Officer: siti})
			h.officer(77, flows.Closed{Officer: siti})
		},
		"deleted the chat": func(h *familyLine) {
			sought(h)
			h.person(77, "Delete & leave")
		},
		"was found, and somebody else was told": func(h *familyLine) {
			sought(h)
			h.officer(77, flows.Claimed{Officer: siti})
			h.officer(77, flows.Acted{Officer: siti, Action: flows.ActionAsk, Choice: "mark"})
			h.person(77, "A question for you")
			h.person(77, "Alive")
			h.person(78, "/start")
			h.person(78, "where is "+name)
			h.officer(78, flows.Claimed{Officer: siti})
			h.officer(78, flows.Acted{Officer: siti, Action: flows.ActionRelease, Choice: "alive"})
			h.officer(78, flows.Acted{Officer: budi, Action: flows.ActionRelease, Choice: "confirm-alive"})
			for _, line := range []string{"Boleh dikatakan ke penanya: Masih hidup", "officer:budi acted Petugas kedua"} {
				if kept := fmt.Sprint(h.transcripts()); !strings.Contains(kept, line) {
					h.t.Errorf("this world is not what it should be; %q is missing in %s", line, kept)
				}
			}
		},
	}
	lives := map[string]string{}
	for world, before := range worlds {
		t.Run(world, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { lives[world] = report(t, before) })
		})
	}
	if n := strings.Count(lives["unknown"], "\n"); n < 60 || !strings.Contains(lives["unknown"], "We will not write first") {
		t.Errorf("the report did not go its way; %d lines:\n%s", n, lives["unknown"])
	}
	for world, life := range lives {
		if diff := cmp.Diff(lives["unknown"], life); diff != "" {
			t.Errorf("the reporter can tell that the person %s (-unknown +this):\n%s", world, diff)
		}
	}
}

// report makes the report in a world and returns all that the reporter got.
func report(t *testing.T, before func(h *familyLine)) string {
	t.Helper()
	const name = "Budi Contoh"
	h := newFamilyLine(t)
	id := h.vault.Blind("conversation", said(reporter, 0, "").Name)
	store := storagetest.NewFlaky(h.store, func(c storagetest.Call) storagetest.Fault {
		h.mu.Lock()
		defer h.mu.Unlock()
		// Whether it is leased in the same breath depends on who is idle.
		if c.Subject == id && !h.began.IsZero() && strings.HasPrefix(c.Method, "Commit") {
			h.sees("commit")
		}
		return storagetest.None
	})
	defer h.opens(store)()

	start := time.Now()
	before(h)
	// The report begins at the same instant everywhere, long after.
	time.Sleep(time.Until(start.Add(3 * time.Hour)))
	h.mu.Lock()
	h.began, h.n = time.Now(), 1000
	h.mu.Unlock()
	for _, what := range []string{
		"/start", "English", "Contact the embassy", "Yes", "Agree", "Looking for someone", "Understood",
		"Sibling", "No", "This week", "Not sure", "Don't know", "No", "Don't know", name, "I write first",
		"Done", "Understood", "Is " + name + " with you?",
	} {
		h.person(reporter, what)
	}
	h.officer(reporter, flows.Claimed{Officer: flows.Officer{ID: "u3", Name: "rina"}})
	h.person(reporter, "See replies")
	time.Sleep(45 * time.Minute) // The alarms of the time after are hers, too.
	h.person(reporter, "/delete")
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.seen, "\n")
}
