package metrics

import (
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
	"suar/internal/engine"
)

var update = flag.Bool("update", false, "write the table of docs/metrics.md anew")

func none(context.Context) []Sample { return nil }

// TestNames holds the catalogue to Prometheus's conventions and to itself.
func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Catalogue() {
		if seen[m.Name] || !regexp.MustCompile(`^suar_[a-z]+(_[a-z]+)*$`).MatchString(m.Name) {
			t.Errorf("%s is there twice or is no name", m.Name)
		}
		seen[m.Name] = true
		if (m.Kind == Counter) != strings.HasSuffix(m.Name, "_total") {
			t.Errorf("%s is a %s", m.Name, m.Kind)
		}
		if (m.Kind == Histogram) != (len(m.Buckets) > 0) || m.Kind == Histogram && !strings.HasSuffix(m.Name, "_seconds") {
			t.Errorf("%s is a %s with %d buckets", m.Name, m.Kind, len(m.Buckets))
		}
		if !slices.IsSorted(m.Buckets) || m.Help == "" || strings.ContainsAny(m.Help, "|\n") || strings.HasSuffix(m.Help, ".") {
			t.Errorf("%s: buckets %v, help %q", m.Name, m.Buckets, m.Help)
		}
		for _, l := range m.Labels {
			if len(l.Values) == 0 && m.Name != BuildInfo {
				t.Errorf("%s: the label %s can be anything", m.Name, l.Name)
			}
		}
	}
}

// TestMeterStaysInTheCatalogue tells a set all that an engine can, and looks for a
// series that the catalogue does not have.
func TestMeterStaysInTheCatalogue(t *testing.T) {
	s := New("v0", none)
	before := series(t, s)
	var m engine.Meter = s
	for _, p := range []flows.Phase{flows.Opening, flows.Alerting, flows.Owned, flows.Ended} {
		m.Entered(p)
	}
	m.Acknowledged(20 * time.Second)
	for level := range 8 {
		m.Called(level)
	}
	for _, side := range []flows.Side{flows.Caller, flows.Officers, flows.Keeper, flows.Pager} {
		for _, o := range []engine.Outcome{engine.OutcomeDelivered, engine.OutcomeUndelivered, engine.OutcomeUnwanted, engine.OutcomeDeferred} {
			m.Performed(side, o, time.Second)
		}
	}
	for _, a := range []engine.Answer{engine.AnswerKept, engine.AnswerRefused, engine.AnswerFailed} {
		m.Committed(time.Millisecond, a)
	}
	after := series(t, s)
	names := func(of map[string]float64) []string {
		var list []string
		for name := range of {
			list = append(list, name)
		}
		slices.Sort(list)
		return list
	}
	if diff := cmp.Diff(names(before), names(after)); diff != "" {
		t.Errorf("series that were not there at the start (-before +after):\n%s", diff)
	}
	for name, want := range map[string]float64{
		`suar_cases_entered_total{phase="claimed"}`: 1, `suar_calls_total{level="duty"}`: 3, `suar_calls_total{level="everybody"}`: 3,
		`suar_deliveries_total{outcome="deferred",side="pager"}`: 1, `suar_delivery_seconds_count{side="caller"}`: 1,
		`suar_acknowledgement_seconds_bucket{le="15"}`: 0, `suar_acknowledgement_seconds_bucket{le="30"}`: 1,
		`suar_store_commits_total{answer="failed"}`: 1, `suar_store_commit_seconds_count`: 3, `suar_build_info{version="v0"}`: 1,
	} {
		if got, there := after[name]; !there || got != want {
			t.Errorf("%s is %v (there: %v), want %v", name, got, there, want)
		}
	}
}

