package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"suar/internal/seal"
)

// newQuarantine is one in a folder that is not there yet.
func newQuarantine(t *testing.T) (q quarantine, log *bytes.Buffer) {
	t.Helper()
	key, err := seal.ParseVaultKey([]byte(strings.Repeat("0a", 31) + "0b"))
	if err != nil {
		t.Fatal(err)
	}
	log = new(bytes.Buffer)
	return quarantine{
		folder: filepath.Join(t.TempDir(), "store.quarantine"), vault: seal.NewVault(key), now: time.Now,
		log: slog.New(slog.NewTextHandler(log, nil)),
	}, log
}

// files are the names in the quarantine.
func (q quarantine) files(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(q.folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestQuarantineKeepsEachOnce(t *testing.T) {
	q, log := newQuarantine(t)
	for _, u := range []struct {
		id  int64
		raw string
	}{
		{700123, "{rusak"},
		{700123, "{rusak"},
		{700124, "{rusak"},
		// Whose number could not be read either are told apart by their bytes.
		{0, "{satu"},
		{0, "{dua"},
		{0, "{satu"},
	} {
		if err := q.keep(t.Context(), u.id, []byte(u.raw)); err != nil {
			t.Fatal(err)
		}
	}
	names := q.files(t)
	if len(names) != 4 {
		t.Errorf("kept %q, want four", names)
	}
	opened := map[string]int{}
	for _, name := range names {
		if strings.Contains(name, "700123") || strings.Contains(name, "draft") {
			t.Errorf("kept as %q", name)
		}
		path := filepath.Join(q.folder, name)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte("rusak")) || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is not sealed, or of mode %v", name, info.Mode())
		}
		plain, err := q.vault.Open("quarantine", name, raw)
		if err != nil {
			t.Fatal(err)
		}
		opened[string(plain)]++
	}
	if opened["{rusak"] != 2 || opened["{satu"] != 1 || opened["{dua"] != 1 {
		t.Errorf("opened %v", opened)
	}
	// The names cannot be computed from the bytes without the key.
	other, err := seal.ParseVaultKey([]byte(strings.Repeat("0c", 31) + "0d"))
	if err != nil {
		t.Fatal(err)
	}
	if q.name(0, []byte("x")) == (quarantine{vault: seal.NewVault(other)}).name(0, []byte("x")) {
		t.Error("the name does not depend on the key")
	}
	if log.Len() != 0 {
		t.Errorf("logged %s", log)
	}
}

func TestQuarantineIsBounded(t *testing.T) {
	q, log := newQuarantine(t)
	if err := q.keep(t.Context(), 1, []byte("{rusak kenari")); err != nil {
		t.Fatal(err)
	}
	for i := range quarantineMost - 1 {
		if err := os.WriteFile(filepath.Join(q.folder, fmt.Sprint(i, quarantineKind)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []int64{1, 700124} { // the first is there already
		if err := q.keep(t.Context(), id, []byte("{rusak kenari")); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(q.files(t)); n != quarantineMost {
		t.Errorf("%d are kept, want %d", n, quarantineMost)
	}
	if n := strings.Count(log.String(), "let go"); n != 1 || strings.Contains(log.String(), "kenari") || strings.Contains(log.String(), "700124") {
		t.Errorf("logged %q, want one line that says that one is let go, and nothing of it", log)
	}
}

// TestQuarantineForgets: what is too old goes although nothing new comes.
func TestQuarantineForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, log := newQuarantine(t)
		if err := os.Mkdir(q.folder, 0o700); err != nil {
			t.Fatal(err)
		}
		for name, age := range map[string]time.Duration{"dead": quarantineLife, "old": quarantineLife - 30*time.Minute, "young": time.Hour} {
			path := filepath.Join(q.folder, name+quarantineKind)
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			at := time.Now().Add(-age)
			if err := os.Chtimes(path, at, at); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- q.Run(ctx) }()
		synctest.Wait()
		if got := fmt.Sprint(q.files(t)); got != "[old.sealed young.sealed]" {
			t.Errorf("after the start: %s", got)
		}
		time.Sleep(quarantineSweep)
		synctest.Wait()
		if got := fmt.Sprint(q.files(t)); got != "[young.sealed]" {
			t.Errorf("after an hour: %s", got)
		}
		cancel()
		if err := <-done; err != nil || log.Len() != 0 {
			t.Errorf("Run: %v, logged %q", err, log)
		}
	})
}

// TestQuarantineWithoutAFolder: nothing was ever kept.
func TestQuarantineWithoutAFolder(t *testing.T) {
	q, log := newQuarantine(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Run(ctx); err != nil || log.Len() != 0 {
		t.Errorf("Run: %v, logged %q", err, log)
	}
}
