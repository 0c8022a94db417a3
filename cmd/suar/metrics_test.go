package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"suar/internal/backup"
	"suar/internal/mattermosttest"
	"suar/internal/metrics"
	"suar/internal/telegramtest"
)

// fetchPage is a page of a hotline's metrics.
func fetchPage(t *testing.T, address, path string) (int, string) {
	t.Helper()
	resp, err := http.Get("http://" + address + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

// awaitPage asks for a page until it is as wanted.
func awaitPage(t *testing.T, address, path string, as func(status int, text string) bool) string {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for {
		status, text := fetchPage(t, address, path)
		if as(status, text) {
			return text
		}
		if pause(ctx, 20*time.Millisecond) != nil {
			t.Fatalf("%s: status %d\n%s", path, status, text)
		}
	}
}

// TestServeMetrics serves a hotline to which a person writes: it becomes ready, all
// metrics are there that it can have, no others, and nothing that the person said or
// is.
func TestServeMetrics(t *testing.T) {
	w := mattermosttest.StandIn(t)
	telegram := telegramtest.New(telegramtest.Options{})
	t.Cleanup(telegram.Close)
	const chat, words = 8_640_227_391, "kenari-2207-rahasia"
	d := newDeployment(t)
	d.file(t, "etc/secrets/mattermost", w.Bot.Token, 0o400)
	address, watched := freeAddress(t), freeAddress(t)
	d.values["listen"], d.values["callback"] = address, "http://"+address
	d.values["url"], d.values["channel"], d.values["telegram_server"] = w.URL, w.ChannelID, telegram.URL()
	if err := os.Mkdir(d.path("backups"), 0o700); err != nil {
		t.Fatal(err)
	}
	made := time.Date(2026, 11, 1, 3, 30, 0, 0, time.UTC)
	d.file(t, "backups/"+backup.Name(made), "x", 0o600)
	var mu sync.Mutex
	var spans strings.Builder
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		spans.Write(raw)
	}))
	t.Cleanup(collector.Close)
	d.values["more"] = "metrics: {listen: \"" + watched + "\"}\ntraces: {url: " + collector.URL + "}\nbackup: {folder: " + d.path("backups") + "}"
	d.write(t)
	ctx, stop := context.WithCancel(t.Context())
	log, done := make(logTail, 1000), make(chan error, 1)
	go func() { done <- serve(ctx, d.path("etc/suar.yaml"), d.lookup, log) }()
	awaitPage(t, watched, "/readyz", func(status int, text string) bool {
		return status == http.StatusOK && text == "store: ready\ntelegram: ready\nmattermost: ready\n"
	})
	if status, text := fetchPage(t, watched, "/healthz"); status != http.StatusOK || text != "ok\n" {
		t.Errorf("/healthz: %d %q", status, text)
	}
	for _, page := range []string{"/metrics", "/readyz", "/debug/pprof/"} {
		if status, _ := fetchPage(t, address, page); status != http.StatusNotFound {
			t.Errorf("%s is at the address for presses: status %d", page, status)
		}
	}

	p := telegram.Person(chat)
	p.Start()
	p.Say(words)
	// The case comes to be known step by step: the commit, the card, its echo.
	text := awaitPage(t, watched, "/metrics", func(_ int, text string) bool {
		for _, line := range []string{
			`suar_deliveries_total{outcome="delivered",side="caller"} [1-9]`, `suar_events_total 2`,
			`suar_cases_open{phase="alerting"} 1`, `suar_cases_open{phase="claimed"} 0`,
			`suar_cases_entered_total{phase="alerting"} 1`, `suar_calls_total{level="duty"} [1-9]`,
		} {
			if !regexp.MustCompile(`(?m)^` + strings.NewReplacer("{", `\{`, "}", `\}`).Replace(line)).MatchString(text) {
				return false
			}
		}
		return true
	})
	for _, line := range []string{
		`suar_ready{part="mattermost"} 1`, `suar_mattermost_listening 1`, `suar_unanswered_oldest_seconds 0`,
		`suar_telegram_conflicts_total 0`, `suar_texts_unreviewed 2`, `suar_backup_timestamp_seconds 1.7935038e+09`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no %q", line)
		}
	}
	if strings.Contains(text, "\nsuar_unacknowledged_oldest_seconds 0\n") {
		t.Error("a case waits for nobody")
	}
	known := map[string]bool{}
	for _, m := range metrics.Catalogue() {
		known[m.Name] = true
		roster := m.Name == metrics.RosterOnDuty || m.Name == metrics.RosterGap
		if there := strings.Contains(text, "\n# TYPE "+m.Name+" "+string(m.Kind)+"\n"); there == roster {
			t.Errorf("%s is there: %v", m.Name, there)
		}
	}
	for _, found := range regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllStringSubmatch(text, -1) {
		if name := found[1]; !known[name] && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			t.Errorf("%s is not in the catalogue", name)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for _, name := range []string{`"handle started"`, `"deliver show"`, `"deliver open"`, `"commit"`} {
		if !strings.Contains(spans.String(), name) {
			t.Errorf("no %s among the spans", name)
		}
	}
	for _, secret := range []string{words, "8640227391", telegramtest.CanaryName, telegramtest.CanaryUsername, w.Bot.Token, w.ChannelID, w.Bot.ID, "siti", d.root} {
		if strings.Contains(text, secret) || strings.Contains(spans.String(), secret) {
			t.Errorf("the metrics or the spans hold %q", secret)
		}
	}
	if status, text := fetchPage(t, watched, "/healthz"); status != 0 {
		t.Errorf("it has ended, and answers %d %q", status, text)
	}
}

