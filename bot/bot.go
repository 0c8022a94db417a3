// Package bot is the person's side: a Telegram bot that hands what people do to
// the engine as events, and performs the engine's effects in their chats.
//
// It receives for itself, by long polling or by webhook, and confirms an update
// to Telegram only after the engine has made it durable; what a crash cuts off
// is sent again. An update that cannot be read is put aside and never stops the
// rest. Everything outgoing has the types of go-telegram/bot.
//
// It is blind to profiles: names, user names, pictures and languages of people
// are dropped where an update is read. No log line and no error of this package
// holds a word, a name, an id or the token.
package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/secret"
)

// A Mode is how updates come.
type Mode string

// The modes.
const (
	// Polling asks Telegram for updates. It needs no public address, and there
	// can be one process only.
	Polling Mode = "polling"
	// Webhook lets Telegram send them to ServeHTTP.
	Webhook Mode = "webhook"
)

// ErrToken says that Telegram does not know the token. Somebody has to act:
// trying again is of no use.
var ErrToken = errors.New("bot: telegram does not accept the token")

// A Config is what a Bot is made of. Token and Handler must be there.
type Config struct {
	// Token is the bot's token as BotFather gives it.
	Token secret.Secret
	// ServerURL is the Bot API server; empty is https://api.telegram.org.
	ServerURL string
	// HTTPClient carries the requests; nil is one of our own. Redirects are
	// never followed: the token is in the path.
	HTTPClient *http.Client
	// Handler takes the events. If it has a HandleAll like [engine.Engine]'s, it
	// gets those of one chat that wait at the same time together.
	Handler engine.Handler

	// Mode is Polling if empty.
	Mode Mode
	// WebhookSecret is what Telegram proves itself with, 1 to 256 of
	// A-Z a-z 0-9 _ and -; needed for ServeHTTP.
	WebhookSecret secret.Secret
	// WebhookURL, if not empty, is told to Telegram by Run in the mode Webhook;
	// otherwise somebody else tells it.
	WebhookURL string

	// Quarantine takes an update that could not be read, with the bytes as they
	// came; they hold a person's words. The id is 0 if not even that could be
	// read. After an error the update is not confirmed and comes again. If nil,
	// such an update is dropped.
	Quarantine func(ctx context.Context, update int64, raw []byte) error

	// Keep cleans and keeps a file that a flows.Fetch of the conversation asked
	// for, and says what it kept. It returns ErrUnsuited for what is not taken;
	// any other error is tried again. It gets at most flows.MaxMedia bytes. If
	// nil, no file is fetched.
	Keep func(ctx context.Context, conversation string, e flows.Fetch, raw []byte) (flows.Held, error)

	// Rate is how many messages a second are sent in all, ChatRate to one
	// chat, ChatBurst how many to one chat at once. Zero is 25, 1 and 3; a
	// negative rate is no limit.
	Rate      float64
	ChatRate  float64
	ChatBurst int
	// Pace, where several processes run, takes a place in a queue of all of
	// them and returns how long it is until its turn: [engine.Engine.Pace]. nil,
	// or an error, is a pace of this process's own.
	Pace func(ctx context.Context, queue string, cost, burst time.Duration) (time.Duration, error)

	// Log gets kinds, counts and statuses; nil is silence.
	Log *slog.Logger
	// Now is the clock; nil is the system's.
	Now func() time.Time
	// Random spreads pauses: numbers in [0,1); nil is math/rand/v2.
	Random func() float64
}

const (
	defaultServer = "https://api.telegram.org"
	// workers bounds the events that are handled at once.
	workers = 128
	// callTimeout bounds one outgoing call.
	callTimeout = 30 * time.Second
	// answers bounds the presses that are being acknowledged at once: those of
	// two pollfuls.
	answers = 2 * pollSize
	// connections are kept open to Telegram; net/http's default of two costs
	// more than half of the throughput.
	connections = 384
)

var (
	tokenForm  = regexp.MustCompile(`^[0-9]{1,20}:[A-Za-z0-9_-]{1,256}$`)
	secretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)
)

// A Bot is the person's side. Its methods may be called by any number of
// goroutines, but Run by one at a time.
type Bot struct {
	cfg   Config
	api   *api
	files *files
	pace  *pacer
	log   *slog.Logger

	// together is the Handler if it can take several events at once.
	together interface {
		HandleAll(ctx context.Context, ins []engine.Inbound) error
	}

	acks chan struct{} // slots for acknowledging presses
	busy chan struct{} // slots for handling events

	made   made
	floods floods
	health health
}

