package simulation

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"suar/bot"
	"suar/flows"
	"suar/handoff"
	"suar/internal/engine"
	"suar/internal/seal"
	"suar/internal/secret"
	"suar/storage"
)

const (
	telegramURL   = "http://telegram.test"
	mattermostURL = "http://mattermost.test"
	hotlineURL    = "http://hotline.test"
	hookSecret    = "hook-secret"
)

// apart keeps the store's polls from the instants at which a process looks for
// outcomes that wait for a ride: both take slots, and what happens at one instant
// has no order.
const apart = 123_457 * time.Nanosecond

// A process is the whole hotline in one process, as serve puts it together.
type process struct {
	world *world
	name  string
	dead  atomic.Bool
	// offset is how far its clock is from the true one.
	offset atomic.Int64
	poll   time.Duration
	// frozen is until when nothing of it goes on; the driver's.
	frozen time.Time

	cancel context.CancelFunc
	gone   chan struct{} // closed when all of it has ended

	mu    sync.Mutex
	bot   *bot.Bot // nil until it is ready, as desk
	desk  *handoff.Desk
	conns []net.Conn
}

func (p *process) String() string {
	if p == nil {
		return "-"
	}
	return p.name
}

func (p *process) now() time.Time { return time.Now().Add(time.Duration(p.offset.Load())) }

// start begins a process. It is ready some calls later.
func (w *world) start() *process {
	w.started++
	ctx, cancel := context.WithCancel(context.Background())
	p := &process{world: w, name: fmt.Sprintf("process%d", w.started), cancel: cancel, gone: make(chan struct{}), poll: w.poll}
	p.offset.Store(int64(w.skew()))
	w.processes = append(w.processes, p)
	w.note("%s starts", p)
	go func() {
		defer close(p.gone)
		defer cancel()
		if err := p.run(ctx); err != nil && !p.dead.Load() {
			w.blame("%s ended by itself: %v", p, err)
		}
	}()
	return p
}

// run makes the parts and runs them until ctx ends.
func (p *process) run(ctx context.Context) error {
	w := p.world
	own := newProcStore(p, w.mutant.store(w, w.store))
	var store storage.Store = soleStore{own}
	if w.shared {
		store = sharedStore{own}
	}
	log := slog.New(&logWatch{world: w})
	var e *engine.Engine
	for e == nil {
		var err error
		e, err = engine.New(ctx, engine.Config{
			Flow:     w.mutant.flow(w.book),
			Store:    store,
			Vault:    w.vault,
			Officers: func() seal.Recipients { return w.keys.recipients },
			Wall:     p.now,
			Log:      log,
			Limits:   engine.Limits{Poll: p.poll + apart},
			Cost:     seal.PhraseCost{Passes: 1, Memory: 64}, // Nobody guesses here.
		})
		if err != nil {
			// systemd starts it again.
			select {
			case <-time.After(2 * time.Second):
			case <-ctx.Done():
				return nil
			}
		}
	}
	telegram := &wire{proc: p, side: "telegram", server: w.telegram, done: w.sent}
	mattermost := &wire{proc: p, side: "mattermost", server: w.mattermost, done: w.posted}
	mode := bot.Polling
	if w.webhook {
		mode = bot.Webhook
	}
	handler := w.mutant.handler(e)
	b, err := bot.New(bot.Config{
		Token:         secret.New(w.telegram.Token),
		ServerURL:     telegramURL,
		HTTPClient:    &http.Client{Transport: telegram},
		Handler:       handler,
		Keep:          keeping(e),
		Mode:          mode,
		WebhookSecret: secret.New(hookSecret),
		WebhookURL:    hotlineURL + "/telegram",
		Log:           log,
		Now:           p.now,
		Random:        func() float64 { return 0.5 },
	})
	if err != nil {
		return err
	}
	var hold func(context.Context, time.Duration) error
	if w.shared {
		if hold, err = e.Hold("mattermost"); err != nil {
			return err
		}
	}
	transport := &http.Transport{DialContext: mattermost.dial}
	transport.RegisterProtocol("http", mattermost)
	desk, err := handoff.New(handoff.Config{
		URL:         mattermostURL,
		Token:       secret.New(w.suar.token),
		Channel:     w.channel,
		CallbackURL: hotlineURL,
		Key:         w.vault.Derive("mattermost buttons"),
		Handler:     handler,
		Media:       e.Media,
		Log:         log,
		Now:         p.now,
		Transport:   transport,
		Heartbeat:   2 * time.Minute,
		Hold:        hold,
		Random:      func() float64 { return 0.5 },
		Pace:        1000, // One officer plays for as many as there are people.
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.bot, p.desk = b, desk
	p.mu.Unlock()

	var parts sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var failed error
	part := func(f func() error) {
		parts.Go(func() {
			if err := f(); err != nil {
				failed = err
				stop()
			}
		})
	}
	part(func() error { return b.Run(ctx) })
	part(func() error { return desk.Run(ctx) })
	part(func() error {
		return e.Run(ctx, map[flows.Side]engine.Deliverer{
			flows.Caller: w.mutant.deliverer(b), flows.Officers: w.mutant.deliverer(desk),
		})
	})
	parts.Wait()
	return failed
}

// kill ends the process at once. What it has under way comes to nothing.
func (p *process) kill() {
	if p.dead.Swap(true) {
		return
	}
	p.world.note("%s dies", p)
	p.world.harmed = true
	p.cancel()
	p.cut()
	p.world.free(p)
}

// stop asks the process to end, as SIGTERM does.
func (p *process) stop() {
	p.world.note("%s is asked to end", p)
	p.cancel()
}

// ended reports whether nothing comes of the process any more.
func (p *process) ended() bool {
	if p.dead.Load() {
		return true
	}
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

func (p *process) connected(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, c)
}

// cut ends its websockets.
func (p *process) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// parts returns what answers requests from outside, nil if it is not ready.
func (p *process) parts() (*bot.Bot, *handoff.Desk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bot, p.desk
}

// A logWatch holds what is logged to what a log may hold, and blames what
// should never be logged.
type logWatch struct{ world *world }

func (l *logWatch) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (l *logWatch) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l *logWatch) WithGroup(string) slog.Handler                    { return l }

func (l *logWatch) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += " " + a.String()
		return true
	})
	if where := l.world.leaks([]byte(line)); where != "" {
		l.world.blame("a log line holds %s: %s", where, r.Message)
	}
	switch r.Message {
	case "step failed", "outcome dropped", "update cannot be taken", "update put aside", "an officer's post cannot be taken":
		l.world.blame("logged: %s", line)
	}
	return nil
}
