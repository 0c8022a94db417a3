// Package traces sends spans of what the engine does to an OpenTelemetry collector, by
// OTLP over HTTP in JSON: https://opentelemetry.io/docs/specs/otlp/.
//
// A span has a kind of event or effect, a side, an outcome and two instants: no word,
// no name, no id of anybody. Spans of an event and of what is delivered because of it
// have nothing in common, so that they cannot be put together to one person's.
package traces

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"suar/internal/engine"
)

const (
	// every is how often spans are sent, most how many are kept until then; those
	// beyond are dropped and counted.
	every = 5 * time.Second
	most  = 2000
	// limit bounds one request.
	limit = 4 * time.Second
)

// A Config is what an Exporter is made of; all of it must be there.
type Config struct {
	// URL is where the collector takes spans, such as
	// http://127.0.0.1:4318/v1/traces.
	URL     string
	Version string // of the program
	Log     *slog.Logger
}

// An Exporter sends spans. It implements [engine.Tracer], and never waits for the
// collector: what it cannot take is lost.
type Exporter struct {
	Config
	client *http.Client

	mu      sync.Mutex
	spans   []span
	dropped int64
	refused bool // the collector took nothing the last time
}

// New returns an exporter; Run sends.
func New(c Config) *Exporter {
	return &Exporter{Config: c, client: &http.Client{
		Timeout: limit,
		// A collector does not redirect.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// place is where in a trace a context is.
type place struct{ trace, span string }

type placeKey struct{}

// Begin implements [engine.Tracer].
func (e *Exporter) Begin(ctx context.Context, s engine.Span) (context.Context, func(outcome string)) {
	above, _ := ctx.Value(placeKey{}).(place)
	here := place{trace: above.trace, span: random(8)}
	if here.trace == "" {
		here.trace = random(16)
	}
	began := time.Now()
	return context.WithValue(ctx, placeKey{}, here), func(outcome string) {
		e.add(newSpan(s, here, above.span, began, time.Now(), outcome))
	}
}

// random is so many random bytes, in hexadecimal.
func random(n int) string {
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // It never fails.
	return hex.EncodeToString(raw)
}

func (e *Exporter) add(s span) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.spans) >= most {
		e.dropped++
		return
	}
	e.spans = append(e.spans, s)
}

// Run sends what there is every few seconds until ctx ends, and then once more. It
// returns nil.
func (e *Exporter) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			e.flush(ctx)
		case <-ctx.Done():
			last, stop := context.WithTimeout(context.WithoutCancel(ctx), limit/2)
			defer stop()
			e.flush(last)
			return nil
		}
	}
}

// flush sends what there is, and says when that begins and ceases to fail.
func (e *Exporter) flush(ctx context.Context) {
	e.mu.Lock()
	spans, dropped := e.spans, e.dropped
	e.spans, e.dropped = nil, 0
	e.mu.Unlock()
	if dropped > 0 {
		e.Log.WarnContext(ctx, "more happened than is traced", "dropped", dropped)
	}
	if len(spans) == 0 {
		return
	}
	status, err := e.send(ctx, spans)
	switch failed := err != nil || status != http.StatusOK; {
	case failed && !e.refused:
		e.Log.WarnContext(ctx, "the collector takes no traces; they are dropped", "status", status)
		e.refused = true
	case !failed && e.refused:
		e.Log.InfoContext(ctx, "the collector takes traces again")
		e.refused = false
	}
}

func (e *Exporter) send(ctx context.Context, spans []span) (status int, err error) {
	body, err := json.Marshal(newRequest(e.Version, spans))
	if err != nil {
		return 0, fmt.Errorf("traces: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("traces: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := e.client.Do(r)
	if err != nil {
		return 0, fmt.Errorf("traces: %w", err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // So that the connection can be used again.
	return resp.StatusCode, nil
}
