package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"suar/storage"
)

// TestCompactErases erases what it kept in every place that has words in it, in
// a store that is in use, and finds their bytes in no file afterwards.
func TestCompactErases(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := openEmbedded(t, path)
	const state, item, header, entry = "sealed state of bob", "sealed item of bob", "sealed header of bob", "sealed entry of bob"
	secrets := []string{state, item, header, entry}
	many := func(secret string) []byte { return bytes.Repeat([]byte(secret), 2000) }
	lane := storage.LaneCaller
	bob := func(version uint64, c storage.Commit) {
		t.Helper()
		c.ID, c.Version = "bob", version
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	rest := func() {
		// What others do meanwhile fills logs and tables.
		for i := range 40 {
			id := fmt.Sprint("other ", i)
			r, err := s.Load(t.Context(), id)
			if err != nil && !errors.Is(err, storage.ErrNotFound) {
				t.Fatal(err)
			}
			if err := s.Commit(t.Context(), crashCommit(id, r.Version)); err != nil {
				t.Fatal(err)
			}
		}
	}
	bob(0, storage.Commit{
		State: many(state), Items: []storage.Item{{ID: "i", Lane: lane, Body: many(item)}},
		Transcript: "bob", Header: many(header), Entries: [][]byte{many(entry)},
	})
	rest()
	if err := s.Compact(t.Context()); err != nil { // They are in tables now.
		t.Fatal(err)
	}
	rest()
	bob(1, storage.Commit{State: many(state), Transcript: "bob", Header: many(header), Entries: [][]byte{many(entry)}})
	rest()
	for _, secret := range secrets {
		if len(holding(t, path, secret)) == 0 {
			t.Fatalf("%q is in no file: the test shows nothing", secret)
		}
	}

	leased, err := s.Lease(t.Context(), lane, 1, crashStart, crashStart)
	if err != nil || len(leased) != 1 {
		t.Fatalf("lease: %d, %v", len(leased), err)
	}
	bob(2, storage.Commit{Ack: &leased[0].Lease})
	if err := s.Forget(t.Context(), "bob"); err != nil {
		t.Fatal(err)
	}
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
	if err := s.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		if files := holding(t, path, secret); len(files) > 0 {
			t.Errorf("%q is still in %q", secret, files)
		}
	}
	using.Wait()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	acknowledged := map[string]uint64{}
	for i := range 4 {
		acknowledged[fmt.Sprint("writer", i)] = 50
	}
	checkCrashed(t, path, acknowledged)
}

// holding are the files in the folder that have the bytes in them. One that is
// removed while it looks may have lived on in another that it did not list: then
// it looks at all of them again, until it has seen a whole folder.
func holding(t *testing.T, folder, secret string) (names []string) {
	t.Helper()
	for {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		names = nil
		gone := false
		for _, entry := range entries {
			text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
			switch {
			case errors.Is(err, fs.ErrNotExist):
				gone = true
			case err != nil:
				t.Fatal(err)
			case strings.Contains(string(text), secret):
				names = append(names, entry.Name())
			}
		}
		if !gone {
			return names
		}
	}
}

// TestCompactKeeps finds after a compaction what was there before it, also what
// is empty.
func TestCompactKeeps(t *testing.T) {
	s := openEmbedded(t, filepath.Join(t.TempDir(), "store"))
	kept := crashCommit("ann", 0)
	kept.State, kept.Header = []byte{}, []byte{}
	kept.Entries = append(kept.Entries, []byte{})
	kept.Items = []storage.Item{{ID: "item", Lane: storage.LaneCaller}}
	if err := errors.Join(s.Commit(t.Context(), kept), s.Compact(t.Context()), s.Compact(t.Context())); err != nil {
		t.Fatal(err)
	}
	r, err := s.Load(t.Context(), "ann")
	if want := (storage.Record{Version: 1, State: []byte{}, Alarm: kept.Alarm}); err != nil || !cmp.Equal(r, want) {
		t.Errorf("load: got %+v, %v, want %+v", r, err, want)
	}
	said, err := s.Transcript(t.Context(), "ann")
	if want := (storage.Transcript{Header: []byte{}, Entries: kept.Entries}); err != nil || !cmp.Equal(said, want) {
		t.Errorf("the transcript is not the one committed (%v)", err)
	}
	// The numbers go on where they were: a new item is behind the old.
	c := crashCommit("ann", 1)
	c.Items = []storage.Item{{ID: "item 2", Lane: storage.LaneCaller}}
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	leased, err := s.Lease(t.Context(), storage.LaneCaller, 10, crashStart, crashStart)
	if err != nil || len(leased) != 1 || leased[0].Item != "item" {
		t.Errorf("leased %+v, %v, want the old item", leased, err)
	}
}
