package redistest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"suar/internal/loopback"
)

// A Server is one redis-server, or one Sentinel.
type Server struct {
	// Addr is where it listens, the same after a Restart.
	Addr string
	// Password is the default user's, empty if it asks for none.
	Password string

	t         testing.TB // nil if it is shared
	home      *guarded
	dir       string
	authority *authority
	lines     []string
	// sentinel says that it is one, clustered that it is a node of a Cluster.
	sentinel, clustered bool

	mu  sync.Mutex
	cmd *exec.Cmd // nil if it is not running
}

// errPort says that another process was faster to take the port.
var errPort = errors.New("the port is in use")

// newServer prepares a server without starting it.
func newServer(t testing.TB, h *guarded, o Options) (*Server, error) {
	//nolint:usetesting // The guard removes it, and the shared one outlives its test.
	dir, err := os.MkdirTemp(h.dir, "server-")
	if err != nil {
		return nil, err
	}
	s := &Server{t: t, home: h, dir: dir}
	s.lines = []string{
		"appendonly " + map[bool]string{true: "no", false: "yes"}[o.NoAOF],
		"appendfsync " + or(o.AppendFsync, "always"),
		"maxmemory-policy " + or(o.MaxMemoryPolicy, "noeviction"),
		`save ""`,
		// A replica of a test gets what it needs without waiting for others.
		"repl-diskless-sync-delay 0",
		"repl-ping-replica-period 1",
	}
	if !o.NoPassword {
		s.Password = Password
		s.lines = append(s.lines, "requirepass "+Password, "masterauth "+Password)
	}
	for _, u := range o.Users {
		s.lines = append(s.lines, "user "+u)
	}
	if o.TLS {
		if s.authority, err = newAuthority(dir); err != nil {
			return nil, err
		}
		s.lines = append(s.lines, s.authority.config...)
	}
	s.lines = append(s.lines, o.Config...)
	return s, nil
}

// Kill ends the server with SIGKILL and returns when it is gone.
func (s *Server) Kill() {
	s.t.Helper()
	if !s.kill() {
		s.t.Fatal("the Redis to kill is not running")
	}
}

// Restart starts the server, which must not be running, on its data and its
// address, and returns when it answers.
func (s *Server) Restart() {
	s.t.Helper()
	if err := s.start(); err != nil {
		s.t.Fatalf("start a Redis: %v", err)
	}
}

// Freeze stops the server from answering, without ending it, until Thaw.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw lets a frozen server go on.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

// Running says whether the server was started and not killed.
func (s *Server) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd != nil
}

// Log is what the server has to say.
func (s *Server) Log() string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(b)
}

// Dir is the folder with the server's data.
func (s *Server) Dir() string { return s.dir }

func (s *Server) signal(sig syscall.Signal) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		s.t.Fatal("the Redis to signal is not running")
	}
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatalf("signal a Redis: %v", err)
	}
}

// kill says whether there was a process to end.
func (s *Server) kill() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return false
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	_ = s.home.unregister(s.cmd.Process.Pid)
	s.cmd = nil
	return true
}

// end ends the server with its test.
func (s *Server) end() {
	s.kill()
	if s.t.Failed() && testing.Verbose() {
		log := s.Log()
		s.t.Logf("the end of the log of %s:\n%s", s.Addr, log[max(0, len(log)-2000):])
	}
	_ = os.RemoveAll(s.dir)
}

// start starts the server on its port, or on a free one the first time.
func (s *Server) start() error {
	deadline := time.Now().Add(patience)
	for {
		first := s.Addr == ""
		if first {
			var err error
			if s.Addr, err = loopback.FreeAddress(); err != nil {
				return err
			}
		}
		err := s.run(deadline)
		if !errors.Is(err, errPort) || time.Now().After(deadline) {
			return err
		}
		if first {
			s.Addr = ""
		}
	}
}

// run starts the process and waits until it answers.
func (s *Server) run(deadline time.Time) error {
	s.mu.Lock()
	if s.cmd != nil {
		s.mu.Unlock()
		return errors.New("it is running")
	}
	_ = os.Remove(filepath.Join(s.dir, "log"))
	cmd, err := s.command()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		s.cmd = cmd
		err = s.home.register(cmd.Process.Pid)
	}
	s.mu.Unlock()
	if err != nil {
		return err
	}
	for {
		_, err := s.try("PING")
		switch {
		case err == nil:
			return nil
		case strings.Contains(s.Log(), "Address already in use"):
			s.kill()
			return errPort
		case time.Now().After(deadline):
			s.kill()
			log := s.Log()
			return fmt.Errorf("%s does not answer: %w\n%s", s.Addr, err, log[max(0, len(log)-2000):])
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// command is the server's process, with its configuration file written. A
// Sentinel rewrites its own, which is kept.
func (s *Server) command() (*exec.Cmd, error) {
	file := filepath.Join(s.dir, "redis.conf")
	if _, err := os.Stat(file); err != nil || !s.sentinel {
		lines := append([]string{
			"bind " + host,
			"dir " + s.dir,
			"logfile " + filepath.Join(s.dir, "log"),
			"daemonize no",
		}, s.lines...)
		if s.authority != nil {
			lines = append(lines, "port 0", "tls-port "+port(s.Addr))
		} else {
			lines = append(lines, "port "+port(s.Addr))
		}
		if s.clustered {
			bus, err := loopback.FreeAddress()
			if err != nil {
				return nil, err
			}
			lines = append(lines, "cluster-port "+port(bus))
		}
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			return nil, err
		}
	}
	args := []string{file}
	if s.sentinel {
		args = append(args, "--sentinel")
	}
	cmd := exec.Command("redis-server", args...) //nolint:gosec,noctx // It ends with the test.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd, nil
}

// port is an address's, whose host is always the same.
func port(address string) string { return strings.TrimPrefix(address, host+":") }

// host is where all servers listen.
const host = "127.0.0.1"

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
