package handoff

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/mattermosttest"
)

func officer(a mattermosttest.Account) flows.Officer {
	return flows.Officer{ID: a.ID, Name: a.Username, Role: flows.RoleLead}
}

func TestClaimAndClose(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		siti, budi := w.Officers[0], w.Officers[1]
		screen := w.Watch(budi)
		if status := w.Press(siti, string(root), "Claim"); status != http.StatusOK {
			t.Fatalf("Claim: status %d", status)
		}
		if status := w.Press(budi, string(root), "Close"); status != http.StatusOK {
			t.Fatalf("Close: status %d", status)
		}
		d := screen.Dialog()
		if d.Dialog.IntroductionText != "Close the case?" || d.Dialog.Title != "Close" || d.Dialog.SubmitLabel != "Close" {
			t.Errorf("dialog %+v", d.Dialog)
		}
		want := []flows.Event{flows.Claimed{Officer: officer(siti)}}
		if diff := cmp.Diff(want, r.ledger.of(root)); diff != "" {
			t.Errorf("before the answer (-want +got):\n%s", diff)
		}
		for range 2 { // the second is a repetition
			if answer, status := w.SubmitDialog(budi, d, map[string]any{}); status != http.StatusOK || answer.Error != "" {
				t.Fatalf("answer %+v, status %d", answer, status)
			}
		}
		want = append(want, flows.Closed{Officer: officer(budi)})
		if diff := cmp.Diff(want, r.ledger.of(root)); diff != "" {
			t.Errorf("after the answer (-want +got):\n%s", diff)
		}
	})
}

func TestPressOfAnUnknownCardAndOfABrokenEngine(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w, func(c *Config) { c.Words = Words{Unknown: "kasus tidak ada", Again: "coba lagi"} })
		done := r.deliver(engine.Delivery{ID: id(1), Effect: flows.Open{}, Card: card("K0001")})
		screen := w.Watch(w.Officers[0])
		w.Press(w.Officers[0], string(done.Post), "Claim")
		if got := screen.Ephemeral(); got != "kasus tidak ada" {
			t.Errorf("the officer reads %q", got)
		}
		r.ledger.know(done.Post)
		r.ledger.setFail(errors.New("the disk is full"))
		w.Press(w.Officers[0], string(done.Post), "Claim")
		if got := screen.Ephemeral(); got != "coba lagi" {
			t.Errorf("the officer reads %q", got)
		}
	})
}

// TestWhoMayPress: who was an officer a moment ago is none now.
func TestWhoMayPress(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		siti, budi, rina := w.Officers[0], w.Officers[1], w.Officers[2]

		w.Press(w.Outsider, string(root), "Claim") // the server refuses it itself
		w.Press(w.Admin, string(root), "Claim")    // the server lets it through
		w.RemoveMember(siti)
		w.Press(siti, string(root), "Claim")
		w.Deactivate(budi)
		w.Press(budi, string(root), "Claim")
		// A dialog that was open when its officer left.
		screen := w.Watch(rina)
		w.Press(rina, string(root), "Close")
		d := screen.Dialog()
		w.RemoveMember(rina)
		if answer, _ := w.SubmitDialog(rina, d, map[string]any{}); answer != nil && answer.Error != r.Words.Refused {
			t.Errorf("the removed officer's dialog is answered %+v", answer)
		}
		if got := r.ledger.of(root); len(got) != 0 {
			t.Errorf("events of those who may not press: %v", got)
		}
		w.AddMember(siti)
		w.Press(siti, string(root), "Claim")
		if diff := cmp.Diff([]flows.Event{flows.Claimed{Officer: officer(siti)}}, r.ledger.of(root)); diff != "" {
			t.Errorf("after siti came back (-want +got):\n%s", diff)
		}
	})
}

// tap stands before the endpoint and keeps what Mattermost sent.
type tap struct {
	mu     sync.Mutex
	bodies [][]byte
}

func (p *tap) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		p.bodies = append(p.bodies, body)
		p.mu.Unlock()
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

func (p *tap) last() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bodies[len(p.bodies)-1]
}

