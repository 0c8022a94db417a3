package main

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"suar/internal/backup"
	"suar/internal/engine"
	"suar/internal/seal"
	"suar/storage"
)

// rotating is a deployment whose process runs on its store.
func rotating(t *testing.T, d *deployment) *app {
	t.Helper()
	d.write(t)
	c, err := loadEngineConfig(d.path("etc/suar.yaml"), d.lookup)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{setting: setting{config: c, log: slog.New(slog.DiscardHandler)}, vault: seal.NewVault(c.vaultKey)}
	if a.store, err = storage.OpenEmbedded(c.Store); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.store.Close() })
	a.engine, err = engine.New(t.Context(), engine.Config{
		Flow: c.book, Store: a.store, Vault: a.vault, Officers: func() seal.Recipients { return c.recipients }, Log: a.log,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *app) save(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if _, err := backup.Save(t.Context(), path, time.Now(), a.store); err != nil {
		t.Fatal(err)
	}
	return path
}

// sealedAnew makes passes until there is nothing more to seal.
func (a *app) sealedAnew(t *testing.T) {
	t.Helper()
	for done := (engine.Resealed{Records: 1}); done.Records > 0; {
		var err error
		if done, err = a.engine.Reseal(t.Context()); err != nil || done.Left > 0 {
			t.Fatalf("%+v, %v", done, err)
		}
	}
}

// keys runs suar keys rotate.
func rotateKeys(t *testing.T, want string, code int, args ...string) {
	t.Helper()
	got, out, errOut := command(t, append([]string{"keys", "rotate"}, args...)...)
	if got != code || !strings.Contains(out+errOut, want) {
		t.Errorf("keys rotate %q: exit code %d, want %q in\n%s%s", args, got, want, out, errOut)
	}
}

// The key is rotated under a running process, which goes on with it; a former one
// is dropped only with a proof that nothing needs it; and then a copy of the store
// from before is dead.
func TestKeysRotate(t *testing.T) {
	d := newDeployment(t)
	a := rotating(t, d)
	file := d.path("etc/secrets/vault")
	first, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before := a.save(t, "before.backup")

	rotateKeys(t, "sealed with epoch 1; opens 1, 2.", exitOK, "--stage", file)
	if err := a.takeKeys(); err != nil || a.vault.Epoch() != 1 {
		t.Errorf("staged: epoch %d, %v", a.vault.Epoch(), err)
	}
	rotateKeys(t, "--use it first", exitRefused, "--stage", file)
	rotateKeys(t, "sealed with epoch 2; opens 1, 2.", exitOK, "--use", file)
	rotateKeys(t, "sealed with already", exitRefused, "--use", file)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("the file: %v, %v", info, err)
	}
	if left, err := filepath.Glob(filepath.Dir(file) + "/*draft*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
	if err := a.takeKeys(); err != nil || a.vault.Epoch() != 2 {
		t.Fatalf("epoch %d, %v", a.vault.Epoch(), err)
	}
	rotateKeys(t, "before everything was sealed anew: nothing was dropped", exitRefused, "--drop", "1", "--backup", before, file)
	a.sealedAnew(t)
	rotateKeys(t, "before everything was sealed anew", exitRefused, "--drop", "1", "--backup", before, file)
	after := a.save(t, "after.backup")
	rotateKeys(t, "epoch 2 is not over", exitRefused, "--drop", "2", "--backup", after, file)
	rotateKeys(t, "is no backup", exitRefused, "--drop", "1", "--backup", d.path("etc/suar.yaml"), file)
	rotateKeys(t, "there is no epoch 7", exitRefused, "--drop", "7", "--backup", after, file)
	rotateKeys(t, "sealed with epoch 2; opens 2.", exitOK, "--drop", "1", "--backup", after, file)
	if err := a.takeKeys(); err != nil {
		t.Fatal(err)
	}
	if last, err := os.ReadFile(file); err != nil || bytes.Contains(last, bytes.TrimSpace(first)) {
		t.Errorf("the root is still in the file: %v", err)
	}
	for path, want := range map[string]string{before: "another vault key", after: ""} {
		code, _, errOut := command(t, "restore", "--config", d.path("etc/suar.yaml"), "--check", path)
		if (code == exitOK) != (want == "") || !strings.Contains(errOut, want) {
			t.Errorf("%s: exit code %d: %s", filepath.Base(path), code, errOut)
		}
	}
}

// What waits for its delivery is sealed as it was committed: its key stays.
func TestKeysAreNotDroppedUnderWhatWaits(t *testing.T) {
	d := newDeployment(t)
	d.begin(t)
	a := rotating(t, d)
	file := d.path("etc/secrets/vault")
	rotateKeys(t, "sealed with epoch 2", exitOK, file)
	if err := a.takeKeys(); err != nil {
		t.Fatal(err)
	}
	a.sealedAnew(t)
	rotateKeys(t, "still sealed in epoch 1", exitRefused, "--drop", "1", "--backup", a.save(t, "a.backup"), file)
}

func TestKeysRotateRefuses(t *testing.T) {
	d := newDeployment(t)
	d.write(t)
	file := d.path("etc/secrets/vault")
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rotateKeys(t, "one of the three", exitRefused, "--stage", "--use", file)
	rotateKeys(t, "go together", exitRefused, "--drop", "1", file)
	rotateKeys(t, "want the file that vault_key_file names", exitRefused, file+"x")
	rotateKeys(t, "open to everybody", exitRefused, writeMode(t, "vault", string(kept), 0o644))
	rotateKeys(t, "line 2: want index", exitRefused, writeMode(t, "vault", "suar keyring 1\nindes 00\n", 0o400))
	rotateKeys(t, "vault key: want 32 random bytes", exitRefused, writeMode(t, "vault", "tolong", 0o400))
	if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, kept) {
		t.Errorf("the file was changed: %v", err)
	}
	// A file of another store is not taken over by the process.
	a := rotating(t, d)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	d.file(t, "etc/secrets/vault", strings.Repeat("1a", 31)+"0b", 0o400)
	if err := a.takeKeys(); !errors.Is(err, seal.ErrOtherKeyring) || a.vault.Epoch() != 1 {
		t.Errorf("another store's key: %v", err)
	}
}

func writeMode(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := writeFile(t, name, text)
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}
