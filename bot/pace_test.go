package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/secret"
	"suar/storage"
	"suar/storage/storagetest"
)

// roundTrip is a Telegram in memory, for tests of time.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		// As net/http does; the library waits for it.
		defer r.Body.Close()
	}
	return f(r)
}

func reply(status int, body string) (*http.Response, error) {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
}

type nobody struct{}

func (nobody) Handle(context.Context, engine.Inbound) error { return nil }

func newTimed(t testing.TB, f roundTrip, change func(*Config)) *Bot {
	t.Helper()
	cfg := Config{
		Token: secret.New("123456:abc"), Handler: nobody{}, HTTPClient: &http.Client{Transport: f},
		Random: func() float64 { return 1 },
	}
	if change != nil {
		change(&cfg)
	}
	b, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPace sends 6 messages to one chat and, at once, one to each of 60 others.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var all, one []time.Duration
		began := time.Now()
		b := newTimed(t, func(r *http.Request) (*http.Response, error) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, time.Since(began))
			if bytes.Contains(body, []byte("\r\n1000\r\n")) || bytes.Contains(body, []byte(`"chat_id":1000,`)) {
				one = append(one, time.Since(began))
			}
			return reply(200, `{"ok":true,"result":{"message_id":5,"date":1,"chat":{"id":7,"type":"private"}}}`)
		}, nil)
		var wg sync.WaitGroup
		say := func(chat, n int) {
			for i := range n {
				_, err := b.Deliver(t.Context(), engine.Delivery{ID: fmt.Sprint(chat, i), Caller: fmt.Sprint(chat), Effect: flows.Say{Text: "a"}})
				if err != nil {
					t.Error(err)
				}
			}
		}
		// One after the other in a chat, as the engine does it.
		wg.Go(func() { say(1000, 6) })
		for i := range 60 {
			wg.Go(func() { say(1001+i, 1) })
		}
		wg.Wait()
		for i := range all {
			if i+30 < len(all) && all[i+30]-all[i] < time.Second {
				t.Errorf("more than 30 messages within a second from %v on", all[i])
				break
			}
		}
		if last := all[len(all)-1]; last > 6*time.Second {
			t.Errorf("66 messages took %v", last)
		}
		if n := len(one); n != 6 || one[4]-one[0] < time.Second-time.Millisecond || one[5]-one[0] < 2*time.Second-time.Millisecond {
			t.Errorf("one chat got its messages at %v", one)
		}
	})
}

func TestADeadlineBeforeItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTimed(t, func(*http.Request) (*http.Response, error) {
			return reply(200, `{"ok":true,"result":{"message_id":5,"date":1,"chat":{"id":7,"type":"private"}}}`)
		}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		for i := range 4 {
			_, err := b.Deliver(ctx, engine.Delivery{ID: fmt.Sprint(i), Caller: "7", Effect: flows.Say{Text: "a"}})
			f, _ := errors.AsType[*engine.Failure](err)
			switch {
			case i < 3 && err != nil:
				t.Error(err)
			case i == 3 && (f == nil || f.Final || f.Perhaps || f.After != time.Second):
				t.Errorf("%+v", f)
			}
		}
	})
}

func TestChatsAreForgottenOnceTheyRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPacer(Config{Rate: -1})
		for i := range maxPaced {
			_ = p.message(t.Context(), turn{own: fmt.Sprint(i)})
		}
		time.Sleep(5 * time.Second)
		_ = p.message(t.Context(), turn{own: "last"})
		if n := len(p.own.idle); n != 1 {
			t.Errorf("%d chats remembered, want 1", n)
		}
	})
}

const sentBody = `{"ok":true,"result":{"message_id":5,"date":1,"chat":{"id":7,"type":"private"}}}`

// shared is the pace of several processes on one store.
func shared(store storage.Store) func(context.Context, string, time.Duration, time.Duration) (time.Duration, error) {
	return func(ctx context.Context, queue string, cost, burst time.Duration) (time.Duration, error) {
		now := time.Now()
		at, err := store.Pace(ctx, queue, now, cost, burst)
		return at.Sub(now), err
	}
}

func sayTo(chat int, urgent bool) engine.Delivery {
	return engine.Delivery{
		ID: fmt.Sprint(chat), Caller: fmt.Sprint(chat), Conversation: fmt.Sprintf("blind-%d", chat),
		Effect: flows.Say{Text: "a"}, Urgent: urgent,
	}
}

// insist delivers as the engine does: what is given back is tried again.
func insist(t *testing.T, b *Bot, d engine.Delivery) {
	for {
		_, err := b.Deliver(t.Context(), d)
		f, _ := errors.AsType[*engine.Failure](err)
		if f == nil {
			return
		}
		time.Sleep(f.After)
	}
}

