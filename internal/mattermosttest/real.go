package mattermosttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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

// A Setting is one of the server's settings, such as
// {"ServiceSettings.EnableLinkPreviews", "true"}.
type Setting struct{ Name, Value string }

// Real starts a Mattermost server on a database of its own and ends it with
// the test. The first call in a process prepares PostgreSQL and takes some
// seconds, a later one about half a second.
//
// The server is what build.sh built, or the folder that
// SUAR_TEST_MATTERMOST names. Where it or PostgreSQL is missing the test is
// skipped, or fails if CI is "true".
func Real(t testing.TB, settings ...Setting) *World {
	t.Helper()
	c, err := shared()
	var missing *missingError
	switch {
	case errors.As(err, &missing) && os.Getenv("CI") != "true":
		t.Skipf("no real Mattermost to test against: %v", err)
	case err != nil:
		t.Fatalf("prepare a real Mattermost: %v", err)
	}
	dir, name, err := c.newWorldDir()
	if err != nil {
		t.Fatalf("prepare a real Mattermost: %v", err)
	}
	if err := c.copyTemplate(name, "template_world"); err != nil {
		t.Fatalf("prepare a real Mattermost: %v", err)
	}
	s := &server{cluster: c, dir: dir, database: name, settings: settings}
	t.Cleanup(func() {
		if t.Failed() && s.running() {
			if out, err := s.log(); err == nil && testing.Verbose() {
				t.Logf("the end of the server's log:\n%s", tail(out))
			}
		}
		if err := s.kill(); err != nil {
			t.Errorf("end the server: %v", err)
		}
		// The folder and, should this fail, the database end with the process.
		_, _ = c.run(context.Background(), "dropdb", "--force", name)
	})
	if err := s.start(); err != nil {
		t.Fatalf("start a real Mattermost: %v", err)
	}
	return c.template.world(t, s.url(), s)
}

// shared is the one cluster of a test process. It has to be a variable of the
// package, since tests of the same process share nothing else.
var shared = sync.OnceValues(func() (*cluster, error) {
	folder, err := findServer()
	if err != nil {
		return nil, err
	}
	bin := findPostgres()
	if bin == "" {
		return nil, &missingError{"PostgreSQL", "apt-get install postgresql"}
	}
	c, err := newCluster(bin)
	if err != nil {
		return nil, err
	}
	c.server = folder
	if err := c.prepare(); err != nil {
		return nil, fmt.Errorf("prepare the template: %w", err)
	}
	return c, nil
})

// prepare makes the database that every world is a copy of.
func (c *cluster) prepare() error {
	dir, _, err := c.newWorldDir()
	if err != nil {
		return err
	}
	if _, err := c.run(context.Background(), "createdb", "template_world"); err != nil {
		return err
	}
	s := &server{cluster: c, dir: dir, database: "template_world", settings: []Setting{
		{"ServiceSettings.EnableBotAccountCreation", "true"},
	}}
	if err := s.start(); err != nil {
		return err
	}
	c.template, err = bootstrap(context.Background(), s.url())
	return errors.Join(err, s.kill())
}

// findServer returns the folder with the server's binary.
func findServer() (string, error) {
	folder, command := os.Getenv("SUAR_TEST_MATTERMOST"), "check SUAR_TEST_MATTERMOST"
	if folder == "" {
		root, err := moduleRoot()
		if err != nil {
			return "", err
		}
		folder, command = filepath.Join(root, ".cache", "mattermost"), "internal/mattermosttest/build.sh"
	}
	for _, name := range []string{"mattermost", "i18n", "templates"} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			return "", &missingError{"the Mattermost server (" + name + ")", command}
		}
	}
	return folder, nil
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod in any folder above")
		}
		dir = filepath.Dir(dir)
	}
}

// A missingError is something that has to be installed first.
type missingError struct{ what, command string }

func (e *missingError) Error() string {
	return fmt.Sprintf("%s is missing; to get it: %s", e.what, e.command)
}

// A server is one process of the real server.
type server struct {
	cluster  *cluster
	dir      string
	database string
	settings []Setting

	mu      sync.Mutex
	address string // chosen at the first start, kept afterwards
	cmd     *exec.Cmd
	exited  chan struct{}
}

func (s *server) url() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return "http://" + s.address
}

func (s *server) running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd != nil
}

func (s *server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return errors.New("the server runs already")
	}
	if s.address == "" {
		if err := s.lay(); err != nil {
			return err
		}
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(s.cluster.server, "mattermost"), "server")
	cmd.Dir = s.dir
	cmd.Env = s.environment()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		// How it ended does not matter: it is killed as a rule.
		_ = cmd.Wait()
		close(exited)
	}()
	s.cmd, s.exited = cmd, exited
	if err := s.cluster.register(cmd.Process.Pid); err != nil {
		return err
	}
	return s.await()
}

