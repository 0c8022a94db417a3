package main

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"suar/internal/backup"
	"suar/storage"
)

func TestNextNight(t *testing.T) {
	t.Parallel()
	jakarta := time.FixedZone("WIB", 7*3600)
	for _, tt := range []struct{ now, want time.Time }{
		{time.Date(2026, 3, 1, 3, 29, 59, 0, jakarta), time.Date(2026, 3, 1, 3, 30, 0, 0, jakarta)},
		{time.Date(2026, 3, 1, 3, 30, 0, 0, jakarta), time.Date(2026, 3, 2, 3, 30, 0, 0, jakarta)},
		{time.Date(2026, 12, 31, 20, 0, 0, 0, jakarta), time.Date(2027, 1, 1, 3, 30, 0, 0, jakarta)},
	} {
		if got := nextNight(tt.now); !got.Equal(tt.want) {
			t.Errorf("after %v: %v, want %v", tt.now, got, tt.want)
		}
	}
}

// TestErasedIsGoneTheNextDay erases a record from a store in use, and finds its
// bytes in the folder in the evening and no more after the night.
func TestErasedIsGoneTheNextDay(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store")
	synctest.Test(t, func(t *testing.T) {
		store, err := storage.OpenEmbedded(path)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		sealed := bytes.Repeat([]byte("sealed words of somebody "), 1000)
		for version, state := range [][]byte{sealed, nil} {
			if err := store.Commit(t.Context(), storage.Commit{ID: "somebody", Version: uint64(version), At: time.Now(), State: state}); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Contains(contents(t, path), sealed[:100]) {
			t.Fatal("the file has nothing left to find: the test shows nothing")
		}
		a := &app{setting: setting{log: slog.New(slog.DiscardHandler)}, store: store}
		done := make(chan error, 1)
		go func() { done <- a.upkeep(t.Context()) }()
		time.Sleep(24 * time.Hour)
		select {
		case err := <-done:
			t.Errorf("it ended: %v", err)
		default:
		}
		if bytes.Contains(contents(t, path), sealed[:100]) {
			t.Error("a day later it is still there")
		}
	})
}

// TestNotCompacted has a store of which a part cannot be read: that is said, and
// the hotline serves all the same.
func TestNotCompacted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store")
	store, err := storage.OpenEmbedded(path)
	if err != nil {
		t.Fatal(err)
	}
	commit := func(id string, version uint64) {
		t.Helper()
		err := store.Commit(t.Context(), storage.Commit{ID: id, Version: version, State: bytes.Repeat([]byte(id), 5000)})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"one", "two", "three"} {
		commit(id, 0)
	}
	if err := errors.Join(store.Compact(t.Context()), store.Close()); err != nil {
		t.Fatal(err)
	}
	tables, err := filepath.Glob(filepath.Join(path, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("tables: %q, %v", tables, err)
	}
	spoilt := false
	for _, table := range tables {
		raw, err := os.ReadFile(table)
		if err != nil {
			t.Fatal(err)
		}
		if at := bytes.Index(raw, bytes.Repeat([]byte("two"), 1000)); at >= 0 {
			raw[at] ^= 1
			if err := os.WriteFile(table, raw, 0o600); err != nil {
				t.Fatal(err)
			}
			spoilt = true
		}
	}
	if !spoilt {
		t.Fatal("the state is in no table: the test shows nothing")
	}
	if store, err = storage.OpenEmbedded(path); err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	commit("one", 1)
	commit("three", 1)
	var log strings.Builder
	a := &app{setting: setting{log: slog.New(slog.NewTextHandler(&log, nil))}, store: store}
	if err := a.compact(t.Context()); err != nil {
		t.Errorf("compact: %v", err)
	}
	if !strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("the log says nothing of it:\n%s", log.String())
	}
	commit("one", 2) // It serves.
}

// contents are all bytes of a store's folder and of what is beside it.
func contents(t *testing.T, path string) []byte {
	t.Helper()
	var all []byte
	err := filepath.WalkDir(filepath.Dir(path), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		raw, err := os.ReadFile(name)
		all = append(all, raw...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestBackupsOfTheNights serves for weeks: a backup each night, and none older
// than may be. A night without room for one is said, and harms nothing.
func TestBackupsOfTheNights(t *testing.T) {
	t.Parallel()
	path, disk := filepath.Join(t.TempDir(), "store"), t.TempDir()
	folder, away := filepath.Join(disk, "backups"), filepath.Join(disk, "away")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		store, err := storage.OpenEmbedded(path)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		log := new(syncLog)
		a := &app{setting: setting{log: slog.New(slog.NewTextHandler(log, nil))}, store: store}
		a.Backup = backupConfig{Folder: folder, Keep: 3}
		done := make(chan error, 1)
		go func() { done <- a.upkeep(t.Context()) }()
		there := func() int {
			names, err := filepath.Glob(filepath.Join(folder, "suar-*.backup"))
			if err != nil {
				t.Fatal(err)
			}
			return len(names)
		}
		for day, want := range []int{1, 2, 3, 3} {
			time.Sleep(24 * time.Hour)
			synctest.Wait()
			if got := there(); got != want {
				t.Errorf("after day %d there are %d backups, want %d", day+1, got, want)
			}
		}
		newest, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		f, err := backup.Open(t.Context(), filepath.Join(folder, newest[len(newest)-1].Name()))
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if strings.Contains(log.String(), "level=ERROR") {
			t.Errorf("the log:\n%s", log.String())
		}
		// The folder is gone, as one that was not mounted.
		move(folder, away)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if !strings.Contains(log.String(), "THERE IS NO BACKUP OF THIS NIGHT") {
			t.Errorf("the log says nothing of it:\n%s", log.String())
		}
		move(away, folder)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if got := there(); got != 3 {
			t.Errorf("the night after that there are %d backups, want 3", got)
		}
		select {
		case err := <-done:
			t.Errorf("it ended: %v", err)
		default:
		}
	})
}

// A syncLog is a log that is read while it is written.
type syncLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *syncLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *syncLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
