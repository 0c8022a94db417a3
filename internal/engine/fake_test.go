package engine

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"suar/flows"
	"suar/internal/caseid"
	"suar/internal/seal"
	"suar/storage"
	"suar/storage/storagetest"
)

// testFlow is the least conversation that has all that the engine must carry:
// a case that opens, a thread, words both ways, an alarm and an end.
type testFlow struct{}

func (testFlow) Step(s flows.State, m flows.Moment, ev flows.Event) (flows.State, []flows.Effect) {
	if s.Case != nil {
		c := *s.Case
		s.Case = &c
	}
	record := func(from, kind, text string) flows.Effect {
		return flows.Record{At: m.At, From: from, Kind: kind, Text: text}
	}
	switch ev := ev.(type) {
	case flows.Started:
		s.Screen = "start"
		s.Due = m.At.Add(time.Hour)
		return s, []flows.Effect{flows.Show{}}
	case flows.Said:
		var effects []flows.Effect
		switch ev.Text {
		case "panic":
			panic("quoting " + canary)
		case "erase":
			return s, []flows.Effect{flows.Show{}, flows.Erase{Messages: []flows.MessageID{ev.Message}}}
		case "burst":
			return s, slices.Repeat([]flows.Effect{flows.Show{}}, storage.MaxItems+1)
		}
		if s.Case == nil {
			s.Case = &flows.Case{ID: caseid.ID(m.Fresh), Phase: flows.Opening, Opened: m.At}
			effects = append(effects, flows.Open{})
		}
		s.Screen = "talk"
		s.Due = m.At.Add(time.Hour)
		return s, append(effects, record("person", "said", ev.Text), flows.Relay{Text: ev.Text}, flows.Show{})
	case flows.Asked:
		if ev.What == flows.AskPrivacy {
			// The case ends and the record stays, once there is a thread.
			if s.Case == nil || s.Case.Thread == "" {
				return s, nil
			}
			s.Case, s.Screen, s.Due = nil, "left", time.Time{}
			return s, []flows.Effect{record("person", "left", ""), flows.Relay{Label: "left"}, flows.Show{}}
		}
		return flows.State{}, []flows.Effect{
			record("person", "left", ""),
			flows.Relay{Label: "left"},
			flows.Erase{Messages: []flows.MessageID{s.Shown, ev.Message}},
		}
	case flows.Replied:
		return s, []flows.Effect{record("officer:"+ev.Officer.Name, "replied", ev.Text), flows.Say{Post: ev.Post, Text: ev.Text}}
	case flows.Closed:
		s.Case.Phase = flows.Ended
		s.Due = time.Time{}
		return s, []flows.Effect{record("officer:"+ev.Officer.Name, "closed", ""), flows.Update{}, flows.Show{}}
	case flows.TimedOut:
		if s.Case == nil {
			return flows.State{}, []flows.Effect{flows.Erase{Messages: []flows.MessageID{s.Shown}}}
		}
		switch s.Case.Officer.Name {
		case "panic":
			panic("quoting " + canary)
		case "stuck":
			return s, []flows.Effect{flows.Page{Level: s.Case.Pages, Text: "page"}}
		}
		s.Case.Pages++
		s.Due = m.At.Add(time.Hour)
		return s, []flows.Effect{record("bot", "paged", ""), flows.Page{Level: s.Case.Pages, Text: "page"}}
	case flows.Delivered:
		switch ef := ev.Effect.(type) {
		case flows.Open:
			s.Case.Thread, s.Case.Phase = ev.Post, flows.Alerting
			return s, []flows.Effect{flows.Show{}}
		case flows.Show:
			if s.Screen != "" {
				s.Shown = ev.Message
			}
		case flows.Say:
			if ef.Text == "panic" {
				panic("quoting " + canary)
			}
			if s.Case != nil {
				return s, []flows.Effect{record("bot", "arrived", ef.Text), flows.Mark{Post: ef.Post, Sign: flows.SignSent}}
			}
		}
	case flows.Undelivered:
		if s.Case != nil {
			return s, []flows.Effect{record("bot", "undelivered", string(ev.Reason))}
		}
	}
	return s, nil
}

// Wanted is false for what is "late" after the person left; all else must come.
func (testFlow) Wanted(s flows.State, _ time.Time, ef flows.Effect) bool {
	return s.Screen != "left" || describe(ef) != "say late"
}

