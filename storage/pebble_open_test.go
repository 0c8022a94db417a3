package storage_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"suar/storage"
)

func TestOpenCreates(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "var", "suar")
	path := filepath.Join(folder, "store")
	s := openEmbedded(t, path)
	if err := s.Commit(t.Context(), crashCommit("ann", 0)); err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	seen := 0
	err := filepath.WalkDir(filepath.Dir(folder), func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if entry.IsDir() {
			want = fs.ModeDir | 0o700
		}
		if info.Mode() != want {
			t.Errorf("%s has the mode %v, want %v", name, info.Mode(), want)
		}
		seen++
		return nil
	})
	if err != nil || seen < 6 {
		t.Errorf("saw %d files, %v", seen, err)
	}
}

// TestOpenAtOnce has several create the same store: one gets it.
func TestOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "store")
	var mu sync.Mutex
	var opened []*storage.Embedded
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s, err := storage.OpenEmbedded(path)
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
	if _, err := storage.ReadEmbedded(path); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("read: got %v, want %v", err, storage.ErrLocked)
	}
	if err := opened[0].Close(); err != nil {
		t.Fatal(err)
	}
	openEmbedded(t, path)
}

// TestOpenThroughLink opens a store through a link to its folder, and finds it
// locked under its own name.
func TestOpenThroughLink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	openEmbedded(t, path)
	link := path + ".link"
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	if _, err := storage.OpenEmbedded(link); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("open: got %v, want %v", err, storage.ErrLocked)
	}
}

// TestBeginningThatBrokeOff has what a kill leaves at each step of making a
// store.
func TestBeginningThatBrokeOff(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole")
	if err := openEmbedded(t, whole).Close(); err != nil {
		t.Fatal(err)
	}
	for name, left := range map[string]map[string]string{
		"an empty folder":     {},
		"the first draft":     {"SUAR.draft": "suar st"},
		"the first format":    {"SUAR": "suar store beginning\n"},
		"some of the files":   {"SUAR": "suar store beginning\n", "000002.log": "", "MANIFEST-000001": "half"},
		"all but the format":  mergeMaps(folderOf(t, whole), map[string]string{"SUAR": "suar store beginning\n"}),
		"the format's draft ": mergeMaps(folderOf(t, whole), map[string]string{"SUAR": "suar store beginning\n", "SUAR.draft": "suar store 3\n"}),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store")
			writeFolder(t, path, left)
			if _, err := storage.ReadEmbedded(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("read: got %v, want %v", err, fs.ErrNotExist)
			}
			if d := cmp.Diff(left, folderOf(t, path)); d != "" {
				t.Errorf("reading changed the folder:\n%s", d)
			}
			s := openEmbedded(t, path)
			if err := errors.Join(s.Commit(t.Context(), crashCommit("ann", 0)), s.Close()); err != nil {
				t.Error(err)
			}
			checkCrashed(t, path, map[string]uint64{"ann": 1})
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	sound := soundStore(t, 20)
	bolt := strings.Repeat("\x00", 16) + "\xed\xda\x0c\xed" + strings.Repeat("\x00", 4096)
	for _, tt := range []struct {
		name   string
		folder map[string]string
		want   error
	}{
		{"a later format", mergeMaps(sound, map[string]string{"SUAR": "suar store 4\n"}), storage.ErrFormat},
		{"a format of another kind", mergeMaps(sound, map[string]string{"SUAR": "suar store 3.1\n"}), storage.ErrFormat},
		{"not filled to its end", mergeMaps(sound, map[string]string{"SUAR": "suar store filling\n"}), storage.ErrFormat},
		{"no format", mergeMaps(sound, map[string]string{"SUAR": ""}), storage.ErrDamaged},
		{"text for a format", mergeMaps(sound, map[string]string{"SUAR": "This is a letter and no store.\n"}), storage.ErrDamaged},
		{"a folder of another kind", map[string]string{"letter": "This is a letter and no store.\n"}, storage.ErrDamaged},
		{"a store without its format", without(sound, "SUAR"), storage.ErrDamaged},
		{"nothing but the format", map[string]string{"SUAR": "suar store 3\n"}, storage.ErrDamaged},
		{"without its tables", without(sound, ".sst"), storage.ErrDamaged},
		{"without its manifest", without(sound, "MANIFEST"), storage.ErrDamaged},
		{"without the name of its manifest", without(sound, "marker.manifest"), storage.ErrDamaged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store")
			writeFolder(t, path, tt.folder)
			for name, open := range map[string]func(string) (*storage.Embedded, error){"open": storage.OpenEmbedded, "read": storage.ReadEmbedded} {
				s, err := open(path)
				if err == nil {
					_ = s.Close()
				}
				if !errors.Is(err, tt.want) {
					t.Errorf("%s: got %v, want %v", name, err, tt.want)
				}
			}
			if d := cmp.Diff(tt.folder, folderOf(t, path)); d != "" {
				t.Errorf("the folder was changed:\n%s", d)
			}
		})
	}
	for name, file := range map[string]struct {
		text string
		want error
		says string
	}{
		"empty":           {"", storage.ErrDamaged, "not a folder"},
		"text":            {"This is a letter and no store.\n", storage.ErrDamaged, "not a folder"},
		"an older store":  {bolt, storage.ErrFormat, "suar backup"},
		"a part of a one": {bolt[:18], storage.ErrDamaged, "not a folder"},
	} {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte(file.text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, open := range []func(string) (*storage.Embedded, error){storage.OpenEmbedded, storage.ReadEmbedded} {
			if _, err := open(path); !errors.Is(err, file.want) || !strings.Contains(err.Error(), file.says) {
				t.Errorf("a file, %s: got %v, want %v that says %q", name, err, file.want, file.says)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var pathErr *fs.PathError
	if _, err := storage.OpenEmbedded(filepath.Join(file, "store")); !errors.As(err, &pathErr) {
		t.Errorf("open in a file: got %v", err)
	}
}

func TestClosed(t *testing.T) {
	s := openEmbedded(t, filepath.Join(t.TempDir(), "store"))
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
	if err := s.Compact(t.Context()); err == nil {
		t.Error("a closed store was compacted")
	}
	select {
	case <-s.Failed():
		t.Error("closing is no failure")
	default:
	}
}

func TestContextEnded(t *testing.T) {
	s := openEmbedded(t, filepath.Join(t.TempDir(), "store"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Commit(ctx, crashCommit("ann", 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("commit: got %v, want %v", err, context.Canceled)
	}
	if err := s.Compact(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("compact: got %v, want %v", err, context.Canceled)
	}
	if _, err := s.Load(t.Context(), "ann"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("load: got %v, want %v", err, storage.ErrNotFound)
	}
}
