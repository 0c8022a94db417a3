package crowd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"suar/internal/load/crowd"
	"suar/internal/telegramtest"
)

// script is a conversation of three updates.
func script() crowd.Script {
	return crowd.Script{
		Steps: []crowd.Step{
			{Say: "/start", Shows: "First?"},
			{Press: "Yes & no", Shows: "Second?"},
			{Press: "Leave"},
		},
		Case: &crowd.Step{Press: "Help", Shows: "Somebody comes."},
	}
}

func open(t *testing.T) *crowd.Telegram {
	t.Helper()
	c, err := crowd.New(crowd.Options{Token: telegramtest.DefaultToken, Script: script()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// An encoding writes a call's parameters.
type encoding func(params map[string]any) (kind string, body io.Reader)

func inJSON(params map[string]any) (string, io.Reader) {
	raw, err := json.Marshal(params)
	if err != nil {
		panic(err)
	}
	return "application/json", bytes.NewReader(raw)
}

// inParts is how Telegram's library writes: multipart, in chunks.
func inParts(params map[string]any) (string, io.Reader) {
	r, w := io.Pipe()
	form := multipart.NewWriter(w)
	go func() {
		for name, v := range params {
			text, ok := v.(string)
			if !ok {
				raw, _ := json.Marshal(v)
				text = string(raw)
			}
			_ = form.WriteField(name, text)
		}
		_ = form.Close()
		_ = w.Close()
	}()
	return form.FormDataContentType(), r
}

// A reply is an answer of a Bot API server.
type reply struct {
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	Code        int             `json:"error_code"`
	Description string          `json:"description"`
}

func call(t *testing.T, url, token, method string, params map[string]any, as encoding) reply {
	t.Helper()
	kind, body := as(params)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/bot"+token+"/"+method, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out reply
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	if status := map[bool]int{true: 200, false: out.Code}[out.OK]; status != resp.StatusCode {
		t.Errorf("%s: status %d with error_code %d", method, resp.StatusCode, out.Code)
	}
	return out
}

func keys(labels ...string) map[string]any {
	var row []map[string]string
	for _, l := range labels {
		row = append(row, map[string]string{"text": l, "callback_data": "data of " + l})
	}
	return map[string]any{"inline_keyboard": []any{row}}
}

// A hand answers as a bot for the script would, one poll at a time.
type hand struct {
	t      *testing.T
	c      *crowd.Telegram
	as     encoding
	offset int64
	seen   []string
}

func (h *hand) call(method string, params map[string]any) {
	h.t.Helper()
	if r := call(h.t, h.c.URL(), telegramtest.DefaultToken, method, params, h.as); !r.OK {
		h.t.Errorf("%s: %s", method, r.Description)
	}
}

func (h *hand) poll() {
	h.t.Helper()
	var updates []struct {
		ID      int64 `json:"update_id"`
		Message struct {
			ID   int64  `json:"message_id"`
			Text string `json:"text"`
			Chat struct{ ID int64 }
		}
		Query struct {
			ID, Data string
			Message  struct {
				ID   int64 `json:"message_id"`
				Chat struct{ ID int64 }
			}
		} `json:"callback_query"`
	}
	got := call(h.t, h.c.URL(), telegramtest.DefaultToken, "getUpdates", map[string]any{"offset": h.offset, "timeout": 50}, h.as)
	if err := json.Unmarshal(got.Result, &updates); err != nil {
		h.t.Fatal(err)
	}
	for _, u := range updates {
		h.offset = u.ID + 1
		if u.Message.ID != 0 {
			h.seen = append(h.seen, u.Message.Text)
			chat := u.Message.Chat.ID
			h.call("deleteMessages", map[string]any{"chat_id": chat, "message_ids": []int64{u.Message.ID}})
			h.call("sendMessage", map[string]any{"chat_id": chat, "text": "First?", "reply_markup": keys("No", "Yes & no")})
			continue
		}
		h.seen = append(h.seen, u.Query.Data)
		h.call("answerCallbackQuery", map[string]any{"callback_query_id": u.Query.ID})
		edit := map[string]any{"chat_id": u.Query.Message.Chat.ID, "message_id": u.Query.Message.ID}
		switch u.Query.Data {
		case "data of Yes & no":
			edit["text"], edit["reply_markup"] = "Second?", keys("Leave", "Help")
		case "data of Help":
			edit["text"] = "Somebody comes."
		default:
			h.call("deleteMessage", edit)
			continue
		}
		h.call("editMessageText", edit)
	}
}

func TestTheCrowdGoesThroughItsScript(t *testing.T) {
	for name, as := range map[string]encoding{"JSON": inJSON, "multipart": inParts} {
		t.Run(name, func(t *testing.T) {
			c := open(t)
			h := &hand{t: t, c: c, as: as}
			end := c.Measure()
			c.Begin(crowd.Plan{Chats: 2, Cases: 3})
			for c.Ended() < 6 {
				h.poll()
			}
			figures := end()
			if figures.Conversations != 6 || figures.Steps < 18 || figures.P99 < figures.P50 || figures.Longest < figures.P99 {
				t.Errorf("measured %+v", figures)
			}
			if n := figures.Calls["answerCallbackQuery"]; n < 12 {
				t.Errorf("%d presses were acknowledged", n)
			}
			for what, want := range map[string]int{"/start": 6, "data of Leave": 4, "data of Help": 2} {
				if got := len(slices.DeleteFunc(slices.Clone(h.seen), func(s string) bool { return s != what })); got < want {
					t.Errorf("%q came %d times, want %d", what, got, want)
				}
			}
			if faults := c.Faults(); len(faults) > 0 {
				t.Errorf("faults: %q", faults)
			}
			fit(t, c)
			views := c.Views()
			if got := string(views[0].Text); got != `"First?"` || views[2].Text != nil {
				t.Errorf("the views are %q", views)
			}
		})
	}
}

// fit holds what passed over the wire against the Bot API's schema.
func fit(t *testing.T, c *crowd.Telegram) {
	t.Helper()
	kinds := map[string]bool{}
	for _, s := range c.Samples() {
		kinds[s.Definition] = true
		if err := telegramtest.Valid(s.Definition, s.JSON); err != nil {
			t.Errorf("%s: %s: %v", s.Definition, s.JSON, err)
		}
	}
	for _, want := range []string{"TelegramUpdate", "params:sendMessage", "result:sendMessage", "result:editMessageText", "result:deleteMessages"} {
		if !kinds[want] {
			t.Errorf("nothing of %s was kept", want)
		}
	}
}

func TestWhoStaysDoesNothingMore(t *testing.T) {
	c := open(t)
	h := &hand{t: t, c: c, as: inJSON}
	c.Begin(crowd.Plan{Chats: 5, Stay: 2})
	for c.Staying() < 5 {
		h.poll()
	}
	if c.Ended() != 0 || len(h.seen) != 10 {
		t.Errorf("%d conversations ended, the bot saw %q", c.Ended(), h.seen)
	}
	if n := c.Stop(t.Context()); n != 0 {
		t.Errorf("%d wait", n)
	}
}

func TestThePacedCrowdActsInTurn(t *testing.T) {
	c := open(t)
	h := &hand{t: t, c: c, as: inJSON}
	c.Begin(crowd.Plan{Chats: 4, Rate: 1e6})
	for c.Ended() < 8 {
		h.poll()
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	// Whoever waits at the moment has no answer yet, and is told of.
	if n := c.Stop(ended); n > 4 {
		t.Errorf("%d of 4 wait", n)
	}
}

// TestRefusalsAreThoseOfTheWholeServer makes the same mistakes here and at the
// server that is checked as a whole, and compares what it is told.
func TestRefusalsAreThoseOfTheWholeServer(t *testing.T) {
	c := open(t)
	whole := telegramtest.New(telegramtest.Options{})
	t.Cleanup(whole.Close)
	type server struct {
		url           string
		chat, message int64
	}
	both := []server{{url: c.URL()}, {url: whole.URL()}}
	whole.Person(42).Start()
	c.Begin(crowd.Plan{Chats: 1})
	for i, s := range both {
		got := call(t, s.url, telegramtest.DefaultToken, "getUpdates", nil, inJSON)
		var updates []struct {
			Message struct{ Chat struct{ ID int64 } }
		}
		if err := json.Unmarshal(got.Result, &updates); err != nil || len(updates) != 1 {
			t.Fatalf("%s: %v", got.Result, err)
		}
		chat := updates[0].Message.Chat.ID
		sent := call(t, s.url, telegramtest.DefaultToken, "sendMessage",
			map[string]any{"chat_id": chat, "text": "Hello", "reply_markup": keys("No")}, inJSON)
		var m struct {
			ID int64 `json:"message_id"`
		}
		if err := json.Unmarshal(sent.Result, &m); err != nil {
			t.Fatal(err)
		}
		both[i].chat, both[i].message = chat, m.ID
	}
	for _, mistake := range []struct {
		name, method, token string
		params              func(s server) map[string]any
	}{
		{"another token", "getMe", "1:x", func(server) map[string]any { return nil }},
		{"no such method", "getNothing", "", func(server) map[string]any { return nil }},
		{"no such chat", "sendMessage", "", func(server) map[string]any { return map[string]any{"chat_id": 7, "text": "x"} }},
		{"nothing said", "sendMessage", "", func(s server) map[string]any { return map[string]any{"chat_id": s.chat, "text": ""} }},
		{"no such message", "editMessageText", "", func(s server) map[string]any {
			return map[string]any{"chat_id": s.chat, "message_id": 7, "text": "x"}
		}},
		{"nothing changed", "editMessageText", "", func(s server) map[string]any {
			return map[string]any{"chat_id": s.chat, "message_id": s.message, "text": "Hello", "reply_markup": keys("No")}
		}},
		{"no such message to delete", "deleteMessage", "", func(s server) map[string]any {
			return map[string]any{"chat_id": s.chat, "message_id": 7}
		}},
		{"no such press", "answerCallbackQuery", "", func(server) map[string]any {
			return map[string]any{"callback_query_id": "50000000100999"}
		}},
	} {
		t.Run(mistake.name, func(t *testing.T) {
			var told []string
			for _, s := range both {
				token := mistake.token
				if token == "" {
					token = telegramtest.DefaultToken
				}
				r := call(t, s.url, token, mistake.method, mistake.params(s), inJSON)
				told = append(told, fmt.Sprint(r.OK, " ", r.Code, " ", r.Description))
			}
			if diff := cmp.Diff(told[1], told[0]); diff != "" {
				t.Errorf("(-whole +this):\n%s", diff)
			}
		})
	}
	if got := strings.Join(c.Faults(), "\n"); !strings.Contains(got, "not modified") || !strings.Contains(got, "chat not found") {
		t.Errorf("what was refused is not told of: %q", got)
	}
}

func TestASecondPollEndsTheFirst(t *testing.T) {
	c := open(t)
	first := make(chan reply, 1)
	go func() {
		first <- call(t, c.URL(), telegramtest.DefaultToken, "getUpdates", map[string]any{"timeout": 50}, inJSON)
	}()
	for {
		call(t, c.URL(), telegramtest.DefaultToken, "getUpdates", map[string]any{"offset": 1, "timeout": 0}, inJSON)
		select {
		case r := <-first:
			if r.Code != 409 {
				t.Errorf("the first poll got %+v", r)
			}
			return
		default:
		}
	}
}