// sharers are three processes on one store, and when they sent something.
func sharers(t *testing.T) (bots []*Bot, sent func() []time.Duration) {
	store := storagetest.NewMemory()
	var mu sync.Mutex
	var all []time.Duration
	began := time.Now()
	for range 3 {
		pace := shared(store)
		bots = append(bots, newTimed(t, func(*http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, time.Since(began))
			return reply(200, sentBody)
		}, func(c *Config) {
			c.Pace = func(ctx context.Context, queue string, cost, burst time.Duration) (time.Duration, error) {
				if !strings.HasPrefix(queue, "telegram:blind-") && queue != "telegram" {
					t.Errorf("the store learns of %q", queue)
				}
				return pace(ctx, queue, cost, burst)
			}
		}))
	}
	return bots, func() []time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

// TestProcessesShareThePace sends to 60 chats from each of three processes.
func TestProcessesShareThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bots, sent := sharers(t)
		var wg sync.WaitGroup
		for process, b := range bots {
			for i := range 60 {
				wg.Go(func() { insist(t, b, sayTo(1000+100*process+i, false)) })
			}
		}
		wg.Wait()
		all := sent()
		for i := range all {
			if i+31 < len(all) && all[i+31]-all[i] < time.Second {
				t.Errorf("more than 31 messages within a second from %v on", all[i])
				break
			}
		}
		if last := all[len(all)-1]; len(all) != 180 || last > 8*time.Second {
			t.Errorf("%d messages took %v", len(all), last)
		}
	})
}

// TestProcessesShareAChatsPace sends six messages to one chat, each by another
// process than the one before.
func TestProcessesShareAChatsPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bots, sent := sharers(t)
		for i := range 6 {
			d := sayTo(7, false)
			d.ID = fmt.Sprint(i)
			insist(t, bots[i%3], d)
		}
		all := sent()
		if len(all) != 6 || all[2] != 0 || all[3] < time.Second || all[5] < 3*time.Second || all[5] > 4*time.Second {
			t.Errorf("the chat got its messages at %v", all)
		}
	})
}

// TestAnEmergencyDoesNotQueue sends to somebody in danger while three processes
// have sixteen messages each that wait.
func TestAnEmergencyDoesNotQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := storagetest.NewMemory()
		bots := make([]*Bot, 3)
		for i := range bots {
			bots[i] = newTimed(t, func(*http.Request) (*http.Response, error) { return reply(200, sentBody) },
				func(c *Config) { c.Pace = shared(store) })
		}
		var wg sync.WaitGroup
		for i, b := range bots {
			for j := range 16 {
				wg.Go(func() {
					if _, err := b.Deliver(t.Context(), sayTo(1000+100*i+j, false)); err != nil {
						t.Error(err)
					}
				})
			}
		}
		synctest.Wait()
		began := time.Now()
		if _, err := bots[0].Deliver(t.Context(), sayTo(7, true)); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took > 200*time.Millisecond {
			t.Errorf("the emergency took %v", took)
		}
		wg.Wait()
		if took := time.Since(began); took < time.Second {
			t.Errorf("the others took %v: there was no queue", took)
		}
	})
}

// TestTooManyRequestsHoldsAllProcesses: Telegram refuses one process, and the
// other waits, too; once, however many messages were refused.
func TestTooManyRequestsHoldsAllProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := storagetest.NewMemory()
		refused := newTimed(t, func(*http.Request) (*http.Response, error) {
			return reply(429, `{"ok":false,"error_code":429,"description":"x","parameters":{"retry_after":4}}`)
		}, func(c *Config) { c.Pace = shared(store) })
		// Of the second chat it follows that it is the bot that sends too much.
		for i := range 2 {
			_, err := refused.Deliver(t.Context(), sayTo(7+i, true))
			if f, _ := errors.AsType[*engine.Failure](err); f == nil || f.After != 4*time.Second || f.All != (i == 1) {
				t.Errorf("%v", err)
			}
		}
		for range 5 {
			refused.pace.pause(t.Context(), turn{}, 4*time.Second, true)
		}
		other := newTimed(t, func(*http.Request) (*http.Response, error) { return reply(200, sentBody) },
			func(c *Config) { c.Pace = shared(store) })
		began := time.Now()
		if _, err := other.Deliver(t.Context(), sayTo(99, true)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 3500*time.Millisecond || took > 4500*time.Millisecond {
			t.Errorf("the other process waits %v, want about 4 s", took)
		}
	})
}

// TestPaceWithoutTheStore goes on by a pace of the process's own while the store
// fails, and while it does not answer.
func TestPaceWithoutTheStore(t *testing.T) {
	for name, share := range map[string]func(context.Context) error{
		"fails":  func(context.Context) error { return errors.New("down") },
		"stalls": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newTimed(t, func(*http.Request) (*http.Response, error) { return reply(200, sentBody) }, func(c *Config) {
					c.Pace = func(ctx context.Context, _ string, _, _ time.Duration) (time.Duration, error) { return 0, share(ctx) }
				})
				began := time.Now()
				for i := range 50 {
					if _, err := b.Deliver(t.Context(), sayTo(100+i, false)); err != nil {
						t.Fatal(err)
					}
				}
				if took := time.Since(began); took < 1500*time.Millisecond || took > 4*time.Second {
					t.Errorf("50 messages took %v, want about 2 s", took)
				}
			})
		})
	}
}