func (testFlow) View(s flows.State, _ time.Time) flows.View {
	if s.Case == nil {
		return flows.View{Text: "no case"}
	}
	return flows.View{Text: "phase " + string(s.Case.Phase)}
}

func (testFlow) Card(s flows.State, _ time.Time) flows.Card {
	if s.Case == nil {
		return flows.Card{Title: "no case"}
	}
	return flows.Card{Code: s.Case.ID.Code(), Title: "phase " + string(s.Case.Phase)}
}

// Form asks who claims a case in the officer's name.
func (testFlow) Form(_ flows.State, _ time.Time, o flows.Officer, action flows.ActionName, choice string) (flows.Form, bool) {
	f := flows.Form{Title: o.Name + choice, Stamp: "s", Preview: choice == "preview", Fields: []flows.Field{{Name: "why", Kind: flows.FieldText}}}
	return f, action == "form"
}

func (testFlow) Preview(_ flows.State, _ time.Time, _ flows.Officer, _ flows.ActionName, _ string, values map[string]string) string {
	return "preview of " + values["why"]
}

// canary is in all that people say in these tests. It must be found nowhere
// but in what the deliverers get and what officers open.
const canary = "kenari-7731-rahasia"

// A world is one store with what stands around it.
type world struct {
	t        *testing.T
	store    storage.Store
	vault    *seal.Vault
	officers seal.Recipients
	key      age.Identity
	log      *strings.Builder
	logMu    sync.Mutex
	chat     *edge
	channel  *edge
	limits   Limits
	flow     Flow
	cost     seal.PhraseCost
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, store: storagetest.NewMemory(), vault: testVault(t, 1), log: new(strings.Builder), flow: testFlow{}}
	w.officers, w.key = testOfficers(t)
	w.chat, w.channel = &edge{}, &edge{}
	return w
}

func testVault(t testing.TB, n byte) *seal.Vault {
	t.Helper()
	key, err := seal.ParseVaultKey([]byte(strings.Repeat(fmt.Sprintf("0%x", n), seal.VaultKeySize-1) + "a7"))
	if err != nil {
		t.Fatal(err)
	}
	return seal.NewVault(key)
}

func testOfficers(t testing.TB) (seal.Recipients, age.Identity) {
	t.Helper()
	key, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	public := key.Recipient().String()
	rs, err := seal.ParseRecipients([]byte("ayu officer " + public + " " + seal.Fingerprint(public) + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return rs, key
}

// Write makes the log of a world.
func (w *world) Write(line []byte) (int, error) {
	w.logMu.Lock()
	defer w.logMu.Unlock()
	return w.log.Write(line)
}

func (w *world) logged() string {
	w.logMu.Lock()
	defer w.logMu.Unlock()
	return w.log.String()
}

func (w *world) config(store storage.Store) Config {
	return Config{
		Flow:     w.flow,
		Cost:     w.cost,
		Store:    store,
		Vault:    w.vault,
		Officers: func() seal.Recipients { return w.officers },
		Log:      slog.New(slog.NewTextHandler(w, nil)),
		Limits:   w.limits,
	}
}

// engine returns a new engine on the world's store, as after a restart.
func (w *world) engine() *Engine { return w.engineOn(w.store) }

func (w *world) engineOn(store storage.Store) *Engine {
	w.t.Helper()
	e, err := New(w.t.Context(), w.config(store))
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// run starts the engine's loops; stop ends them and waits.
func (w *world) run(e *Engine) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- e.Run(ctx, map[flows.Side]Deliverer{flows.Caller: w.chat, flows.Officers: w.channel})
	}()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("Run: %v", err)
		}
	}
	w.t.Cleanup(stop)
	return stop
}

// said is a message of the nth person.
func said(person, n int, text string) Inbound {
	return Inbound{
		Name:   fmt.Sprintf("tg:%d", 555000+person),
		ID:     fmt.Sprintf("tg:%d.%d", person, n),
		Caller: fmt.Sprintf("chat-%d", 555000+person),
		Event:  flows.Said{Message: flows.MessageID(fmt.Sprint("m", n)), Text: text},
	}
}

func replied(thread flows.PostID, n int, text string) Inbound {
	post := flows.PostID(fmt.Sprintf("post-%s-%d", thread, n))
	return Inbound{
		Name:  "mm:" + string(thread),
		ID:    "mm:" + string(post),
		Event: flows.Replied{Post: post, Officer: flows.Officer{ID: "u1", Name: "ayu-lestari"}, Text: text},
	}
}

