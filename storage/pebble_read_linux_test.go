package storage_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"suar/storage"
)

// TestReadEmbeddedWithoutRight opens a store that this process may not write.
func TestReadEmbeddedWithoutRight(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	if err := openEmbedded(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	// The folder above is of the test too, and only its owner may enter it.
	above := filepath.Dir(filepath.Dir(path))
	files, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	modes := map[string]fs.FileMode{path: 0o555, filepath.Dir(path): 0o555, above: 0o755}
	for _, f := range files {
		modes[filepath.Join(path, f.Name())] = 0o444
	}
	for name, mode := range modes {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = errors.Join(os.Chmod(filepath.Dir(path), 0o700), os.Chmod(path, 0o700)) })
	if os.Geteuid() == 0 {
		// Nothing is forbidden to root, so this thread becomes somebody else for
		// files.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = syscall.Setfsuid(0) }()
	}
	if f, err := os.Create(filepath.Join(path, "new")); !errors.Is(err, fs.ErrPermission) {
		_ = f.Close()
		t.Fatalf("making a file in the store: got %v, want %v", err, fs.ErrPermission)
	}
	s, err := storage.ReadEmbedded(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
