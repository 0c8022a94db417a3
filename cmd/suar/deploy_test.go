package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// TestDeployExamples loads the configurations that are to be adapted, with the
// files that docs/install.md has one make, in a folder of the test's own.
func TestDeployExamples(t *testing.T) {
	for _, name := range []string{"suar.yaml", "suar-docker.yaml", "suar-replicas.yaml"} {
		t.Run(name, func(t *testing.T) {
			d := newDeployment(t)
			for secret, from := range map[string]string{"telegram-token": "telegram", "mattermost-token": "mattermost", "vault-key": "vault"} {
				if err := os.Rename(d.path("etc/secrets/"+from), d.path("etc/secrets/"+secret)); err != nil {
					t.Fatal(err)
				}
			}
			// With replicas these are there, too.
			d.file(t, "etc/secrets/telegram-webhook", "canary", 0o400)
			d.file(t, "etc/secrets/redis-password", "canary", 0o400)
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

// TestCompose holds the example with several replicas to the rest: what it
// mounts is what the configuration names, and nothing is exposed but the
// balancer.
func TestCompose(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Volumes, Ports, Networks []string
			Grace                    string `yaml:"stop_grace_period"`
		}
		Networks, Volumes map[string]struct{ Internal bool }
	}
	if err := yaml.Unmarshal([]byte(example(t, "compose.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	mounted := strings.Join(file.Services["suar"].Volumes, "\n")
	for line := range strings.Lines(example(t, "suar-replicas.yaml")) {
		if _, path, ok := strings.Cut(line, " /"); ok && !strings.HasPrefix(strings.TrimSpace(line), "#") {
			path = "/" + strings.Fields(path)[0]
			if !strings.HasPrefix(path, "/data/") && !strings.Contains(mounted, ":"+path+":ro") && !strings.Contains(mounted, ":"+filepath.Dir(path)+":ro") {
				t.Errorf("%s is not mounted:\n%s", path, mounted)
			}
		}
	}
	for name, service := range file.Services {
		if len(service.Ports) > 0 && name != "balancer" {
			t.Errorf("%s is exposed: %v", name, service.Ports)
		}
	}
	if redis := file.Services["redis"]; !slices.Equal(redis.Networks, []string{"inside"}) || !file.Networks["inside"].Internal {
		t.Errorf("Redis is not among Suar's only: %v", redis.Networks)
	}
	if grace, err := time.ParseDuration(file.Services["suar"].Grace); err != nil || grace <= 10*time.Second {
		t.Errorf("it is killed after %v", grace)
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
