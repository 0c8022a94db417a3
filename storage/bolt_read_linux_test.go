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

// TestReadBoltWithoutRight opens a store that this process may not write.
func TestReadBoltWithoutRight(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	if err := openBolt(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	// The folder above is of the test too, and only its owner may enter it.
	above := filepath.Dir(filepath.Dir(path))
	for name, mode := range map[string]fs.FileMode{path: 0o444, filepath.Dir(path): 0o555, above: 0o755} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = os.Chmod(filepath.Dir(path), 0o700) })
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
	if f, err := os.OpenFile(path, os.O_RDWR, 0); !errors.Is(err, fs.ErrPermission) {
		_ = f.Close()
		t.Fatalf("opening the file for writing: got %v, want %v", err, fs.ErrPermission)
	}
	s, err := storage.ReadBolt(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
