package storage_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"suar/storage"
)

// TestFailingDisk lets one kind of access fail from some moment on: what was
// acknowledged stays, nothing is acknowledged any more, whoever waits is told
// the cause, and the store says that it has failed.
func TestFailingDisk(t *testing.T) {
	for _, tt := range []struct{ what, kind string }{
		{"write", ".log"},
		{"sync", ".log"},
		{"create", ".log"},
		{"write", ".sst"},
		{"sync", ".sst"},
		{"create", ".sst"},
		{"write", "MANIFEST"},
		{"sync", "MANIFEST"},
	} {
		t.Run(tt.what+" "+tt.kind, func(t *testing.T) {
			mem := vfs.NewCrashableMem()
			disk := &failingFS{FS: mem, what: tt.what, kind: tt.kind}
			folder := t.TempDir()
			s, err := storage.OpenIn(disk, folder, true)
			if err != nil {
				t.Fatal(err)
			}
			acknowledged := uint64(0)
			for acknowledged < 50 {
				if err := s.Commit(t.Context(), crashCommit("ann", acknowledged)); err != nil {
					t.Fatal(err)
				}
				acknowledged++
			}
			disk.fails.Store(true)
			for {
				// Much, so that logs and tables are full before long.
				c := crashCommit("ann", acknowledged)
				c.Entries = [][]byte{make([]byte, 100_000)}
				if err = s.Commit(t.Context(), c); err != nil {
					break
				}
				acknowledged++
			}
			if !errors.Is(err, storage.ErrFailed) || !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("commit: got %v, want %v with its cause", err, storage.ErrFailed)
			}
			if strings.Contains(err.Error(), "entry") || strings.Contains(err.Error(), "ann") {
				t.Errorf("the error says what was kept: %v", err)
			}
			<-s.Failed()
			if err := s.Commit(t.Context(), crashCommit("bob", 0)); !errors.Is(err, storage.ErrFailed) {
				t.Errorf("a commit after it: got %v, want %v", err, storage.ErrFailed)
			}
			if err := s.Compact(t.Context()); !errors.Is(err, storage.ErrFailed) {
				t.Errorf("compact after it: got %v, want %v", err, storage.ErrFailed)
			}
			after := mem.CrashClone(vfs.CrashCloneCfg{})
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
			s, err = storage.OpenIn(after, folder, false)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			r, err := s.Load(t.Context(), "ann")
			if err != nil || r.Version < acknowledged {
				t.Errorf("after a new start: version %d, %v, want %d", r.Version, err, acknowledged)
			}
			if err := s.Commit(t.Context(), crashCommit("bob", 0)); err != nil {
				t.Errorf("it does not go on: %v", err)
			}
		})
	}
}

// failingFS fails what is done to the files of one kind.
type failingFS struct {
	vfs.FS
	what, kind string
	fails      atomic.Bool
}

func (fs *failingFS) failure(what, name string) error {
	if fs.fails.Load() && what == fs.what && strings.Contains(filepath.Base(name), fs.kind) {
		return fmt.Errorf("%s: %w", what, syscall.ENOSPC)
	}
	return nil
}

func (fs *failingFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := fs.failure("create", name); err != nil {
		return nil, err
	}
	file, err := fs.FS.Create(name, category)
	if err != nil {
		return nil, err
	}
	return &failingFile{File: file, fs: fs, name: name}, nil
}

type failingFile struct {
	vfs.File
	fs   *failingFS
	name string
}

func (f *failingFile) Write(b []byte) (int, error) {
	if err := f.fs.failure("write", f.name); err != nil {
		return 0, err
	}
	return f.File.Write(b)
}

func (f *failingFile) Sync() error {
	if err := f.fs.failure("sync", f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *failingFile) SyncData() error {
	if err := f.fs.failure("sync", f.name); err != nil {
		return err
	}
	return f.File.SyncData()
}
