package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"suar/storage"
)

// soundStore returns the bytes of a store with something of everything in it.
func soundStore(t *testing.T, conversations int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sound")
	s := openBolt(t, path)
	for i := range conversations {
		id := fmt.Sprint("conversation ", i)
		c := crashCommit(id, 0)
		c.Items = []storage.Item{{ID: "item", Lane: storage.LaneCaller, Body: []byte("body")}}
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// A file has room to grow, which is of no interest.
	var size int64
	inside(t, path, func(tx *bolt.Tx) error { size = tx.Size(); return nil })
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file[:size]
}

// inside changes a file behind the store's back.
func inside(t *testing.T, path string, change func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(change), db.Close()); err != nil {
		t.Fatal(err)
	}
}

func foreignStore(t *testing.T, change func(*bolt.Tx) error) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "foreign")
	inside(t, path, change)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

const page = 4096

func flip(file []byte, pages ...int) []byte {
	file = bytes.Clone(file)
	for _, p := range pages {
		for i := range page {
			file[p*page+i] ^= 0xff
		}
	}
	return file
}

func TestOpenRefuses(t *testing.T) {
	sound := soundStore(t, 20)
	noise := make([]byte, 64<<10)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	withFormat := func(format string) func(*bolt.Tx) error {
		return func(tx *bolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("suar"))
			if err != nil {
				return err
			}
			return b.Put([]byte("v"), []byte(format))
		}
	}
	for _, tt := range []struct {
		name string
		file []byte
		want error
	}{
		{"empty", nil, storage.ErrDamaged},
		{"one byte", sound[:1], storage.ErrDamaged},
		{"one page", sound[:page], storage.ErrDamaged},
		{"two pages", sound[:2*page], storage.ErrDamaged},
		{"half", sound[:len(sound)/2/page*page], storage.ErrDamaged},
		{"all but a page", sound[:len(sound)-page], storage.ErrDamaged},
		{"all but a byte", sound[:len(sound)-1], storage.ErrDamaged},
		{"both meta pages flipped", flip(sound, 0, 1), storage.ErrDamaged},
		{"zeros", make([]byte, len(sound)), storage.ErrDamaged},
		{"noise", noise, storage.ErrDamaged},
		{"noise after the meta pages", append(bytes.Clone(sound[:2*page]), noise...), storage.ErrDamaged},
		{"text", []byte(strings.Repeat("This is a letter and no store.\n", 1000)), storage.ErrDamaged},
		{"short text", []byte("key: value\n"), storage.ErrDamaged},
		{"another program's", foreignStore(t, func(tx *bolt.Tx) error {
			_, err := tx.CreateBucket([]byte("theirs"))
			return err
		}), storage.ErrFormat},
		{"a bolt file with nothing in it", foreignStore(t, func(*bolt.Tx) error { return nil }), storage.ErrFormat},
		{"a later format", foreignStore(t, withFormat("3")), storage.ErrFormat},
		{"no format", foreignStore(t, withFormat("")), storage.ErrFormat},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			path := filepath.Join(folder, "store")
			if err := os.WriteFile(path, tt.file, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := storage.OpenBolt(path)
			if err == nil {
				_ = s.Close()
			}
			if !errors.Is(err, tt.want) {
				t.Errorf("open: got %v, want %v", err, tt.want)
			}
			if err := storage.Compact(filepath.Join(folder, "compact"), path); !errors.Is(err, tt.want) {
				t.Errorf("compact: got %v, want %v", err, tt.want)
			}
			if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, tt.file) {
				t.Errorf("the file was changed (%v)", err)
			}
			if files, err := os.ReadDir(folder); err != nil || len(files) != 1 {
				t.Errorf("there are the files %v, %v", files, err)
			}
		})
	}
}

// TestTornMeta has what a power cut leaves if it comes while the meta page is
// written: the file is as it was at the commit before or at this one.
func TestTornMeta(t *testing.T) {
	sound := soundStore(t, 20)
	for p := range 2 {
		path := filepath.Join(t.TempDir(), "store")
		if err := os.WriteFile(path, flip(sound, p), 0o600); err != nil {
			t.Fatal(err)
		}
		s := openBolt(t, path)
		for i := range 19 {
			if _, err := s.Load(t.Context(), fmt.Sprint("conversation ", i)); err != nil {
				t.Errorf("load %d: %v", i, err)
			}
		}
		// The store goes on from there.
		if err := s.Commit(t.Context(), crashCommit("new", 0)); err != nil {
			t.Errorf("commit: %v", err)
		}
	}
}

