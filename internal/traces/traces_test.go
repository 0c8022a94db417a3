package traces

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"suar/internal/engine"
)

// A collector takes spans, or refuses them with its status.
type collector struct {
	mu     sync.Mutex
	status int
	bodies [][]byte
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/json" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	c.bodies = append(c.bodies, raw)
	w.WriteHeader(c.status)
}

// spans are those of the nth request.
func (c *collector) spans(t *testing.T, n int) []span {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.bodies) <= n {
		t.Fatalf("%d requests, want the one numbered %d", len(c.bodies), n)
	}
	var r request
	d := json.NewDecoder(bytes.NewReader(c.bodies[n]))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	want := []attribute{{"service.name", value{"suar"}}, {"service.version", value{"v0"}}}
	if diff := cmp.Diff(want, r.ResourceSpans[0].Resource.Attributes); diff != "" {
		t.Errorf("the resource (-want +got):\n%s", diff)
	}
	return r.ResourceSpans[0].ScopeSpans[0].Spans
}

func newExporter(t *testing.T) (*Exporter, *collector, *bytes.Buffer) {
	c := &collector{status: http.StatusOK}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	log := new(bytes.Buffer)
	return New(Config{URL: server.URL + "/v1/traces", Version: "v0", Log: slog.New(slog.NewTextHandler(log, nil))}), c, log
}

// TestSpans sends a commit within an event, and a delivery that has nothing to do with
// either.
func TestSpans(t *testing.T) {
	e, c, log := newExporter(t)
	ctx, handled := e.Begin(t.Context(), engine.Span{Name: "handle", Kind: "said"})
	_, committed := e.Begin(ctx, engine.Span{Name: "commit"})
	committed("kept")
	handled("done")
	_, delivered := e.Begin(t.Context(), engine.Span{Name: "deliver", Kind: "show", Side: "caller"})
	delivered("delivery")
	// Run sends what is left at its end.
	ended, stop := context.WithCancel(t.Context())
	stop()
	if err := e.Run(ended); err != nil {
		t.Fatal(err)
	}
	got := c.spans(t, 0)
	attributes := func(pairs ...string) (list []attribute) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, attribute{pairs[i], value{pairs[i+1]}})
		}
		return list
	}
	want := []span{
		{Name: "commit", Kind: 1, Attributes: attributes("suar.outcome", "kept")},
		{Name: "handle said", Kind: 1, Attributes: attributes("suar.outcome", "done", "suar.kind", "said")},
		{Name: "deliver show", Kind: 1, Attributes: attributes("suar.outcome", "delivery", "suar.kind", "show", "suar.side", "caller")},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(span{}, "TraceID", "SpanID", "ParentID", "Start", "End")); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	commit, handle, deliver := got[0], got[1], got[2]
	if commit.TraceID != handle.TraceID || commit.ParentID != handle.SpanID || handle.ParentID != "" {
		t.Errorf("the commit is not part of the event: %+v, %+v", commit, handle)
	}
	if deliver.TraceID == handle.TraceID || deliver.ParentID != "" {
		t.Errorf("the delivery is tied to the event: %+v, %+v", deliver, handle)
	}
	for _, s := range got {
		if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(s.TraceID) || !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(s.SpanID) {
			t.Errorf("ids %q and %q", s.TraceID, s.SpanID)
		}
		start, err1 := strconv.ParseInt(s.Start, 10, 64)
		end, err2 := strconv.ParseInt(s.End, 10, 64)
		if err1 != nil || err2 != nil || start <= 0 || end < start {
			t.Errorf("from %q to %q", s.Start, s.End)
		}
	}
	if log.Len() > 0 {
		t.Errorf("the log says %q", log)
	}
}

// TestTracesAreNobodysTrouble: a collector that refuses, is away or is slower than
// what happens costs traces and a line in the log.
func TestTracesAreNobodysTrouble(t *testing.T) {
	e, c, log := newExporter(t)
	one := func() {
		_, end := e.Begin(t.Context(), engine.Span{Name: "commit"})
		end("kept")
		e.flush(t.Context())
	}
	c.status = http.StatusServiceUnavailable
	one()
	one()
	c.mu.Lock()
	c.status = http.StatusOK
	c.mu.Unlock()
	one()
	const refused, again = "the collector takes no traces; they are dropped", "the collector takes traces again"
	if strings.Count(log.String(), refused) != 1 || strings.Count(log.String(), "status=503") != 1 || strings.Count(log.String(), again) != 1 {
		t.Errorf("the log:\n%s", log)
	}
	for range most + 7 {
		_, end := e.Begin(t.Context(), engine.Span{Name: "commit"})
		end("kept")
	}
	e.flush(t.Context())
	if n := len(c.spans(t, 3)); n != most || !strings.Contains(log.String(), "dropped=7") {
		t.Errorf("%d spans are sent, want %d; the log:\n%s", n, most, log)
	}
	e.URL = "http://127.0.0.1:1/v1/traces"
	one()
	if strings.Count(log.String(), refused) != 2 {
		t.Errorf("nobody listens, and the log says:\n%s", log)
	}
	e.flush(t.Context()) // Nothing is left, and nothing is sent.
	if len(c.bodies) != 4 {
		t.Errorf("%d requests", len(c.bodies))
	}
}