// TestHandler asks for each page.
func TestHandler(t *testing.T) {
	ready := true
	parts := func(context.Context) []Part { return []Part{{PartStore, true}, {PartTelegram, ready}} }
	s := New("v0", func(context.Context) []Sample {
		return []Sample{{Name: Ready, Value: 1, Labels: []string{PartStore}}}
	})
	plain, profiled := s.Handler(parts, false), s.Handler(parts, true)
	for _, tt := range []struct {
		what, path string
		handler    http.Handler
		ready      bool
		status     int
		want       string
	}{
		{"metrics", "/metrics", plain, true, 200, "suar_ready{part=\"store\"} 1\n"},
		{"health", "/healthz", plain, false, 200, "ok\n"},
		{"ready", "/readyz", plain, true, 200, "store: ready\ntelegram: ready\n"},
		{"not ready", "/readyz", plain, false, 503, "store: ready\ntelegram: not ready\n"},
		{"no profiles by default", "/debug/pprof/", plain, true, 404, ""},
		{"no profiles by default", "/debug/pprof/heap", plain, true, 404, ""},
		{"profiles", "/debug/pprof/", profiled, true, 200, "goroutine"},
		{"the command line is nobody's", "/debug/pprof/cmdline", profiled, true, 404, ""},
	} {
		t.Run(tt.what, func(t *testing.T) {
			ready = tt.ready
			w := httptest.NewRecorder()
			tt.handler.ServeHTTP(w, httptest.NewRequest("GET", tt.path, nil))
			if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("%s: status %d, want %d with %q:\n%.2000s", tt.path, w.Code, tt.status, tt.want, w.Body)
			}
		})
	}
}

// TestWrongSamples: a sample that the catalogue does not have is an error of the
// scrape, and not a metric that nobody knows of.
func TestWrongSamples(t *testing.T) {
	for _, sample := range []Sample{
		{Name: "suar_unknown", Value: 1}, {Name: CasesEntered, Value: 1, Labels: []string{"opening"}}, {Name: Ready, Value: 1},
	} {
		s := New("v0", func(context.Context) []Sample { return []Sample{sample} })
		if _, err := s.registry.Gather(); err == nil {
			t.Errorf("%+v is taken", sample)
		}
	}
}

// TestReference holds docs/metrics.md to the catalogue: the table is it, and what is
// named elsewhere in the page, the rules and the dashboard is in it.
func TestReference(t *testing.T) {
	root := filepath.Join("..", "..")
	page := filepath.Join(root, "docs", "metrics.md")
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- metrics -->\n", "<!-- /metrics -->"
	head, rest, ok := strings.Cut(string(raw), begin)
	table, tail, whole := strings.Cut(rest, end)
	if !ok || !whole {
		t.Fatalf("%s has no place for the table", page)
	}
	if table != Reference() {
		if *update {
			if err := os.WriteFile(page, []byte(head+begin+Reference()+end+tail), 0o644); err != nil {
				t.Fatal(err)
			}
		} else {
			t.Errorf("the table of docs/metrics.md is another (-update writes it):\n%s", cmp.Diff(Reference(), table))
		}
	}
	known := map[string]bool{}
	for _, m := range Catalogue() {
		known[m.Name] = true
		if m.Kind == Histogram {
			for _, series := range []string{"_bucket", "_sum", "_count"} {
				known[m.Name+series] = true
			}
		}
	}
	texts := map[string]string{"docs/metrics.md": head + tail}
	for _, pattern := range []string{"docs/install.md", "deploy/prometheus/*.yml", "deploy/grafana/*.json", "deploy/suar.yaml"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", pattern, files, err)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			texts[file] = string(raw)
		}
	}
	for file, text := range texts {
		for _, name := range regexp.MustCompile(`\bsuar_[a-z_]*[a-z]`).FindAllString(text, -1) {
			if !known[name] {
				t.Errorf("%s names %s, which is no metric", file, name)
			}
		}
	}
}

// series are the values of all of suar's series, by how Prometheus writes them.
func series(t *testing.T, s *Set) map[string]float64 {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler(nil, false).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return parse(t, w.Body.String())
}
