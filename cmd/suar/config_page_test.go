package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPageTest: a drill calls once with a code that no case has; what is not right is
// said, and no secret.
func TestPageTest(t *testing.T) {
	var got []string
	status := http.StatusOK
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, string(body))
		w.WriteHeader(status)
	}))
	defer gateway.Close()
	key := filepath.Join(t.TempDir(), "page")
	if err := os.WriteFile(key, []byte("canary-canary-canary\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	try := func(yaml string) (string, error) {
		file := filepath.Join(t.TempDir(), "suar.yaml")
		if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err := pageTest(t.Context(), file, func(string) (string, bool) { return "", false }, &out)
		return out.String(), err
	}
	right := "page: {webhook: {url: \"" + gateway.URL + "\", secret_file: " + key + "}}\n"
	if out, err := try(right); err != nil || out != "webhook: called, with the code DRILL.\n" || len(got) != 1 || !strings.Contains(got[0], `"case":"DRILL"`) {
		t.Errorf("%q, %v, and the gateway got %q", out, err, got)
	}
	status = http.StatusForbidden
	if out, err := try(right); err == nil || !strings.Contains(out, "not called: the webhook refuses with status 403") {
		t.Errorf("%q, %v", out, err)
	}
	for yaml, want := range map[string]string{
		"store: x\n": "names no second way",
		"page: {}\n": "neither a webhook nor smtp",
		"page: {webhook: {url: \"http://gateway.example.org\", secret_file: " + key + "}}\n":                            "must be https",
		"page: {webhook: {url: \"https://gateway.example.org\"}}\n":                                                     "page.webhook.secret is missing",
		"page: {smtp: {host: \"mail.example.org:587\", from: a@example.org, to: [b@example.org], user: me}}\n":          "page.smtp.password is missing",
		"page: {smtp: {host: \"mail.example.org:25\", plain: true, from: a@example.org, to: [b@example.org]}}\n":        "must speak TLS",
		"page: {webhook: {url: \"" + gateway.URL + "\", secret_file: " + key + "}, smtp: {host: x, from: y, to: []}}\n": "write host:port",
	} {
		if out, err := try(yaml); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(out+err.Error(), "canary") {
			t.Errorf("%q: %q, %v; want %q", yaml, out, err, want)
		}
	}
}
