package handoff

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/mattermosttest/standin"
	"suar/internal/seal"
	"suar/internal/secret"
	"suar/storage"
	"suar/storage/storagetest"
)

// nightly has siti on duty by night and budi behind; on Saturday nobody is.
const nightly = `
version: 1
zone: Asia/Vientiane
officers: [{name: siti}, {name: budi}, {name: rina, role: lead}]
shifts:
  - {days: [mon, tue, wed, thu], from: 22:00, to: 06:00, first: siti, second: budi}
  - {days: [sun], from: 05:00, to: 22:00, first: budi}
`

// promised is how late a call may be (G5).
const promised = 5 * time.Second

// A hotline is one of a night that is simulated: the book, the engine and the desk
// are those of the program; Mattermost is the stand-in, without a network.
type hotline struct {
	t        *testing.T
	store    storage.Store
	vault    *seal.Vault
	officers seal.Recipients
	small    *standin.Server
	token    string
	channel  string
	book     *flows.Book
	bubble   phone
	engine   *engine.Engine
	stop     func()

	mu    sync.Mutex
	calls []string // "02:10:00 @rina", "02:10:00 direct rina"
	names map[string]string
	root  string
	posts int
}

// newHotline returns one that runs since the given time in Vientiane.
func newHotline(t *testing.T, since time.Time) *hotline {
	t.Helper()
	time.Sleep(time.Until(since))
	small, err := standin.New()
	if err != nil {
		t.Fatal(err)
	}
	h := &hotline{t: t, store: storagetest.NewMemory(), small: small, names: map[string]string{}, stop: func() {}}
	team := small.AddTeam("embassy", "Embassy")
	h.channel = small.AddChannel(team, "hotline", "Hotline")
	bot, token := small.AddPerson(standin.Person{Username: "suar", Bot: true})
	h.token = token
	small.Join(h.channel, bot)
	for _, name := range []string{"siti", "budi", "rina"} {
		id, _ := small.AddPerson(standin.Person{Username: name})
		small.Join(h.channel, id)
		h.names[id] = name
	}
	key, err := seal.ParseVaultKey([]byte(strings.Repeat("0a", seal.VaultKeySize-1) + "a7"))
	if err != nil {
		t.Fatal(err)
	}
	h.vault = seal.NewVault(key)
	identity, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	public := identity.Recipient().String()
	if h.officers, err = seal.ParseRecipients([]byte("siti officer " + public + " " + seal.Fingerprint(public) + "\n")); err != nil {
		t.Fatal(err)
	}
	if h.book, err = flows.Load(flows.Shipped(), flows.Directory{}); err != nil {
		t.Fatal(err)
	}
	h.restart()
	t.Cleanup(func() { h.stop() })
	return h
}

// restart ends the process, if one runs, and begins another.
func (h *hotline) restart() {
	h.t.Helper()
	h.stop()
	e, err := engine.New(h.t.Context(), engine.Config{
		Flow: h.book, Store: h.store, Vault: h.vault, Log: slog.New(slog.DiscardHandler),
		Officers: func() seal.Recipients { return h.officers },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	desk, err := New(Config{
		URL: "http://mattermost.test", Token: secret.New(h.token), Channel: h.channel, CallbackURL: "http://suar.test",
		Key: bytes.Repeat([]byte{7}, 32), Roster: newRoster(h.t, nightly), Handler: e,
		Log: slog.New(slog.DiscardHandler), Transport: h,
	})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- e.Run(ctx, map[flows.Side]engine.Deliverer{flows.Caller: &h.bubble, flows.Officers: desk})
	}()
	h.engine = e
	h.stop = func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Errorf("run: %v", err)
		}
		h.stop = func() {}
	}
}

// RoundTrip is the way to Mattermost. It notes who is called when.
func (h *hotline) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	w := httptest.NewRecorder()
	h.small.ServeHTTP(w, r)
	if r.Method == http.MethodPost && r.URL.Path == "/api/v4/posts" && w.Code == http.StatusCreated {
		h.note(w.Body.Bytes())
	}
	return w.Result(), nil
}