// lay prepares the server's folder and chooses its port.
func (s *server) lay() error {
	for _, name := range []string{"i18n", "templates"} {
		if err := os.Symlink(filepath.Join(s.cluster.server, name), filepath.Join(s.dir, name)); err != nil {
			return err
		}
	}
	var err error
	s.address, err = loopback.FreeAddress()
	return err
}

// await returns when the server answers, or has ended.
func (s *server) await() error {
	client := &http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	for deadline := time.Now().Add(patience); ; {
		resp, err := client.Get("http://" + s.address + "/api/v4/system/ping")
		if err == nil {
			var ping struct{ Status string }
			err = json.NewDecoder(resp.Body).Decode(&ping)
			_ = resp.Body.Close()
			if err == nil && ping.Status == "OK" {
				return nil
			}
		}
		select {
		case <-s.exited:
			s.cmd = nil
			out, _ := s.log()
			return fmt.Errorf("the server ended:\n%s", tail(out))
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			out, _ := s.log()
			return fmt.Errorf("the server does not answer: %w\n%s", err, tail(out))
		}
	}
}

func (s *server) stop() error { return s.end(syscall.SIGTERM) }
func (s *server) kill() error { return s.end(syscall.SIGKILL) }

// end signals the server's process group and waits until it is gone. It does
// nothing if the server does not run.
func (s *server) end(signal syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return nil
	}
	group := s.cmd.Process.Pid
	if err := syscall.Kill(-group, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	select {
	case <-s.exited:
	case <-time.After(patience):
		return errors.New("the server does not end")
	}
	s.cmd = nil
	return s.cluster.unregister(group)
}

func (s *server) local() string { return filepath.Join(s.dir, "local.socket") }

func (s *server) dump(ctx context.Context) ([]byte, error) {
	return s.cluster.run(ctx, "pg_dump", "--data-only", "--inserts", s.database)
}

func (s *server) log() ([]byte, error) {
	return os.ReadFile(filepath.Join(s.dir, "log"))
}

// environment is the server's settings. Where they differ from what an
// administrator would set, the reason is given.
func (s *server) environment() []string {
	settings := []Setting{
		{"ServiceSettings.SiteURL", "http://" + s.address},
		{"ServiceSettings.ListenAddress", s.address},
		{"SqlSettings.DriverName", "postgres"},
		{"SqlSettings.DataSource", s.cluster.source(s.database)},
		{"SqlSettings.MaxOpenConns", "60"}, // many servers share the one PostgreSQL
		{"FileSettings.Directory", filepath.Join(s.dir, "data")},
		{"FileSettings.ExtractContent", "false"},
		{"LogSettings.EnableFile", "false"},
		{"LogSettings.ConsoleLevel", "DEBUG"}, // canaries are looked for in it
		{"LogSettings.ConsoleJson", "true"},
		{"LogSettings.EnableDiagnostics", "false"},
		// The bot's endpoint in a test is on loopback, at a port of the moment.
		{"ServiceSettings.AllowedUntrustedInternalConnections", "127.0.0.1"},
		{"ServiceSettings.EnableAPIPostDeletion", "true"},
		{"ServiceSettings.EnableLocalMode", "true"},
		{"ServiceSettings.LocalModeSocketLocation", filepath.Join(s.dir, "local.socket")},
		{"ServiceSettings.EnableLinkPreviews", "false"},
		{"ServiceSettings.PostEditTimeLimit", "-1"},
		{"EmailSettings.SendEmailNotifications", "false"},
		{"EmailSettings.SendPushNotifications", "false"},
		// What reaches out to the world or runs beside the tests.
		{"ServiceSettings.EnableSecurityFixAlert", "false"},
		{"PluginSettings.Enable", "false"},
		{"JobSettings.RunJobs", "false"},
		{"JobSettings.RunScheduler", "false"},
		{"AnnouncementSettings.AdminNoticesEnabled", "false"},
		{"AnnouncementSettings.UserNoticesEnabled", "false"},
	}
	env := []string{"MM_CONFIG=" + filepath.Join(s.dir, "config.json"), "PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "TMPDIR=" + s.dir}
	for _, x := range append(settings, s.settings...) {
		env = append(env, "MM_"+strings.ToUpper(strings.ReplaceAll(x.Name, ".", "_"))+"="+x.Value)
	}
	return env
}
