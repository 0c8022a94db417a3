package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/seal"
	"suar/storage"
)

// A person is a chat of a test: what was shown in it, and whether it is
// reached. It is a deliverer.
type person struct {
	mu     sync.Mutex
	view   flows.View
	shown  []flows.Effect
	away   bool // nothing gets through
	number int
}

func (p *person) Deliver(_ context.Context, d engine.Delivery) (flows.Delivered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away {
		return flows.Delivered{}, &engine.Failure{Status: 502}
	}
	p.shown = append(p.shown, d.Effect)
	if _, ok := d.Effect.(flows.Show); ok {
		p.view = d.View
		return flows.Delivered{Message: "100"}, nil
	}
	p.number++
	return flows.Delivered{Message: flows.MessageID(fmt.Sprint(100 + p.number))}, nil
}

// button is what a press of the button with that label sends.
func (p *person) button(t *testing.T, label string) flows.Event {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, row := range p.view.Rows {
		for _, b := range row {
			if b.Label == label {
				return flows.Chose{Message: "100", Data: b.Data}
			}
		}
	}
	t.Fatalf("there is no button %q: %+v", label, p.view)
	return nil
}

// desk are the officers of a test: a deliverer that takes everything and tells
// what it was given.
type desk struct {
	mu  sync.Mutex
	got []flows.Effect
}

func (d *desk) Deliver(_ context.Context, del engine.Delivery) (flows.Delivered, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.got = append(d.got, del.Effect)
	return flows.Delivered{Post: flows.PostID("post" + fmt.Sprint(len(d.got)))}, nil
}

// reply is what the officer of the tests wrote and the person did not get.
const reply = "Kami datang malam ini"

// serveFor runs an engine on a store until nothing moves any more, while play
// plays.
func serveFor(t *testing.T, c config, store storage.Store, chat *person, officers *desk, play func(handle func(engine.Inbound))) {
	t.Helper()
	e, err := engine.New(t.Context(), engine.Config{
		Flow: c.book, Store: store, Vault: seal.NewVault(c.vaultKey),
		Officers: func() seal.Recipients { return c.recipients }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- e.Run(ctx, map[flows.Side]engine.Deliverer{flows.Caller: chat, flows.Officers: officers})
	}()
	synctest.Wait()
	play(func(in engine.Inbound) {
		t.Helper()
		if err := e.Handle(t.Context(), in); err != nil {
			t.Fatalf("%T: %v", in.Event, err)
		}
		synctest.Wait()
	})
	stop()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
}

// begin makes the deployment's store: a person in danger has an open case, an
// officer has it, and what the officer wrote last waits because the person is
// not reached.
func (d *deployment) begin(t *testing.T) {
	t.Helper()
	d.write(t)
	synctest.Test(t, func(t *testing.T) {
		c, err := loadEngineConfig(d.path("etc/suar.yaml"), d.lookup)
		if err != nil {
			t.Fatal(err)
		}
		store, err := storage.OpenEmbedded(c.Store)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		chat := &person{}
		serveFor(t, c, store, chat, &desk{}, func(handle func(engine.Inbound)) {
			n := 0
			does := func(ev flows.Event) {
				n++
				handle(engine.Inbound{Name: "tg:1001", ID: fmt.Sprint("tg:", n), Caller: "1001", Event: ev})
			}
			officer := func(ev flows.Event) {
				n++
				handle(engine.Inbound{Name: "mm:post1", ID: fmt.Sprint("mm:", n), Event: ev})
			}
			siti := flows.Officer{ID: "o1", Name: "siti"}
			does(flows.Started{Message: "1"})
			does(chat.button(t, "English"))
			does(chat.button(t, "Contact the embassy"))
			does(chat.button(t, "Danger now"))
			does(flows.Said{Message: "2", Text: "canary of the person"})
			officer(flows.Claimed{Officer: siti})
			chat.mu.Lock()
			chat.away = true
			chat.mu.Unlock()
			officer(flows.Replied{Post: "reply", Officer: siti, Text: reply})
		})
	})
}