func (h *hotline) note(answer []byte) {
	var post model.Post
	if err := json.Unmarshal(answer, &post); err != nil {
		h.t.Errorf("what was posted: %v", err)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var called []string
	for word := range strings.FieldsSeq(post.Message) {
		if strings.HasPrefix(word, "@") {
			called = append(called, word)
		}
	}
	if post.ChannelId == h.channel && post.RootId == "" {
		h.root = post.Id
	}
	if len(called) > 0 {
		h.calls = append(h.calls, time.Now().In(vientiane()).Format("15:04:05 ")+strings.Join(called, " "))
	}
	if post.ChannelId != h.channel {
		h.posts++
	}
}

func vientiane() *time.Location { return time.FixedZone("", 7*60*60) }

// handle hands an event over, as an edge does.
func (h *hotline) handle(in engine.Inbound) {
	h.t.Helper()
	if err := h.engine.Handle(h.t.Context(), in); err != nil {
		h.t.Fatalf("%T: %v", in.Event, err)
	}
	synctest.Wait()
}

// danger is somebody who writes and says that it is dangerous.
func (h *hotline) danger() {
	h.t.Helper()
	h.person(flows.Said{Message: "1", Text: "tolong"}, "said")
	h.person(flows.Chose{Data: h.bubble.button(h.t, "Danger now")}, "danger")
}

func (h *hotline) person(ev flows.Event, id string) {
	h.t.Helper()
	h.handle(engine.Inbound{Name: "tg:1", ID: "tg:" + id, Caller: "1", Event: ev})
}

// claims is an officer's press of the card's button.
func (h *hotline) claims(name string) {
	h.t.Helper()
	h.mu.Lock()
	root := h.root
	h.mu.Unlock()
	h.handle(engine.Inbound{Name: "mm:" + root, ID: "mm:" + name, Event: flows.Claimed{Officer: flows.Officer{ID: name, Name: name}}})
}

// until waits for a time of the night.
func (h *hotline) until(at time.Time) {
	time.Sleep(time.Until(at))
	synctest.Wait()
}

// mustHaveCalled compares the calls with those that are due: who, and when to
// within what is promised.
func (h *hotline) mustHaveCalled(want ...string) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	var got []string
	for i, c := range h.calls {
		at, who, _ := strings.Cut(c, " ")
		if i < len(want) {
			due, _, _ := strings.Cut(want[i], " ")
			if late := clockOf(h.t, at).Sub(clockOf(h.t, due)); late >= 0 && late <= promised {
				at = due
			}
		}
		got = append(got, at+" "+who)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		h.t.Errorf("calls (-want +got):\n%s\nto the second: %q", diff, h.calls)
	}
}

func clockOf(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.TimeOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// A phone is the person's side: it shows the bubble.
type phone struct {
	mu   sync.Mutex
	view flows.View
}

func (p *phone) Deliver(_ context.Context, dl engine.Delivery) (flows.Delivered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := dl.Effect.(flows.Show); ok {
		p.view = dl.View
	}
	return flows.Delivered{Message: "bubble"}, nil
}

func (p *phone) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.view.Text
}

func (p *phone) button(t *testing.T, label string) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, row := range p.view.Rows {
		for _, b := range row {
			if strings.Contains(b.Label, label) {
				return b.Data
			}
		}
	}
	t.Fatalf("the bubble has no button %q: %v", label, p.view.Rows)
	return ""
}

func at(day int, clock string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04:05", "2026-11-01 "+clock, vientiane())
	if err != nil {
		panic(err)
	}
	return t.AddDate(0, 0, day-1)
}

// Danger at two at night, and nobody answers: who is on duty is called, and again,
// then who is behind, the lead, and everybody, each when it is due.
func TestNightThatNobodyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHotline(t, at(24, "02:00:00"))
		h.danger()
		h.until(at(24, "02:31:00"))
		h.mustHaveCalled(
			"02:00:00 @siti", "02:01:00 @siti", "02:02:00 @budi", "02:10:00 @rina",
			"02:20:00 @budi @rina @siti", "02:30:00 @budi @rina @siti",
		)
		if h.posts != 4+2*3 {
			t.Errorf("%d direct messages, want one for each who was called", h.posts)
		}
	})
}

// Who is behind acknowledges: nobody is called any more.
func TestNightThatTheSecondAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHotline(t, at(24, "02:00:00"))
		h.danger()
		h.until(at(24, "02:05:00"))
		h.claims("budi")
		h.until(at(24, "05:00:00"))
		h.mustHaveCalled("02:00:00 @siti", "02:01:00 @siti", "02:02:00 @budi")
	})
}

// Processes come and go, one of them over the very instant of a call: it is called as
// if there were one.
func TestNightOfRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHotline(t, at(24, "02:00:00"))
		h.danger()
		for _, between := range []struct{ stops, begins string }{
			{"02:00:30", "02:00:31"},
			{"02:01:30", "02:01:50"},
			{"02:01:59", "02:02:02"},
			{"02:05:00", "02:09:00"},
			{"02:09:59", "02:10:03"},
			{"02:10:04", "02:10:05"},
		} {
			h.until(at(24, between.stops))
			h.stop()
			h.until(at(24, between.begins))
			h.restart()
		}
		h.until(at(24, "02:20:30"))
		h.mustHaveCalled("02:00:00 @siti", "02:01:00 @siti", "02:02:00 @budi", "02:10:00 @rina", "02:20:00 @budi @rina @siti")
	})
}

// Nobody is on duty: the lead is called at once, the person is told so and when the
// next duty begins, and who comes on duty is called when it begins.
func TestNightWithNobodyOnDuty(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHotline(t, at(29, "04:58:30")) // a Sunday
		h.danger()
		if text := h.bubble.text(); !strings.Contains(text, "No officer is on duty now. The next duty is planned for 2026-11-29 05:00 UTC+7.") {
			t.Errorf("the person reads %q", text)
		}
		h.until(at(29, "05:00:10"))
		if text := h.bubble.text(); strings.Contains(text, "is on duty") || !strings.Contains(text, "A person has been alerted.") {
			t.Errorf("when somebody is, the person reads %q", text)
		}
		h.until(at(29, "05:01:00"))
		h.mustHaveCalled("04:58:30 @rina", "04:59:30 @rina", "05:00:00 @budi", "05:00:30 @rina")
	})
}
