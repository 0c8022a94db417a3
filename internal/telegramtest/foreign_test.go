package telegramtest_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"suar/internal/telegramtest"
)

// TestForeignClients runs small bots written with clients that others made,
// unchanged, against this server: what they understand, and what they send, was
// not learned from us. It needs npm, and its registry or cache.
func TestForeignClients(t *testing.T) {
	skip := t.Skipf
	if os.Getenv("CI") == "true" {
		skip = t.Fatalf
	} else if testing.Short() {
		t.Skip("-short")
	}
	for _, tool := range []string{"npm", "node"} {
		if _, err := exec.LookPath(tool); err != nil {
			skip("%s is missing: grammY and telegraf were not run", tool)
		}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("foreign")); err != nil {
		t.Fatal(err)
	}
	// A tree that somebody installed by hand is not ours.
	if err := os.RemoveAll(filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--prefer-offline")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		skip("npm ci: %v: grammY and telegraf were not run\n%s", err, out)
	}
	for _, tt := range []struct {
		name, script string
		webhook      bool
	}{
		{"grammY", "grammy.mjs", false},
		{"grammY by webhook", "grammy.mjs", true},
		{"telegraf", "telegraf.mjs", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, telegramtest.Options{Redeliver: 50 * time.Millisecond})
			env := append(os.Environ(), "URL="+s.URL(), "TOKEN="+s.Token)
			if tt.webhook {
				env = append(env, fmt.Sprint("WEBHOOK=", freePort(t)))
			}
			runClient(t, dir, tt.script, env)
			playForeign(t, s)
			if tt.webhook != (s.Count("setWebhook") > 0) || tt.webhook == (s.Count("getUpdates") > 0) {
				t.Errorf("setWebhook %d, getUpdates %d", s.Count("setWebhook"), s.Count("getUpdates"))
			}
		})
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l := listen(t)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func runClient(t *testing.T, dir, script string, env []string) {
	t.Helper()
	var out bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	c := exec.CommandContext(ctx, "node", script)
	c.Dir, c.Env, c.Stdout, c.Stderr = dir, env, &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = c.Wait()
		if out.Len() > 0 {
			t.Errorf("%s says:\n%s", script, out.String())
		}
	})
}

// playForeign is a person who tries everything that the small bots do.
func playForeign(t *testing.T, s *telegramtest.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p := s.Person(42)
	await := func(what string, ok func([]telegramtest.Message) bool) []telegramtest.Message {
		t.Helper()
		chat, err := p.Wait(ctx, ok)
		if err != nil {
			t.Fatalf("%s: %v: %+v", what, err, chat)
		}
		return chat
	}
	press := func(button string) {
		t.Helper()
		if err := p.Press(button, 0); err != nil {
			t.Fatal(err)
		}
	}

	p.Start()
	if _, err := p.WaitButton(ctx, "Tidak"); err != nil {
		t.Fatalf("no answer to /start: %v", err)
	}
	press("Ya")
	if _, err := p.WaitButton(ctx, "Lagi"); err != nil {
		t.Fatalf("not edited: %v", err)
	}
	press("Lagi")
	await("the buttons are taken away", func(chat []telegramtest.Message) bool {
		return chat[1].Text == "Baik" && chat[1].Buttons == nil && p.Spinning() == 0
	})
	gone := p.Say("hapus")
	await("both sides are deleted", func(chat []telegramtest.Message) bool {
		return s.Count("deleteMessages") == 1 && !slices.ContainsFunc(chat, func(m telegramtest.Message) bool { return m.ID == gone })
	})
	photo := p.Send(telegramtest.Photo, "bukti")
	await("the photo", func(chat []telegramtest.Message) bool {
		last := chat[len(chat)-1]
		return last.ID > photo && last.Text == "Foto: bukti"
	})
	text := p.Say("biasa")
	await("the text is deleted", func(chat []telegramtest.Message) bool {
		return !slices.ContainsFunc(chat, func(m telegramtest.Message) bool { return m.ID == text })
	})
	if err := p.Edit(1001, "/start lagi"); err != nil {
		t.Fatal(err)
	}
	await("the edit", func(chat []telegramtest.Message) bool {
		return strings.HasPrefix(chat[len(chat)-1].Text, "Diubah: /start lagi")
	})
	if a := s.Account()["commands"]; a == nil {
		t.Error("no commands were set")
	}
	if err := s.Drained(ctx); err != nil {
		t.Errorf("not confirmed: %v", s.Pending())
	}
}
