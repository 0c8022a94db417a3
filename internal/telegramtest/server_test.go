package telegramtest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"suar/internal/telegramtest"
)

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// start returns a server that must end without a violation of the schema.
func start(t testing.TB, o telegramtest.Options) *telegramtest.Server {
	t.Helper()
	s := telegramtest.New(o)
	t.Cleanup(func() {
		s.Close()
		if f := s.Faults(); len(f) > 0 {
			t.Errorf("against the schema:\n%s", strings.Join(f, "\n"))
		}
	})
	return s
}

type answer struct {
	Status      int             `json:"-"`
	OK          bool            `json:"ok"`
	Result      json.RawMessage `json:"result"`
	ErrorCode   int             `json:"error_code"`
	Description string          `json:"description"`
	Parameters  struct {
		RetryAfter int `json:"retry_after"`
	} `json:"parameters"`
}

func post(t testing.TB, s *telegramtest.Server, method, kind string, body io.Reader) answer {
	t.Helper()
	resp, err := http.Post(s.URL()+"/bot"+s.Token+"/"+method, kind, body)
	if err != nil {
		t.Error(err)
		return answer{}
	}
	defer resp.Body.Close()
	a := answer{Status: resp.StatusCode}
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		t.Error(err)
	}
	return a
}

// call calls a method with JSON parameters.
func call(t testing.TB, s *telegramtest.Server, method string, p map[string]any) answer {
	t.Helper()
	raw, err := json.Marshal(p)
	if err != nil {
		t.Error(err)
	}
	return post(t, s, method, "application/json", bytes.NewReader(raw))
}

func updateIDs(t testing.TB, a answer) []int64 {
	t.Helper()
	var us []struct {
		ID int64 `json:"update_id"`
	}
	if err := json.Unmarshal(a.Result, &us); err != nil {
		t.Fatalf("%v: %s", err, a.Result)
	}
	var ids []int64
	for _, u := range us {
		ids = append(ids, u.ID)
	}
	return ids
}

func messageID(t testing.TB, a answer) int {
	t.Helper()
	var m struct {
		ID int `json:"message_id"`
	}
	if !a.OK || json.Unmarshal(a.Result, &m) != nil {
		t.Fatalf("no message: %+v", a)
	}
	return m.ID
}

func TestUpdatesAreKeptUntilTheyAreConfirmed(t *testing.T) {
	s := start(t, telegramtest.Options{})
	p := s.Person(7)
	p.Start()
	p.Say("satu")
	first := updateIDs(t, call(t, s, "getUpdates", nil))
	if len(first) != 2 {
		t.Fatalf("got %v, want two updates", first)
	}
	if again := updateIDs(t, call(t, s, "getUpdates", map[string]any{"offset": first[0]})); !slices.Equal(again, first) {
		t.Errorf("unconfirmed: got %v, want %v", again, first)
	}
	if rest := updateIDs(t, call(t, s, "getUpdates", map[string]any{"offset": first[1]})); !slices.Equal(rest, first[1:]) {
		t.Errorf("after confirming one: got %v, want %v", rest, first[1:])
	}
	p.Say("dua")
	if last := updateIDs(t, call(t, s, "getUpdates", map[string]any{"offset": -1})); len(last) != 1 || last[0] != first[1]+1 {
		t.Errorf("negative offset: got %v", last)
	}
	call(t, s, "getUpdates", map[string]any{"offset": first[1] + 2, "timeout": 0, "limit": 1})
	if ids := s.Pending(); len(ids) != 0 {
		t.Errorf("pending %v, want none", ids)
	}
}

func TestLongPollWakesAndASecondPollerEndsTheFirst(t *testing.T) {
	s := start(t, telegramtest.Options{})
	answers := make(chan answer, 2)
	go func() { answers <- call(t, s, "getUpdates", map[string]any{"timeout": 50}) }()
	if err := s.Polled(t.Context()); err != nil {
		t.Fatal(err)
	}
	go func() { answers <- call(t, s, "getUpdates", map[string]any{"timeout": 50}) }()
	if a := <-answers; a.Status != 409 || !strings.Contains(a.Description, "terminated by other getUpdates") {
		t.Fatalf("the first poller got %+v, want 409", a)
	}
	s.Person(7).Say("halo")
	if ids := updateIDs(t, <-answers); len(ids) != 1 {
		t.Errorf("the second poller got %v, want one update", ids)
	}
}

