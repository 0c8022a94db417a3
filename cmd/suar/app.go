package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"suar/bot"
	"suar/flows"
	"suar/handoff"
	"suar/handoff/roster"
	"suar/internal/engine"
	"suar/internal/metrics"
	"suar/internal/seal"
	"suar/internal/traces"
	"suar/storage"
)

// A setting is all that an app is made of, with its files read.
type setting struct {
	config
	log *slog.Logger
}

// An app is the whole hotline in one process.
type app struct {
	setting
	store    storage.Store
	vault    *seal.Vault
	engine   *engine.Engine
	bot      *bot.Bot
	desk     *handoff.Desk
	listener net.Listener
	// meters are the metrics and watched is where they are served, nil without them.
	meters  *metrics.Set
	traces  *traces.Exporter
	watched net.Listener
	// polls holds the right to poll Telegram.
	polls func(ctx context.Context, life time.Duration) error
	// duty is the roster of this moment, if there is one.
	duty atomic.Pointer[roster.Roster]
	// changes are those that leads made to it.
	changes atomic.Pointer[[]roster.Change]
	// refused is why a newer one was not served, as it was said last.
	refused string
	// place is held in a Redis, nil in the embedded store.
	place *place
}

// newApp opens the store and the listening address and puts the parts
// together. It talks to nobody. Close releases what it opened.
func newApp(ctx context.Context, s setting) (_ *app, err error) {
	a := &app{setting: s}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	had := true
	if s.Redis == nil {
		if had, err = s.begun(); err != nil {
			return nil, err
		}
	}
	if a.store, err = openStore(ctx, s.config, a.unsafe); err != nil {
		return nil, err
	}
	if !had {
		a.log.WarnContext(ctx, "a new, empty store was begun: if this hotline had one, stop and restore it", "store", s.Store)
	}
	if s.Redis != nil {
		if a.place, err = takePlace(ctx, a.store); err != nil {
			return nil, err
		}
	}
	a.vault = seal.NewVault(s.vaultKey)
	a.measure(ctx)
	a.engine, err = engine.New(ctx, engine.Config{
		Flow:     s.flow(),
		Store:    a.store,
		Vault:    a.vault,
		Officers: func() seal.Recipients { return s.recipients },
		Log:      s.log.With("part", "engine"),
		Meter:    a.meter(),
		Tracer:   a.tracer(),
		Limits:   engine.Limits{Callers: s.Deliveries.Callers, Officers: s.Deliveries.Officers},
	})
	if err != nil {
		return nil, err
	}
	// What the process before this one was doing when it died need not wait,
	// where there can be no other process.
	if store, ok := a.store.(interface {
		Release(ctx context.Context) error
	}); ok {
		if err = store.Release(ctx); err != nil {
			return nil, err
		}
	}
	if err = a.compact(ctx); err != nil {
		return nil, err
	}
	media, err := a.mediaKeeper()
	if err != nil {
		return nil, err
	}
	b := bot.Config{
		Token:         s.Telegram.token,
		ServerURL:     s.Telegram.Server,
		Handler:       a.engine,
		Mode:          bot.Mode(s.Telegram.Mode),
		WebhookSecret: s.Telegram.secret,
		WebhookURL:    s.Telegram.WebhookURL,
		Quarantine:    a.quarantine().keep,
		Keep:          media.Keep,
		Rate:          s.Telegram.Rate,
		ChatRate:      s.Telegram.ChatRate,
		Log:           s.log.With("part", "bot"),
	}
	if s.Redis != nil {
		b.Pace = a.engine.Pace // All processes have one queue to Telegram.
	}
	if a.bot, err = bot.New(b); err != nil {
		return nil, err
	}
	listen, err := a.engine.Hold(holdListen)
	if err != nil {
		return nil, err
	}
	if a.polls, err = a.engine.Hold(holdPoll); err != nil {
		return nil, err
	}
	restored, err := a.engine.Restored(ctx)
	if err != nil {
		return nil, err
	}
	onDuty, err := a.serveRoster(ctx)
	if err != nil {
		return nil, err
	}
	a.desk, err = handoff.New(handoff.Config{
		URL:         s.Mattermost.URL,
		Token:       s.Mattermost.token,
		Channel:     s.Mattermost.Channel,
		CallbackURL: s.Mattermost.Callback,
		Key:         a.vault.Derive("mattermost buttons"),
		ServerKey:   s.Mattermost.ServerKey,
		OnCall:      s.Mattermost.OnCall,
		Roster:      onDuty,
		Words:       words(s.book),
		Pace:        s.Mattermost.Rate,
		Say:         s.book.OfficerText,
		RankAt:      s.book.RankAt,
		Board:       true,
		SlashToken:  s.Mattermost.commandToken,
		Status:      a.engine.Status,
		Changes:     a.dutyChanges,
		ChangeDuty:  a.changeDuty,
		Handler:     a.engine,
		Hold:        listen,
		Media:       a.engine.Media,
		Audit:       a.engine.Audit,
		AuditHead:   a.auditHead,
		Form:        a.engine.Form,
		Typing:      a.typing,
		Pack:        seal.Packet,
		Restored:    restored,
		Log:         s.log.With("part", "handoff"),
	})
	if err != nil {
		return nil, err
	}
	if a.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", s.Listen); err != nil {
		return nil, fmt.Errorf("listen for Mattermost's presses: %w", err)
	}
	return a, nil
}

