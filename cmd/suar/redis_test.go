package main

import (
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"suar/internal/redistest"
	"suar/storage"
)

// onRedis makes the deployment's store a Redis, under a prefix that is new.
func (d *deployment) onRedis(address string) {
	d.redis("prefix: t" + strings.ToLower(rand.Text()))
	d.values["redis"] = strings.Replace(d.values["redis"], "127.0.0.1:6379", address, 1)
	d.env["SUAR_REDIS_PASSWORD"] = redistest.Password
}

// prefix is that of the deployment's Redis.
func (d *deployment) prefix() string {
	_, rest, _ := strings.Cut(d.values["redis"], "prefix: ")
	prefix, _, _ := strings.Cut(rest, "}")
	return prefix
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
	notEmpty := "a hotline is kept in this Redis under the prefix \"" + d.prefix() + "\", and nothing of it was changed; set another redis.prefix"

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
	if code, _, errOut := d.command(t, "store", "copy", "--from", embedded, "--to", config); code != exitRefused || !strings.Contains(errOut, notEmpty) {
		t.Errorf("once more: exit code %d: %s", code, errOut)
	}
	back := d.path("back.db")
	code, again, errOut := d.command(t, "store", "copy", "--from", config, "--to", back)
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
	if code, _, errOut := d.command(t, "restore", "--config", config, d.path("tonight.backup")); code != exitRefused || !strings.Contains(errOut, notEmpty) {
		t.Errorf("restored onto it: exit code %d: %s", code, errOut)
	}
	d.onRedis(server.Addr)
	d.write(t)
	if code, out, errOut := d.command(t, "restore", "--config", config, d.path("tonight.backup")); code != exitOK || !strings.Contains(out, "1, 1 of them with an open case") {
		t.Errorf("restored beside it: exit code %d: %s%s", code, out, errOut)
	}
}

// TestSourceInUse copies from a Redis that somebody uses.
func TestSourceInUse(t *testing.T) {
	server := redistest.Shared(t)
	d := newDeployment(t)
	d.onRedis(server.Addr)
	d.write(t)
	c, err := loadStoreConfig(d.path("etc/suar.yaml"), d.lookup)
	if err != nil {
		t.Fatal(err)
	}
	store, err := beginStore(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	refused := func(when, want string) {
		t.Helper()
		code, _, errOut := d.command(t, "store", "copy", "--from", d.path("etc/suar.yaml"), "--to", d.path("copy.db"))
		if code == exitOK || !strings.Contains(errOut, want) {
			t.Errorf("%s: exit code %d: %s", when, code, errOut)
		}
		if _, err := os.Lstat(d.path("copy.db")); err == nil {
			t.Fatalf("%s: there is a copy", when)
		}
	}
	one, err := takePlace(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	another, err := takePlace(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	refused("two serve", "a suar serve uses this Redis")
	one.leave()
	refused("one serves still", "a suar serve uses this Redis")
	another.leave()
	// The other way round nobody begins to serve.
	free, err := occupy(t.Context(), store)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := takePlace(t.Context(), store); !errors.Is(err, errFull) {
		t.Errorf("while it is copied, a process begins to serve: %v", err)
	}
	refused("it is being copied", "another copy is under way")
	free()
	// Something else than suar serve writes.
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

// TestEmptyRedis is never taken for a new hotline, and begun once by who asks
// for that.
func TestEmptyRedis(t *testing.T) {
	server := redistest.Shared(t)
	d := newDeployment(t)
	d.onRedis(server.Addr)
	d.write(t)
	config := d.path("etc/suar.yaml")
	const nothing = "nothing is kept in this Redis under the prefix"
	for _, args := range [][]string{
		{"serve", "--config", config},
		{"backup", "--config", config, d.path("x.backup")},
		{"store", "copy", "--from", config, "--to", d.path("x.db")},
	} {
		if code, _, errOut := d.command(t, args...); code != exitRefused || !strings.Contains(errOut, nothing) {
			t.Errorf("%s: exit code %d: %s", args[0], code, errOut)
		}
	}
	if code, out, _ := d.command(t, "check", "--config", config); code != exitOK || !strings.Contains(out, "is safe; ") || !strings.Contains(out, nothing) {
		t.Errorf("check: exit code %d: %s", code, out)
	}
	if code, out, errOut := d.command(t, "store", "begin", "--config", config); code != exitOK || !strings.Contains(out, "An empty store was begun") {
		t.Fatalf("begin: exit code %d: %s", code, errOut)
	}
	if code, _, errOut := d.command(t, "store", "begin", "--config", config); code != exitRefused || !strings.Contains(errOut, "there is a store in this Redis already") {
		t.Errorf("begin again: exit code %d: %s", code, errOut)
	}
	if code, out, errOut := d.command(t, "check", "--config", config); code != exitOK || !strings.Contains(out, "nothing was ever served from it") {
		t.Errorf("check: exit code %d: %s%s", code, out, errOut)
	}
	// An empty store that was begun can be filled.
	source := newDeployment(t)
	source.begin(t)
	if code, _, errOut := d.command(t, "store", "copy", "--from", source.values["store"], "--to", config); code != exitOK {
		t.Errorf("copy into it: exit code %d: %s", code, errOut)
	}
}

// TestRedisThatServeCannotOpen is refused with code 2 when somebody has to put
// something right, and tried again with code 1 when it does not answer.
func TestRedisThatServeCannotOpen(t *testing.T) {
	server := redistest.Start(t, redistest.Options{Users: []string{
		"blind on >" + redistest.Password + " ~* +@all -info",
		"astray on >" + redistest.Password + " ~{another}:* +@all",
	}})
	d := newDeployment(t)
	d.onRedis(server.Addr)
	right := d.values["redis"]
	prefix := d.prefix()
	user := func(name string) string { return strings.Replace(right, "prefix:", "username: "+name+", prefix:", 1) }
	serve := func(what, redis string, want int, say string) {
		t.Helper()
		d.values["redis"] = redis
		d.write(t)
		code, _, errOut := d.command(t, "serve", "--config", d.path("etc/suar.yaml"))
		if code != want || !strings.Contains(errOut, say) {
			t.Errorf("%s: exit code %d, want %d and %q: %s", what, code, want, say, errOut)
		}
	}
	keys := "on the keys ~{" + prefix + "}:*"
	serve("a command that is forbidden", user("blind"), exitRefused, keys)
	serve("keys that are forbidden", user("astray"), exitRefused, keys)
	serve("a user that it does not know", user("nobody"), exitRefused, "does not know this user with this password")
	serve("nobody there", strings.Replace(right, server.Addr, freeAddress(t), 1), exitFailed, "connection refused")

	// The key that names the store is deleted when it was moved away.
	d.values["redis"] = right
	d.write(t)
	c, err := loadStoreConfig(d.path("etc/suar.yaml"), d.lookup)
	if err != nil {
		t.Fatal(err)
	}
	store, err := beginStore(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(store.Commit(t.Context(), storage.Commit{ID: "one", At: time.Now(), State: []byte("x")}), store.Close())
	if err != nil {
		t.Fatal(err)
	}
	server.Do("DEL", "{"+prefix+"}:store")
	serve("moved away", right, exitRefused, "it was moved away from here")

	d.env["SUAR_REDIS_PASSWORD"] = "wrong"
	serve("a wrong password", right, exitRefused, "does not know this user with this password")
}