// New checks the configuration and returns a Bot. It reports every fault at
// once and does not talk to Telegram: a hotline starts while Telegram is down.
func New(cfg Config) (*Bot, error) {
	var faults []error
	if !tokenForm.MatchString(cfg.Token.Reveal()) {
		faults = append(faults, errors.New("bot: Token is not of the form 123456:abc"))
	}
	if cfg.Handler == nil {
		faults = append(faults, errors.New("bot: Handler is missing"))
	}
	cfg.ServerURL = strings.TrimSuffix(cfg.ServerURL, "/")
	if cfg.ServerURL == "" {
		cfg.ServerURL = defaultServer
	}
	if u, err := url.Parse(cfg.ServerURL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		faults = append(faults, errors.New("bot: ServerURL is not an http address"))
	}
	switch cfg.Mode {
	case "":
		cfg.Mode = Polling
	case Polling:
	case Webhook:
		if cfg.WebhookSecret.Empty() {
			faults = append(faults, errors.New("bot: WebhookSecret is missing"))
		}
		if u, err := url.Parse(cfg.WebhookURL); cfg.WebhookURL != "" && (err != nil || u.Host == "") {
			faults = append(faults, errors.New("bot: WebhookURL is not an address"))
		}
	default:
		faults = append(faults, fmt.Errorf("bot: Mode %q is neither polling nor webhook", string(cfg.Mode)))
	}
	if !cfg.WebhookSecret.Empty() && !secretForm.MatchString(cfg.WebhookSecret.Reveal()) {
		faults = append(faults, errors.New("bot: WebhookSecret is not 1 to 256 of A-Z a-z 0-9 _ -"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Float64
	}
	b := &Bot{
		cfg:  cfg,
		pace: newPacer(cfg),
		log:  cfg.Log,
		acks: make(chan struct{}, answers),
		busy: make(chan struct{}, workers),
	}
	b.together, _ = cfg.Handler.(interface {
		HandleAll(ctx context.Context, ins []engine.Inbound) error
	})
	var err error
	if b.api, err = newAPI(cfg.HTTPClient, cfg.ServerURL, cfg.Token.Reveal()); err != nil {
		return nil, errors.New("bot: ServerURL is not an http address") // The cause holds the token.
	}
	if b.files, err = newFiles(cfg.HTTPClient, cfg.ServerURL, cfg.Token.Reveal()); err != nil {
		return nil, errors.New("bot: ServerURL is not an http address") // The cause holds the token.
	}
	return b, nil
}

// Run receives updates until ctx ends; then it lets what is being handled
// finish, confirms it and returns nil. It returns ErrToken if Telegram does not
// accept the token. Every other trouble it waits out.
func (b *Bot) Run(ctx context.Context) error {
	defer b.acknowledged()
	defer b.health.receiving.Store(false)
	if b.cfg.Mode == Webhook {
		return b.runWebhook(ctx)
	}
	return b.runPolling(ctx)
}

// acknowledge ends the waiting signs on buttons that were pressed. It is tried
// once, beside everything else: a press is handled whether or not it succeeds.
// begin lets a function run in a goroutine.
func (b *Bot) acknowledge(queries []string, begin func(func())) {
	for some := range slices.Chunk(queries, b.api.atOnce()) {
		for n := range some {
			select {
			case b.acks <- struct{}{}:
				continue
			default:
			}
			some = some[:n]
			break
		}
		if len(some) > 0 {
			begin(func() { b.acknowledgeSome(some) })
		}
	}
}

// acknowledgeSome acknowledges presses that have slots, and gives those back.
func (b *Bot) acknowledgeSome(queries []string) {
	defer func() {
		for range queries {
			<-b.acks
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, err := range b.api.acknowledge(ctx, queries) {
		r := refuse(err)
		b.log.Debug("press not acknowledged", "status", r.status, "class", string(r.kind))
	}
}

// acknowledged waits for the acknowledgements under way.
func (b *Bot) acknowledged() {
	for range answers {
		b.acks <- struct{}{}
	}
	for range answers {
		<-b.acks
	}
}

// sleep waits for d and reports whether ctx did not end before.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// backoff is the pause before the nth try in a row, from 0.1 s to 5 s, half of
// it at random.
func (b *Bot) backoff(n int) time.Duration {
	d := min(100*time.Millisecond<<min(n, 10), 5*time.Second)
	return d/2 + time.Duration(float64(d/2)*b.cfg.Random())
}