func TestAllowedUpdatesHoldForWhatComesLater(t *testing.T) {
	s := start(t, telegramtest.Options{})
	p := s.Person(7)
	id := p.Say("satu")
	call(t, s, "getUpdates", map[string]any{"allowed_updates": []string{"message"}, "limit": 100})
	if err := p.Edit(id, "dua"); err != nil {
		t.Fatal(err)
	}
	p.Say("tiga")
	if n := len(s.Pending()); n != 2 {
		t.Errorf("%d pending, want 2: the edit was not asked for", n)
	}
}

func TestUpdatesExpire(t *testing.T) {
	c := newClock()
	s := start(t, telegramtest.Options{Now: c.now})
	p := s.Person(7)
	p.Start()
	call(t, s, "sendMessage", map[string]any{"chat_id": 7, "text": "?", "reply_markup": map[string]any{
		"inline_keyboard": [][]any{{map[string]any{"text": "Ya", "callback_data": "y"}}},
	}})
	if err := p.Press("Ya", 0); err != nil {
		t.Fatal(err)
	}
	c.advance(151 * time.Second)
	if n := len(updateIDs(t, call(t, s, "getUpdates", nil))); n != 1 {
		t.Errorf("after 151 s %d updates, want the message only", n)
	}
	c.advance(24 * time.Hour)
	if n := len(updateIDs(t, call(t, s, "getUpdates", map[string]any{"limit": 5}))); n != 0 {
		t.Errorf("after a day %d updates, want none", n)
	}
}

