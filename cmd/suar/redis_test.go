package main

import (
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"suar/internal/engine"
	"suar/internal/redistest"
	"suar/storage"
)

// onRedis makes the deployment's store a Redis, under a prefix that is new.
func (d *deployment) onRedis(address string) {
	d.redis("prefix: t" + strings.ToLower(rand.Text()))
	d.values["redis"] = strings.Replace(d.values["redis"], "127.0.0.1:6379", address, 1)
	d.env["SUAR_REDIS_PASSWORD"] = redistest.Password
}

// TestMigration brings a hotline into a Redis and back.
func TestMigration(t *testing.T) {
	server := redistest.Shared(t)
	d := newDeployment(t)
	d.begin(t)
	embedded := d.values["store"]
	d.onRedis(server.Addr)
	d.write(t)
	config := d.path("etc/suar.yaml")

	digest := func(out string) string {
		t.Helper()
		_, sum, ok := strings.Cut(out, "SHA-256 of all of it, on both sides: ")
		if !ok {
			t.Fatalf("no digest in:\n%s", out)
		}
		return sum
	}
	code, there, errOut := d.command(t, "store", "copy", "--from", embedded, "--to", config)
	if code != exitOK {
		t.Fatalf("into the Redis: exit code %d: %s", code, errOut)
	}
	if code, out, errOut := d.command(t, "check", "--config", config); code != exitOK || !strings.Contains(out, "is safe, and the vault key opens it; waiting: 1 effect") {
		t.Errorf("check: exit code %d: %s%s", code, out, errOut)
	}
	if code, _, errOut := d.command(t, "store", "copy", "--from", embedded, "--to", config); code != exitRefused || !strings.Contains(errOut, "the store is not empty") {
		t.Errorf("once more: exit code %d: %s", code, errOut)
	}
	back := d.path("back.db")
	code, again, errOut := d.command(t, "store", "copy", "--from", config, "--to", back, "--watch", "0s")
	if code != exitOK {
		t.Fatalf("back: exit code %d: %s", code, errOut)
	}
	if digest(there) != digest(again) {
		t.Errorf("there it is\n%s\nand back it is\n%s", there, again)
	}
	// A Redis is backed up while it is in use.
	if code, _, errOut := d.command(t, "backup", "--config", config, d.path("tonight.backup")); code != exitOK {
		t.Errorf("backup: exit code %d: %s", code, errOut)
	}
	if code, _, errOut := d.command(t, "restore", "--config", config, d.path("tonight.backup")); code != exitRefused || !strings.Contains(errOut, "the store is not empty") {
		t.Errorf("restored onto it: exit code %d: %s", code, errOut)
	}
	d.onRedis(server.Addr)
	d.write(t)
	if code, out, errOut := d.command(t, "restore", "--config", config, d.path("tonight.backup")); code != exitOK || !strings.Contains(out, "1, 1 of them with an open case") {
		t.Errorf("restored beside it: exit code %d: %s%s", code, out, errOut)
	}
}

// TestSourceInUse copies from a Redis that somebody uses: one that listens to
// Mattermost, and one that only writes.
func TestSourceInUse(t *testing.T) {
	server := redistest.Shared(t)
	d := newDeployment(t)
	d.onRedis(server.Addr)
	d.write(t)
	c, err := loadStoreConfig(d.path("etc/suar.yaml"), d.lookup)
	if err != nil {
		t.Fatal(err)
	}
	store, err := openStore(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	refused := func(when, want string) {
		t.Helper()
		code, _, errOut := d.command(t, "store", "copy", "--from", d.path("etc/suar.yaml"), "--to", d.path("copy.db"), "--watch", "100ms")
		if code == exitOK || !strings.Contains(errOut, want) {
			t.Errorf("%s: exit code %d: %s", when, code, errOut)
		}
		if _, err := os.Lstat(d.path("copy.db")); err == nil {
			t.Fatalf("%s: there is a copy", when)
		}
	}
	now := time.Now()
	if err := store.Hold(t.Context(), holdListen, "a replica", now, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	refused("somebody listens", "a suar serve uses this Redis")
	if err := store.Hold(t.Context(), holdListen, "a replica", now, now); err != nil {
		t.Fatal(err)
	}
	// It writes again and again, and holds nothing.
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for version := uint64(0); ; version++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			err := store.Commit(t.Context(), storage.Commit{ID: "clock", Version: version, At: time.Now(), State: []byte("x")})
			if err != nil {
				done <- err
				return
			}
		}
	}()
	refused("somebody writes", "the source changed while it was being copied")
	close(stop)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if engine.Quiet < 20*time.Second {
		t.Errorf("a replica writes every 20 s, and a source is watched for %v", engine.Quiet)
	}
}

// TestUnsafeRedis is refused by everything that would use it.
func TestUnsafeRedis(t *testing.T) {
	server := redistest.Start(t, redistest.Options{NoAOF: true, MaxMemoryPolicy: "allkeys-lru"})
	d := newDeployment(t)
	d.onRedis(server.Addr)
	d.write(t)
	for _, args := range [][]string{{"check"}, {"serve"}, {"backup", d.path("x.backup")}} {
		code, _, errOut := d.command(t, append(args, "--config", d.path("etc/suar.yaml"))...)
		if code != exitRefused || !strings.Contains(errOut, "appendonly") || !strings.Contains(errOut, "maxmemory-policy") {
			t.Errorf("%s: exit code %d: %s", args[0], code, errOut)
		}
		if strings.Contains(errOut, redistest.Password) {
			t.Errorf("%s: it prints the password", args[0])
		}
	}
}
