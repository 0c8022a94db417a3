package storage_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"suar/internal/redistest"
	"suar/storage"
)

// to is a configuration for the default user of a server.
func to(s *redistest.Server) storage.RedisConfig {
	return storage.RedisConfig{Addresses: []string{s.Addr}, Password: s.Password, TLS: s.TLS()}
}

// soon ends what hangs, long after it should have ended.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func TestOpenRedisRefusesWhatIsUnsafe(t *testing.T) {
	plain := func(*storage.RedisConfig) {}
	for _, tt := range []struct {
		what   string
		server redistest.Options
		change func(*storage.RedisConfig)
		// want are words of the error, none if it opens.
		want []string
	}{
		{"a safe one", redistest.Options{}, plain, nil},
		{"no append-only file", redistest.Options{NoAOF: true}, plain, []string{"appendonly is off", "set appendonly yes"}},
		{"never synced", redistest.Options{AppendFsync: "no"}, plain, []string{"appendfsync", "set appendfsync always"}},
		{
			"never synced, with consent to everysec",
			redistest.Options{AppendFsync: "no"},
			func(c *storage.RedisConfig) { c.Everysec = true },
			[]string{"appendfsync"},
		},
		{"synced every second", redistest.Options{AppendFsync: "everysec"}, plain, []string{"everysec", "set appendfsync always"}},
		{
			"synced every second, with consent",
			redistest.Options{AppendFsync: "everysec"},
			func(c *storage.RedisConfig) { c.Everysec = true }, nil,
		},
		{"open to everybody", redistest.Options{NoPassword: true}, plain, []string{"without a password", "requirepass"}},
		{
			"open to everybody, and a user too",
			redistest.Options{NoPassword: true, Users: []string{"ann on >word ~* +@all"}},
			func(c *storage.RedisConfig) { c.Username, c.Password = "ann", "word" },
			[]string{"without a password"},
		},
		{
			"strangers may only ping",
			redistest.Options{NoPassword: true, Users: []string{"default on nopass -@all +ping", "ann on >word ~* +@all"}},
			func(c *storage.RedisConfig) { c.Username, c.Password = "ann", "word" }, nil,
		},
		{"open to everybody by TLS", redistest.Options{NoPassword: true, TLS: true}, plain, []string{"without a password"}},
		{"open to who has a certificate", redistest.Options{NoPassword: true, TLS: true, Config: []string{"tls-auth-clients yes"}}, plain, nil},
		{"evicting", redistest.Options{MaxMemoryPolicy: "allkeys-lru"}, plain, []string{"allkeys-lru", "set maxmemory-policy noeviction"}},
		{
			"fewer replicas than asked for",
			redistest.Options{},
			func(c *storage.RedisConfig) { c.Replicas = 2 },
			[]string{"set min-replicas-to-write 2"},
		},
		{
			"replicas that do not count",
			redistest.Options{Config: []string{"min-replicas-to-write 2", "min-replicas-max-lag 0"}},
			func(c *storage.RedisConfig) { c.Replicas = 2 },
			[]string{"set min-replicas-max-lag"},
		},
		{
			"settings that cannot be read",
			redistest.Options{Users: []string{"ann on >word ~* +@all -config"}},
			func(c *storage.RedisConfig) { c.Username, c.Password = "ann", "word" },
			[]string{"appendfsync cannot be read", "+config|get"},
		},
		{
			"everything at once",
			redistest.Options{NoAOF: true, AppendFsync: "no", NoPassword: true, MaxMemoryPolicy: "volatile-ttl"},
			func(c *storage.RedisConfig) { c.Replicas = 1 },
			[]string{"appendonly", "appendfsync", "without a password", "volatile-ttl", "min-replicas-to-write"},
		},
	} {
		t.Run(tt.what, func(t *testing.T) {
			s := redistest.Start(t, tt.server)
			c := to(s)
			tt.change(&c)
			r, err := storage.OpenRedis(soon(t), c)
			if len(tt.want) == 0 {
				if err != nil {
					t.Fatalf("it was refused: %v", err)
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
				return
			}
			refused(t, err, tt.want...)
			if tt.server.NoPassword && s.Do("DBSIZE") != int64(0) {
				t.Error("the refused server was written to")
			}
		})
	}
}

// refused wants an unsafe Redis with these words, and no password in them.
func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	if !errors.Is(err, storage.ErrUnsafe) {
		t.Fatalf("the error is %v, want one of an unsafe Redis", err)
	}
	said(t, err, words...)
}

// said wants an error with these words, and no password in it.
func said(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("there is no error")
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error does not say %q:\n%v", w, err)
		}
	}
	if strings.Contains(err.Error(), redistest.Password) {
		t.Errorf("the error has the password:\n%v", err)
	}
}