// TestDamagedPage overwrites each page in turn: no call panics or hangs, and
// what fails says that the file is damaged.
func TestDamagedPage(t *testing.T) {
	sound := soundStore(t, 20)
	overwrite := map[string]func(file, page []byte){
		"zeros":        func(_, page []byte) { clear(page) },
		"ones":         func(_, page []byte) { copy(page, bytes.Repeat([]byte{0xff}, len(page))) },
		"another page": func(file, p []byte) { copy(p, file[3*page:4*page]) },
		"noise": func(_, page []byte) {
			for i := range page {
				page[i] = byte(rand.Uint32())
			}
		},
		"noise behind the page's header": func(_, page []byte) {
			for i := range page[16:] {
				page[16+i] = byte(rand.Uint32())
			}
		},
	}
	var opened, complained int
	path := filepath.Join(t.TempDir(), "store")
	for how, spoil := range overwrite {
		for p := range len(sound) / page {
			file := bytes.Clone(sound)
			spoil(file, file[p*page:(p+1)*page])
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			s, err := storage.OpenBolt(path)
			if err != nil {
				if !errors.Is(err, storage.ErrDamaged) && !errors.Is(err, storage.ErrFormat) {
					t.Errorf("page %d of %s: open: %v", p, how, err)
				}
				continue
			}
			opened++
			for _, err := range callAll(t, s) {
				switch {
				case errors.Is(err, storage.ErrDamaged):
					complained++
				case err == nil, errors.Is(err, storage.ErrNotFound), errors.Is(err, storage.ErrConflict),
					errors.Is(err, storage.ErrDuplicate), errors.Is(err, storage.ErrLeaseLost):
				default:
					t.Errorf("page %d of %s: %v", p, how, err)
				}
			}
			if err := s.Close(); err != nil {
				t.Errorf("page %d of %s: close: %v", p, how, err)
			}
		}
	}
	if opened == 0 || complained == 0 {
		t.Errorf("%d files opened, %d calls found the damage: the test shows nothing", opened, complained)
	}
}

func callAll(t *testing.T, s *storage.Bolt) []error {
	var errs []error
	note := func(err error) { errs = append(errs, err) }
	ctx := t.Context()
	for i := range 20 {
		id := fmt.Sprint("conversation ", i)
		_, err := s.Load(ctx, id)
		note(err)
		_, err = s.Transcript(ctx, id)
		note(err)
		if i%10 == 0 {
			note(s.Commit(ctx, crashCommit(id, 1)))
			note(s.Forget(ctx, id))
		}
	}
	_, _, err := s.Waiting(ctx, storage.LaneCaller)
	note(err)
	_, err = s.Due(ctx, crashStart.Add(time.Hour), 1000)
	note(err)
	_, err = s.Transcripts(ctx, "", 1000)
	note(err)
	leased, err := s.Lease(ctx, storage.LaneCaller, 2, crashStart, crashStart)
	note(err)
	for _, l := range leased {
		note(s.Defer(ctx, l.Lease, crashStart))
	}
	note(s.Dump(ctx, func(storage.Piece) error { return nil }))
	_, err = s.Sweep(ctx, crashStart.Add(time.Hour), 1000)
	note(err)
	return errs
}

// TestCutWhileOpen cuts the file under a running store: the map then has no
// file behind it, which kills a process that does not expect it.
func TestCutWhileOpen(t *testing.T) {
	for _, left := range []int64{0, page, 3 * page} {
		path := filepath.Join(t.TempDir(), "store")
		if err := os.WriteFile(path, soundStore(t, 20), 0o600); err != nil {
			t.Fatal(err)
		}
		s := openBolt(t, path)
		if err := os.Truncate(path, left); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := s.Load(t.Context(), "conversation 1"); !errors.Is(err, storage.ErrDamaged) {
				t.Errorf("load: got %v, want %v", err, storage.ErrDamaged)
			}
			if err := s.Commit(t.Context(), crashCommit("new", 0)); !errors.Is(err, storage.ErrDamaged) {
				t.Errorf("commit: got %v, want %v", err, storage.ErrDamaged)
			}
		}
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		// Closing gives up the lock in any case.
		if _, err := storage.OpenBolt(path); !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("open again: got %v, want %v", err, storage.ErrDamaged)
		}
	}
}
