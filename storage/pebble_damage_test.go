package storage_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"suar/storage"
)

// soundStore returns the files of a store with something of everything in it,
// in tables and in a log.
func soundStore(t *testing.T, conversations int) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sound")
	s := openEmbedded(t, path)
	for i := range conversations {
		id := fmt.Sprint("conversation ", i)
		c := crashCommit(id, 0)
		c.Items = []storage.Item{{ID: "item", Lane: storage.LaneCaller, Body: []byte("body")}}
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if i == conversations/2 {
			if err := s.Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return folderOf(t, path)
}

// TestDamagedFile overwrites a part of each file in turn, or cuts it: no call
// panics or hangs, and what fails says that the store is damaged.
func TestDamagedFile(t *testing.T) {
	sound := soundStore(t, 20)
	random := rand.New(rand.NewPCG(rand.Uint64(), 0))
	overwrite := map[string]func([]byte) []byte{
		"zeros": func(b []byte) []byte { clear(b); return b },
		"noise": func(b []byte) []byte {
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			return b
		},
		"a bit": func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"cut":   func([]byte) []byte { return nil },
	}
	var opened, refused, complained int
	for _, name := range slices.Sorted(maps.Keys(sound)) {
		file := sound[name]
		if file == "" || strings.HasPrefix(name, "OPTIONS") {
			continue
		}
		for how, spoil := range overwrite {
			// Some places in each file.
			for range 4 {
				from := random.IntN(len(file))
				to := min(from+1+random.IntN(512), len(file))
				spoilt := append(append([]byte(file[:from]), spoil([]byte(file[from:to]))...), file[to:]...)
				if how == "cut" {
					spoilt = spoilt[:from]
				}
				path := filepath.Join(t.TempDir(), "store")
				writeFolder(t, path, mergeMaps(sound, map[string]string{name: string(spoilt)}))
				s, err := storage.OpenEmbedded(path)
				if err != nil {
					refused++
					if !errors.Is(err, storage.ErrDamaged) && !errors.Is(err, storage.ErrFormat) {
						t.Errorf("%s, %s at %d: open: %v", name, how, from, err)
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
						t.Errorf("%s, %s at %d: %v", name, how, from, err)
					}
				}
				if err := s.Close(); err != nil {
					t.Errorf("%s, %s at %d: close: %v", name, how, from, err)
				}
			}
		}
	}
	if opened == 0 || refused == 0 || complained == 0 {
		t.Errorf("%d opened, %d refused, %d calls found the damage: the test shows nothing", opened, refused, complained)
	}
}

func callAll(t *testing.T, s *storage.Embedded) []error {
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
