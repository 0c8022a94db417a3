package storage_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"suar/storage"
)

// TestPowerCut cuts the power at some moments of a store in use: of what was
// written and not synced any part is on the disk then. All that was acknowledged
// or read before is there.
func TestPowerCut(t *testing.T) {
	cuts := 40
	if testing.Short() {
		cuts = 8
	}
	lost, commits := powerCuts(t, cuts, func(fs vfs.FS) vfs.FS { return fs })
	if lost > 0 {
		t.Errorf("of %d cuts %d lost what was acknowledged", cuts, lost)
	}
	if commits < cuts {
		t.Errorf("%d commits in %d cuts: the test shows nothing", commits, cuts)
	}
	t.Logf("%d cuts, %d acknowledged commits", cuts, commits)
}

// TestPowerCutFinds is the counter-check: a disk that does not write what it was
// told to is found out.
func TestPowerCutFinds(t *testing.T) {
	lost, _ := powerCuts(t, 10, func(fs vfs.FS) vfs.FS { return lyingFS{fs} })
	if lost == 0 {
		t.Error("10 cuts on a disk that syncs no log lost nothing")
	}
}

// powerCuts lets writers use a store, cuts the power again and again, and
// returns how many of the cuts lost something.
func powerCuts(t *testing.T, cuts int, disk func(vfs.FS) vfs.FS) (lost, commits int) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	acknowledged := make(map[string]uint64)
	fs := vfs.NewCrashableMem()
	folder := t.TempDir()
	s, err := storage.OpenIn(disk(fs), folder, true)
	if err != nil {
		t.Fatal(err)
	}
	for range cuts {
		u := use(t, s, random.Uint64(), acknowledged)
		u.until(len(acknowledged) + 1 + random.IntN(200))
		before := u.soFar()
		after := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: random})
		u.end()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		fs = after
		if s, err = storage.OpenIn(disk(fs), folder, false); err != nil {
			t.Logf("open: %v", err)
			return lost + 1, commits
		}
		acknowledged = make(map[string]uint64)
		for id, version := range before {
			r, err := s.Load(t.Context(), id)
			if err != nil && !errors.Is(err, storage.ErrNotFound) {
				t.Fatal(err)
			}
			if r.Version < version {
				lost++
				break
			}
			commits += int(version)
		}
		if lost > 0 {
			break
		}
		checkKept(t, s, before)
		for id := range before {
			r, err := s.Load(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			acknowledged[id] = r.Version
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	return lost, commits
}

// A usage is writers and readers at work.
type usage struct {
	t    *testing.T
	stop chan struct{}
	done sync.WaitGroup

	mu    sync.Mutex
	seen  map[string]uint64 // the latest version that was acknowledged or read
	calls int
	more  *sync.Cond
}

func use(t *testing.T, s *storage.Embedded, seed uint64, from map[string]uint64) *usage {
	u := &usage{t: t, stop: make(chan struct{}), seen: maps.Clone(from)}
	u.more = sync.NewCond(&u.mu)
	for i, id := range []string{"ann", "bob", "cid"} {
		random := rand.New(rand.NewPCG(seed, uint64(i)))
		u.done.Go(func() { u.write(s, id, from[id], random) })
		u.done.Go(func() { u.read(s, id) })
	}
	return u
}

func (u *usage) saw(id string, version uint64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.seen[id] = max(u.seen[id], version)
	u.calls++
	u.more.Broadcast()
}

func (u *usage) stopped() bool {
	select {
	case <-u.stop:
		return true
	default:
		return false
	}
}

func (u *usage) write(s *storage.Embedded, id string, version uint64, random *rand.Rand) {
	for !u.stopped() {
		if err := s.Commit(u.t.Context(), crashCommit(id, version)); err != nil {
			u.t.Errorf("commit: %v", err)
			return
		}
		version++
		u.saw(id, version)
		if random.IntN(100) == 0 {
			if err := s.Compact(u.t.Context()); err != nil {
				u.t.Errorf("compact: %v", err)
			}
		}
	}
}

// read looks for the version that is about to be committed, in every way that
// tells of it.
func (u *usage) read(s *storage.Embedded, id string) {
	for !u.stopped() {
		r, err := s.Load(u.t.Context(), id)
		if errors.Is(err, storage.ErrNotFound) {
			continue
		}
		if err != nil {
			u.t.Errorf("load: %v", err)
			return
		}
		u.saw(id, r.Version)
		next := crashCommit(id, r.Version)
		next.Version += 1000 // It is refused in any case.
		if err := s.Commit(u.t.Context(), next); errors.Is(err, storage.ErrDuplicate) {
			u.saw(id, r.Version+1)
		}
		if got, _ := s.Resolve(u.t.Context(), crashCommit(id, r.Version+1).Names[0]); got == id {
			u.saw(id, r.Version+2)
		}
		if said, err := s.Transcript(u.t.Context(), id); err == nil {
			u.saw(id, uint64(len(said.Entries)))
		}
	}
}

// until returns after so many calls.
func (u *usage) until(calls int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for u.calls < calls && !u.t.Failed() {
		u.more.Wait()
	}
}

func (u *usage) soFar() map[string]uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return maps.Clone(u.seen)
}

func (u *usage) end() {
	close(u.stop)
	u.done.Wait()
}

// lyingFS does not sync logs, and says that it does.
type lyingFS struct{ vfs.FS }

func (fs lyingFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := fs.FS.Create(name, category)
	if err == nil && strings.HasSuffix(filepath.Base(name), ".log") {
		file = lyingFile{file}
	}
	return file, err
}

type lyingFile struct{ vfs.File }

func (lyingFile) Sync() error                             { return nil }
func (lyingFile) SyncData() error                         { return nil }
func (lyingFile) SyncTo(int64) (fullSync bool, err error) { return true, nil }
