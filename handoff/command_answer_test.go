package handoff

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/mattermosttest"
	"suar/internal/secret"
)

// withCommand is withBoard and a token for the slash command; it does not matter which
// before the command is registered.
func withCommand(t *testing.T) func(*Config) {
	board := withBoard(t)
	return func(c *Config) {
		board(c)
		c.SlashToken = secret.New("not registered yet")
		c.Pace = 1000
	}
}

// slash registers the command and has the desk know its token.
func (r *rig) slash() {
	r.SlashToken = secret.New(r.w.Command("suar", r.CallbackURL+commandPath))
}

// says gives a slash command and returns the answer.
func (r *rig) says(as mattermosttest.Account, words string) string {
	r.t.Helper()
	said, status := r.w.Slash(as, "", "/suar "+words)
	if status != http.StatusOK {
		r.t.Fatalf("%q: status %d", words, status)
	}
	if said.ResponseType != model.CommandResponseTypeEphemeral {
		r.t.Errorf("%q is answered to everybody", words)
	}
	return said.Text
}

// put puts a card of a case into the channel.
func (r *rig) put(n int, c flows.Card) flows.PostID {
	r.t.Helper()
	done := r.deliver(engine.Delivery{ID: id(n), Effect: flows.Open{}, Card: c})
	r.ledger.know(done.Post)
	return done.Post
}

// owned is a card of a case that an officer has.
func owned(code string, by mattermosttest.Account, offered flows.Officer) flows.Card {
	c := card(code)
	at := time.Now().Add(-time.Hour)
	c.Index = flows.Index{Code: code, Phase: flows.Owned, Owner: officer(by), Offered: offered, Opened: at, Claimed: at}
	return c
}