// TestForgeries sends to the endpoint what somebody could who reaches it, made
// from a genuine press and a genuine dialog.
func TestForgeries(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		var tap tap
		r.wrap(tap.wrap)
		root, second := r.open(1), r.open(2)
		siti := w.Officers[0]
		screen := w.Watch(siti)
		w.Press(siti, string(root), "Claim")
		var press model.PostActionIntegrationRequest
		if err := json.Unmarshal(tap.last(), &press); err != nil {
			t.Fatal(err)
		}
		w.Press(siti, string(root), "Close")
		d := screen.Dialog()
		answer := model.SubmitDialogRequest{
			CallbackId: d.Dialog.CallbackId, State: d.Dialog.State, UserId: siti.ID, ChannelId: w.ChannelID, Submission: map[string]any{},
		}
		before := len(r.ledger.of(root))

		with := func(change func(*model.PostActionIntegrationRequest)) []byte {
			p := press
			p.Context = maps.Clone(press.Context)
			change(&p)
			return encode(t, p)
		}
		answerWith := func(change func(*model.SubmitDialogRequest)) []byte {
			a := answer
			change(&a)
			return encode(t, a)
		}
		foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		_, selfSigned, appErr := model.GenerateTriggerId(siti.ID, foreign)
		if appErr != nil {
			t.Fatal(appErr)
		}
		raw, err := base64.StdEncoding.DecodeString(press.TriggerId)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(string(raw), ":")
		trigger := func(i int, to string) string {
			p := append([]string{}, parts...)
			p[i] = to
			return base64.StdEncoding.EncodeToString([]byte(strings.Join(p, ":")))
		}
		state := strings.Split(answer.State, ".")
		restate := func(change func(*question)) string {
			body, err := base64.RawURLEncoding.DecodeString(state[0])
			if err != nil {
				t.Fatal(err)
			}
			q := questionOf(t, body)
			change(&q)
			return base64.RawURLEncoding.EncodeToString(encode(t, q)) + "." + state[1]
		}

		for _, tt := range []struct {
			name, path string
			body       []byte
			status     int
		}{
			{"nothing", actionPath, nil, 200},
			{"no JSON", actionPath, []byte("a=b&token=c"), 200},
			{"deep JSON", actionPath, []byte(strings.Repeat("[", 10_000)), 200},
			{"enormous", actionPath, append(bytes.Repeat([]byte(" "), 1<<20), encode(t, press)...), 200},
			{"an empty press", actionPath, []byte("{}"), 200},
			{"no context", actionPath, with(func(p *model.PostActionIntegrationRequest) { p.Context = nil }), 200},
			{"another action", actionPath, with(func(p *model.PostActionIntegrationRequest) { p.Context["action"] = "close" }), 200},
			{"another conversation", actionPath, with(func(p *model.PostActionIntegrationRequest) { p.Context["conversation"] = "other" }), 200},
			{"without the question", actionPath, with(func(p *model.PostActionIntegrationRequest) { p.Context["confirm"] = "x" }), 200},
			{"MAC of nothing", actionPath, with(func(p *model.PostActionIntegrationRequest) { p.Context["mac"] = "" }), 200},
			{"MAC as a number", actionPath, with(func(p *model.PostActionIntegrationRequest) { p.Context["mac"] = 7 }), 200},
			{"another user", actionPath, with(func(p *model.PostActionIntegrationRequest) { p.UserId = w.Officers[1].ID }), 200},
			{"another user in the trigger", actionPath, with(func(p *model.PostActionIntegrationRequest) {
				p.UserId, p.TriggerId = w.Officers[1].ID, trigger(1, w.Officers[1].ID)
			}), 200},
			{"another time in the trigger", actionPath, with(func(p *model.PostActionIntegrationRequest) {
				p.TriggerId = trigger(2, fmt.Sprint(time.Now().UnixMilli()+1))
			}), 200},
			{"another id in the trigger", actionPath, with(func(p *model.PostActionIntegrationRequest) { p.TriggerId = trigger(0, model.NewId()) }), 200},
			{"a trigger signed by another", actionPath, with(func(p *model.PostActionIntegrationRequest) { p.TriggerId = selfSigned }), 200},
			{"no trigger", actionPath, with(func(p *model.PostActionIntegrationRequest) { p.TriggerId = "" }), 200},
			{"another channel", actionPath, with(func(p *model.PostActionIntegrationRequest) { p.ChannelId = model.NewId() }), 200},
			{"the press again", actionPath, encode(t, press), 200},
			{"the press at the dialog", dialogPath, encode(t, press), 200},
			{"an empty answer", dialogPath, []byte("{}"), 200},
			{"another user answers", dialogPath, answerWith(func(a *model.SubmitDialogRequest) { a.UserId = w.Officers[1].ID }), 200},
			{"an answer from another channel", dialogPath, answerWith(func(a *model.SubmitDialogRequest) { a.ChannelId = model.NewId() }), 200},
			{"another callback", dialogPath, answerWith(func(a *model.SubmitDialogRequest) { a.CallbackId = "claim" }), 200},
			{"another state", dialogPath, answerWith(func(a *model.SubmitDialogRequest) { a.State = "e30." + state[1] }), 200},
			{"a state for another post", dialogPath, answerWith(func(a *model.SubmitDialogRequest) {
				a.State = restate(func(q *question) { q.Post = string(second) })
			}), 200},
			{"a state for another user", dialogPath, answerWith(func(a *model.SubmitDialogRequest) {
				a.UserId, a.State = w.Officers[1].ID, restate(func(q *question) { q.User = w.Officers[1].ID })
			}), 200},
			{"a cancelled dialog", dialogPath, answerWith(func(a *model.SubmitDialogRequest) { a.Cancelled = true }), 200},
			{"a slash command", "/mattermost/slash", []byte("command=%2Fsuar&user_id=" + siti.ID), 404},
			{"a slash command at the action", actionPath, []byte("command=%2Fsuar&user_id=" + siti.ID), 200},
		} {
			t.Run(tt.name, func(t *testing.T) {
				status, text := r.send(http.MethodPost, tt.path, tt.body)
				if status != tt.status {
					t.Errorf("status %d, want %d", status, tt.status)
				}
				var reply struct {
					Ephemeral string `json:"ephemeral_text"`
					Error     string `json:"error"`
				}
				quiet := tt.status != 200 || tt.name == "a cancelled dialog"
				if err := json.Unmarshal([]byte(text), &reply); !quiet && (err != nil || reply.Ephemeral+reply.Error != r.Words.Refused) {
					t.Errorf("answer %q, want the one refusal", text)
				}
			})
		}
		if status, _ := r.send(http.MethodGet, actionPath, nil); status != http.StatusMethodNotAllowed {
			t.Errorf("GET: status %d", status)
		}
		if n := len(r.ledger.of(root)); n != before {
			t.Errorf("%d events of forgeries", n-before)
		}
		if n := len(r.ledger.of(second)); n != 0 {
			t.Errorf("%d events of forgeries at the other card", n)
		}
		for _, canary := range []string{siti.ID, siti.Username, string(root), press.TriggerId, answer.State} {
			if strings.Contains(r.log.String(), canary) {
				t.Errorf("%q is in the log", canary)
			}
		}
	})
}

