package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/internal/mattermosttest"
)

const otherKey = "3f9a1c5b7e2d4860a1b2c3d4e5f60718293a4b5c6d7e8f900112233445566778"

// TestRefusals starts suar with what is not right. It says what is wrong to who
// can mend it, changes nothing, shows no secret, and exits with 2.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spoil func(t *testing.T, h *hotline)
		want  []string
		// opened says that the store is opened before it is refused.
		opened bool
	}{
		"a vault key that is not the store's": {
			spoil:  func(_ *testing.T, h *hotline) { h.overwrite("vault", otherKey) },
			want:   []string{"vault key does not open this store"},
			opened: true,
		},
		"a vault key that is none": {
			spoil: func(_ *testing.T, h *hotline) { h.overwrite("vault", "canary-of-a-key") },
			want:  []string{"vault key: want 32 random bytes"},
		},
		"a vault key that everybody can read": {
			spoil: func(t *testing.T, h *hotline) {
				if err := os.Chmod(filepath.Join(h.secrets, "vault"), 0o444); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"everybody", "chmod 0400"},
		},
		"a vault key that is not there": {
			spoil: func(t *testing.T, h *hotline) {
				if err := os.Remove(filepath.Join(h.secrets, "vault")); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"vault_key", "no such file"},
		},
		"a store whose pages are overwritten": {
			spoil: func(_ *testing.T, h *hotline) {
				h.spoil(func(raw []byte) []byte {
					for i := 0; i < len(raw); i += 7 {
						raw[i] ^= 0xa5
					}
					return raw
				})
			},
			want: []string{"damaged", "restore it from a backup"},
		},
		"a store that is cut": {
			spoil: func(_ *testing.T, h *hotline) {
				h.spoil(func(raw []byte) []byte { return raw[:len(raw)/2] })
			},
			want: []string{"damaged", "restore it from a backup"},
		},
		"a store that is no store": {
			spoil: func(t *testing.T, h *hotline) {
				if err := os.RemoveAll(h.store); err != nil {
					t.Fatal(err)
				}
				h.file(h.store, strings.Repeat("canary of a letter\n", 1000), 0o600)
			},
			want: []string{"damaged", "restore it from a backup"},
		},
		"no officers": {
			spoil: func(t *testing.T, h *hotline) {
				if err := os.Remove(filepath.Join(filepath.Dir(h.config), "recipients")); err != nil {
					t.Fatal(err)
				}
			},
			want: []string{"each officer's suar keys new prints a line", "no such file"},
		},
		"a private key among the officers' keys": {
			spoil: func(_ *testing.T, h *hotline) {
				h.file(filepath.Join(filepath.Dir(h.config), "recipients"), "AGE-SECRET-KEY-PQ-1CANARY\n", 0o644)
			},
			want: []string{"line 1", "private key"},
		},
		"everything at once": {
			spoil: func(t *testing.T, h *hotline) {
				text := strings.NewReplacer("listen:", "listening:", "on_call:", "on_cal:").Replace(string(h.read(h.config)))
				h.file(h.config, text, 0o644)
			},
			want: []string{`"listening" is not known; is "listen" meant?`, `"on_cal" is not known; is "on_call" meant?`},
		},
		"an empty configuration": {
			spoil: func(_ *testing.T, h *hotline) { h.file(h.config, "telegram: {mode: pigeon}\n", 0o644) },
			want: []string{
				"telegram.token is missing", "mattermost.token is missing", "vault_key is missing", `"pigeon"`,
				"mattermost.url", "mattermost.callback", "mattermost.channel is missing", "on_call is empty",
				"store is missing", "recipients is missing",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHotline(t, mattermosttest.StandIn(t), nil)
			h.start()
			h.stop() // so that there is a store
			test.spoil(t, h)
			// Who opens a store writes its files anew; what is in it must stay. One
			// that is not opened stays as it is.
			kept := func() any { return files(t, h.data) }
			if test.opened {
				kept = func() any { return pairsOf(t, h.copyOfStore()) }
			}
			before := kept()
			out, errs, code := h.run("serve", "--config", h.config)
			if code != 2 || out != "" {
				t.Errorf("exit code %d, output %q; want 2 and none", code, out)
			}
			for _, want := range test.want {
				if !contains(errs, want) {
					t.Errorf("the error does not say %q:\n%s", want, errs)
				}
			}
			if diff := cmp.Diff(before, kept()); diff != "" {
				t.Errorf("the store was changed (-before +after):\n%s", diff)
			}
			absent(t, "the error", []byte(errs), map[string]string{
				"Telegram token": h.telegram.Token, "Mattermost token": h.world.Bot.Token,
				"vault key": "canary-of-a-key", "other vault key": otherKey,
				"private key": "SECRET-KEY-PQ-1CANARY", "letter": "canary of a letter",
			})
		})
	}
}

