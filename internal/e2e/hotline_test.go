package e2e

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"suar/internal/load/rig"
	"suar/internal/loopback"
	"suar/internal/mattermosttest"
	"suar/internal/seal"
	"suar/internal/telegramtest"
)

// The canaries among the secrets: they may be in no file but their own.
const (
	passphrase    = "canary-passphrase-of-an-officer"
	webhookSecret = "canary-webhook-secret"
)

// A hotline is one suar and all that it needs: its files, the Telegram and the
// Mattermost that it talks to, and the officers' keys, which it never sees.
type hotline struct {
	t        testing.TB
	telegram *telegramtest.Server
	world    *mattermosttest.World

	// data is the folder of the store, secrets that of the keys and tokens.
	data, secrets string
	store         string
	config        string // the file
	settings      map[string]any
	address       string // where suar listens
	// officer and recovery are the key files, passphraseFile what opens both.
	officer, recovery, passphraseFile string
	vaultKey                          seal.VaultKey

	log *os.File // what suar printed, in all its lives

	mu    sync.Mutex
	child *rig.Process
}

// newHotline prepares a hotline that polls. edit, if not nil, changes the
// configuration before it is written.
func newHotline(t testing.TB, world *mattermosttest.World, edit func(h *hotline, config map[string]any)) *hotline {
	t.Helper()
	// Built before any test begins to wait: on a busy machine that takes longer
	// than a test has patience for an answer.
	program(t, suar)
	h := &hotline{t: t, world: world, telegram: telegramtest.New(telegramtest.Options{})}
	t.Cleanup(h.telegram.Close)
	base := t.TempDir()
	var err error
	if h.log, err = os.OpenFile(filepath.Join(base, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = rig.Lay(base, rig.Needs{
		Telegram: h.telegram.URL(), TelegramToken: h.telegram.Token,
		Mattermost: world.URL, MattermostToken: world.Bot.Token, Channel: world.ChannelID, OnCall: []string{"siti", "budi"},
		Passphrase: passphrase, Keys: t.TempDir(),
		Edit: func(s *rig.Site, config map[string]any) error {
			h.data, h.secrets, h.store, h.config, h.address = s.Data, s.Secrets, s.Store, s.Config, s.Address
			h.officer, h.recovery, h.passphraseFile, h.vaultKey = s.Officer, s.Recovery, s.PassphraseFile, s.VaultKey
			config["log"] = map[string]any{"level": "debug"}
			if edit != nil {
				edit(h, config)
			}
			h.settings = config
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		h.kill()
		if t.Failed() {
			t.Logf("the end of suar's log:\n%s", tail(h.printed(), 40))
		}
		h.log.Close()
	})
	return h
}

// webhook changes a configuration to the mode webhook.
func webhook(h *hotline, config map[string]any) {
	telegram := config["telegram"].(map[string]any)
	telegram["mode"] = "webhook"
	telegram["webhook_url"] = "http://" + h.address + "/telegram"
	telegram["webhook_secret_file"] = h.secret("webhook", webhookSecret)
}

// unchecked changes a hotline to a Telegram that leaves the schema out, which
// costs more than all the rest of it: for load.
func unchecked(h *hotline, config map[string]any) {
	h.telegram.Close()
	h.telegram = telegramtest.New(telegramtest.Options{Unchecked: true})
	h.t.Cleanup(h.telegram.Close)
	config["telegram"].(map[string]any)["server"] = h.telegram.URL()
}

func freeAddress(t testing.TB) string {
	t.Helper()
	address, err := loopback.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// listenAt listens at an address that nobody uses.
func listenAt(t testing.TB, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (h *hotline) file(path, content string, mode os.FileMode) string {
	h.t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		h.t.Fatal(err)
	}
	return path
}

func (h *hotline) secret(name, content string) string {
	h.t.Helper()
	return h.file(filepath.Join(h.secrets, name), content+"\n", 0o400)
}

// key makes an officer's key file, away from all that suar reads.
func (h *hotline) key(name string) string {
	h.t.Helper()
	path, _, err := rig.NewKey(h.t.TempDir(), name, passphrase)
	if err != nil {
		h.t.Fatal(err)
	}
	return path
}

// configure writes a configuration.
func (h *hotline) configure(path string, config map[string]any) string {
	h.t.Helper()
	if err := rig.Configure(path, config); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// command is suar with arguments, not started.
func (h *hotline) command(args ...string) *exec.Cmd {
	h.t.Helper()
	return rig.Command(program(h.t, suar), h.data, args...)
}

// spawn starts a process as the hotline and does not wait until it serves.
func (h *hotline) spawn(cmd *exec.Cmd) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.child != nil {
		h.t.Fatal("suar runs already")
	}
	cmd.Stdout, cmd.Stderr = h.log, h.log
	p, err := rig.Start(cmd, -1)
	if err != nil {
		h.t.Fatal(err)
	}
	h.child = p
}

// start starts suar and returns when it serves.
func (h *hotline) start() {
	h.t.Helper()
	h.spawn(h.command("serve", "--config", h.config))
	h.ready()
}

// ready returns when suar serves.
func (h *hotline) ready() {
	h.t.Helper()
	if !h.serves() {
		h.t.Fatalf("suar ended with %d:\n%s", h.child.Code(), tail(h.printed(), 20))
	}
}

// serves waits until suar serves, and reports false if it ended before.
func (h *hotline) serves() bool {
	h.t.Helper()
	err := h.child.Ready(patient(h.t), "http://"+h.address+"/healthz")
	if err != nil && !errors.Is(err, rig.ErrEnded) {
		h.t.Fatal(err)
	}
	return err == nil
}

// kill ends suar as a crash does. It does nothing if suar does not run.
func (h *hotline) kill() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.child == nil {
		return
	}
	h.child.Kill()
	h.child = nil
}

// wait returns the exit code of a suar that ends by itself.
func (h *hotline) wait() int {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.child.Exited():
	case <-time.After(patience):
		h.t.Fatal("suar does not end")
	}
	code := h.child.Code()
	h.child = nil
	return code
}

// stop ends suar as the system does. It must drain and exit with 0.
func (h *hotline) stop() {
	h.t.Helper()
	if err := h.child.Signal(syscall.SIGTERM); err != nil {
		h.t.Fatal(err)
	}
	if code := h.wait(); code != 0 {
		h.t.Fatalf("suar exits with %d on SIGTERM, want 0", code)
	}
}

// printed is all that suar printed so far.
func (h *hotline) printed() []byte {
	h.t.Helper()
	raw, err := os.ReadFile(h.log.Name())
	if err != nil {
		h.t.Fatal(err)
	}
	return raw
}

// run runs another command of suar's to its end.
func (h *hotline) run(args ...string) (stdout, stderr string, code int) {
	h.t.Helper()
	return runTool(h.t, h.command(args...))
}

func runTool(t testing.TB, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// copyOfStore is the store as a backup would be, of a suar that was stopped.
func (h *hotline) copyOfStore() string {
	h.t.Helper()
	path := filepath.Join(h.t.TempDir(), "copy")
	if err := os.CopyFS(path, os.DirFS(h.store)); err != nil {
		h.t.Fatal(err)
	}
	return path
}

func tail(text []byte, lines int) []byte {
	all := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
	return bytes.Join(all[max(0, len(all)-lines):], []byte("\n"))
}

// patience is when a test gives up: not when something is late on a machine that
// is busy with much else, but when it never comes.
const patience = 5 * time.Minute

// patient is a context for waiting.
func patient(t testing.TB) context.Context { return patientFor(t, patience) }

// patientFor is patient of what takes longer than all the rest.
func patientFor(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// servers runs a test against each Mattermost.
func servers(t *testing.T, test func(t *testing.T, world *mattermosttest.World)) {
	t.Run("stand-in", func(t *testing.T) {
		t.Parallel()
		test(t, mattermosttest.StandIn(t))
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		test(t, mattermosttest.Real(t))
	})
}

// contains tells whether a text has a part, without regard to line breaks.
func contains(text, part string) bool {
	return strings.Contains(strings.Join(strings.Fields(text), " "), strings.Join(strings.Fields(part), " "))
}
