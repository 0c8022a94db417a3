package storage_test

import (
	"crypto/rand"
	"testing"

	"suar/internal/redistest"
	"suar/storage"
	"suar/storage/storagetest"
)

func TestRedisInStorm(t *testing.T) {
	server := redistest.Shared(t)
	storagetest.RunFlaky(t, redisOpener(storage.RedisConfig{Addresses: []string{server.Addr}, Password: server.Password}))
}

func TestRedis(t *testing.T) {
	server := redistest.Shared(t)
	config := storage.RedisConfig{Addresses: []string{server.Addr}, Password: server.Password}
	storagetest.Run(t, redisOpener(config))
}

func TestRedisCluster(t *testing.T) {
	cluster := redistest.StartCluster(t, redistest.Options{})
	config := storage.RedisConfig{Addresses: cluster.Addresses, Password: redistest.Password, Cluster: true}
	storagetest.Run(t, redisOpener(config))
}

// redisOpener opens a store under a prefix of its own each time.
func redisOpener(config storage.RedisConfig) storagetest.Opener {
	return func(t *testing.T) (storage.Store, func() storage.Store) {
		config := config
		config.Prefix = newPrefix()
		store := openRedis(t, config)
		return store, func() storage.Store {
			if err := store.Close(); err != nil {
				t.Fatalf("close: %v", err)
			}
			store = openRedis(t, config)
			return store
		}
	}
}

// openRedis opens the store and closes it when the test ends.
func openRedis(t testing.TB, config storage.RedisConfig) *storage.Redis {
	t.Helper()
	store, err := storage.OpenRedis(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// newPrefix is one that no other test of the server has.
func newPrefix() string { return "test-" + rand.Text() }