// TestPressIsOfItsCard replays genuine requests, held back on their way, with
// the post of another case, and a press that was taken.
func TestPressIsOfItsCard(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		desk := r.handler
		var tap tap
		r.wrap(tap.wrap)
		root := r.open(1)
		other := r.deliver(engine.Delivery{ID: id(2), Conversation: "another", Effect: flows.Open{}, Card: card("K0002")}).Post
		r.ledger.knowAs(other, "another")
		siti := w.Officers[0]

		// The endpoint is not reached: the press is still good.
		r.handler = tap.wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
		w.Press(siti, string(root), "Claim")
		held := tap.last()
		r.handler = desk
		var press model.PostActionIntegrationRequest
		if err := json.Unmarshal(held, &press); err != nil {
			t.Fatal(err)
		}
		press.PostId = string(other)
		if _, text := r.send(http.MethodPost, actionPath, encode(t, press)); !strings.Contains(text, r.Words.Unknown) {
			t.Errorf("the press of another card is answered %s", text)
		}

		// A dialog that was asked for under another card.
		r.handler = tap.wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
		screen := w.Watch(siti)
		w.Press(siti, string(root), "Close")
		r.handler = desk
		if err := json.Unmarshal(tap.last(), &press); err != nil {
			t.Fatal(err)
		}
		press.PostId = string(other)
		r.send(http.MethodPost, actionPath, encode(t, press))
		if answer, _ := w.SubmitDialog(siti, screen.Dialog(), map[string]any{}); answer.Error != r.Words.Unknown {
			t.Errorf("the dialog under another card is answered %+v", answer)
		}
		if got := r.ledger.of(other); len(got) != 0 {
			t.Errorf("events of another card's press: %v", got)
		}

		// What was taken once is not taken again, not even where nothing came of
		// it.
		for _, body := range [][]byte{held, tap.last()} {
			if _, text := r.send(http.MethodPost, actionPath, body); !strings.Contains(text, r.Words.Refused) {
				t.Errorf("the press again is answered %s", text)
			}
		}
		if got := r.ledger.of(root); len(got) != 0 {
			t.Errorf("events of presses that came before: %v", got)
		}
		w.Press(siti, string(root), "Claim")
		if got := r.ledger.of(root); len(got) != 1 {
			t.Errorf("%d events of a press of its own, want 1", len(got))
		}
	})
}

