package storage_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"suar/storage"
)

// TestDamagedItem spoils the first item of one conversation in every way that
// leaves the file's pages whole: the other conversations are leased, the damage
// is told once, and the conversation itself goes on but for that lane.
func TestDamagedItem(t *testing.T) {
	lane := storage.LaneCaller
	for name, spoil := range map[string]func(b *bolt.Bucket, key []byte) error{
		"no value":             func(b *bolt.Bucket, key []byte) error { return b.Put(key, nil) },
		"half a value":         func(b *bolt.Bucket, key []byte) error { return b.Put(key, b.Get(key)[:12]) },
		"a value without name": func(b *bolt.Bucket, key []byte) error { return b.Put(key, b.Get(key)[:26]) },
	} {
		for _, leasedBefore := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "store")
			s := openBolt(t, path)
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
			inside(t, path, func(tx *bolt.Tx) error {
				b := tx.Bucket([]byte("suar"))
				return spoil(b, itemsOf(b, "bad")[0])
			})

			s = openBolt(t, path)
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

// itemsOf returns the keys of a conversation's items.
func itemsOf(b *bolt.Bucket, id string) (keys [][]byte) {
	prefix := append(append([]byte("d"), b.Get([]byte("i"+id))...), 'q')
	c := b.Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	return keys
}

// TestDamagedBehind finds the damage of an item that becomes its lane's first.
func TestDamagedBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	s := openBolt(t, path)
	lane := storage.LaneCaller
	c := crashCommit("bad", 0)
	c.Items = []storage.Item{{ID: "1", Lane: lane}, {ID: "2", Lane: lane}}
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	inside(t, path, func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("suar"))
		return b.Put(itemsOf(b, "bad")[1], nil)
	})
	s = openBolt(t, path)
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
