package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"suar/flows"
	"suar/internal/backup"
	"suar/internal/engine"
	"suar/internal/seal"
	"suar/storage"
)

// backedUp is a deployment with an open case whose store was backed up and is
// gone since.
func backedUp(t *testing.T) (d *deployment, file string) {
	t.Helper()
	d = newDeployment(t)
	d.begin(t)
	file = d.path("tonight.backup")
	if code, _, errOut := d.command(t, "backup", "--config", d.path("etc/suar.yaml"), file); code != exitOK {
		t.Fatalf("backup: exit code %d: %s", code, errOut)
	}
	if err := os.Rename(d.values["store"], d.path("lost.db")); err != nil {
		t.Fatal(err)
	}
	return d, file
}

func (d *deployment) command(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	for name, value := range d.env {
		t.Setenv(name, value)
	}
	return command(t, args...)
}

// TestRestoredIsNotSentAgain restores a store of an earlier hour: nothing that
// waited then is shown to the person, and the officers are told of it. As it
// was, it is sent.
func TestRestoredIsNotSentAgain(t *testing.T) {
	for _, asItWas := range []bool{false, true} {
		t.Run(fmt.Sprint("as it was: ", asItWas), func(t *testing.T) {
			d, file := backedUp(t)
			args := []string{"restore", "--config", d.path("etc/suar.yaml"), file}
			if asItWas {
				args = append(args, "--as-it-was")
			}
			code, out, errOut := d.command(t, args...)
			if code != exitOK {
				t.Fatalf("restore: exit code %d: %s", code, errOut)
			}
			if got := strings.Contains(out, "Not sent again"); got == asItWas {
				t.Errorf("it says:\n%s", out)
			}
			chat, officers := &person{}, &desk{}
			synctest.Test(t, func(t *testing.T) {
				c, err := loadEngineConfig(d.path("etc/suar.yaml"), d.lookup)
				if err != nil {
					t.Fatal(err)
				}
				store, err := storage.OpenEmbedded(c.Store)
				if err != nil {
					t.Fatal(err)
				}
				defer store.Close()
				if restored := restoredAt(t, c, store); restored.IsZero() != asItWas {
					t.Errorf("the store was restored at %v", restored)
				}
				serveFor(t, c, store, chat, officers, func(func(engine.Inbound)) {
					time.Sleep(time.Minute)
					synctest.Wait()
				})
			})
			said := slices.ContainsFunc(chat.shown, func(ef flows.Effect) bool {
				say, ok := ef.(flows.Say)
				return ok && say.Post == "reply"
			})
			if said != asItWas {
				t.Errorf("the officer's words were shown: %v", said)
			}
			for _, ef := range chat.shown {
				if show, ok := ef.(flows.Show); ok && !show.Quiet && !asItWas {
					t.Error("something was shown for which nobody asked now")
				}
			}
			failed := slices.Contains(officers.got, flows.Effect(flows.Mark{Post: "reply", Sign: flows.SignFailed}))
			if failed == asItWas {
				t.Errorf("the officer was told that the words perhaps did not arrive: %v; got %v", failed, officers.got)
			}
		})
	}
}