// TestServeWithoutMetrics: an address that is taken is said, and nobody is turned
// away for it.
func TestServeWithoutMetrics(t *testing.T) {
	d := newDeployment(t)
	d.write(t)
	c, err := loadConfig(d.path("etc/suar.yaml"), d.lookup)
	if err != nil {
		t.Fatal(err)
	}
	c.Listen = "127.0.0.1:0"
	first, err := newApp(t.Context(), setting{config: c, log: newLog(c.Log, io.Discard)})
	if err != nil {
		t.Fatal(err)
	}
	if first.meters != nil || first.watched != nil {
		t.Error("metrics are served that nobody asked for")
	}
	taken := first.Address()
	c.Metrics = &metricsConfig{Listen: taken}
	c.Store = d.path("data/other")
	var log bytes.Buffer
	second, err := newApp(t.Context(), setting{config: c, log: newLog(c.Log, &log)})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "the metrics are not served") || !strings.Contains(log.String(), taken) {
		t.Errorf("the log does not say so:\n%s", log.String())
	}
	if err := second.serveMetrics(t.Context()); err != nil {
		t.Error(err)
	}
	for _, a := range []*app{first, second} {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestMetricsConfig is the table of where metrics may be served.
func TestMetricsConfig(t *testing.T) {
	const reached = "metrics.listen: %s is reached from other machines"
	at := func(address string) string { return strings.Replace(reached, "%s", address, 1) }
	for _, tt := range []struct {
		section string
		want    []string
		listen  string
	}{
		{"", nil, ""},
		{"metrics: {}", nil, "127.0.0.1:9464"},
		{"metrics: {listen: 127.0.0.3:1, pprof: true}", nil, "127.0.0.3:1"},
		{"metrics: {listen: \"[::1]:9464\"}", nil, "[::1]:9464"},
		{"metrics: {listen: \"0.0.0.0:9464\"}", []string{at("0.0.0.0:9464")}, ""},
		{"metrics: {listen: \":9464\"}", []string{at(":9464")}, ""},
		{"metrics: {listen: \"10.0.0.1:9464\"}", []string{at("10.0.0.1:9464")}, ""},
		{"metrics: {listen: \"10.0.0.1:9464\", public: true}", nil, "10.0.0.1:9464"},
		{"metrics: {listen: \"10.0.0.1:9464\", public: true, pprof: true}", []string{"metrics.pprof: profiles are served on a loopback address only, and 10.0.0.1:9464 is none"}, ""},
		{"metrics: {listen: here}", []string{"metrics.listen: \"here\" is no address"}, ""},
		{"metrics: {listen: \"127.0.0.1:8075\"}", []string{"metrics.listen: 127.0.0.1:8075 is where people's messages and presses arrive"}, ""},
	} {
		t.Run(tt.section, func(t *testing.T) {
			d := newDeployment(t)
			d.values["more"] = tt.section
			if got := d.load(t); !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if len(tt.want) > 0 {
				return
			}
			c, err := loadConfig(d.path("etc/suar.yaml"), d.lookup)
			if err != nil || (c.Metrics != nil) != (tt.listen != "") || c.Metrics != nil && c.Metrics.Listen != tt.listen {
				t.Errorf("%+v, %v; want %q", c.Metrics, err, tt.listen)
			}
		})
	}
}

// TestTracesConfig is the table of where traces may be sent.
func TestTracesConfig(t *testing.T) {
	const want = "traces.url: want where the collector takes traces"
	for _, tt := range []struct {
		section string
		want    []string
	}{
		{"traces: {url: \"http://127.0.0.1:4318/v1/traces\"}", nil},
		{"traces: {url: \"http://[::1]:4318/v1/traces\"}", nil},
		{"traces: {url: \"https://traces.example.org/v1/traces\", public: true}", nil},
		{"traces: {url: \"https://traces.example.org/v1/traces\"}", []string{"traces.url: traces.example.org is not this machine"}},
		{"traces: {url: \"http://canary:canary@127.0.0.1:4318\"}", []string{want}},
		{"traces: {url: \"127.0.0.1:4318\"}", []string{want}},
		{"traces: {}", []string{want}},
	} {
		t.Run(tt.section, func(t *testing.T) {
			d := newDeployment(t)
			d.values["more"] = tt.section
			if got := d.load(t); !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
