package bot_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"suar/bot"
	"suar/internal/engine"
	"suar/internal/secret"
	"suar/internal/telegramtest"
)

const secretHeader = "X-Telegram-Bot-Api-Secret-Token"

func hello(id int64) string {
	return fmt.Sprintf(`{"update_id":%d,"message":{"message_id":5,"date":1,"chat":{"id":%d,"type":"private"},"from":{"id":%[2]d,"is_bot":false,"first_name":"x"},"text":"halo %s"}}`, id, int64(canaryChat), canaryText)
}

func TestWebhook(t *testing.T) {
	fail := errors.New("store is down " + canaryText)
	for _, tt := range []struct {
		name   string
		method string
		secret string
		body   string
		engine error
		status int
		events int
		kept   int
	}{
		{name: "an update", secret: "s3cret-canary", body: hello(1), status: 200, events: 1},
		{name: "wrong secret", secret: "s3cret-canarz", body: hello(1), status: 401},
		{name: "longer secret", secret: "s3cret-canary1", body: hello(1), status: 401},
		{name: "no secret", body: hello(1), status: 401},
		{name: "GET", method: "GET", secret: "s3cret-canary", status: 405},
		{name: "PUT", method: "PUT", secret: "s3cret-canary", body: hello(1), status: 405},
		{name: "1 MiB", secret: "s3cret-canary", body: hello(1) + strings.Repeat(" ", 1<<20-len(hello(1))), status: 200, events: 1},
		{name: "1 MiB and a byte", secret: "s3cret-canary", body: strings.Repeat(" ", 1<<20+1), status: 413},
		{name: "empty", secret: "s3cret-canary", status: 400},
		{name: "half JSON", secret: "s3cret-canary", body: hello(1)[:60], status: 200, kept: 1},
		{name: "no JSON", secret: "s3cret-canary", body: "halo", status: 200, kept: 1},
		{name: "no object", secret: "s3cret-canary", body: "[1]", status: 200, kept: 1},
		{name: "bad UTF-8", secret: "s3cret-canary", body: strings.Replace(hello(1), "halo", "ha\xfflo", 1), status: 200, events: 1},
		{name: "deep", secret: "s3cret-canary", body: strings.Repeat("[", 20_000), status: 200, kept: 1},
		{name: "the store is down", secret: "s3cret-canary", body: hello(1), engine: fail, status: 503},
		{name: "nobody's", secret: "s3cret-canary", body: hello(1), engine: engine.ErrUnknown, status: 200},
		{name: "garbled", secret: "s3cret-canary", body: strings.Replace(hello(1), `"text":`, `"paid_media":`, 1), status: 200, events: 1, kept: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(t, telegramtest.Options{})
			q := &quarantine{}
			s.journal.refuseWith(func(engine.Inbound) error { return tt.engine })
			b := s.bot(func(c *bot.Config) { c.Mode, c.Quarantine = bot.Webhook, q.keep })
			method := tt.method
			if method == "" {
				method = "POST"
			}
			r := httptest.NewRequest(method, "/", strings.NewReader(tt.body))
			r.Header.Set(secretHeader, tt.secret)
			w := httptest.NewRecorder()
			b.ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			if refused := b.Status().Refused == 1; refused != (tt.status != 200) {
				t.Errorf("it is counted as refused: %v", refused)
			}
			if n := len(s.journal.all()); n != tt.events {
				t.Errorf("%d events, want %d", n, tt.events)
			}
			if len(q.kept) != tt.kept {
				t.Errorf("%d put aside, want %d", len(q.kept), tt.kept)
			}
			if w.Body.Len() != 0 {
				t.Errorf("the answer says %q", w.Body)
			}
		})
	}
}

func TestAWebhookWithoutASecretTakesNothing(t *testing.T) {
	s := newStage(t, telegramtest.Options{})
	b := s.bot(func(c *bot.Config) { c.WebhookSecret = secret.New("") })
	w := httptest.NewRecorder()
	b.ServeHTTP(w, httptest.NewRequest("POST", "/", strings.NewReader(hello(1))))
	if w.Code != 401 {
		t.Errorf("status %d, want 401", w.Code)
	}
}

