package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"suar/storage"
)

// TestCompactWhileOpen forgets a transcript in a store that is in use, and
// finds its bytes in no file afterwards.
func TestCompactWhileOpen(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "store")
	s := openBolt(t, path)
	secret := []byte("what was sealed in this transcript")
	gone := crashCommit("bob", 0)
	gone.Entries = [][]byte{bytes.Repeat(secret, 20_000)}
	if err := errors.Join(
		s.Commit(t.Context(), gone),
		s.Forget(t.Context(), "bob"),
	); err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(readFile(t, path), secret) {
		t.Fatal("the file has nothing left to find: the test shows nothing")
	}

	// It is in use meanwhile.
	var using sync.WaitGroup
	for i := range 4 {
		using.Go(func() {
			id := fmt.Sprint("writer", i)
			for v := range uint64(50) {
				if err := s.Commit(t.Context(), crashCommit(id, v)); err != nil {
					t.Errorf("commit: %v", err)
				}
				if r, err := s.Load(t.Context(), id); err != nil || r.Version != v+1 {
					t.Errorf("load: version %d, %v, want %d", r.Version, err, v+1)
				}
			}
		})
	}
	for range 5 {
		if err := s.Compact(t.Context()); err != nil {
			t.Errorf("compact: %v", err)
		}
	}
	using.Wait()
	if err := s.Compact(t.Context()); err != nil {
		t.Fatalf("compact: %v", err)
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 1 {
		t.Errorf("there are the files %v, %v", files, err)
	}
	if bytes.Contains(readFile(t, path), secret) {
		t.Error("the compacted file has what was forgotten")
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file has the mode %v, %v", info.Mode(), err)
	}
	if _, err := storage.OpenBolt(path); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("open it again: got %v, want %v", err, storage.ErrLocked)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	acknowledged := map[string]uint64{}
	for i := range 4 {
		acknowledged[fmt.Sprint("writer", i)] = 50
	}
	checkCrashed(t, path, acknowledged)
	if err := s.Compact(t.Context()); err == nil {
		t.Error("a closed store was compacted")
	}
}

// TestCompactionThatBrokeOff has what a kill leaves at each step before the
// rename: nothing yet, a part, all of it.
func TestCompactionThatBrokeOff(t *testing.T) {
	sound := soundStore(t, 20)
	for name, left := range map[string][]byte{
		"nothing": {},
		"a part":  sound[:3*page],
		"all":     sound,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store")
			acknowledged := map[string]uint64{"ann": 3}
			s := openBolt(t, path)
			for v := range uint64(3) {
				if err := s.Commit(t.Context(), crashCommit("ann", v)); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path+".compacting", left, 0o600); err != nil {
				t.Fatal(err)
			}
			checkCrashed(t, path, acknowledged)
			if _, err := os.Stat(path + ".compacting"); err == nil {
				t.Error("it is still there")
			}
			s = openBolt(t, path)
			if err := errors.Join(s.Compact(t.Context()), s.Close()); err != nil {
				t.Fatal(err)
			}
			checkCrashed(t, path, acknowledged)
		})
	}
}

// TestCompactDamaged overwrites a page with zeros. The file is then not
// replaced, and the store goes on with the rest of it.
func TestCompactDamaged(t *testing.T) {
	sound := soundStore(t, 200)
	refused := 0
	for p := 2; p < len(sound)/page; p++ {
		path := filepath.Join(t.TempDir(), "store")
		file := bytes.Clone(sound)
		clear(file[p*page : (p+1)*page])
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := storage.OpenBolt(path)
		if err != nil {
			continue // The page is one without which there is no store.
		}
		err = s.Compact(t.Context())
		if err != nil {
			refused++
			if !errors.Is(err, storage.ErrDamaged) {
				t.Errorf("page %d: compact: got %v, want %v", p, err, storage.ErrDamaged)
			}
			if !bytes.Equal(readFile(t, path)[:len(file)], file) {
				t.Errorf("page %d: the damaged file was changed", p)
			}
			if _, err := os.Stat(path + ".compacting"); err == nil {
				t.Errorf("page %d: the half-made file is still there", p)
			}
		}
		if _, err := s.Load(t.Context(), "nobody"); errors.Is(err, storage.ErrFailed) {
			t.Errorf("page %d: load after it: %v", p, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("page %d: close: %v", p, err)
		}
	}
	if refused == 0 {
		t.Error("no damage was found: the test shows nothing")
	}
}

// TestCompactNoRoom has no room for the copy. The store goes on as it was.
func TestCompactNoRoom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := openBolt(t, path)
	if err := s.Commit(t.Context(), crashCommit("ann", 0)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path+".compacting", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(t.Context()); err == nil {
		t.Error("it was compacted into a folder")
	}
	if err := os.Remove(path + ".compacting"); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), crashCommit("ann", 1)); err != nil {
		t.Errorf("commit after it: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Compact(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("compact: got %v, want %v", err, context.Canceled)
	}
	if err := errors.Join(s.Compact(t.Context()), s.Close()); err != nil {
		t.Fatal(err)
	}
	checkCrashed(t, path, map[string]uint64{"ann": 2})
}

// TestOpenFileThatWasReplaced waits for the lock of a file in whose place
// another one is put meanwhile.
func TestOpenFileThatWasReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := openBolt(t, path)
	held, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := errors.Join(s.Commit(t.Context(), crashCommit("ann", 0)), s.Close()); err != nil {
		t.Fatal(err)
	}
	// It may be read, and so is inspected, but not opened for writing.
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error)
	go func() {
		again, err := storage.OpenBolt(path)
		if err == nil {
			_ = again.Close()
		}
		opened <- err
	}()
	var once sync.Once
	for waiting := true; waiting; {
		select {
		case err := <-opened:
			if !errors.Is(err, storage.ErrLocked) {
				t.Errorf("open: got %v, want %v", err, storage.ErrLocked)
			}
			waiting = false
		default:
			if writers(t, path) > 0 {
				once.Do(func() {
					if err := os.Rename(path, path+".old"); err != nil {
						t.Error(err)
					}
					if err := os.WriteFile(path, readFile(t, path+".old"), 0o600); err != nil {
						t.Error(err)
					}
					if err := syscall.Flock(int(held.Fd()), syscall.LOCK_UN); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
	checkCrashed(t, path, map[string]uint64{"ann": 1})
}

// writers counts this process's descriptors of the file that may write.
func writers(t *testing.T, path string) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc here")
	}
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err != nil || to != path {
			continue
		}
		info, err := os.ReadFile("/proc/self/fdinfo/" + e.Name())
		if err != nil {
			continue
		}
		var pos, flags int64
		if _, err := fmt.Sscanf(string(info), "pos:\t%d\nflags:\t%o", &pos, &flags); err == nil && flags&syscall.O_RDWR != 0 {
			n++
		}
	}
	return n
}
