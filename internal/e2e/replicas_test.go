package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"suar/internal/mattermosttest"
	"suar/internal/redistest"
	"suar/internal/telegramtest"
)

// A fleet is one hotline in several processes on a Redis, behind a balancer at
// the hotline's address, which both Telegram and Mattermost call.
type fleet struct {
	*hotline
	redis    *redistest.Server
	replicas []*hotline
}

func newFleet(t testing.TB, world *mattermosttest.World, replicas int) *fleet {
	t.Helper()
	f := &fleet{redis: redistest.Start(t, redistest.Options{})}
	f.hotline = newHotline(t, world, func(h *hotline, config map[string]any) {
		unchecked(h, config)
		webhook(h, config)
		delete(config, "store")
		config["redis"] = map[string]any{
			"addresses":     []string{f.redis.Addr},
			"password_file": h.secret("redis", redistest.Password),
		}
		config["quarantine"] = filepath.Join(h.data, "quarantine")
	})
	if out, errs, code := f.run("store", "begin", "--config", f.config); code != 0 {
		t.Fatalf("suar store begin exits with %d: %s%s", code, out, errs)
	}
	var addresses []string
	for n := range replicas {
		r := f.replica(n)
		f.replicas = append(f.replicas, r)
		addresses = append(addresses, r.address)
	}
	balance(t, f.address, addresses)
	return f
}

// replica is a further process of the same hotline, which is not started.
func (f *fleet) replica(n int) *hotline {
	h := f.hotline
	h.t.Helper()
	r := &hotline{
		t: h.t, telegram: h.telegram, world: h.world, data: h.data, secrets: h.secrets,
		address: freeAddress(h.t), log: h.log, vaultKey: h.vaultKey,
	}
	settings := maps.Clone(h.settings)
	settings["listen"] = r.address
	settings["quarantine"] = filepath.Join(h.data, fmt.Sprint("quarantine-", n))
	r.config = r.configure(filepath.Join(filepath.Dir(h.config), fmt.Sprintf("replica-%d.yaml", n)), settings)
	h.t.Cleanup(r.kill)
	return r
}

// balance serves at an address whatever one of the receivers answers.
func balance(t testing.TB, address string, receivers []string) {
	t.Helper()
	b := &telegramtest.Balancer{Pick: rand.IntN}
	b.Set(receivers...)
	to := &url.URL{Scheme: "http", Host: address}
	server := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport: b,
		// That processes die is what the tests are about.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	})
	server.Listener.Close()
	server.Listener = listenAt(t, address)
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
}

func (f *fleet) start() {
	f.t.Helper()
	for _, r := range f.replicas {
		r.start()
	}
}

// revive starts again what ended by itself, as the system does, and returns when
// all serve.
func (f *fleet) revive() {
	f.t.Helper()
	for _, r := range f.replicas {
		for !r.serves() {
			r.kill()
			r.spawn(r.command("serve", "--config", r.config))
		}
	}
}

func (f *fleet) stop() {
	f.t.Helper()
	for _, r := range f.replicas {
		r.stop()
	}
}

// After so many kills of suar a Mattermost and a Redis are killed as well.
const (
	mattermostEvery = 10
	redisEvery      = 20
)

// TestKillReplicas is TestKill with three processes that share a Redis, and
// with a Mattermost and a Redis that are killed now and then as well.
func TestKillReplicas(t *testing.T) {
	t.Parallel()
	people, kills := 60, count(t, 100)
	if testing.Short() {
		people, kills = 12, 20
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	f := newFleet(t, mattermosttest.Real(t), 3)
	c := newCrowd(t, f.hotline, people, 20)
	c.crashes, c.outages = true, true
	c.screen.lasting.Store(true)
	var killing atomic.Bool
	killing.Store(true)
	c.more = killing.Load
	f.start()

	done := make(chan struct{})
	began := time.Now()
	go func() {
		defer close(done)
		defer killing.Store(false)
		for n := range kills {
			time.Sleep(min(time.Duration(random.ExpFloat64()*float64(500*time.Millisecond)), 3*time.Second))
			r := f.replicas[random.IntN(len(f.replicas))]
			r.kill()
			r.spawn(r.command("serve", "--config", r.config))
			if n%mattermostEvery == mattermostEvery-1 {
				f.world.Kill()
				f.world.Start()
			}
			if n%redisEvery == redisEvery-1 {
				f.redis.Kill()
				f.redis.Restart()
			}
		}
	}()
	c.live(patientFor(t, lasting(kills)))
	<-done
	f.revive()
	c.settled()
	f.stop()
	c.verify()
	// What is in the Redis is read as the embedded store, and so the copy is
	// held against what was said as well.
	if out, errs, code := f.run("store", "copy", "--from", f.replicas[0].config, "--to", f.store); code != 0 {
		t.Fatalf("suar store copy exits with %d: %s%s", code, out, errs)
	}
	c.transcripts()
	t.Logf("%d people, %d messages, %d kills of suar, %d of Mattermost and %d of Redis in %v",
		people, c.messages(), kills, kills/mattermostEvery, kills/redisEvery, time.Since(began).Round(time.Second))
}
