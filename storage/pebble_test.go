package storage_test

import (
	"path/filepath"
	"testing"

	"suar/storage"
	"suar/storage/storagetest"
)

func TestEmbedded(t *testing.T) { storagetest.Run(t, newEmbedded) }

func TestEmbeddedInStorm(t *testing.T) { storagetest.RunFlaky(t, newEmbedded) }

func newEmbedded(t *testing.T) (storage.Store, func() storage.Store) {
	path := filepath.Join(t.TempDir(), "store")
	store := openEmbedded(t, path)
	return store, func() storage.Store {
		if err := store.Close(); err != nil {
			t.Fatalf("close: %v", err)
		}
		store = openEmbedded(t, path)
		return store
	}
}

// openEmbedded opens the store and closes it when the test ends.
func openEmbedded(t testing.TB, path string) *storage.Embedded {
	t.Helper()
	store, err := storage.OpenEmbedded(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}
