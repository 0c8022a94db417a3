package load_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"suar/internal/load"
	"suar/internal/mattermosttest"
	"suar/internal/redistest"
)

// officers are those of a Mattermost of the tests.
func officers(w *mattermosttest.World, name string) load.Officers {
	return load.Officers{
		URL: w.URL, Token: w.Bot.Token, Channel: w.ChannelID, OnCall: []string{"siti", "budi"}, Name: name,
	}
}

// needs skips where there is nothing to read a process's cost from.
func needs(t testing.TB) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("what a process costs is read from Linux's /proc")
	}
}

// TestTheProgramBearsALoad runs each kind of round with a few chats: every step
// is answered, nothing is refused, all that passed over the wire fits the Bot
// API, and the report has its figures. How fast it is does not matter.
func TestTheProgramBearsALoad(t *testing.T) {
	needs(t)
	over := filepath.Join(t.TempDir(), "over.yaml")
	if err := os.WriteFile(over, []byte("log: {level: error}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	world := mattermosttest.StandIn(t)
	res, err := load.Run(t.Context(), load.Options{
		Chats: 12, Cases: 6, Warm: time.Millisecond, For: 300 * time.Millisecond, Rate: 500, Live: 30, Shared: true,
		Config: over, Officers: officers(world, "the stand-in"), Out: &out,
	})
	t.Logf("\n%s", out.String())
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Suar) != 1 || len(res.Bare) != 1 || res.Half == nil || res.Live == nil {
		t.Fatalf("rounds are missing: %+v", res)
	}
	if res.Live.Live != 30 || res.Live.RSS == 0 || res.Live.Peak < res.Live.RSS {
		t.Errorf("30 conversations that stay: %+v", *res.Live)
	}
	// Cases were opened: each has a card.
	if cards := len(world.Small.Snapshot(world.ChannelID)); cards == 0 {
		t.Error("no conversation became a case")
	}
	for _, part := range []string{"suar", "bare", "suar / bare", "suar, paced", "suar, live", "telegram.rate", runtime.Version()} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("the report does not have %q", part)
		}
	}
}

// TestTheProgramBearsALoadOnRedis runs a round on a Redis.
func TestTheProgramBearsALoadOnRedis(t *testing.T) {
	needs(t)
	server := redistest.Start(t, redistest.Options{})
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(redistest.Password), 0o400); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	res, err := load.Run(t.Context(), load.Options{
		Chats: 6, Warm: time.Millisecond, For: 100 * time.Millisecond, Rounds: 2, Rate: -1, Alone: true, Shared: true,
		Redis: server.Addr, RedisPassword: password, Officers: officers(mattermosttest.StandIn(t), "the stand-in"), Out: &out,
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	if len(res.Suar) != 2 {
		t.Errorf("%d rounds, want 2", len(res.Suar))
	}
	// The conversations are in the Redis, each round's under a prefix of its own.
	keys := fmt.Sprint(server.Do("KEYS", "*"))
	if n := strings.Count(keys, ":store"); n != 2 {
		t.Errorf("the Redis holds %d stores, want 2: %s", n, keys)
	}
}

// TestAProgramThatEndsIsAnError measures a program that ends at once: there are
// no figures.
func TestAProgramThatEndsIsAnError(t *testing.T) {
	needs(t)
	var out bytes.Buffer
	_, err := load.Run(t.Context(), load.Options{
		Chats: 1, Alone: true, Shared: true, Binary: "/bin/false", Officers: load.Officers{URL: "http://127.0.0.1:1"}, Out: &out,
	})
	if err == nil {
		t.Errorf("a program that ends at once was measured:\n%s", out.String())
	}
}

// BenchmarkIntake measures the intake of nine updates, 2,000 chats at once, with
// the real Mattermost and one conversation of 500 that ends as a case, beside
// the bare loop; and the memory of 20,000 conversations.
func BenchmarkIntake(b *testing.B) {
	needs(b)
	world := mattermosttest.Real(b)
	for range b.N { // One run is longer than any benchtime.
		var out bytes.Buffer
		res, err := load.Run(b.Context(), load.Options{
			Cases: 500, Live: 20_000, Officers: officers(world, "the real Mattermost"), Out: &out,
		})
		b.Logf("\n%s", out.String())
		if err != nil {
			b.Fatal(err)
		}
		suar := res.Suar[0]
		b.ReportMetric(suar.StepRate(), "updates/s")
		b.ReportMetric(suar.ConversationRate(), "conversations/s")
		b.ReportMetric(suar.StepRate()/res.Bare[0].StepRate(), "of-bare")
		b.ReportMetric(suar.CPUPerThousand(), "CPU-s/1000")
		b.ReportMetric(float64(res.Half.P50.Microseconds())/1000, "half-p50-ms")
		b.ReportMetric(float64(res.Half.P99.Microseconds())/1000, "half-p99-ms")
		b.ReportMetric(float64(res.Live.Peak)/(1<<20), "20000-live-peak-MB")
		b.ReportMetric(0, "ns/op")
	}
}
