package bot_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"suar/bot"
	"suar/flows"
	"suar/internal/engine"
	"suar/internal/secret"
	"suar/internal/telegramtest"
)

// Canaries: what a person writes, and the token. See also the profile that
// telegramtest gives every person.
const (
	canaryText  = "KATA-RAHASIA-canary"
	canaryToken = "TEST-TOKEN-canary"
)

// journal is the engine as far as an edge knows it: it takes events, and may be
// told to refuse.
type journal struct {
	mu      sync.Mutex
	events  []engine.Inbound
	changed chan struct{}
	// refuse is asked before an event is taken.
	refuse func(engine.Inbound) error
}

func newJournal() *journal { return &journal{changed: make(chan struct{})} }

func (j *journal) Handle(ctx context.Context, in engine.Inbound) error {
	j.mu.Lock()
	refuse := j.refuse
	j.mu.Unlock()
	if refuse != nil {
		if err := refuse(in); err != nil {
			return err
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, in)
	close(j.changed)
	j.changed = make(chan struct{})
	return nil
}

func (j *journal) all() []engine.Inbound {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]engine.Inbound(nil), j.events...)
}

// wait waits until n events were taken.
func (j *journal) wait(t testing.TB, n int) []engine.Inbound {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		j.mu.Lock()
		got, changed := append([]engine.Inbound(nil), j.events...), j.changed
		j.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("%d events of %d: %v", len(got), n, got)
		}
	}
}

func (j *journal) refuseWith(f func(engine.Inbound) error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.refuse = f
}

// a stage is a Telegram server and what the bot needs to run against it. Every
// test ends with it: nothing broke the schema, nothing was fetched, and no log
// line holds a canary.
type stage struct {
	*telegramtest.Server
	t       testing.TB
	journal *journal
	log     *lockedBuffer
	// fetches says that files may be fetched.
	fetches bool
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newStage(t testing.TB, o telegramtest.Options) *stage {
	t.Helper()
	s := &stage{Server: telegramtest.New(o), t: t, journal: newJournal(), log: &lockedBuffer{}}
	t.Cleanup(func() {
		s.Close()
		if f := s.Faults(); len(f) > 0 {
			t.Errorf("against the schema:\n%s", strings.Join(f, "\n"))
		}
		if n := s.Count("getFile") + s.Count("file"); n != 0 && !s.fetches {
			t.Errorf("%d files were fetched", n)
		}
		checkCanaries(t, "the log", s.log.String())
	})
	return s
}

// checkCanaries fails if a text holds anything that is a person's or secret.
func checkCanaries(t testing.TB, where, text string) {
	t.Helper()
	for _, c := range []string{
		canaryText, canaryToken, telegramtest.CanaryName, telegramtest.CanaryUsername,
		telegramtest.CanaryFile, telegramtest.CanaryPhone, canaryChatText,
	} {
		if strings.Contains(text, c) {
			t.Errorf("%s holds %q:\n%s", where, c, text)
		}
	}
}

// The person of most tests. The id is a canary, too.
const (
	canaryChat     = 7_340_215_986
	canaryChatText = "7340215986"
)

func (s *stage) config() bot.Config {
	return bot.Config{
		Token:         secret.New(s.Token),
		ServerURL:     s.URL(),
		Handler:       s.journal,
		WebhookSecret: secret.New("s3cret-canary"),
		Rate:          -1,
		ChatRate:      -1,
		Log:           slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
}

func (s *stage) bot(change func(*bot.Config)) *bot.Bot {
	s.t.Helper()
	cfg := s.config()
	if change != nil {
		change(&cfg)
	}
	b, err := bot.New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// run runs a bot until stop is called, which returns what Run returned.
func (s *stage) run(b *bot.Bot) (stop func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	var once sync.Once
	var err error
	stop = func() error {
		once.Do(func() {
			cancel()
			err = <-ended
		})
		return err
	}
	s.t.Cleanup(func() { _ = stop() })
	return stop
}

func (s *stage) drained() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	if err := s.Drained(ctx); err != nil {
		s.t.Fatalf("not confirmed: %v", s.Pending())
	}
}

func text(ev flows.Event) string {
	switch e := ev.(type) {
	case flows.Said:
		return e.Text
	case flows.Edited:
		return e.Text
	case flows.Attached:
		return e.Caption
	case flows.Chose:
		return e.Data
	}
	return fmt.Sprintf("%T", ev)
}

func TestNewReportsEveryFault(t *testing.T) {
	_, err := bot.New(bot.Config{Token: secret.New("x " + canaryToken), ServerURL: "ftp://" + canaryToken, Mode: bot.Webhook, WebhookURL: "://"})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"Token", "Handler", "ServerURL", "WebhookSecret", "WebhookURL"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing of %s in:\n%v", want, err)
		}
	}
	checkCanaries(t, "the error", err.Error())
}

func TestASecretDoesNotPrint(t *testing.T) {
	cfg := bot.Config{Token: secret.New("123456:" + canaryToken), WebhookSecret: secret.New(canaryToken)}
	for _, text := range []string{
		fmt.Sprintf("%v", cfg), fmt.Sprintf("%+v", cfg), fmt.Sprintf("%#v", cfg), fmt.Sprintf("%s", cfg.Token), fmt.Sprintf("%q", cfg.Token),
	} {
		checkCanaries(t, "a print", text)
	}
}