// spoil rewrites each file of the store.
func (h *hotline) spoil(how func(raw []byte) []byte) {
	h.t.Helper()
	all, err := filepath.Glob(filepath.Join(h.store, "*"))
	if err != nil || len(all) == 0 {
		h.t.Fatalf("the store has %d files (%v)", len(all), err)
	}
	for _, path := range all {
		h.file(path, string(how(h.read(path))), 0o600)
	}
}

func (h *hotline) read(path string) []byte {
	h.t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		h.t.Fatal(err)
	}
	return raw
}

// overwrite replaces a secret.
func (h *hotline) overwrite(name, content string) {
	h.t.Helper()
	path := filepath.Join(h.secrets, name)
	if err := os.Remove(path); err != nil {
		h.t.Fatal(err)
	}
	h.secret(name, content)
}

// TestTwoProcesses starts a second suar on the store of one that serves.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	h := newHotline(t, mattermosttest.StandIn(t), nil)
	h.start()
	_, errs, code := h.run("serve", "--config", h.config)
	// It may be a backup that is over soon, so the system is to try again: 1.
	if code != 1 || !contains(errs, "another process holds the store") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	// Nor can a case be opened from it; from a backup it can.
	_, errs, code = h.run("open", "7H2K-9QXM", "--store", h.store, "-i", h.officer, "--passphrase-file", h.passphraseFile)
	if code != 2 || !contains(errs, "open a backup with --backup") {
		t.Errorf("suar open: exit code %d: %s", code, errs)
	}
	// The first one serves on.
	p := &person{Person: h.telegram.Person(7100)}
	p.Start()
	if _, err := p.see(patient(t), "consular.home", "English"); err != nil {
		t.Error(err)
	}
	h.stop()
}

// TestDiskFull lets the store's disk run full in the middle of a case. suar
// says so and ends; what it had taken is there, and what it had not comes again
// when there is room.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	h := newHotline(t, mattermosttest.StandIn(t), nil)
	s := watch(t, h.world, h.world.Officers[1])
	ctx := patient(t)
	h.start()
	p := &person{Person: h.telegram.Person(7200)}
	p.Start()
	if err := p.walk(ctx, danger...); err != nil {
		t.Fatal(err)
	}
	if err := p.hearKey(ctx, "ui.status.alerting"); err != nil {
		t.Fatal(err)
	}
	h.stop()
	// From now on no file, and so no log of the store, can be
	// written beyond 1,024 blocks of 512 bytes, or of 1,024 where the shell
	// counts so.
	serve := h.command("serve", "--config", h.config)
	serve.Args = append([]string{"sh", "-c", `ulimit -f 1024 && exec "$0" "$@"`, serve.Path}, serve.Args[1:]...)
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	serve.Path = sh
	h.spawn(serve)
	h.ready()
	exited := h.child.Exited()
	said := 0
	for full := false; !full; said++ {
		if said == 2000 {
			t.Fatal("the disk is never full")
		}
		p.Say(fmt.Sprintf("p7200 says %04d", said))
		select {
		case <-exited:
			full = true
		case <-time.After(20 * time.Millisecond):
		}
	}
	if code := h.wait(); code != 1 {
		t.Errorf("suar exits with %d when the disk is full, want 1", code)
	}
	if log := h.printed(); !bytes.Contains(log, []byte("free space")) || bytes.Contains(log, []byte("goroutine ")) {
		t.Errorf("suar does not say what to do:\n%s", tail(log, 30))
	}
	// Which write was the one too many depends on the moment: a message that was
	// not confirmed comes again, and an outcome that was not kept is found out.
	// One more is written meanwhile.
	p.Say(fmt.Sprintf("p7200 says %04d", said))
	said++
	// There is room again.
	h.start()
	th, err := s.caseOf(ctx, "p7200")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := th.hear(ctx, fmt.Sprintf("p7200 says %04d", said-1)); err != nil {
		t.Fatal(err)
	}
	h.stop()
	i := 0
	for _, post := range h.world.Thread(th.root.ID) {
		for range ours.FindAllString(post.Message, -1) {
			if want := fmt.Sprintf("p7200 says %04d", i); !strings.Contains(post.Message, want) {
				t.Fatalf("the thread has %q where %q belongs", post.Message, want)
			}
			i++
		}
	}
	if i != said {
		t.Errorf("%d of %d messages are in the thread", i, said)
	}
}
