package storagetest_test

import (
	"testing"

	"suar/storage"
	"suar/storage/storagetest"
)

func TestMemory(t *testing.T) {
	storagetest.Run(t, func(*testing.T) (storage.Store, func() storage.Store) {
		return storagetest.NewMemory(), nil
	})
}

func TestMemoryInStorm(t *testing.T) {
	storagetest.RunFlaky(t, func(*testing.T) (storage.Store, func() storage.Store) {
		return storagetest.NewMemory(), nil
	})
}

func TestFlakyWithoutFaults(t *testing.T) {
	storagetest.Run(t, func(*testing.T) (storage.Store, func() storage.Store) {
		none := storagetest.Seeded(1, 0, storagetest.Refused)
		return storagetest.NewFlaky(storagetest.NewMemory(), none), nil
	})
}
