package mattermosttest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattermost/mattermost/server/public/model"
)

// Suite holds a Mattermost to the facts that the hotline relies on. Each
// subtest is one fact. start makes a new world; a world is shared by the facts
// that leave it as they found it.
func Suite(t *testing.T, start func(testing.TB) *World) {
	t.Run("posts", func(t *testing.T) { facts(t, start(t), postFacts()) })
	t.Run("deletion", func(t *testing.T) { facts(t, start(t), deletionFacts()) })
	t.Run("threads", func(t *testing.T) { facts(t, start(t), threadFacts()) })
	t.Run("reactions", func(t *testing.T) { facts(t, start(t), reactionFacts()) })
	t.Run("buttons", func(t *testing.T) { facts(t, start(t), buttonFacts()) })
	t.Run("dialogs", func(t *testing.T) { facts(t, start(t), dialogFacts()) })
	t.Run("commands", func(t *testing.T) { facts(t, start(t), commandFacts()) })
	t.Run("websocket", func(t *testing.T) { facts(t, start(t), socketFacts()) })
	t.Run("accounts", func(t *testing.T) { facts(t, start(t), accountFacts()) })
	t.Run("outages", func(t *testing.T) { facts(t, start(t), outageFacts()) })
}

// A fact is a sentence and its proof.
type fact struct {
	says  string
	prove func(t *testing.T, w *World)
}

func facts(t *testing.T, w *World, all []fact) {
	for _, f := range all {
		t.Run(f.says, func(t *testing.T) { f.prove(t, w.For(t)) })
	}
}

// An endpoint is what a card's buttons call.
type endpoint struct {
	URL  string
	t    testing.TB
	hits chan []byte
	// answer is what is said to the next requests.
	answer http.HandlerFunc
}

func newEndpoint(t testing.TB) *endpoint {
	e := &endpoint{t: t, hits: make(chan []byte, 100), answer: func(http.ResponseWriter, *http.Request) {}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read a request to the endpoint: %v", err)
		}
		e.hits <- body
		e.answer(w, r)
	}))
	t.Cleanup(srv.Close)
	e.URL = srv.URL
	return e
}

// says lets the endpoint answer with the JSON of v.
func (e *endpoint) says(v any) {
	e.answer = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			e.t.Errorf("answer: %v", err)
		}
	}
}

// hit is the oldest request not yet looked at. There must be one: the server
// calls the endpoint before it answers a press.
func (e *endpoint) hit(into any) {
	e.t.Helper()
	select {
	case body := <-e.hits:
		if err := json.Unmarshal(body, into); err != nil {
			e.t.Fatalf("the endpoint got %q: %v", body, err)
		}
	default:
		e.t.Fatal("the endpoint was not called")
	}
}

func (e *endpoint) untouched() {
	e.t.Helper()
	if n := len(e.hits); n != 0 {
		e.t.Errorf("the endpoint was called %d times, want none", n)
	}
}

// card posts a card of the bot's with one button for each name, which is its id
// and its label.
func (w *World) card(e *endpoint, names ...string) *model.Post {
	w.t.Helper()
	var actions []any
	for _, name := range names {
		actions = append(actions, map[string]any{
			"id": name, "name": name, "type": "button", "style": "primary",
			"integration": map[string]any{"url": e.URL + "/press", "context": map[string]any{"secret": "context-canary", "action": name}},
		})
	}
	return w.create(w.Bot, &model.Post{Message: "A card", Props: model.StringInterface{
		"relay_key":   "abc",
		"attachments": []any{map[string]any{"title": "Case 7", "color": "#d00", "actions": actions}},
	}})
}

// menu posts a card of the bot's with one button and a menu "More" of options.
func (w *World) menu(e *endpoint, button string, options ...string) *model.Post {
	w.t.Helper()
	return w.create(w.Bot, &model.Post{Message: "A card", Props: model.StringInterface{
		"attachments": []any{map[string]any{"actions": []any{
			map[string]any{"id": button, "name": button, "type": "button", "integration": map[string]any{"url": e.URL, "context": map[string]any{"action": button}}},
			menuAction(e, options...),
		}}},
	}})
}

func menuAction(e *endpoint, options ...string) map[string]any {
	var list []any
	for _, o := range options {
		list = append(list, map[string]any{"text": o, "value": o})
	}
	return map[string]any{
		"id": "more", "name": "More", "type": "select", "options": list,
		"integration": map[string]any{"url": e.URL, "context": map[string]any{
			"secret": "context-canary", "entries": []any{map[string]any{"action": "x"}}, "selected_option": "own",
		}},
	}
}

// create posts a post as it is, into the officers' channel.
func (w *World) create(as Account, p *model.Post) *model.Post {
	w.t.Helper()
	p.ChannelId = w.ChannelID
	made, _, err := as.Client().CreatePost(context.Background(), p)
	w.must(err, "post as "+as.Username)
	return made
}

// try posts a post as it is and returns the HTTP status.
func (w *World) try(as Account, p *model.Post) int {
	w.t.Helper()
	p.ChannelId = w.ChannelID
	_, resp, err := as.Client().CreatePost(context.Background(), p)
	return w.status(resp, err)
}

// raw sends a request and returns the status and the body.
func (w *World) raw(token, method, path, body string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequest(method, w.URL+"/api/v4"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(resp.Body); err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, buf.String()
}

func want[T any](t testing.TB, what string, got, expected T) {
	t.Helper()
	if diff := cmp.Diff(expected, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