// restoredAt is what the store says of when it was restored.
func restoredAt(t *testing.T, c config, store storage.Store) time.Time {
	t.Helper()
	e, err := engine.New(t.Context(), engine.Config{
		Flow: c.book, Store: store, Vault: seal.NewVault(c.vaultKey),
		Officers: func() seal.Recipients { return c.recipients }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	at, err := e.Restored(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestRestoreProves takes what a backup may have gone through.
func TestRestoreProves(t *testing.T) {
	d, file := backedUp(t)
	config := d.path("etc/suar.yaml")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, want string
		change     func(b []byte) []byte
	}{
		{"cut", "the file is cut", func(b []byte) []byte { return b[:len(b)/2] }},
		{"altered", "the file was altered", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }},
		{"newer", "written by a newer version", func(b []byte) []byte { b[15]++; return b }},
		{"another file", "is no backup", func([]byte) []byte { return []byte("listen: x") }},
	} {
		broken := d.file(t, "broken.backup", string(tt.change(slices.Clone(raw))), 0o600)
		if code, _, errOut := d.command(t, "restore", "--config", config, broken); code != exitRefused || !strings.Contains(errOut, tt.want) {
			t.Errorf("%s: exit code %d: %s", tt.name, code, errOut)
		}
		d.mustHaveNoStore(t, tt.name)
	}
	if code, out, errOut := d.command(t, "restore", "--config", config, "--check", file); code != exitOK || !strings.Contains(out, "1, 1 of them with an open case") {
		t.Errorf("only checked: exit code %d: %s%s", code, out, errOut)
	}
	d.mustHaveNoStore(t, "only checked")

	d.env["SUAR_VAULT_KEY"] = strings.Repeat("0c", 31) + "0d"
	d.values["vault"] = ""
	d.write(t)
	if code, _, errOut := d.command(t, "restore", "--config", config, file); code != exitRefused || !strings.Contains(errOut, "this backup was made with another vault key") {
		t.Errorf("another key: exit code %d: %s", code, errOut)
	}
	d.mustHaveNoStore(t, "another key")
	d.env["SUAR_VAULT_KEY"] = strings.Repeat("0a", 31) + "0b"

	if code, out, errOut := d.command(t, "restore", "--config", config, file); code != exitOK || strings.Contains(out+errOut, "canary") {
		t.Fatalf("restore: exit code %d: %s%s", code, out, errOut)
	}
	if code, _, errOut := d.command(t, "restore", "--config", config, file); code != exitRefused || !strings.Contains(errOut, "move it away first") {
		t.Errorf("onto a store: exit code %d: %s", code, errOut)
	}
	names, err := filepath.Glob(d.path("data/*"))
	if err != nil || len(names) != 1 {
		t.Errorf("beside the store is something: %q, %v", names, err)
	}
}

func (d *deployment) mustHaveNoStore(t *testing.T, when string) {
	t.Helper()
	names, err := filepath.Glob(d.path("data/*"))
	if err != nil || len(names) > 0 {
		t.Errorf("%s: something was written: %q, %v", when, names, err)
	}
}

// TestRestoreTellsWhatIsDamaged has a record of a transcript cut off in the
// store, before the backup: it is restored as it is, and said.
func TestRestoreTellsWhatIsDamaged(t *testing.T) {
	d, file := backedUp(t)
	whole, err := backup.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer whole.Close()
	pieces := &shelf{}
	err = whole.Dump(t.Context(), func(p storage.Piece) error {
		pieces.pieces = append(pieces.pieces, p)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	cut := 0
	for _, p := range pieces.pieces {
		for name, tr := range p.Transcripts {
			tr.Entries = tr.Entries[:len(tr.Entries)-1]
			p.Transcripts[name] = tr
			cut++
		}
	}
	if cut != 2 { // The case's and the officers' trail.
		t.Fatalf("%d transcripts", cut)
	}
	broken := d.path("broken.backup")
	if _, err := backup.Save(t.Context(), broken, whole.Made(), pieces); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := d.command(t, "restore", "--config", d.path("etc/suar.yaml"), broken)
	if code != exitFailed || !strings.Contains(out, "transcripts       2 are incomplete or were changed") {
		t.Errorf("exit code %d: %s%s", code, out, errOut)
	}
	if _, err := os.Stat(d.values["store"]); err != nil {
		t.Errorf("it was not restored: %v", err)
	}
}

// TestCopyOfAStore copies the embedded store into another one.
func TestCopyOfAStore(t *testing.T) {
	d := newDeployment(t)
	d.begin(t)
	before := contents(t, d.values["store"])
	copied := d.path("elsewhere/store")
	code, out, errOut := d.command(t, "store", "copy", "--from", d.values["store"], "--to", copied)
	if code != exitOK || !strings.Contains(out, "read back the same: ") {
		t.Fatalf("exit code %d: %s%s", code, out, errOut)
	}
	if !slices.Equal(before, contents(t, d.values["store"])) {
		t.Error("the source changed")
	}
	if code, _, errOut := d.command(t, "store", "copy", "--from", d.values["store"], "--to", copied); code != exitRefused || !strings.Contains(errOut, "move it away first") {
		t.Errorf("onto a store: exit code %d: %s", code, errOut)
	}
	store, err := storage.OpenEmbedded(d.values["store"])
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if code, _, errOut := d.command(t, "store", "copy", "--from", d.values["store"], "--to", d.path("other.db")); code != exitRefused || !strings.Contains(errOut, "stop the suar serve that uses it") {
		t.Errorf("a source in use: exit code %d: %s", code, errOut)
	}
	if code, _, errOut := d.command(t, "backup", "--config", d.path("etc/suar.yaml"), d.path("x.backup")); code != exitRefused || !strings.Contains(errOut, "name a folder at backup.folder") {
		t.Errorf("a backup of a store in use: exit code %d: %s", code, errOut)
	}
	d.values["store"] = copied
	d.write(t)
	if code, out, errOut := d.command(t, "check", "--config", d.path("etc/suar.yaml")); code != exitOK || !strings.Contains(out, "opens, and the vault key opens it; waiting: 1 effect") {
		t.Errorf("check of the copy: exit code %d: %s%s", code, out, errOut)
	}
}

// shelf is a backup's pieces, to be changed.
type shelf struct{ pieces []storage.Piece }

func (s *shelf) Dump(_ context.Context, yield func(storage.Piece) error) error {
	for _, p := range s.pieces {
		if err := yield(p); err != nil {
			return err
		}
	}
	return nil
}
