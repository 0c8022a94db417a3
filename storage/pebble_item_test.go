package storage_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"suar/storage"
)

// inside changes a store behind its back.
func inside(t *testing.T, path string, change func(*pebble.DB) error) {
	t.Helper()
	db, err := pebble.Open(path, &pebble.Options{FormatMajorVersion: pebble.FormatNewest, Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(change(db), db.Close()); err != nil {
		t.Fatal(err)
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(string, ...any) { panic("the database stopped") }

// itemsOf returns the keys of a conversation's items in the callers' lane, and
// what is under them.
func itemsOf(t *testing.T, db *pebble.DB, id string) (keys, values [][]byte) {
	t.Helper()
	serial, closer, err := db.Get([]byte("i" + id))
	if err != nil {
		t.Fatal(err)
	}
	prefix := append([]byte{'o', byte(storage.LaneCaller)}, serial...)
	if err := closer.Close(); err != nil {
		t.Fatal(err)
	}
	it, err := db.NewIter(&pebble.IterOptions{LowerBound: prefix})
	if err != nil {
		t.Fatal(err)
	}
	defer it.Close()
	for ok := it.First(); ok && bytes.HasPrefix(it.Key(), prefix); ok = it.Next() {
		keys, values = append(keys, bytes.Clone(it.Key())), append(values, bytes.Clone(it.Value()))
	}
	return keys, values
}

// TestDamagedItem spoils the first item of one conversation in every way that
// leaves the files whole: the other conversations are leased, the damage is told
// once, and the conversation itself goes on but for that lane.
func TestDamagedItem(t *testing.T) {
	lane := storage.LaneCaller
	for name, spoil := range map[string]func(value []byte) []byte{
		"no value":             func([]byte) []byte { return nil },
		"a third of a value":   func(value []byte) []byte { return value[:len(value)/3] },
		"a value without name": func(value []byte) []byte { return append(value[:3:3], 0) },
	} {
		for _, leasedBefore := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "store")
			s := openEmbedded(t, path)
			for _, id := range []string{"a", "bad", "c"} {
				c := crashCommit(id, 0)
				c.Items = []storage.Item{{ID: id + "1", Lane: lane, Priority: 7}, {ID: id + "2", Lane: lane}}
				if err := s.Commit(t.Context(), c); err != nil {
					t.Fatal(err)
				}
			}
			if leasedBefore {
				if _, err := s.Lease(t.Context(), lane, 10, crashStart, crashStart); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			inside(t, path, func(db *pebble.DB) error {
				keys, values := itemsOf(t, db, "bad")
				return db.Set(keys[0], spoil(values[0]), pebble.Sync)
			})

			s = openEmbedded(t, path)
			if err := s.Release(t.Context()); err != nil {
				t.Errorf("%s: release: %v", name, err)
			}
			for i, want := range []error{storage.ErrDamaged, nil} {
				leased, err := s.Lease(t.Context(), lane, 10, crashStart, crashStart)
				if !errors.Is(err, want) || (err == nil) != (want == nil) {
					t.Errorf("%s: lease %d: got %v, want %v", name, i, err, want)
				}
				if err != nil && strings.Contains(err.Error(), "bad") {
					t.Errorf("%s: the error names the conversation: %v", name, err)
				}
				if len(leased) != 2 || leased[0].Item != "a1" || leased[1].Item != "c1" {
					t.Errorf("%s: lease %d: got %+v, want the heads of the other two", name, i, leased)
				}
			}
			// What the conversation does next is kept.
			c := crashCommit("bad", 1)
			c.Items = []storage.Item{{ID: "bad3", Lane: lane}, {ID: "other", Lane: storage.LaneOfficers}}
			leased, err := s.CommitAndLease(t.Context(), c, crashStart, lane, storage.LaneOfficers)
			if err != nil || len(leased) != 1 || leased[0].Item != "other" {
				t.Errorf("%s: commit and lease: got %+v, %v, want the item of the other lane", name, leased, err)
			}
			if err := s.Dump(t.Context(), func(storage.Piece) error { return nil }); !errors.Is(err, storage.ErrDamaged) {
				t.Errorf("%s: dump: got %v, want %v", name, err, storage.ErrDamaged)
			}
		}
	}
}

// TestDamagedBehind finds the damage of an item that becomes its lane's first.
func TestDamagedBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := openEmbedded(t, path)
	lane := storage.LaneCaller
	c := crashCommit("bad", 0)
	c.Items = []storage.Item{{ID: "1", Lane: lane}, {ID: "2", Lane: lane}}
	if err := errors.Join(s.Commit(t.Context(), c), s.Close()); err != nil {
		t.Fatal(err)
	}
	inside(t, path, func(db *pebble.DB) error {
		keys, _ := itemsOf(t, db, "bad")
		return db.Set(keys[1], nil, pebble.Sync)
	})
	s = openEmbedded(t, path)
	leased, err := s.Lease(t.Context(), lane, 10, crashStart, crashStart)
	if err != nil || len(leased) != 1 {
		t.Fatalf("lease: got %d, %v, want the first item", len(leased), err)
	}
	c = crashCommit("bad", 1)
	c.Ack = &leased[0].Lease
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if leased, err := s.Lease(t.Context(), lane, 10, crashStart, crashStart); len(leased) != 0 || !errors.Is(err, storage.ErrDamaged) {
		t.Errorf("lease: got %d, %v, want none and %v", len(leased), err, storage.ErrDamaged)
	}
}
