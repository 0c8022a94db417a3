// Package redistest runs real Redis servers for tests: a single one, a master
// with replicas, one behind Sentinels, and a Cluster. They listen on 127.0.0.1,
// keep their data in temporary folders and end with the test, or with the test
// process if that ends first.
//
// Without a redis-server a test is skipped, or fails if CI is "true".
package redistest

import (
	"crypto/tls"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// patience is how long a server may take for anything. It is generous: a test
// must pass on a machine that is busy with something else.
const patience = 60 * time.Second

// Options are a server's settings. The zero value is a server that Suar
// accepts: a password, an append-only file synced at every write, and no
// eviction.
type Options struct {
	// NoPassword lets everybody in. Otherwise the password of the default user
	// is [Password].
	NoPassword bool
	// Users are further users as in an ACL file, without the word user:
	// "suar on >word ~* +@all".
	Users []string
	// TLS makes the server speak TLS only, with a certificate of its own. It
	// asks clients for none, unless Config says "tls-auth-clients yes".
	TLS bool
	// NoAOF keeps nothing.
	NoAOF bool
	// AppendFsync is always if it is empty.
	AppendFsync string
	// MaxMemoryPolicy is noeviction if it is empty.
	MaxMemoryPolicy string
	// SentinelUser is who the Sentinels are to the servers, one of Users with
	// the same password; the default user if it is empty.
	SentinelUser string
	// Config are further lines of the server's configuration file.
	Config []string
}

// Password is the default user's on every server that asks for one.
const Password = "a-password-of-the-tests"

// Start starts a single server that ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := newServer(t, need(t), o)
	if err != nil {
		t.Fatalf("start a Redis: %v", err)
	}
	t.Cleanup(s.end)
	s.Restart()
	return s
}

// Shared returns the one server with the zero options that all tests of the
// process share: a prefix of their own keeps them apart. It cannot be killed.
func Shared(t testing.TB) *Server {
	t.Helper()
	need(t)
	s, err := shared()
	if err != nil {
		t.Fatalf("start a Redis: %v", err)
	}
	return s
}

// shared and home are variables of the package, since the tests of one process
// share nothing else.
//
//nolint:gochecknoglobals // See above.
var (
	shared = sync.OnceValues(func() (*Server, error) {
		h, err := home()
		if err != nil {
			return nil, err
		}
		s, err := newServer(nil, h, Options{})
		if err != nil {
			return nil, err
		}
		return s, s.start()
	})
	home = sync.OnceValues(newHome)
)

// need returns where servers are kept, or skips the test if there can be none.
func need(t testing.TB) *guarded {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no redis-server to test against (apt-get install redis-server): %v", err)
		}
		t.Skipf("no redis-server to test against (apt-get install redis-server): %v", err)
	}
	h, err := home()
	if err != nil {
		t.Fatalf("prepare a Redis: %v", err)
	}
	return h
}

// TLS is what a client needs to trust the server, and a certificate of its own;
// nil if the server speaks plainly.
func (s *Server) TLS() *tls.Config {
	if s.authority == nil {
		return nil
	}
	return s.authority.client.Clone()
}