func TestBodiesOfEveryKindAreTheSameCall(t *testing.T) {
	s := start(t, telegramtest.Options{})
	p := s.Person(7)
	p.Start()
	markup := `{"inline_keyboard":[[{"text":"Ya","callback_data":"y","style":"danger"}]]}`

	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for _, f := range [][2]string{{"chat_id", "7"}, {"text", "123"}, {"disable_notification", "true"}, {"reply_markup", markup}} {
		if err := w.WriteField(f[0], f[1]); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	post(t, s, "sendMessage", w.FormDataContentType(), &form)
	post(t, s, "SENDMESSAGE", "application/x-www-form-urlencoded", strings.NewReader(url.Values{
		"chat_id": {"7"}, "text": {"123"}, "disable_notification": {"true"}, "reply_markup": {markup},
	}.Encode()))
	call(t, s, "sendMessage", map[string]any{
		"chat_id": 7, "text": "123", "disable_notification": true, "reply_markup": json.RawMessage(markup),
	})
	call(t, s, "sendMessage", map[string]any{
		"chat_id": "7", "text": "123", "disable_notification": true, "reply_markup": markup,
	})
	chat := p.Chat()[1:]
	if len(chat) != 4 {
		t.Fatalf("%d messages, want 4", len(chat))
	}
	for i, m := range chat {
		if m.Text != "123" || !m.Silent || len(m.Buttons) != 1 || m.Buttons[0][0] != (telegramtest.Button{Label: "Ya", Data: "y", Style: "danger"}) {
			t.Errorf("body %d became %+v", i, m)
		}
	}
}

func TestRefusals(t *testing.T) {
	c := newClock()
	s := start(t, telegramtest.Options{Now: c.now})
	open := s.Person(7)
	hers := open.Start()
	blocked := s.Person(8)
	blocked.Start()
	blocked.Block()
	gone := s.Person(9)
	gone.Start()
	gone.Deactivate()
	s.Person(10).Unblock()
	mine := messageID(t, call(t, s, "sendMessage", map[string]any{"chat_id": 7, "text": "sama"}))
	button := func(data string) map[string]any {
		return map[string]any{"inline_keyboard": [][]any{{map[string]any{"text": "x", "callback_data": data}}}}
	}
	old := messageID(t, call(t, s, "sendMessage", map[string]any{"chat_id": 7, "text": "lama"}))
	for _, tt := range []struct {
		name, method string
		params       map[string]any
		status       int
		want         string
	}{
		{"no chat", "sendMessage", map[string]any{"chat_id": 99, "text": "a"}, 400, "chat not found"},
		{"never started", "sendMessage", map[string]any{"chat_id": 10, "text": "a"}, 403, "can't initiate"},
		{"blocked", "sendMessage", map[string]any{"chat_id": 8, "text": "a"}, 403, "blocked by the user"},
		{"deactivated", "sendMessage", map[string]any{"chat_id": 9, "text": "a"}, 403, "deactivated"},
		{"empty", "sendMessage", map[string]any{"chat_id": 7, "text": " \n\u200b"}, 400, "text is empty"},
		{"long", "sendMessage", map[string]any{"chat_id": 7, "text": strings.Repeat("a", 4097)}, 400, "too long"},
		{"long in UTF-16", "sendMessage", map[string]any{"chat_id": 7, "text": strings.Repeat("😀", 2049)}, 400, "too long"},
		{"65 bytes of data", "sendMessage", map[string]any{"chat_id": 7, "text": "a", "reply_markup": button(strings.Repeat("d", 65))}, 400, "BUTTON_DATA_INVALID"},
		{"no data", "sendMessage", map[string]any{"chat_id": 7, "text": "a", "reply_markup": button("")}, 400, "BUTTON_DATA_INVALID"},
		{"not modified", "editMessageText", map[string]any{"chat_id": 7, "message_id": mine, "text": "sama"}, 400, "message is not modified"},
		{"edit nothing", "editMessageText", map[string]any{"chat_id": 7, "message_id": 1, "text": "a"}, 400, "message to edit not found"},
		{"edit hers", "editMessageText", map[string]any{"chat_id": 7, "message_id": hers, "text": "a"}, 400, "can't be edited"},
		{"delete nothing", "deleteMessage", map[string]any{"chat_id": 7, "message_id": 1}, 400, "message to delete not found"},
		{"no ids", "deleteMessages", map[string]any{"chat_id": 7, "message_ids": []int{}}, 400, "not specified"},
		{"101 ids", "deleteMessages", map[string]any{"chat_id": 7, "message_ids": make([]int, 101)}, 400, "too many"},
		{"unknown query", "answerCallbackQuery", map[string]any{"callback_query_id": "1"}, 400, "query is too old"},
		{"long name", "setMyName", map[string]any{"name": strings.Repeat("n", 65)}, 400, "too long"},
		{"a language that is none", "setMyName", map[string]any{"name": "n", "language_code": "english"}, 400, "LANG_CODE_INVALID"},
		{"a command in capitals", "setMyCommands", map[string]any{"commands": []any{map[string]any{"command": "Start", "description": "d"}}}, 400, "BOT_COMMAND_INVALID"},
		{"a command without words", "setMyCommands", map[string]any{"commands": []any{map[string]any{"command": "start", "description": ""}}}, 400, "BOT_COMMAND_DESCRIPTION_INVALID"},
		{"no method", "sendTelepathy", nil, 404, "Not Found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := call(t, s, tt.method, tt.params)
			if a.OK || a.Status != tt.status || a.ErrorCode != tt.status || !strings.Contains(a.Description, tt.want) {
				t.Errorf("got %+v, want %d %q", a, tt.status, tt.want)
			}
		})
	}
	c.advance(48 * time.Hour)
	if a := call(t, s, "deleteMessage", map[string]any{"chat_id": 7, "message_id": old}); !strings.Contains(a.Description, "can't be deleted for everyone") {
		t.Errorf("after 48 h: %+v", a)
	}
	if a := call(t, s, "deleteMessages", map[string]any{"chat_id": 7, "message_ids": []int{old, 1}}); !strings.Contains(a.Description, "can't be deleted for everyone") {
		t.Errorf("after 48 h: %+v", a)
	}
	resp, err := http.Get(s.URL() + "/bot1:wrong/getMe")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 401 {
		t.Errorf("wrong token: %d, want 401", resp.StatusCode)
	}
}

func TestBothSidesMessagesAreDeleted(t *testing.T) {
	s := start(t, telegramtest.Options{})
	p := s.Person(7)
	hers := p.Say("rahasia")
	mine := messageID(t, call(t, s, "sendMessage", map[string]any{"chat_id": 7, "text": "baik"}))
	if a := call(t, s, "deleteMessages", map[string]any{"chat_id": 7, "message_ids": []int{hers, mine, 1}}); !a.OK {
		t.Fatalf("%+v", a)
	}
	if chat := p.Chat(); len(chat) != 0 {
		t.Errorf("left: %+v", chat)
	}
}

func TestPressesAreAnsweredWithin150Seconds(t *testing.T) {
	c := newClock()
	s := start(t, telegramtest.Options{Now: c.now})
	p := s.Person(7)
	p.Start()
	p.Forge("palsu", 4)
	var us []struct {
		Query struct {
			ID      string
			Data    string
			Message struct{ Date int }
		} `json:"callback_query"`
	}
	if err := json.Unmarshal(call(t, s, "getUpdates", nil).Result, &us); err != nil {
		t.Fatal(err)
	}
	q := us[1].Query
	if q.Data != "palsu" || q.Message.Date != 0 || p.Spinning() != 1 {
		t.Fatalf("got %+v, %d spinning", q, p.Spinning())
	}
	c.advance(150 * time.Second)
	if a := call(t, s, "answerCallbackQuery", map[string]any{"callback_query_id": q.ID}); !a.OK || p.Spinning() != 0 {
		t.Errorf("%+v, %d spinning", a, p.Spinning())
	}
	c.advance(time.Second)
	if a := call(t, s, "answerCallbackQuery", map[string]any{"callback_query_id": q.ID}); a.OK {
		t.Errorf("answered after 151 s")
	}
}