func TestOpenRedisLooksAtEveryNode(t *testing.T) {
	t.Run("a replica", func(t *testing.T) {
		r := redistest.StartReplicated(t, redistest.Options{}, 1)
		_, err := storage.OpenRedis(soon(t), to(r.Replicas[0]))
		refused(t, err, "it is a replica", "name the master")
	})
	t.Run("behind Sentinels", func(t *testing.T) {
		x := redistest.StartSentinel(t, redistest.Options{}, 1)
		c := storage.RedisConfig{
			Addresses: x.Addresses, Master: redistest.MasterName,
			Password: redistest.Password, SentinelPassword: redistest.Password,
		}
		openRedis(t, c)

		x.Nodes[1].Do("CONFIG", "SET", "appendfsync", "no")
		_, err := storage.OpenRedis(soon(t), c)
		refused(t, err, x.Nodes[1].Addr, "appendfsync")

		// One that is down does not keep a hotline from starting.
		x.Nodes[1].Kill()
		var told []error
		c.Report = func(err error) { told = append(told, err) }
		openRedis(t, c)
		if len(told) != 1 || !strings.Contains(told[0].Error(), x.Nodes[1].Addr) {
			t.Errorf("reported were %v, want the replica that is down", told)
		}

		wrong := c
		wrong.Master = "another"
		_, err = storage.OpenRedis(soon(t), wrong)
		said(t, err, `"another"`)
		wrong = c
		wrong.SentinelPassword = ""
		_, err = storage.OpenRedis(soon(t), wrong)
		said(t, err, "asks for a password")
		_, err = storage.OpenRedis(soon(t), to(x.Sentinels[0]))
		said(t, err, "it is a Sentinel")
	})
	t.Run("of a Cluster", func(t *testing.T) {
		x := redistest.StartCluster(t, redistest.Options{})
		c := storage.RedisConfig{
			Addresses: x.Addresses[:1], Cluster: true, Password: redistest.Password,
			Report: func(err error) { t.Logf("reported: %v", err) },
		}
		openRedis(t, c)
		for _, i := range []int{1, 5} {
			x.Nodes[i].Do("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
		}
		_, err := storage.OpenRedis(soon(t), c)
		refused(t, err, x.Nodes[1].Addr, x.Nodes[5].Addr, "allkeys-random")
	})
}

func TestOpenRedisSaysWhatKeepsItOut(t *testing.T) {
	s := redistest.Start(t, redistest.Options{Users: []string{"ann on >word ~* +@all -info"}})
	secret := redistest.Start(t, redistest.Options{TLS: true})
	for _, tt := range []struct {
		what   string
		change func(*storage.RedisConfig)
		want   string
	}{
		{"no password", func(c *storage.RedisConfig) { c.Password = "" }, "asks for a password"},
		{"a wrong password", func(c *storage.RedisConfig) { c.Password = "wrong" }, "does not know this user with this password"},
		{"an unknown user", func(c *storage.RedisConfig) { c.Username = "bob" }, "does not know this user with this password"},
		{"a user without the rights", func(c *storage.RedisConfig) { c.Username, c.Password = "ann", "word" }, "on the keys ~{suar}:*"},
		{"not a Cluster", func(c *storage.RedisConfig) { c.Cluster = true }, "cluster support disabled"},
		{"not a Sentinel", func(c *storage.RedisConfig) { c.Master, c.SentinelPassword = "it", redistest.Password }, "Sentinel at " + s.Addr},
		{"nobody there", func(c *storage.RedisConfig) { c.Addresses = []string{"127.0.0.1:1"} }, "127.0.0.1:1"},
		{"in the clear to TLS", func(c *storage.RedisConfig) { c.Addresses = []string{secret.Addr} }, secret.Addr},
		{"a certificate of another authority", func(c *storage.RedisConfig) {
			c.Addresses = []string{secret.Addr}
			c.TLS = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
		}, "unknown authority"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			c := to(s)
			tt.change(&c)
			_, err := storage.OpenRedis(soon(t), c)
			said(t, err, tt.want)
			if errors.Is(err, storage.ErrUnsafe) {
				t.Errorf("it is not unsafe: %v", err)
			}
		})
	}
	openRedis(t, to(secret))
}

func TestRedisConfigIsCheckedAtOnce(t *testing.T) {
	_, err := storage.OpenRedis(t.Context(), storage.RedisConfig{
		Addresses: []string{"here", "127.0.0.1:"}, Cluster: true, Master: "it", Prefix: "a{b", Username: "ann", Replicas: -1,
	})
	said(t, err, `"here"`, `"127.0.0.1:"`, "not both", "prefix", "no password", "negative")
	_, err = storage.OpenRedis(t.Context(), storage.RedisConfig{})
	said(t, err, "no addresses")
	_, err = storage.OpenRedis(t.Context(), storage.RedisConfig{Addresses: []string{"127.0.0.1:1", "127.0.0.1:2"}})
	said(t, err, "say which")
}

