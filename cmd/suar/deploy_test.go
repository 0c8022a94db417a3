package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestDeployExamples loads the configurations that are to be adapted, with the
// files that docs/install.md has one make, in a folder of the test's own.
func TestDeployExamples(t *testing.T) {
	for _, name := range []string{"suar.yaml", "suar-docker.yaml"} {
		t.Run(name, func(t *testing.T) {
			d := newDeployment(t)
			for secret, from := range map[string]string{"telegram-token": "telegram", "mattermost-token": "mattermost", "vault-key": "vault"} {
				if err := os.Rename(d.path("etc/secrets/"+from), d.path("etc/secrets/"+secret)); err != nil {
					t.Fatal(err)
				}
			}
			directory := strings.ReplaceAll(example(t, "directory.yaml"), "2026-11-01", time.Now().Format(time.DateOnly))
			d.file(t, "etc/directory.yaml", directory, 0o644)
			d.file(t, "etc/suar.yaml", strings.NewReplacer(
				"/etc/suar/", d.path("etc")+"/", "/run/secrets/", d.path("etc/secrets")+"/",
				"/var/lib/suar/", d.path("data")+"/", "/data/", d.path("data")+"/",
			).Replace(example(t, name)), 0o644)
			c, err := loadConfig(d.path("etc/suar.yaml"), d.lookup)
			if err != nil {
				t.Fatal(err)
			}
			if c.book == nil || len(c.recipients.All()) == 0 {
				t.Error("the book or the recipients were not read")
			}
			if c.Mattermost.Callback != "http://127.0.0.2:8075" || !strings.HasSuffix(c.Listen, ":8075") {
				t.Errorf("Mattermost presses %s, and Suar listens at %s", c.Mattermost.Callback, c.Listen)
			}
		})
	}
}

func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