func TestCommands(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w, withCommand(t))
		siti, budi := w.Officers[0], w.Officers[1]
		r.put(1, indexed("AAAA-1111", flows.Alerting, time.Now(), flows.UrgencyMinor))
		mine := r.put(2, owned("BBBB-2222", siti, flows.Officer{}))
		other := r.put(3, owned("CCCC-3333", budi, officer(siti)))
		r.put(4, indexed("DDDD-4444", flows.Ended, time.Time{}))
		r.run()
		r.slash()
		r.until("the index is read", func() bool { _, whole := r.index.open(); return whole })

		help := r.say("desk.cmd.help")
		for _, c := range []struct {
			words    string
			has, not []string
		}{
			{"", []string{help}, nil},
			{"help", []string{help}, nil},
			{"bantuan", []string{help}, nil},
			{"what @all **is** this", []string{r.say("desk.cmd.unknown"), help}, []string{"@all", "**is**"}},
			{strings.Repeat("x", 16_000), []string{help}, []string{"xxx"}},
			{"mine", []string{"BBBB-2222", "CCCC-3333", r.say("desk.cmd.mine", "count", "1"), r.say("desk.cmd.offered", "count", "1")}, []string{"AAAA"}},
			{"SAYA", []string{"BBBB-2222"}, []string{"AAAA"}},
			{"waiting", []string{"AAAA-1111", r.say("desk.flag.minor"), "BBBB-2222", "CCCC-3333"}, []string{"DDDD"}},
			{"antrean", []string{"AAAA-1111"}, nil},
			{"duty", []string{r.say("desk.duty.always", "officers", "siti")}, nil},
			{"piket", []string{r.say("desk.duty.always", "officers", "siti")}, nil},
			{"find bbbb 2222", []string{"[BBBB-2222](" + w.URL + "/_redirect/pl/" + string(mine) + ")", "siti"}, []string{"AAAA"}},
			{"cari DDDD-4444", []string{"DDDD-4444", r.say("desk.cmd.closed")}, nil},
			{"find ZZZZ-9999", []string{r.say("desk.cmd.find.none")}, []string{"ZZZZ"}},
			{"find [x](http://evil.example) @here", []string{r.say("desk.cmd.find.how")}, []string{"evil", "here"}},
			{"find", []string{r.say("desk.cmd.find.how")}, nil},
			{"status", []string{r.say("desk.cmd.status.cases", "waiting", "1", "open", "2"), r.say("desk.cmd.status.hears"), r.say("desk.cmd.status.rosterless")}, nil},
			{"handover", []string{r.say("desk.cmd.handover.how")}, nil},
			{"handover @siti", []string{r.say("desk.cmd.handover.self")}, nil},
			{"handover @outsider", []string{r.say("desk.cmd.handover.nobody")}, []string{"outsider"}},
			{"handover @suar", []string{r.say("desk.cmd.handover.nobody")}, nil},
			{"handover @nobody.at.all", []string{r.say("desk.cmd.handover.nobody")}, nil},
			{"handover ](x)", []string{r.say("desk.cmd.handover.how")}, []string{"](x)"}},
		} {
			answer := r.says(siti, c.words)
			for _, part := range c.has {
				if !strings.Contains(answer, part) {
					t.Errorf("%.40q is answered without %q:\n%s", c.words, part, answer)
				}
			}
			for _, part := range c.not {
				if strings.Contains(answer, part) {
					t.Errorf("%.40q is answered with %q:\n%s", c.words, part, answer)
				}
			}
			if strings.Contains(strings.ReplaceAll(answer, "@"+string(joiner), ""), "@") {
				t.Errorf("%.40q is answered with a mention:\n%s", c.words, answer)
			}
		}

		// What a command does to cases.
		if answer := r.says(siti, "serahkan @budi"); !strings.Contains(answer, r.say("desk.cmd.handover.done", "to", "budi", "count", "1")) || !strings.Contains(answer, "BBBB-2222") {
			t.Errorf("the hand-over is answered with:\n%s", answer)
		}
		if diff := cmp.Diff([]flows.Event{flows.HandedOver{By: officer(siti), To: officer(budi)}}, r.ledger.of(mine)); diff != "" {
			t.Errorf("events of siti's case (-want +got):\n%s", diff)
		}
		r.says(siti, "accept")
		r.says(siti, "tolak")
		if diff := cmp.Diff([]flows.Event{flows.TakenUp{Officer: officer(siti), Accept: true}, flows.TakenUp{Officer: officer(siti)}}, r.ledger.of(other)); diff != "" {
			t.Errorf("events of what is offered (-want +got):\n%s", diff)
		}

		// In a thread: answered there, once, and nothing of it for the person.
		asked := w.Post(budi, string(mine), "!suar cari AAAA-1111")
		r.until("the thread is answered", func() bool {
			thread := w.Thread(string(mine))
			return len(thread) == 3 && thread[2].UserId == w.Bot.ID && strings.Contains(thread[2].Message, "AAAA-1111")
		})
		w.Edit(budi, asked.Id, "!suar cari BBBB-2222") // Changes nothing, and is told to nobody.
		w.Post(budi, string(mine), "Halo")
		r.ledger.wait(t, mine, 2)
		if n := len(r.ledger.of(mine)); n != 2 {
			t.Errorf("the case got %d events, want the hand-over and a reply", n)
		}

		// To the bot alone: the word is enough. An outsider hears nothing.
		w.WriteTo(w.Outsider, w.Bot, "waiting")
		w.WriteTo(budi, w.Bot, "mine")
		r.until("the officer is answered directly", func() bool {
			said := w.Direct(w.Bot, budi)
			return len(said) == 2 && strings.Contains(said[1].Message, "CCCC-3333")
		})
		if said := w.Direct(w.Bot, w.Outsider); len(said) != 1 {
			t.Errorf("an outsider was answered: %q", w.Texts(said))
		}
		for _, canary := range []string{"evil", "AAAA-1111", siti.Username, siti.ID} {
			if strings.Contains(r.log.String(), canary) {
				t.Errorf("%q is in the log", canary)
			}
		}
	})
}