// flow is the book, for officers who can be called a second way if there is one.
func (s setting) flow() *flows.Book {
	if s.Page == nil {
		return s.book
	}
	return s.book.Summoning()
}

// typing shows to a person that an officer writes, if they may see it now.
func (a *app) typing(ctx context.Context, thread flows.PostID, officer flows.Officer) error {
	caller, show, err := a.engine.Typing(ctx, thread, officer)
	if err != nil || !show {
		return err
	}
	return a.bot.Typing(ctx, caller)
}

// unsafe tells of a Redis that is not safe any more, as the one that took over
// in a failover may be. The error names its settings, nothing of anybody.
func (a *app) unsafe(err error) {
	a.log.Error("THE REDIS IS NOT SAFE, or a part of it cannot be looked at", "error", err)
}

// auditHead is the trail's end, "" while it is empty.
func (a *app) auditHead(ctx context.Context) (string, error) {
	head, err := a.engine.AuditHead(ctx)
	if err != nil || head.N == 0 {
		return "", err
	}
	return head.String(), nil
}

// words are the answers to presses, from the book.
func words(b *flows.Book) handoff.Words {
	return handoff.Words{
		Refused: b.OfficerText("desk.refused"),
		Unknown: b.OfficerText("desk.unknown"),
		Again:   b.OfficerText("desk.again"),
		Called:  b.OfficerText("desk.called"),

		Witness:    b.OfficerText("desk.witness"),
		Slow:       b.OfficerText("desk.slow"),
		Outsider:   b.OfficerText("desk.outsider"),
		Changed:    b.OfficerText("card.form.changed"),
		NotOfficer: b.OfficerText("card.form.officer"),
	}
}

// Address is where presses and the webhook arrive, host:port.
func (a *app) Address() string { return a.listener.Addr().String() }

// Run serves until ctx ends or a part cannot go on, and then drains: what was
// received is committed, what is being delivered is finished.
func (a *app) Run(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("/mattermost/", a.desk)
	mux.Handle("POST /telegram", a.bot)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		// The default log prints addresses and what clients sent.
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		grace, stop := context.WithTimeout(context.WithoutCancel(ctx), 8*time.Second)
		defer stop()
		return server.Shutdown(grace)
	})
	if a.place != nil {
		g.Go(func() error {
			a.place.keep(ctx)
			return nil
		})
	}
	g.Go(func() error { return a.serveMetrics(ctx) })
	if a.traces != nil {
		g.Go(func() error { return a.traces.Run(ctx) })
	}
	g.Go(func() error { return a.quarantine().Run(ctx) })
	g.Go(func() error { return a.upkeep(ctx) })
	g.Go(func() error { return a.followRoster(ctx) })
	g.Go(func() error { return a.followKeys(ctx) })
	g.Go(func() error {
		if a.Telegram.Mode == string(bot.Polling) {
			return alone(ctx, a.polls, a.bot.Run)
		}
		return a.bot.Run(ctx)
	})
	g.Go(func() error { return a.desk.Run(ctx) })
	g.Go(func() error {
		sides := map[flows.Side]engine.Deliverer{flows.Caller: a.bot, flows.Officers: a.desk}
		if a.Page != nil {
			a.Page.pager.Log = a.log.With("part", "pager")
			sides[flows.Pager] = a.Page.pager
		}
		return a.engine.Run(ctx, sides)
	})
	err := g.Wait()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Close releases what newApp opened.
func (a *app) Close() error {
	var errs []error
	for _, l := range []net.Listener{a.listener, a.watched} {
		if l == nil {
			continue
		}
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if a.place != nil {
		a.place.leave()
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	return errors.Join(errs...)
}
