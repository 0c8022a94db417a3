package storage_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"

	"suar/storage"
)

// slowFS lets no log be synced while it is held.
type slowFS struct {
	vfs.FS
	mu    sync.Mutex
	held  chan struct{}
	syncs atomic.Int64
}

// hold keeps all syncs of logs waiting until release is called.
func (fs *slowFS) hold() (release func()) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	held := make(chan struct{})
	fs.held = held
	return func() {
		fs.mu.Lock()
		defer fs.mu.Unlock()
		fs.held = nil
		close(held)
	}
}

func (fs *slowFS) sync() {
	fs.syncs.Add(1)
	fs.mu.Lock()
	held := fs.held
	fs.mu.Unlock()
	if held != nil {
		<-held
	}
}

func (fs *slowFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := fs.FS.Create(name, category)
	if err != nil {
		return nil, err
	}
	return slowFile{file, fs}, nil
}

type slowFile struct {
	vfs.File
	fs *slowFS
}

func (f slowFile) Sync() error {
	f.fs.sync()
	return f.File.Sync()
}

func (f slowFile) SyncData() error {
	f.fs.sync()
	return f.File.SyncData()
}

// onSlowDisk runs the test with a store whose disk it can hold. All goroutines
// that wait for the disk wait for good while it is held.
func onSlowDisk(t *testing.T, test func(t *testing.T, s *storage.Embedded, disk *slowFS)) {
	folder := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		disk := &slowFS{FS: vfs.NewMem()}
		s, err := storage.OpenIn(disk, folder, true)
		if err != nil {
			t.Fatal(err)
		}
		test(t, s, disk)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestNothingShownThatIsNotKept looks at a commit in every way while it is not
// yet on the disk: whoever would see it, or a trace of it, waits.
func TestNothingShownThatIsNotKept(t *testing.T) {
	onSlowDisk(t, func(t *testing.T, s *storage.Embedded, disk *slowFS) {
		lane := storage.LaneCaller
		first := crashCommit("ann", 0)
		first.Items = []storage.Item{{ID: "old", Lane: lane}}
		if err := s.Commit(t.Context(), first); err != nil {
			t.Fatal(err)
		}
		old, err := s.Lease(t.Context(), lane, 1, crashStart, crashStart)
		if err != nil || len(old) != 1 {
			t.Fatalf("lease: %d, %v", len(old), err)
		}
		release := disk.hold()
		var all sync.WaitGroup
		var done atomic.Int64
		call := func(f func()) {
			all.Go(func() {
				f()
				done.Add(1)
			})
		}
		call(func() {
			c := crashCommit("ann", 1)
			c.Items, c.Ack = []storage.Item{{ID: "new", Lane: lane}}, &old[0].Lease
			if err := s.Commit(t.Context(), c); err != nil {
				t.Errorf("commit: %v", err)
			}
		})
		synctest.Wait()
		looks := map[string]func() error{
			"load": func() error {
				r, err := s.Load(t.Context(), "ann")
				if err == nil && r.Version != 2 {
					err = fmt.Errorf("version %d", r.Version)
				}
				return err
			},
			"resolve": func() error { _, err := s.Resolve(t.Context(), crashCommit("ann", 1).Names[0]); return err },
			"resolve a name that went": func() error {
				_, err := s.Resolve(t.Context(), first.Names[0])
				return expect(err, storage.ErrNotFound)
			},
			"transcript":  func() error { _, err := s.Transcript(t.Context(), "ann"); return err },
			"transcripts": func() error { _, err := s.Transcripts(t.Context(), "", 1); return err },
			"dump":        func() error { return s.Dump(t.Context(), func(storage.Piece) error { return nil }) },
			"the same event": func() error {
				return expect(s.Commit(t.Context(), crashCommit("ann", 1)), storage.ErrDuplicate)
			},
			"an item that went": func() error {
				c := crashCommit("ann", 2)
				c.Ack = &old[0].Lease
				return expect(s.Commit(t.Context(), c), storage.ErrLeaseLost)
			},
			"defer what went": func() error {
				return expect(s.Defer(t.Context(), old[0].Lease, crashStart), storage.ErrLeaseLost)
			},
			"another's name": func() error {
				return expect(s.Commit(t.Context(), storage.Commit{ID: "bob", State: []byte("x"), Names: crashCommit("ann", 1).Names}), storage.ErrNameTaken)
			},
			"lease": func() error {
				leased, err := s.Lease(t.Context(), lane, 1, crashStart, crashStart)
				if err == nil && (len(leased) != 1 || leased[0].Item != "new") {
					err = fmt.Errorf("leased %d", len(leased))
				}
				return err
			},
		}
		for name, look := range looks {
			call(func() {
				if err := look(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		// What is not touched by it does not wait.
		if _, err := s.Load(t.Context(), "nobody"); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("load of another: %v", err)
		}
		synctest.Wait()
		if n := done.Load(); n != 0 {
			t.Errorf("%d of %d calls returned before the commit was on the disk", n, len(looks)+1)
		}
		release()
		all.Wait()
	})
}

func expect(err, want error) error {
	if errors.Is(err, want) {
		return nil
	}
	return fmt.Errorf("got %w, want %w", err, want)
}

// TestManyShareASync commits from many goroutines while a sync is under way: one
// more brings all of them to the disk.
func TestManyShareASync(t *testing.T) {
	onSlowDisk(t, func(t *testing.T, s *storage.Embedded, disk *slowFS) {
		for _, writers := range []int{1, 2, 16, 300} {
			release := disk.hold()
			var all sync.WaitGroup
			for i := range writers {
				all.Go(func() {
					err := s.Commit(t.Context(), storage.Commit{ID: fmt.Sprint(writers, i), State: []byte("x")})
					if err != nil {
						t.Errorf("commit: %v", err)
					}
				})
				if i == 0 {
					synctest.Wait() // The first one's sync is under way.
				}
			}
			synctest.Wait()
			before := disk.syncs.Load()
			release()
			all.Wait()
			if more := disk.syncs.Load() - before; more > 1 {
				t.Errorf("%d writers behind one cost %d syncs more, want 1", writers-1, more)
			}
		}
	})
}
