package storage_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"suar/internal/redistest"
	"suar/storage"
)

// A redisLoad are the writers of the crash tests, in this process: what dies is
// the server.
type redisLoad struct {
	store storage.Store

	mu           sync.Mutex
	acknowledged map[string]uint64
	count        int
	// reached is called once count is at.
	at      int
	reached func()
}

func (l *redisLoad) acknowledge(id string, version uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.acknowledged[id] = max(l.acknowledged[id], version)
	if l.count++; l.count == l.at {
		go l.reached()
	}
}

// run writes until an error of each writer, or with again until ctx ends, and
// calls reached when n commits are acknowledged.
func (l *redisLoad) run(ctx context.Context, again bool, n int, reached func()) {
	l.mu.Lock()
	done := make(chan struct{})
	l.count, l.at, l.reached = 0, n, func() { reached(); close(done) }
	l.mu.Unlock()
	var writers sync.WaitGroup
	keep := func(write func() error) {
		writers.Go(func() {
			for write() != nil && again && ctx.Err() == nil {
				time.Sleep(5 * time.Millisecond) // As who repeats does.
			}
		})
	}
	for i := range crashWriters {
		keep(func() error { return keepCommitting(ctx, l.store, fmt.Sprint("writer", i), l.acknowledge) })
	}
	keep(func() error { return keepDelivering(ctx, l.store, l.acknowledge) })
	writers.Wait()
	<-done
}

// TestRedisKilled kills the server under a store that stays open.
func TestRedisKilled(t *testing.T) {
	kills := 12
	if testing.Short() {
		kills = 3
	}
	server := redistest.Start(t, redistest.Options{})
	store := openRedis(t, storage.RedisConfig{Addresses: []string{server.Addr}, Password: server.Password})
	load := &redisLoad{store: store, acknowledged: make(map[string]uint64)}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range kills {
		load.run(t.Context(), false, 1+random.IntN(120), server.Kill)
		server.Restart()
		awaitRedis(t, store)
		checkKept(t, store, load.acknowledged)
	}
	t.Logf("%d kills, %d acknowledged commits", kills, total(load.acknowledged))
}

// TestRedisClusterNodeKilled kills the node that has the hotline, and lets it
// come back as the replica of the one that took its place. What a replica
// confirmed is there.
func TestRedisClusterNodeKilled(t *testing.T) {
	cluster := redistest.StartCluster(t, redistest.Options{Config: []string{
		"min-replicas-to-write 1", "min-replicas-max-lag 60",
	}})
	store := openRedis(t, storage.RedisConfig{
		Addresses: cluster.Addresses, Password: redistest.Password, Cluster: true,
		Replicas: 1, ReplicaTimeout: 500 * time.Millisecond,
	})
	load := &redisLoad{store: store, acknowledged: make(map[string]uint64)}
	const key = "{suar}:store"
	for range 2 {
		ctx, cancel := context.WithCancel(t.Context())
		var before int
		load.run(ctx, true, 60, func() {
			killed := cluster.KillOwner(key)
			cluster.Owner(key)
			killed.Restart()
			load.mu.Lock()
			defer load.mu.Unlock()
			before = total(load.acknowledged)
			load.at, load.reached = load.count+60, cancel
		})
		awaitRedis(t, store)
		checkKept(t, store, load.acknowledged)
		if total(load.acknowledged) < before+60 {
			t.Errorf("%d commits were acknowledged after the node was replaced, want 60", total(load.acknowledged)-before)
		}
	}
	t.Logf("%d acknowledged commits", total(load.acknowledged))
}

// awaitRedis returns when the store answers again: some of its connections are
// of a server that is no more.
func awaitRedis(t *testing.T, s storage.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		_, err := s.Load(ctx, "nobody")
		if errors.Is(err, storage.ErrNotFound) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("the store does not come back: %v", err)
		}
		time.Sleep(5 * time.Millisecond) // As who repeats does.
	}
}

func total(acknowledged map[string]uint64) int {
	var n uint64
	for _, version := range acknowledged {
		n += version
	}
	return int(n)
}