func TestSpentIsBounded(t *testing.T) {
	now := time.Date(2026, 11, 23, 5, 47, 0, 0, time.UTC)
	var s spent
	for i := range 3 * spentMost {
		id := fmt.Sprint(i)
		if !s.spend(id, now) || s.spend(id, now) {
			t.Fatalf("press %d is not taken once", i)
		}
	}
	if n := len(s.young) + len(s.old); n > 2*spentMost {
		t.Errorf("%d presses are remembered, want %d at most", n, 2*spentMost)
	}
	// As long as a press is good it is remembered, and then let go of.
	s.spend("early", now)
	s.spend("x", now.Add(spentLife+time.Second))
	if s.spend("early", now.Add(2*pressAge)) {
		t.Error("a press that is still good is forgotten")
	}
	s.spend("y", now.Add(3*spentLife))
	s.spend("z", now.Add(5*spentLife))
	if n := len(s.young) + len(s.old); n > 2 {
		t.Errorf("%d presses are remembered after their life", n)
	}
}

// TestOldPress: a press that was kept back is worth nothing, and neither is an
// old dialog.
func TestOldPress(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		var mu sync.Mutex
		ahead := time.Duration(0)
		r := newRig(t, w, func(c *Config) {
			c.Now = func() time.Time {
				mu.Lock()
				defer mu.Unlock()
				return time.Now().Add(ahead)
			}
		})
		var tap tap
		r.wrap(tap.wrap)
		root := r.open(1)
		screen := w.Watch(w.Officers[0])
		w.Press(w.Officers[0], string(root), "Close")
		d, press := screen.Dialog(), tap.last()
		mu.Lock()
		ahead = questionLife + time.Second
		mu.Unlock()
		if answer, _ := w.SubmitDialog(w.Officers[0], d, map[string]any{}); answer.Error != r.Words.Refused {
			t.Errorf("the old dialog is answered %+v", answer)
		}
		if _, text := r.send(http.MethodPost, actionPath, press); !strings.Contains(text, "This cannot be done") {
			t.Errorf("the old press is answered %s", text)
		}
		if got := r.ledger.of(root); len(got) != 0 {
			t.Errorf("events %v", got)
		}
	})
}

// TestForgedCard: an officer puts up a card of his own with our address.
func TestForgedCard(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		r.ledger.know("forged")
		post := &model.Post{ChannelId: w.ChannelID, Message: "card"}
		post.AddProp("attachments", []*model.MessageAttachment{{Actions: []*model.PostAction{{
			Id: "claim", Name: "Claim", Type: "button",
			Integration: &model.PostActionIntegration{URL: r.CallbackURL + actionPath, Context: map[string]any{
				"conversation": "blind", "action": "claim", "label": "Claim", "mac": "00",
			}},
		}}}})
		made, _, err := w.Officers[0].Client().CreatePost(context.Background(), post)
		if err != nil {
			t.Fatal(err)
		}
		r.ledger.know(flows.PostID(made.Id))
		screen := w.Watch(w.Officers[1])
		w.Press(w.Officers[1], made.Id, "Claim")
		if got := screen.Ephemeral(); got != r.Words.Refused {
			t.Errorf("the officer reads %q", got)
		}
		if got := append(r.ledger.of(flows.PostID(made.Id)), r.ledger.of(root)...); len(got) != 0 {
			t.Errorf("events %v", got)
		}
	})
}

func questionOf(t *testing.T, body []byte) question {
	t.Helper()
	var q question
	if err := json.Unmarshal(body, &q); err != nil {
		t.Fatal(err)
	}
	return q
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// send sends a request to the desk's endpoint.
func (r *rig) send(method, path string, body []byte) (int, string) {
	r.t.Helper()
	q, err := http.NewRequestWithContext(r.t.Context(), method, r.CallbackURL+path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