func TestABodyThatIsCutOffIsNotTaken(t *testing.T) {
	s := newStage(t, telegramtest.Options{})
	ended := make(chan int, 1)
	b := s.bot(nil)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		b.ServeHTTP(rec, r)
		ended <- rec.Code
	}))
	defer srv.Close()
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\n%s: s3cret-canary\r\nContent-Length: 1000\r\n\r\n%s", secretHeader, hello(1)[:40])
	c.Close()
	if status := <-ended; status != 400 || len(s.journal.all()) != 0 {
		t.Errorf("status %d, want 400", status)
	}
}

// deadlines is a ResponseWriter whose connection reports what deadline it got,
// and whose body never ends before it.
type deadlines struct {
	http.ResponseWriter
	set chan time.Time
}

func (d deadlines) SetReadDeadline(t time.Time) error {
	d.set <- t
	return nil
}

func TestASlowBodyIsBounded(t *testing.T) {
	s := newStage(t, telegramtest.Options{})
	b := s.bot(nil)
	set := make(chan time.Time, 1)
	pr, pw := io.Pipe()
	r := httptest.NewRequest("POST", "/", pr)
	r.Header.Set(secretHeader, "s3cret-canary")
	w := httptest.NewRecorder()
	go func() {
		_, _ = pw.Write([]byte("{"))
		at := <-set
		if left := time.Until(at); left <= 0 || left > 10*time.Second {
			t.Errorf("deadline in %v", left)
		}
		pw.CloseWithError(context.DeadlineExceeded) // as the connection does then
	}()
	b.ServeHTTP(deadlines{w, set}, r)
	if w.Code != 400 {
		t.Errorf("status %d, want 400", w.Code)
	}
}

// TestWebhookEndToEnd has Telegram push to the bot, which loses every third
// event at first.
func TestWebhookEndToEnd(t *testing.T) {
	s := newStage(t, telegramtest.Options{Redeliver: time.Millisecond})
	var mu sync.Mutex
	n := 0
	s.journal.refuseWith(func(engine.Inbound) error {
		mu.Lock()
		defer mu.Unlock()
		if n++; n%3 == 0 {
			return errors.New("store is down")
		}
		return nil
	})
	var b *bot.Bot
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { b.ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	b = s.bot(func(c *bot.Config) { c.Mode, c.WebhookURL = bot.Webhook, srv.URL+"/hook" })
	s.Fail("setWebhook", telegramtest.Times(telegramtest.Broken(502)))
	for i := range 10 {
		s.Person(canaryChat).Say(fmt.Sprint(i))
		s.Person(42).Say(fmt.Sprint(i))
	}
	stop := s.run(b)
	s.drained()
	got := map[string][]string{}
	for _, in := range s.journal.all() {
		got[in.Caller] = append(got[in.Caller], text(in.Event))
	}
	for _, caller := range []string{canaryChatText, "42"} {
		if fmt.Sprint(got[caller]) != "[0 1 2 3 4 5 6 7 8 9]" {
			t.Errorf("%s: %v", caller, got[caller])
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	p := s.Requests("setWebhook")[1].Params
	if p["secret_token"] != "s3cret-canary" || fmt.Sprint(p["allowed_updates"]) != "[message edited_message callback_query my_chat_member]" {
		t.Errorf("setWebhook %v", p)
	}
}

func TestAWrongTokenEndsRunWithAWebhook(t *testing.T) {
	s := newStage(t, telegramtest.Options{})
	s.Fail("setWebhook", telegramtest.Always(telegramtest.Refused(401, "Unauthorized")))
	b := s.bot(func(c *bot.Config) { c.Mode, c.WebhookURL = bot.Webhook, "https://example.org/hook" })
	if err := b.Run(t.Context()); !errors.Is(err, bot.ErrToken) {
		t.Errorf("%v, want ErrToken", err)
	}
}

func FuzzWebhook(f *testing.F) {
	for _, p := range poison {
		f.Add([]byte(strings.Replace(p.body, "%d", "1", 1)))
	}
	f.Add([]byte(hello(1)))
	b, err := bot.New(bot.Config{
		Token: secret.New("123456:abc"), WebhookSecret: secret.New("s"), Mode: bot.Webhook, Handler: newJournal(),
		ServerURL: "http://127.0.0.1:1",
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
		r.Header.Set(secretHeader, "s")
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		want := 200
		if len(body) == 0 {
			want = 400
		} else if len(body) > 1<<20 {
			want = 413
		}
		if w.Code != want {
			t.Errorf("status %d, want %d", w.Code, want)
		}
	})
}
