package storage_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/google/go-cmp/cmp"

	"suar/storage"
)

// format1 puts the store of format 1 that a version before this one made into
// a file, and returns what that version dumped of it, as JSON.
func format1(t *testing.T) (path string, dump string) {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(readFile(t, "testdata/format1.gz")))
	if err != nil {
		t.Fatal(err)
	}
	file, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "store")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, string(readFile(t, "testdata/format1.json"))
}

// dumpOf opens the store and returns what it dumps.
func dumpOf(t *testing.T, path string) string {
	t.Helper()
	s := openBolt(t, path)
	var pieces []storage.Piece
	if err := s.Dump(t.Context(), func(p storage.Piece) error { pieces = append(pieces, p); return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(pieces, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

func TestRenew(t *testing.T) {
	path, want := format1(t)
	for range 2 { // The second time there is nothing to do.
		if d := cmp.Diff(want, dumpOf(t, path)); d != "" {
			t.Fatalf("the store (-before +after):\n%s", d)
		}
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("there are the files %v, %v", files, err)
	}

	// It goes on where it was.
	s := openBolt(t, path)
	at := func(m int) time.Time { return crashStart.Add(time.Duration(m) * time.Minute) }
	leased, err := s.Lease(t.Context(), storage.LaneCaller, 10, at(3), at(9))
	if err != nil || len(leased) != 2 || leased[0].Item != "a1" || leased[0].Tries != 2 || leased[1].Item != "c1" {
		t.Fatalf("lease: got %+v, %v, want a1 for the second time and c1", leased, err)
	}
	c := storage.Commit{ID: "ann", Version: 1, Events: []string{"e3"}, At: at(4), State: []byte("next"), Names: []string{"card"}, Ack: &leased[0].Lease}
	if err := s.Commit(t.Context(), storage.Commit{ID: "ann", Version: 1, Events: []string{"e2"}, State: []byte("x")}); !errors.Is(err, storage.ErrDuplicate) {
		t.Errorf("an event of before: got %v, want %v", err, storage.ErrDuplicate)
	}
	if err := s.Commit(t.Context(), c); err != nil {
		t.Error(err)
	}
	if n, err := s.Sweep(t.Context(), at(1000), 1000); err != nil || n != 39 {
		t.Errorf("sweep: dropped %d, %v, want 39", n, err)
	}
	if due, err := s.Due(t.Context(), at(72), 10); err != nil || len(due) != 2 {
		t.Errorf("due: got %q, %v, want two", due, err)
	}
}

// TestRenewThatBrokeOff has what a kill leaves at each step before the rename,
// and then a disk on which there is no room.
func TestRenewThatBrokeOff(t *testing.T) {
	sound := soundStore(t, 20)
	for name, left := range map[string][]byte{"nothing": {}, "a part": sound[:3*page], "all": sound} {
		path, want := format1(t)
		if err := os.WriteFile(path+".compacting", left, 0o600); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, dumpOf(t, path)); d != "" {
			t.Errorf("%s was left; the store (-before +after):\n%s", name, d)
		}
	}

	path, want := format1(t)
	before := readFile(t, path)
	if err := os.MkdirAll(filepath.Join(path+".compacting", "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.OpenBolt(path); err == nil {
		t.Error("it was renewed into a folder")
	}
	if !bytes.Equal(readFile(t, path), before) {
		t.Error("the file was changed")
	}
	if err := os.RemoveAll(path + ".compacting"); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, dumpOf(t, path)); d != "" {
		t.Errorf("the store (-before +after):\n%s", d)
	}
}

// TestRenewDamaged leaves a file alone of which a part cannot be read.
func TestRenewDamaged(t *testing.T) {
	path, _ := format1(t)
	inside(t, path, func(tx *bolt.Tx) error { return tx.Bucket([]byte("suar")).Put([]byte("rann"), []byte("short")) })
	before := readFile(t, path)
	if _, err := storage.OpenBolt(path); !errors.Is(err, storage.ErrDamaged) {
		t.Errorf("open: got %v, want %v", err, storage.ErrDamaged)
	}
	if !bytes.Equal(readFile(t, path), before) {
		t.Error("the file was changed")
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 1 {
		t.Errorf("there are the files %v, %v", files, err)
	}
}

// TestRenewNeedsWriting renews nothing for who only reads.
func TestRenewNeedsWriting(t *testing.T) {
	path, _ := format1(t)
	before := readFile(t, path)
	if _, err := storage.ReadBolt(path); !errors.Is(err, storage.ErrFormat) {
		t.Errorf("read: got %v, want %v", err, storage.ErrFormat)
	}
	if err := storage.Compact(path+".new", path); !errors.Is(err, storage.ErrFormat) {
		t.Errorf("compact: got %v, want %v", err, storage.ErrFormat)
	}
	if !bytes.Equal(readFile(t, path), before) {
		t.Error("the file was changed")
	}
}
