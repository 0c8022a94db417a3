package storage_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/redis/go-redis/v9"

	"suar/internal/redistest"
	"suar/storage"
	"suar/storage/storagetest"
)

// TestRedisFlaky lets calls fail, before and after they did what was asked.
func TestRedisFlaky(t *testing.T) {
	server := redistest.Shared(t)
	store := openRedis(t, storage.RedisConfig{
		Addresses: []string{server.Addr}, Password: server.Password, Prefix: newPrefix(),
	})
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	faults := storagetest.Seeded(seed, 30, storagetest.Refused, storagetest.Lost)
	load := &redisLoad{store: storagetest.NewFlaky(store, faults), acknowledged: make(map[string]uint64)}
	ctx, cancel := context.WithCancel(t.Context())
	load.run(ctx, true, 500, cancel)
	checkKept(t, store, load.acknowledged)
}

// TestRedisConnectionsBreak breaks every connection after some bytes, in the
// middle of an answer or before one, so that nobody knows what came of it.
func TestRedisConnectionsBreak(t *testing.T) {
	server := redistest.Shared(t)
	prefix := newPrefix()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	client := redis.NewClient(&redis.Options{
		Addr: breaking(t, server.Addr, seed), Password: server.Password, Protocol: 2,
		DisableIdentity: true, ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() { _ = client.Close() })
	var store *storage.Redis
	for store == nil {
		store, _ = storage.NewRedis(t.Context(), client, storage.RedisOptions{Prefix: prefix})
		if t.Context().Err() != nil {
			t.Fatal("the store cannot be opened")
		}
	}
	load := &redisLoad{store: store, acknowledged: make(map[string]uint64)}
	ctx, cancel := context.WithCancel(t.Context())
	load.run(ctx, true, 500, cancel)
	checkKept(t, openRedis(t, storage.RedisConfig{
		Addresses: []string{server.Addr}, Password: server.Password, Prefix: prefix,
	}), load.acknowledged)
}

// breaking listens for connections that it carries on to the address, and
// closes each after some bytes of answers.
func breaking(t *testing.T, address string, seed uint64) string {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	random := rand.New(rand.NewPCG(seed, 0))
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			bytes := 200 + random.Int64N(3000)
			go func() {
				defer near.Close()
				far, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
				if err != nil {
					return
				}
				defer far.Close()
				go func() {
					_, _ = io.Copy(far, near)
				}()
				_, _ = io.CopyN(near, far, bytes)
			}()
		}
	}()
	return listener.Addr().String()
}