func TestFailures(t *testing.T) {
	s := start(t, telegramtest.Options{})
	p := s.Person(7)
	p.Start()
	send := func() (*http.Response, error) {
		return http.Post(s.URL()+"/bot"+s.Token+"/sendMessage", "application/json", strings.NewReader(`{"chat_id":7,"text":"a"}`))
	}
	for _, tt := range []struct {
		name      string
		failure   *telegramtest.Failure
		status    int // 0: no answer
		performed bool
	}{
		{"429", telegramtest.TooManyRequests(3), 429, false},
		{"502 page", telegramtest.Broken(502), 502, false},
		{"cut before", telegramtest.CutBefore(), 0, false},
		{"cut after", telegramtest.CutAfter(), 0, true},
		{"slow", telegramtest.Slow(time.Millisecond), 200, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(p.Chat())
			s.Fail("sendMessage", telegramtest.Times(tt.failure))
			resp, err := send()
			status := 0
			if err == nil {
				status = resp.StatusCode
				resp.Body.Close()
			}
			if status != tt.status {
				t.Errorf("status %d, want %d", status, tt.status)
			}
			if performed := len(p.Chat()) > before; performed != tt.performed {
				t.Errorf("performed %v, want %v", performed, tt.performed)
			}
		})
	}
	s.Fail("sendMessage", nil)
	if n := s.Count("sendMessage"); n != 5 {
		t.Errorf("counted %d calls, want 5", n)
	}
	if r := s.Requests("sendMessage")[0]; r.Status != 429 || r.Chat != 7 || r.Params["text"] != "a" {
		t.Errorf("recorded %+v", r)
	}
}

func TestTheSchemaIsEnforced(t *testing.T) {
	s := telegramtest.New(telegramtest.Options{})
	defer s.Close()
	s.Person(7).Start()
	for _, p := range []map[string]any{
		{"chat_id": 7, "text": "a", "reply_markup": map[string]any{"inline_keyboard": [][]any{{map[string]any{"text": "x", "callbackdata": "y"}}}}},
		{"text": "a"},
		{"chat_id": 7, "text": "a", "parse_mode": "BBCode"},
		{"chat_id": 7, "text": "a", "silent": true},
	} {
		before := len(s.Faults())
		if a := call(t, s, "sendMessage", p); a.Status != 400 {
			t.Errorf("%v: %+v, want 400", p, a)
		}
		if len(s.Faults()) != before+1 {
			t.Errorf("%v: not collected", p)
		}
	}
}

func TestEveryAttachmentIsAValidUpdate(t *testing.T) {
	s := start(t, telegramtest.Options{})
	p := s.Person(7)
	kinds := []string{
		telegramtest.Photo, telegramtest.Video, telegramtest.VideoNote, telegramtest.Voice, telegramtest.Audio,
		telegramtest.Sticker, telegramtest.Document, telegramtest.Contact, telegramtest.Location, telegramtest.Dice,
	}
	for _, k := range kinds {
		p.Send(k, "")
	}
	if n := len(s.Pending()); n != len(kinds) {
		t.Errorf("%d updates of %d attachments", n, len(kinds))
	}
}

