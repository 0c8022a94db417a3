package storage_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"suar/internal/loopback"
	"suar/internal/redistest"
	"suar/storage"
	"suar/storage/storagetest"
)

// TestLeastACL holds the users of deploy/redis-users.acl to what the store
// needs: the suite passes, nothing more is allowed, and nothing is allowed that
// is not used.
func TestLeastACL(t *testing.T) {
	users := documented(t)
	single := redistest.Start(t, redistest.Options{Users: users})
	config := storage.RedisConfig{Username: "suar", Password: redistest.Password}

	alone := config
	alone.Addresses = []string{single.Addr}
	storagetest.Run(t, redisOpener(alone))

	cluster := redistest.StartCluster(t, redistest.Options{Users: users})
	many := config
	many.Addresses, many.Cluster = cluster.Addresses, true
	exercise(t, many)

	replicated := redistest.StartReplicated(t, redistest.Options{
		Users: users, Config: []string{"masteruser replica", "min-replicas-to-write 1"},
	}, 1)
	waits := config
	waits.Addresses, waits.Replicas = []string{replicated.Master.Addr}, 1
	exercise(t, waits)

	if t.Failed() {
		return
	}
	used := make(map[string]bool)
	for _, s := range append(cluster.Nodes, single, replicated.Master) {
		for line := range strings.Lines(fmt.Sprint(s.Do("INFO", "commandstats"))) {
			if name, ok := strings.CutPrefix(line, "cmdstat_"); ok {
				name, _, _ = strings.Cut(name, ":")
				used[name] = true
			}
		}
	}
	for _, u := range users {
		if !strings.HasPrefix(u, "suar ") {
			continue
		}
		for word := range strings.FieldsSeq(u) {
			if name, ok := strings.CutPrefix(word, "+"); ok && !used[name] {
				t.Errorf("the user may %s and never does", name)
			}
		}
	}
}

// exercise uses a store a little, with every kind of call to the server.
func exercise(t *testing.T, c storage.RedisConfig) {
	t.Helper()
	c.Prefix = newPrefix()
	r := openRedis(t, c)
	if err := r.Commit(soon(t), everything("tg:1")); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Load(soon(t), "canary"); err != nil || got.Version != 1 {
		t.Fatalf("loaded %+v, %v", got, err)
	}
	if err := r.Compact(soon(t)); err != nil {
		t.Fatal(err)
	}
}

func TestLeastACLForbids(t *testing.T) {
	s := redistest.Start(t, redistest.Options{Users: documented(t)})
	as := func(args ...string) error {
		_, err := s.As("suar", redistest.Password, args...)
		return err
	}
	s.Do("SET", "{another}:a", "secret")
	s.Do("SET", "{test-a}:a", "1")
	if err := as("GET", "{test-a}:a"); err != nil {
		t.Fatalf("its own key: %v", err)
	}
	for _, args := range [][]string{
		{"FLUSHALL"},
		{"FLUSHDB"},
		{"SWAPDB", "0", "1"},
		{"SELECT", "1"},
		{"KEYS", "*"},
		{"SCAN", "0"},
		{"RANDOMKEY"},
		{"DBSIZE"},
		{"GET", "{another}:a"},
		{"SET", "{another}:a", "1"},
		{"DEL", "{another}:a"},
		{"GET", "another"},
		{"EVAL", "return redis.call('GET', '{another}:a')", "1", "{test-a}:a"},
		{"EVAL", "return redis.call('FLUSHALL')", "1", "{test-a}:a"},
		{"CONFIG", "SET", "appendonly", "no"},
		{"CONFIG", "REWRITE"},
		{"CONFIG", "RESETSTAT"},
		{"ACL", "LIST"},
		{"ACL", "SETUSER", "suar", "+@all"},
		{"SCRIPT", "FLUSH"},
		{"SCRIPT", "KILL"},
		{"FUNCTION", "LIST"},
		{"MODULE", "LIST"},
		{"SHUTDOWN", "NOSAVE"},
		{"MONITOR"},
		{"REPLICAOF", "NO", "ONE"},
		{"PSYNC", "?", "-1"},
		{"CLIENT", "LIST"},
		{"CLIENT", "KILL", "TYPE", "normal"},
		{"SAVE"},
		{"BGSAVE"},
		{"SUBSCRIBE", "a"},
		{"PUBLISH", "a", "b"},
		{"MIGRATE", "127.0.0.1", "1", "{test-a}:a", "0", "1"},
		{"DUMP", "{test-a}:a"},
		{"CLUSTER", "RESET"},
		{"SLOWLOG", "GET"},
	} {
		// Of a script Redis says it in other words.
		if err := as(args...); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") && !strings.Contains(err.Error(), "user executing the script can't") {
			t.Errorf("%v: %v, want it forbidden", args, err)
		}
	}
	if got := s.Do("GET", "{another}:a"); got != "secret" {
		t.Errorf("another's key is %v", got)
	}
	for _, u := range []string{"replica", "sentinel"} {
		for _, args := range [][]string{{"GET", "{test-a}:a"}, {"SET", "{test-a}:a", "1"}, {"FLUSHALL"}, {"EVAL", "return 1", "0"}, {"CONFIG", "GET", "*"}} {
			if _, err := s.As(u, redistest.Password, args...); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
				t.Errorf("%s: %v: %v, want it forbidden", u, args, err)
			}
		}
	}
}