// TestPausesOfPolling says when Telegram is asked again after each failure.
func TestPausesOfPolling(t *testing.T) {
	refused := func(status int, more string) roundTrip {
		return func(*http.Request) (*http.Response, error) {
			return reply(status, fmt.Sprintf(`{"ok":false,"error_code":%d,"description":"x"%s}`, status, more))
		}
	}
	for _, tt := range []struct {
		name string
		poll roundTrip
		want []time.Duration // when the polls begin
	}{
		{"429", refused(429, `,"parameters":{"retry_after":30}`), []time.Duration{0, 30 * time.Second, 60 * time.Second}},
		{"409", refused(409, ""), []time.Duration{0, 3 * time.Second, 6 * time.Second}},
		{"502", refused(502, ""), []time.Duration{0, 3 * time.Second, 6 * time.Second, 9 * time.Second, 12 * time.Second, 15 * time.Second, 18200 * time.Millisecond, 23200 * time.Millisecond, 28200 * time.Millisecond}},
		{"nothing, at once", func(*http.Request) (*http.Response, error) { return reply(200, `{"ok":true,"result":[]}`) }, []time.Duration{0, 3 * time.Second, 6 * time.Second}},
		{"nothing, after 50 s", func(*http.Request) (*http.Response, error) {
			time.Sleep(50 * time.Second)
			return reply(200, `{"ok":true,"result":[]}`)
		}, []time.Duration{0, 50 * time.Second, 100 * time.Second}},
		{"hanging", func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, []time.Duration{0, 65*time.Second + 100*time.Millisecond, 130*time.Second + 300*time.Millisecond}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got []time.Duration
				began := time.Now()
				ctx, cancel := context.WithCancel(t.Context())
				b := newTimed(t, func(r *http.Request) (*http.Response, error) {
					if !strings.HasSuffix(r.URL.Path, "getUpdates") {
						return reply(200, `{"ok":true,"result":true}`)
					}
					got = append(got, time.Since(began))
					if len(got) == len(tt.want) {
						cancel()
					}
					return tt.poll(r)
				}, nil)
				if err := b.Run(ctx); err != nil {
					t.Error(err)
				}
				for i := range tt.want {
					if i >= len(got) || got[i] != tt.want[i] {
						t.Fatalf("asked at %v, want %v", got, tt.want)
					}
				}
			})
		})
	}
}

// BenchmarkListen is the receiving alone: batches of a hundred updates of 2,000
// chats from a Telegram in memory, to a handler that does nothing.
func BenchmarkListen(b *testing.B) {
	const batch = 100
	next := int64(1)
	ctx, cancel := context.WithCancel(b.Context())
	t := roundTrip(func(r *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(r.URL.Path, "getUpdates") {
			return reply(200, `{"ok":true,"result":true}`)
		}
		var p pollParams
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			return nil, err
		}
		if p.Offset >= int64(b.N) {
			cancel()
			return reply(200, `{"ok":true,"result":[]}`)
		}
		if p.Offset != 0 {
			next = p.Offset
		}
		var body bytes.Buffer
		body.WriteString(`{"ok":true,"result":[`)
		for i := range int64(batch) {
			if i > 0 {
				body.WriteByte(',')
			}
			fmt.Fprintf(&body, `{"update_id":%d,"message":{"message_id":5,"date":1,"chat":{"id":%d,"type":"private","first_name":"x"},"from":{"id":%[2]d,"is_bot":false,"first_name":"x","language_code":"id"},"text":"satu dua tiga"}}`, next+i, 1+(next+i)%2000)
		}
		body.WriteString(`]}`)
		return reply(200, body.String())
	})
	bot := newTimed(b, t, nil)
	b.ReportAllocs()
	b.ResetTimer()
	if err := bot.Run(ctx); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "updates/s")
}

// TestTheWebhookIsWatched: another address than ours is somebody else's doing.
func TestTheWebhookIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var set []time.Duration
		began := time.Now()
		theirs := false
		ctx, cancel := context.WithCancel(t.Context())
		b := newTimed(t, func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "setWebhook") {
				set = append(set, time.Since(began))
				theirs = false
				return reply(200, `{"ok":true,"result":true}`)
			}
			if time.Since(began) == 2*watch {
				theirs = true
			}
			if time.Since(began) == 4*watch {
				cancel()
			}
			url := "https://example.org/RAHASIA"
			if theirs {
				url = "https://thief.example"
			}
			return reply(200, fmt.Sprintf(`{"ok":true,"result":{"url":%q,"has_custom_certificate":false,"pending_update_count":0}}`, url))
		}, func(c *Config) {
			c.Mode, c.WebhookURL, c.WebhookSecret = Webhook, "https://example.org/RAHASIA", secret.New("s")
			c.Log = slog.New(slog.NewTextHandler(&log, nil))
		})
		if err := b.Run(ctx); err != nil {
			t.Error(err)
		}
		if len(set) != 2 || set[0] != 0 || set[1] != 2*watch {
			t.Errorf("set at %v, want at 0 and %v", set, 2*watch)
		}
		if !strings.Contains(log.String(), "level=ERROR") || strings.Contains(log.String(), "RAHASIA") || strings.Contains(log.String(), "thief") {
			t.Errorf("log:\n%s", log.String())
		}
	})
}