func TestWebhookIsSerialWithinAChatAndTriesAgain(t *testing.T) {
	s := start(t, telegramtest.Options{Redeliver: time.Millisecond})
	type seen struct {
		mu    sync.Mutex
		texts map[int64][]string
		tries int
	}
	got := seen{texts: map[int64][]string{}}
	mux := http.NewServeMux()
	hook := &http.Server{Handler: mux}
	mux.HandleFunc("POST /hook", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Telegram-Bot-Api-Secret-Token") != "s3cret" {
			t.Error("no secret")
		}
		var u struct {
			Message struct {
				Chat struct{ ID int64 }
				Text string
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&u); err != nil {
			t.Error(err)
		}
		got.mu.Lock()
		defer got.mu.Unlock()
		got.tries++
		if got.tries%3 == 0 {
			w.WriteHeader(503)
			return
		}
		got.texts[u.Message.Chat.ID] = append(got.texts[u.Message.Chat.ID], u.Message.Text)
	})
	l := listen(t)
	go func() { _ = hook.Serve(l) }()
	defer hook.Close()

	for i := range 10 {
		s.Person(7).Say(fmt.Sprint(i))
		s.Person(8).Say(fmt.Sprint(i))
	}
	if a := call(t, s, "setWebhook", map[string]any{"url": "http://" + l.Addr().String() + "/hook", "secret_token": "s3cret"}); !a.OK {
		t.Fatalf("%+v", a)
	}
	if a := call(t, s, "getUpdates", nil); a.Status != 409 || !strings.Contains(a.Description, "webhook is active") {
		t.Errorf("getUpdates beside a webhook: %+v", a)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := s.Drained(ctx); err != nil {
		t.Fatal(err)
	}
	want := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}
	for _, chat := range []int64{7, 8} {
		if !slices.Equal(got.texts[chat], want) {
			t.Errorf("chat %d got %v", chat, got.texts[chat])
		}
	}
	var info struct {
		URL     string
		Pending int    `json:"pending_update_count"`
		Last    string `json:"last_error_message"`
	}
	if err := json.Unmarshal(call(t, s, "getWebhookInfo", nil).Result, &info); err != nil || info.Pending != 0 || !strings.Contains(info.Last, "503") {
		t.Errorf("%v %+v", err, info)
	}
	call(t, s, "deleteWebhook", nil)
	if a := call(t, s, "getUpdates", nil); !a.OK {
		t.Errorf("after deleteWebhook: %+v", a)
	}
}

func TestWaitAndFeed(t *testing.T) {
	s := start(t, telegramtest.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	feed := s.Feed(ctx)
	p := s.Person(7)
	p.Start()
	if chat := <-feed; chat != 7 {
		t.Errorf("the feed told of %d", chat)
	}
	// The button may be seen before the call has its answer: it is waited for.
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() {
		call(t, s, "sendMessage", map[string]any{"chat_id": 7, "text": "Halo", "reply_markup": map[string]any{
			"inline_keyboard": [][]any{{map[string]any{"text": "Ya", "callback_data": "y"}}},
		}})
	})
	m, err := p.WaitButton(ctx, "Ya")
	if err != nil || m.Text != "Halo" {
		t.Errorf("%+v, %v", m, err)
	}
	ended, stop := context.WithCancel(ctx)
	stop()
	if _, err := p.WaitText(ended, "tidak ada"); err == nil {
		t.Error("waited for what never comes")
	}
}

func TestTheAccountIsKept(t *testing.T) {
	s := start(t, telegramtest.Options{})
	call(t, s, "setMyName", map[string]any{"name": "Kabar"})
	call(t, s, "setMyDescription", map[string]any{"description": "d", "language_code": "id"})
	call(t, s, "setMyShortDescription", map[string]any{"short_description": "s"})
	call(t, s, "setMyCommands", map[string]any{"commands": []any{map[string]any{"command": "privacy", "description": "p"}}})
	for method, want := range map[string]string{
		"getMyName":             `{"name":"Kabar"}`,
		"getMyDescription":      `{"description":""}`,
		"getMyShortDescription": `{"short_description":"s"}`,
		"getMyCommands":         `[{"command":"privacy","description":"p"}]`,
	} {
		if a := call(t, s, method, nil); string(a.Result) != want {
			t.Errorf("%s: %s, want %s", method, a.Result, want)
		}
	}
}

// BenchmarkSendMessage says what the server itself costs, with and without the
// schema.
func BenchmarkSendMessage(b *testing.B) {
	for _, unchecked := range []bool{false, true} {
		b.Run(fmt.Sprintf("unchecked=%v", unchecked), func(b *testing.B) {
			s := start(b, telegramtest.Options{Unchecked: unchecked})
			s.Person(7).Start()
			for b.Loop() {
				id := messageID(b, call(b, s, "sendMessage", map[string]any{"chat_id": 7, "text": "a"}))
				call(b, s, "deleteMessage", map[string]any{"chat_id": 7, "message_id": id})
			}
		})
	}
}

// BenchmarkFirstRequest is the time from New to the first checked answer.
func BenchmarkFirstRequest(b *testing.B) {
	for b.Loop() {
		s := telegramtest.New(telegramtest.Options{})
		s.Person(7).Start()
		call(b, s, "sendMessage", map[string]any{"chat_id": 7, "text": "a"})
		s.Close()
	}
}