// documented are the users of deploy/redis-users.acl, with the tests' password
// and prefixes. The default user is the tests' own.
func documented(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "deploy", "redis-users.acl"))
	if err != nil {
		t.Fatal(err)
	}
	var users []string
	for line := range strings.Lines(string(text)) {
		user, ok := strings.CutPrefix(strings.TrimSpace(line), "user ")
		if !ok {
			t.Fatalf("an ACL file has lines of users only, not %q", line)
		}
		if strings.HasPrefix(user, "default ") {
			if !strings.HasPrefix(user, "default off ") {
				t.Errorf("the default user is not off: %s", user)
			}
			continue
		}
		user = regexp.MustCompile(`#<.*?>`).ReplaceAllString(user, ">"+redistest.Password)
		users = append(users, strings.Replace(user, "~{suar}:*", "~{test-*}:*", 1))
	}
	if len(users) != 3 {
		t.Fatalf("the file has %d users, want those of Suar, the replicas and the Sentinels", len(users))
	}
	return users
}

// TestDocumentedConfig holds deploy/redis.conf to what the store demands.
func TestDocumentedConfig(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "deploy", "redis.conf"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		// The users are those of the other tests.
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "aclfile ") {
			lines = append(lines, line)
		}
	}
	for _, more := range [][]string{nil, {"# min-replicas-to-write 1", "# min-replicas-max-lag 10"}} {
		for _, m := range more {
			if !strings.Contains(string(text), m+"\n") {
				t.Fatalf("the file has no line %q", m)
			}
			lines = append(lines, strings.TrimPrefix(m, "# "))
		}
		s := redistest.Start(t, redistest.Options{
			// Whatever is unsafe here, the file mends.
			NoAOF: true, AppendFsync: "no", MaxMemoryPolicy: "allkeys-lru", Users: documented(t), Config: lines,
		})
		c := to(s)
		c.Username, c.Prefix, c.Replicas = "suar", newPrefix(), min(1, len(more))
		// With nobody to replicate to, beginning a store is refused; the settings
		// are not.
		r, err := storage.OpenRedis(soon(t), c)
		if err == nil {
			r.Close()
		}
		if errors.Is(err, storage.ErrUnsafe) || err != nil && c.Replicas == 0 {
			t.Error(err)
		}
	}
}

// TestDocumentedUsersHaveNoPassword makes sure that nobody runs a Redis with
// passwords from a file that everybody can read.
func TestDocumentedUsersHaveNoPassword(t *testing.T) {
	redistest.Shared(t) // There is a Redis to try it with.
	file, err := filepath.Abs(filepath.Join("..", "deploy", "redis-users.acl"))
	if err != nil {
		t.Fatal(err)
	}
	address, err := loopback.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(soon(t), "redis-server", "--bind", host, "--port", port, "--dir", t.TempDir(), "--aclfile", file).CombinedOutput()
	var ended *exec.ExitError
	if !errors.As(err, &ended) || !strings.Contains(string(out), "Aborting Redis startup because of ACL errors") {
		t.Errorf("a Redis with the passwords left open: %v\n%s", err, out)
	}
}
