package storage_test

import (
	"path/filepath"
	"testing"

	"suar/storage"
	"suar/storage/storagetest"
)

func TestBolt(t *testing.T) { storagetest.Run(t, newBolt) }

func TestBoltInStorm(t *testing.T) { storagetest.RunFlaky(t, newBolt) }

func newBolt(t *testing.T) (storage.Store, func() storage.Store) {
	path := filepath.Join(t.TempDir(), "store")
	store := openBolt(t, path)
	return store, func() storage.Store {
		if err := store.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
		store = openBolt(t, path)
		return store
	}
}

// openBolt opens the store and closes it when the test ends.
func openBolt(t testing.TB, path string) *storage.Bolt {
	t.Helper()
	store, err := storage.OpenBolt(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}