func TestOpenRedisRefusesAnotherFormat(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	digits := strings.Repeat("0123456789", 4)
	for _, identity := range []string{
		"suar2 " + digits, "suar10 " + digits, "suar1 filling " + digits, "suar1 " + digits + "0", "suar1", "", "\xff\x00",
	} {
		s.Do("SET", "{suar}:store", identity)
		_, err := storage.OpenRedis(soon(t), to(s))
		if !errors.Is(err, storage.ErrFormat) {
			t.Errorf("%q: the error is %v", identity, err)
		}
		if got := s.Do("GET", "{suar}:store"); got != identity || s.Do("DBSIZE") != int64(1) {
			t.Errorf("%q became %q", identity, got)
		}
	}
	s.Do("DEL", "{suar}:store")
	s.Do("RPUSH", "{suar}:store", "a")
	_, err := storage.OpenRedis(soon(t), to(s))
	said(t, err, "WRONGTYPE")
}

func TestOpenRedisReportsWhatTurnsUnsafe(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	told := make(chan error, 100)
	c := to(s)
	c.Report = func(err error) { told <- err }
	r := openRedis(t, c)
	s.Do("CONFIG", "SET", "appendfsync", "everysec")
	for range 3 {
		s.Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		// It goes on: who is in danger is better served by a hotline that may
		// forget than by none.
		for ctx := soon(t); ; {
			err := r.Compact(ctx)
			if err == nil {
				break
			}
			if ctx.Err() != nil {
				t.Fatal(err)
			}
		}
	}
	if len(told) != 1 {
		t.Fatalf("%d reports, want one", len(told))
	}
	refused(t, <-told, "appendfsync is everysec")
}

func TestOpenRedisRefusesWhatItCannotRunOn(t *testing.T) {
	s := redistest.Shared(t)
	for _, tt := range []struct {
		info, want string
		unsafe     bool
	}{
		{"redis_version:6.2.14", `its version is "6.2.14": use Redis 7.0`, true},
		{"redis_version:unstable", `its version is "unstable"`, true},
		{"loading:1", "still reading its data", false},
		{"redis_mode:sentinel", "it is a Sentinel", true},
		{"role:slave", "it is a replica", true},
		{"", "does not answer INFO", false},
	} {
		// The first of two lines of the same name counts for less: the rest is
		// what a safe server says.
		text := ""
		if tt.info != "" {
			text = strings.Join([]string{
				"redis_version:7.2.5", "role:master", "aof_enabled:1", "maxmemory_policy:noeviction", tt.info,
			}, "\r\n")
		}
		x := newLiar(t, s.Addr)
		x.set(func(_ *liar, words []string) (string, fate) {
			if !strings.EqualFold(words[0], "INFO") {
				return "", honest
			}
			return fmt.Sprintf("$%d\r\n%s\r\n", len(text), text), lies
		})
		_, err := storage.OpenRedis(soon(t), storage.RedisConfig{
			Addresses: []string{x.addr}, Password: s.Password, Prefix: newPrefix(),
		})
		said(t, err, tt.want)
		if errors.Is(err, storage.ErrUnsafe) != tt.unsafe {
			t.Errorf("%q: %v", tt.info, err)
		}
	}
}

// TestRedisMustExist opens a store that must be there: where there is none
// nothing is begun.
func TestRedisMustExist(t *testing.T) {
	s := redistest.Start(t, redistest.Options{})
	c := storage.RedisConfig{Addresses: []string{s.Addr}, Password: s.Password, Existing: true}
	if _, err := storage.OpenRedis(t.Context(), c); !errors.Is(err, storage.ErrNone) {
		t.Errorf("on an empty Redis: %v, want ErrNone", err)
	}
	if n := s.Do("DBSIZE"); n != int64(0) {
		t.Errorf("it has %v keys, want none", n)
	}
	c.Existing = false
	begun, err := storage.OpenRedis(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := begun.Commit(t.Context(), storage.Commit{ID: "ann", State: []byte("state")}); err != nil {
		t.Fatal(err)
	}
	begun.Close()
	c.Existing = true
	again, err := storage.OpenRedis(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if r, err := again.Load(t.Context(), "ann"); err != nil || r.Version != 1 {
		t.Errorf("the store that is there has %v, %v", r, err)
	}
	c.Prefix = "another"
	if _, err := storage.OpenRedis(t.Context(), c); !errors.Is(err, storage.ErrNone) {
		t.Errorf("under another prefix: %v, want ErrNone", err)
	}
}
