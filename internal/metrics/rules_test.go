package metrics

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// promtool runs it in deploy/prometheus.
func promtool(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return promtoolReads(t, nil, args...)
}

func promtoolReads(t *testing.T, in io.Reader, args ...string) (string, error) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("promtool is not here, and CI=true: it is in Debian's prometheus")
		}
		t.Skip("promtool is not here: it is in Debian's prometheus")
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stdin = in
	cmd.Dir = filepath.Join("..", "..", "deploy", "prometheus")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestAlerts runs the rules' own tests by promtool, and shows that they find a rule
// that is wrong.
func TestAlerts(t *testing.T) {
	for _, args := range [][]string{{"check", "rules", "alerts.yml"}, {"test", "rules", "alerts_test.yml"}} {
		if out, err := promtool(t, args...); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	folder := t.TempDir()
	for _, name := range []string{"alerts.yml", "alerts_test.yml"} {
		raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", "prometheus", name))
		if err != nil {
			t.Fatal(err)
		}
		wrong := strings.Replace(string(raw), "suar_unacknowledged_oldest_seconds) > 900", "suar_unacknowledged_oldest_seconds) > 9000", 1)
		if changed := wrong != string(raw); changed != (name == "alerts.yml") {
			t.Fatalf("%s: changed %v", name, changed)
		}
		if err := os.WriteFile(filepath.Join(folder, name), []byte(wrong), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := promtool(t, "test", "rules", filepath.Join(folder, "alerts_test.yml")); err == nil {
		t.Errorf("a rule that is wrong passes:\n%s", out)
	}
}

// TestEveryAlertIsTested: each alert is seen to fire in a test, says what to do and
// how soon.
func TestEveryAlertIsTested(t *testing.T) {
	folder := filepath.Join("..", "..", "deploy", "prometheus")
	raw, err := os.ReadFile(filepath.Join(folder, "alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert               string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile(filepath.Join(folder, "alerts_test.yml"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			n++
			if fires := regexp.MustCompile(`alertname="` + r.Alert + `".*exp_samples: \[\{value: 1\}\]`); !fires.Match(tests) {
				t.Errorf("no test sees %s fire", r.Alert)
			}
			if s := r.Labels["severity"]; s != "page" && s != "ticket" {
				t.Errorf("%s has the severity %q", r.Alert, s)
			}
			if r.Annotations["summary"] == "" || r.Annotations["action"] == "" {
				t.Errorf("%s does not say what it is and what to do: %v", r.Alert, r.Annotations)
			}
		}
	}
	if n < 10 {
		t.Errorf("%d alerts: the file was not read", n)
	}
}

// TestDashboard has promtool read every question of the dashboard.
func TestDashboard(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "deploy", "grafana", "suar.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Panels []struct {
			Title, Description, Type string
			Targets                  []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	type rule struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	var rules []rule
	for _, p := range file.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("the panel %q asks nothing", p.Title)
		}
		for _, q := range p.Targets {
			rules = append(rules, rule{fmt.Sprintf("panel:%d", len(rules)), q.Expr})
		}
	}
	if len(rules) < 20 {
		t.Fatalf("%d questions: the file was not read", len(rules))
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dashboard.yml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := promtool(t, "check", "rules", path); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestLint has promtool read all metrics as they are served.
func TestLint(t *testing.T) {
	var samples []Sample
	s := New("v0", func(context.Context) []Sample { return samples })
	counted := map[string]bool{} // as it happens; the others are read
	for name := range series(t, s) {
		name, _, _ = strings.Cut(name, "{")
		counted[strings.TrimSuffix(name, "_count")] = true
	}
	for _, m := range Catalogue() {
		if !counted[m.Name] {
			m.each(func(values []string) { samples = append(samples, Sample{m.Name, 1, values}) })
		}
	}
	w := httptest.NewRecorder()
	s.Handler(nil, false).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, m := range Catalogue() {
		if !strings.Contains(w.Body.String(), "# TYPE "+m.Name+" "+string(m.Kind)+"\n") {
			t.Errorf("%s is not served", m.Name)
		}
	}
	if out, err := promtoolReads(t, w.Body, "check", "metrics"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
