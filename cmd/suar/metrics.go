package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"suar/flows"
	"suar/internal/backup"
	"suar/internal/engine"
	"suar/internal/metrics"
	"suar/internal/traces"
)

// tracer is who is told how long what takes, nil for nobody.
func (a *app) tracer() engine.Tracer {
	if a.Traces == nil {
		return nil
	}
	a.traces = traces.New(traces.Config{URL: a.Traces.URL, Version: builtFrom(), Log: a.log.With("part", "traces")})
	return a.traces
}

// measure makes the metrics and opens their listener, if the configuration wants
// them. That their address is taken is no reason not to serve people: it is said,
// and whoever watches sees no metrics.
func (a *app) measure(ctx context.Context) {
	if a.Metrics == nil {
		return
	}
	a.meters = metrics.New(builtFrom(), a.samples)
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", a.Metrics.Listen)
	if err != nil {
		a.log.ErrorContext(ctx, "the metrics are not served: their address cannot be listened at", "listen", a.Metrics.Listen)
		return
	}
	a.watched = l
}

// meter is the metrics as the engine knows them, nil without them.
func (a *app) meter() engine.Meter {
	if a.meters == nil {
		return nil
	}
	return a.meters
}

// serveMetrics serves them until ctx ends. It returns nil: see measure.
func (a *app) serveMetrics(ctx context.Context) error {
	if a.watched == nil {
		return nil
	}
	server := &http.Server{
		Handler:           a.meters.Handler(a.parts, a.Metrics.Pprof),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      2 * time.Minute, // A profile takes its time.
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(a.watched); !errors.Is(err, http.ErrServerClosed) {
		a.log.ErrorContext(ctx, "the metrics are served no longer")
	}
	return nil
}

// parts are what the hotline is ready with.
func (a *app) parts(ctx context.Context) []metrics.Part {
	ctx, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	_, err := a.engine.Status(ctx)
	return a.partsOf(err)
}

func (a *app) partsOf(store error) []metrics.Part {
	return []metrics.Part{
		{Name: metrics.PartStore, Ready: store == nil},
		{Name: metrics.PartTelegram, Ready: a.bot.Status().Receiving},
		{Name: metrics.PartMattermost, Ready: a.desk.Condition().Hears},
	}
}

// A sampling gathers samples.
type sampling struct {
	now time.Time
	all []metrics.Sample
}

func (s *sampling) number(name string, n float64, labels ...string) {
	s.all = append(s.all, metrics.Sample{Name: name, Value: n, Labels: labels})
}

func (s *sampling) count(name string, n int64) { s.number(name, float64(n)) }

func (s *sampling) truth(name string, is bool, labels ...string) {
	n := 0.0
	if is {
		n = 1
	}
	s.number(name, n, labels...)
}

// age is for how long something has been so; 0 for what is not.
func (s *sampling) age(name string, since time.Time, labels ...string) {
	n := 0.0
	if !since.IsZero() {
		n = max(s.now.Sub(since).Seconds(), 0)
	}
	s.number(name, n, labels...)
}

// samples are the metrics that are read at each scrape.
func (a *app) samples(ctx context.Context) []metrics.Sample {
	s := &sampling{now: time.Now()}
	status, err := a.engine.Status(ctx)
	for _, p := range a.partsOf(err) {
		s.truth(metrics.Ready, p.Ready, p.Name)
	}
	for side, n := range status.Waiting { // As many as the store told before it failed.
		s.number(metrics.DeliveriesWaiting, float64(n), metrics.SideName(side))
		s.age(metrics.DeliveriesOldest, status.Oldest[side], metrics.SideName(side))
	}
	s.count(metrics.Events, status.Handled)
	s.count(metrics.Alarms, status.Alarms)
	s.count(metrics.Damaged, status.Damaged)
	s.count(metrics.Unheard, status.Unheard)
	s.count(metrics.StoreTrouble, status.Trouble)
	a.sampleEdges(s)
	a.sampleDuty(s)
	s.number(metrics.TextsUnreviewed, float64(len(a.book.Unreviewed())))
	d := a.book.Directory()
	for kind, stale := range map[string][]time.Time{
		"numbers": d.StaleNumbers(s.now), "pages": d.StalePages(s.now), "embassies": d.StaleEmbassies(s.now),
	} {
		s.number(metrics.DirectoryStale, float64(len(stale)), kind)
	}
	if folder := a.Backup.Folder; folder != "" {
		// A folder that is away has no backup of use.
		n := 0.0
		if made, err := backup.Newest(folder); err == nil && !made.IsZero() {
			n = float64(made.Unix())
		}
		s.number(metrics.BackupMade, n)
	}
	return s.all
}

// sampleEdges samples how Telegram and Mattermost do.
func (a *app) sampleEdges(s *sampling) {
	b, c := a.bot.Status(), a.desk.Condition()
	s.count(metrics.TelegramConflicts, b.Conflicts)
	s.count(metrics.TelegramRefused, b.Refused)
	s.count(metrics.MattermostRefused, c.Refused)
	s.truth(metrics.Listening, c.Listening)
	if !c.Counted {
		return
	}
	s.number(metrics.CasesOpen, float64(c.Cases[flows.Alerting]+c.Cases[flows.Opening]), string(flows.Alerting))
	s.number(metrics.CasesOpen, float64(c.Cases[flows.Owned]), string(flows.Owned))
	s.age(metrics.Unacknowledged, c.Alerted)
	s.age(metrics.Unanswered, c.Unanswered)
}

// sampleDuty samples the roster, if there is one.
func (a *app) sampleDuty(s *sampling) {
	if a.duty.Load() == nil {
		return
	}
	r := a.onDuty()
	s.truth(metrics.RosterOnDuty, !r.Duty(s.now).Nobody())
	var gap time.Duration
	for _, span := range r.Coverage(s.now, s.now.Add(gapsAhead)) {
		if span.Nobody() {
			gap += span.To.Sub(span.From)
		}
	}
	s.number(metrics.RosterGap, gap.Seconds())
}
