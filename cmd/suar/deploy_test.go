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
			_, recovery := newKey(t, "brankas", "recovery")
			d.file(t, "etc/recipients", testRecipients(t)+recovery, 0o644)
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

// The example of a roster can be read, and somebody is always on duty.
func TestDeployRoster(t *testing.T) {
	r, err := parseRoster("roster.yaml", []byte(example(t, "roster.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	report := newRosterReport(r, time.Date(2026, 11, 30, 0, 0, 0, 0, r.Location()), 35)
	if err := report.verdict(true); err != nil {
		t.Errorf("%v: %v", err, report.Gaps)
	}
}

// TestDeployCompose holds the example with several replicas to the rest: what it
// mounts is what the configuration names, and nothing is exposed but the
// balancer.
func TestDeployCompose(t *testing.T) {
	var file struct {
		Services map[string]struct {
			Volumes, Ports, Networks, Command []string
			Grace                             string                                `yaml:"stop_grace_period"`
			DependsOn                         map[string]struct{ Condition string } `yaml:"depends_on"`
			Healthcheck                       struct{ Test []string }
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
	// A folder of a server's is not in a container: there the volume's is named.
	redis := file.Services["redis"]
	if at := slices.Index(redis.Command, "--dir"); at < 0 || !slices.Equal(redis.Command[at+1:], []string{"/data"}) || !slices.Contains(redis.Volumes, "redis:/data") {
		t.Errorf("Redis's data is on no volume: %v, %v", redis.Command, redis.Volumes)
	}
	if file.Services["suar"].DependsOn["redis"].Condition != "service_healthy" || len(redis.Healthcheck.Test) == 0 {
		t.Error("a store is begun before Redis answers")
	}
	if !slices.Equal(redis.Networks, []string{"inside"}) || !file.Networks["inside"].Internal {
		t.Errorf("Redis is not among Suar's only: %v", redis.Networks)
	}
	if grace, err := time.ParseDuration(file.Services["suar"].Grace); err != nil || grace <= 10*time.Second {
		t.Errorf("it is killed after %v", grace)
	}
}

// TestDeployRedisFolder holds docs/redis.md to making deploy/redis.conf name the
// folder of the data.
func TestDeployRedisFolder(t *testing.T) {
	if !strings.Contains(example(t, "redis.conf"), "\n# dir /var/lib/redis\n") {
		t.Error("redis.conf names no folder")
	}
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "redis.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(doc), "sed -i 's|^# dir |dir |' /etc/redis/redis.conf") {
		t.Error("redis.md does not say how it becomes the one in use")
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