func (w *world) handle(e *Engine, in Inbound) {
	w.t.Helper()
	if err := e.Handle(w.t.Context(), in); err != nil {
		w.t.Fatalf("Handle(%T): %v", in.Event, err)
	}
}

// transcripts opens all transcripts with the officers' key and returns each
// one's lines, "from kind text", by the transcript's name.
func (w *world) transcripts() map[string][]string {
	w.t.Helper()
	names, err := w.store.Transcripts(w.t.Context(), "", 1000)
	if err != nil {
		w.t.Fatal(err)
	}
	all := map[string][]string{}
	for _, name := range names {
		if name == auditRecord {
			continue
		}
		kept, err := w.store.Transcript(w.t.Context(), name)
		if err != nil {
			w.t.Fatal(err)
		}
		id, err := caseid.Parse(name)
		if err != nil {
			w.t.Fatal(err)
		}
		tr, err := seal.ReadTranscript(id, kept.Header, kept.Entries, w.key)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(tr.Faults) > 0 || tr.Proven != tr.Count {
			w.t.Fatalf("transcript: %d of %d records proven, faults %v", tr.Proven, tr.Count, tr.Faults)
		}
		lines := []string{}
		for _, e := range tr.Entries {
			lines = append(lines, strings.TrimSpace(e.From+" "+e.Kind+" "+e.Text))
		}
		all[name] = lines
	}
	return all
}

// An edge is a deliverer that remembers what it was given. An effect with an
// ID that it has seen makes nothing new, as in the officers' channel.
type edge struct {
	mu   sync.Mutex
	got  []Delivery
	made map[string]string
	// answer, if not nil, is asked before; its error is the delivery's.
	answer func(context.Context, Delivery) error
}

func (d *edge) Deliver(ctx context.Context, del Delivery) (flows.Delivered, error) {
	d.mu.Lock()
	answer := d.answer
	d.mu.Unlock()
	if answer != nil {
		if err := answer(ctx, del); err != nil {
			return flows.Delivered{}, err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.got = append(d.got, del)
	if d.made == nil {
		d.made = map[string]string{}
	}
	id, again := d.made[del.ID]
	if !again {
		id = fmt.Sprint(len(d.made) + 1)
		d.made[del.ID] = id
	}
	return flows.Delivered{Message: flows.MessageID("m" + id), Post: flows.PostID("p" + id)}, nil
}

func (d *edge) setAnswer(f func(context.Context, Delivery) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = f
}

// deliveries returns what was given so far.
func (d *edge) deliveries() []Delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]Delivery(nil), d.got...)
}

// effects names what was given so far.
func (d *edge) effects() []string {
	out := []string{}
	for _, del := range d.deliveries() {
		out = append(out, describe(del.Effect))
	}
	return out
}

func describe(ef flows.Effect) string {
	switch ef := ef.(type) {
	case flows.Relay:
		return strings.TrimSpace("relay " + ef.Label + ef.Text)
	case flows.Say:
		return "say " + ef.Text
	default:
		return flows.EffectKind(ef)
	}
}

// faults decides what becomes of the commits to a store: the next ones are
// refused, or kept and reported as failed.
type faults struct {
	mu            sync.Mutex
	refused, lost int
}

func (f *faults) set(refused, lost int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refused, f.lost = refused, lost
}

func (f *faults) decide(c storagetest.Call) storagetest.Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case c.Method != "Commit":
	case f.refused > 0:
		f.refused--
		return storagetest.Refused
	case f.lost > 0:
		f.lost--
		return storagetest.Lost
	}
	return storagetest.None
}

// mustBeEmpty checks that no effect waits.
func (w *world) mustBeEmpty(e *Engine) {
	w.t.Helper()
	s, err := e.Status(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if n := s.Waiting[flows.Caller] + s.Waiting[flows.Officers] + s.Waiting[flows.Keeper]; n != 0 {
		w.t.Errorf("%d effects wait, want none", n)
	}
}

// mustBeSilent checks that the log holds nothing of anybody.
func (w *world) mustBeSilent() {
	w.t.Helper()
	for _, word := range []string{canary, "5550", "tg:", "mm:", "p1", "ayu"} {
		if strings.Contains(w.logged(), word) {
			w.t.Errorf("the log holds %q:\n%s", word, w.logged())
		}
	}
}
