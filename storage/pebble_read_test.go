package storage_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/storage"
)

func TestReadEmbedded(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "store")
	server := openEmbedded(t, path)
	c := crashCommit("ann", 0)
	c.Items = []storage.Item{{ID: "a1", Lane: storage.LaneCaller}}
	if err := server.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.ReadEmbedded(path); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("read while a server has it: got %v, want %v", err, storage.ErrLocked)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}

	before := folderOf(t, folder)
	var readers []*storage.Embedded
	for range 2 { // Two may read at once.
		r, err := storage.ReadEmbedded(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = r.Close() })
		readers = append(readers, r)
	}
	s := readers[1]
	if r, err := s.Load(t.Context(), "ann"); err != nil || r.Version != 1 {
		t.Errorf("load: got version %d, %v, want 1", r.Version, err)
	}
	if tr, err := s.Transcript(t.Context(), "ann"); err != nil || len(tr.Entries) != 1 {
		t.Errorf("transcript: got %d entries, %v, want 1", len(tr.Entries), err)
	}
	pieces := 0
	if err := s.Dump(t.Context(), func(storage.Piece) error { pieces++; return nil }); err != nil || pieces != 2 {
		t.Errorf("dump: got %d pieces, %v, want 2", pieces, err)
	}
	if n, _, err := s.Waiting(t.Context(), storage.LaneCaller); err != nil || n != 1 {
		t.Errorf("waiting: got %d, %v, want 1", n, err)
	}
	for name, err := range writesOf(t, s) {
		if !errors.Is(err, storage.ErrReadOnly) {
			t.Errorf("%s: got %v, want %v", name, err, storage.ErrReadOnly)
		}
	}
	if _, err := storage.OpenEmbedded(path); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("open while others read: got %v, want %v", err, storage.ErrLocked)
	}
	for _, r := range readers {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if d := cmp.Diff(before, folderOf(t, folder)); d != "" {
		t.Errorf("the store has changed:\n%s", d)
	}
	openEmbedded(t, path)
}

// writesOf tries everything that writes.
func writesOf(t *testing.T, s *storage.Embedded) map[string]error {
	ctx := t.Context()
	_, commitAndLease := s.CommitAndLease(ctx, crashCommit("bob", 0), time.Time{})
	_, lease := s.Lease(ctx, storage.LaneCaller, 1, crashStart, crashStart)
	_, sweep := s.Sweep(ctx, crashStart, 1)
	return map[string]error{
		"commit":           s.Commit(ctx, crashCommit("bob", 0)),
		"commit and lease": commitAndLease,
		"lease":            lease,
		"defer":            s.Defer(ctx, storage.Lease{Conversation: "ann", Token: 1}, crashStart),
		"forget":           s.Forget(ctx, "ann"),
		"sweep":            sweep,
		"release":          s.Release(ctx),
		"compact":          s.Compact(ctx),
		"fill":             s.Fill(ctx, nil),
	}
}

func TestReadEmbeddedCreatesNothing(t *testing.T) {
	folder := t.TempDir()
	for _, path := range []string{filepath.Join(folder, "store"), filepath.Join(folder, "sub", "store")} {
		if _, err := storage.ReadEmbedded(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("read: got %v, want %v", err, fs.ErrNotExist)
		}
	}
	if files, err := os.ReadDir(folder); err != nil || len(files) != 0 {
		t.Errorf("there are the files %v, %v", files, err)
	}
}
