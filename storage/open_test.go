package storage_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"suar/storage"
)

func TestOpenCreates(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "var", "suar")
	path := filepath.Join(folder, "store")
	openBolt(t, path)
	for name, want := range map[string]fs.FileMode{
		filepath.Dir(folder): fs.ModeDir | 0o700,
		folder:               fs.ModeDir | 0o700,
		path:                 0o600,
	} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has the mode %v, want %v", filepath.Base(name), info.Mode(), want)
		}
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
		t.Errorf("there are the files %v, %v", files, err)
	}
}

// TestOpenAtOnce has several create the same store: one gets it.
func TestOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "store")
	var mu sync.Mutex
	var opened []*storage.Bolt
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := storage.OpenBolt(path)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				opened = append(opened, s)
			case !errors.Is(err, storage.ErrLocked):
				t.Errorf("open: got %v, want %v", err, storage.ErrLocked)
			}
		})
	}
	wg.Wait()
	if len(opened) != 1 {
		t.Fatalf("%d opened the store, want 1", len(opened))
	}
	if err := storage.Compact(path+".compact", path); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("compact: got %v, want %v", err, storage.ErrLocked)
	}
	if err := opened[0].Close(); err != nil {
		t.Fatal(err)
	}
	openBolt(t, path)
}

func TestOpenNotAFile(t *testing.T) {
	folder := t.TempDir()
	if _, err := storage.OpenBolt(folder); !errors.Is(err, storage.ErrDamaged) {
		t.Errorf("open a folder: got %v, want %v", err, storage.ErrDamaged)
	}
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var pathErr *fs.PathError
	if _, err := storage.OpenBolt(filepath.Join(file, "store")); !errors.As(err, &pathErr) {
		t.Errorf("open in a file: got %v", err)
	}
}

func TestClosed(t *testing.T) {
	s := openBolt(t, filepath.Join(t.TempDir(), "store"))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	for _, err := range callAll(t, s) {
		if err == nil || errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrDamaged) {
			t.Errorf("a call after Close: got %v", err)
		}
	}
	select {
	case <-s.Failed():
		t.Error("closing is no failure")
	default:
	}
}

func TestContextEnded(t *testing.T) {
	s := openBolt(t, filepath.Join(t.TempDir(), "store"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Commit(ctx, crashCommit("ann", 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: got %v, want %v", err, context.Canceled)
	}
	if _, err := s.Load(t.Context(), "ann"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("load: got %v, want %v", err, storage.ErrNotFound)
	}
}

// TestCompact forgets a transcript and finds its bytes in the old file only.
func TestCompact(t *testing.T) {
	folder := t.TempDir()
	old, compact := filepath.Join(folder, "old"), filepath.Join(folder, "compact")
	s := openBolt(t, old)
	secret := []byte("what was sealed in this transcript")
	kept := crashCommit("ann", 0)
	kept.State, kept.Header = []byte{}, []byte{}
	kept.Entries = append(kept.Entries, []byte{})
	kept.Items = []storage.Item{{ID: "item", Lane: storage.LaneCaller}}
	gone := crashCommit("bob", 0)
	gone.Entries = [][]byte{bytes.Repeat(secret, 20_000)}
	if err := errors.Join(
		s.Commit(t.Context(), kept),
		s.Commit(t.Context(), gone),
		s.Forget(t.Context(), "bob"),
		s.Close(),
		storage.Compact(compact, old),
	); err != nil {
		t.Fatal(err)
	}
	if err := storage.Compact(compact, old); !errors.Is(err, fs.ErrExist) {
		t.Errorf("compact onto a file: got %v, want %v", err, fs.ErrExist)
	}
	before, after := readFile(t, old), readFile(t, compact)
	if !bytes.Contains(before, secret) {
		t.Fatal("the old file has nothing left to find: the test shows nothing")
	}
	if bytes.Contains(after, secret) {
		t.Error("the compacted file has what was forgotten")
	}
	if len(after) >= len(before) {
		t.Errorf("the compacted file has %d bytes, the old one %d", len(after), len(before))
	}
	if info, err := os.Stat(compact); err != nil || info.Mode() != 0o600 {
		t.Errorf("the compacted file has the mode %v, %v", info.Mode(), err)
	}

	s = openBolt(t, compact)
	r, err := s.Load(t.Context(), "ann")
	if want := (storage.Record{Version: 1, State: []byte{}, Alarm: kept.Alarm}); err != nil || !cmp.Equal(r, want) {
		t.Errorf("load: got %+v, %v, want %+v", r, err, want)
	}
	said, err := s.Transcript(t.Context(), "ann")
	if want := (storage.Transcript{Header: []byte{}, Entries: kept.Entries}); err != nil || !cmp.Equal(said, want) {
		t.Errorf("the transcript is not the one committed (%v)", err)
	}
	// The numbers go on where they were: a new item is behind the old.
	c := crashCommit("ann", 1)
	c.Items = []storage.Item{{ID: "item 2", Lane: storage.LaneCaller}}
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	leased, err := s.Lease(t.Context(), storage.LaneCaller, 10, crashStart, crashStart)
	if err != nil || len(leased) != 1 || leased[0].Item != "item" {
		t.Errorf("leased %+v, %v, want the old item", leased, err)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