// TestForgedCommands: what is not Mattermost's word of an officer gets the one answer.
func TestForgedCommands(t *testing.T) {
	w := mattermosttest.StandIn(t)
	r := newRig(t, w, withCommand(t))
	r.put(1, owned("BBBB-2222", w.Officers[0], flows.Officer{}))
	r.run()
	// The genuine request, caught on its way.
	var genuine struct {
		header http.Header
		body   []byte
	}
	relay := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
		genuine.header = q.Header.Clone()
		genuine.body, _ = io.ReadAll(q.Body)
		q.Body = io.NopCloser(bytes.NewReader(genuine.body))
		q.URL.Path = commandPath
		r.ServeHTTP(rw, q)
	}))
	t.Cleanup(relay.Close)
	token := w.Command("suar", relay.URL)
	r.SlashToken = secret.New(token)
	if answer := r.says(w.Officers[0], "mine"); !strings.Contains(answer, "BBBB-2222") {
		t.Fatalf("the genuine one is answered with %q", answer)
	}
	send := func(header http.Header, body string) (int, string) {
		q := httptest.NewRequest(http.MethodPost, "https://suar.example"+commandPath, strings.NewReader(body))
		q.Header = header
		rec := httptest.NewRecorder()
		r.ServeHTTP(rec, q)
		var said model.CommandResponse
		if rec.Code == http.StatusOK {
			if err := json.Unmarshal(rec.Body.Bytes(), &said); err != nil {
				t.Fatal(err)
			}
		}
		return rec.Code, said.Text
	}
	with := func(change func(url.Values)) string {
		form, err := url.ParseQuery(string(genuine.body))
		if err != nil {
			t.Fatal(err)
		}
		change(form)
		return form.Encode()
	}
	authorized := func(value string) http.Header {
		h := genuine.header.Clone()
		h.Set("Authorization", value)
		return h
	}
	for what, c := range map[string]struct {
		header http.Header
		body   string
	}{
		"again":               {genuine.header, string(genuine.body)},
		"another token":       {authorized("Token " + strings.Repeat("a", len(token))), string(genuine.body)},
		"no token":            {authorized(""), string(genuine.body)},
		"an empty token":      {authorized("Token "), string(genuine.body)},
		"a bearer's":          {authorized("Bearer " + token), string(genuine.body)},
		"the token's start":   {authorized("Token " + token[:10]), string(genuine.body)},
		"somebody else":       {genuine.header, with(func(f url.Values) { f.Set("user_id", w.Officers[1].ID) })},
		"no trigger":          {genuine.header, with(func(f url.Values) { f.Del("trigger_id") })},
		"a trigger of nobody": {genuine.header, with(func(f url.Values) { f.Set("trigger_id", "bm9ib2R5") })},
		"no form":             {http.Header{"Authorization": genuine.header["Authorization"]}, "{}"},
		"half a form":         {genuine.header, "user_id=%zz"},
		"a long form":         {genuine.header, strings.Repeat("x", maxPress+1)},
	} {
		if status, answer := send(c.header, c.body); status != http.StatusOK || answer != r.Words.Refused {
			t.Errorf("%s: %d %q", what, status, answer)
		}
	}
	// An officer who was removed, and one who is deactivated.
	w.RemoveMember(w.Officers[1])
	forged := func(a mattermosttest.Account) string {
		said, _ := w.Slash(a, "", "/suar mine")
		if said == nil {
			return ""
		}
		return said.Text
	}
	if answer := forged(w.Officers[1]); strings.Contains(answer, "BBBB") {
		t.Errorf("a removed officer is answered: %q", answer)
	}
	if answer := forged(w.Outsider); strings.Contains(answer, "BBBB") {
		t.Errorf("an outsider is answered: %q", answer)
	}
	for _, method := range []string{http.MethodGet, http.MethodPut} {
		rec := httptest.NewRecorder()
		r.ServeHTTP(rec, httptest.NewRequest(method, "https://suar.example"+commandPath, nil))
		if rec.Code == http.StatusOK {
			t.Errorf("%s is answered", method)
		}
	}
	// Without a token there is no command.
	r.SlashToken = secret.Secret{}
	if status, _ := send(authorized("Token "), string(genuine.body)); status != http.StatusNotFound {
		t.Errorf("without a token: %d, want 404", status)
	}
}

// TestWhoLeavesIsReported: a case whose owner is taken out of the channel, or
// deactivated, is told at once; others are not.
func TestWhoLeavesIsReported(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w, withBoard(t))
		siti, budi, rina := w.Officers[0], w.Officers[1], w.Officers[2]
		gone := r.put(1, owned("AAAA-1111", budi, flows.Officer{}))
		stays := r.put(2, owned("BBBB-2222", siti, officer(rina)))
		rests := indexed("CCCC-3333", flows.Alerting, time.Now())
		rests.Index.Also = []flows.Officer{officer(siti), officer(rina)}
		waits := r.put(3, rests)
		r.run()
		r.until("the index is read", func() bool { _, whole := r.index.open(); return whole })
		w.RemoveMember(budi)
		if diff := cmp.Diff([]flows.Event{flows.Departed{Officer: officer(budi)}}, r.ledger.wait(t, gone, 1)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if got := r.ledger.of(stays); len(got) != 0 {
			t.Errorf("the other case got %v", got)
		}
		w.RemoveMember(rina)
		if diff := cmp.Diff([]flows.Event{flows.Departed{Officer: officer(rina)}}, r.ledger.wait(t, stays, 1)); diff != "" {
			t.Errorf("events of what was offered (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]flows.Event{flows.Departed{Officer: officer(rina)}}, r.ledger.wait(t, waits, 1)); diff != "" {
			t.Errorf("events of what rests on their word (-want +got):\n%s", diff)
		}
	})
}
