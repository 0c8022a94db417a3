package storage_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"suar/internal/redistest"
	"suar/storage"
)

// BenchmarkRedisCommits compares commits, each of a state, an event, an item
// and an entry to a conversation of its own, with a bare write of as many bytes
// over the same client's connections to the same server: SET, as fast as a
// durable Redis goes.
func BenchmarkRedisCommits(b *testing.B) {
	server := redistest.Shared(b)
	for _, writers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			const each = 2000
			state, body, entry := make([]byte, 600), make([]byte, 300), make([]byte, 2000)
			all := make([]byte, len(state)+len(body)+len(entry))
			bare := redis.NewClient(&redis.Options{
				Addr: server.Addr, Password: server.Password, PoolSize: 256, DisableIdentity: true,
			})
			defer bare.Close()
			var ours, plain time.Duration
			for b.Loop() {
				store := openRedis(b, storage.RedisConfig{
					Addresses: []string{server.Addr}, Password: server.Password, Prefix: newPrefix(),
				})
				ours += written(b, writers, each, func(id string) error {
					return store.Commit(context.Background(), storage.Commit{
						ID: id, Events: []string{"tg:1"}, At: at(0), State: state, Alarm: at(1),
						Items:      []storage.Item{{ID: id, Lane: storage.LaneCaller, Body: body}},
						Transcript: id, Entries: [][]byte{entry},
					})
				})
				plain += written(b, writers, each, func(id string) error {
					return bare.Set(context.Background(), "bare:"+id, all, 0).Err()
				})
			}
			n := float64(b.N) * each
			b.ReportMetric(n/ours.Seconds(), "commits/s")
			b.ReportMetric(n/plain.Seconds(), "plain-writes/s")
			b.ReportMetric(plain.Seconds()/ours.Seconds(), "ratio")
		})
	}
}

// written makes n writes by so many writers at once and returns how long that
// took.
func written(b *testing.B, writers, n int, write func(id string) error) time.Duration {
	var next atomic.Int64
	start := time.Now()
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if err := write(fmt.Sprintf("%016x", uint64(i)*0x9e3779b97f4a7c15)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// BenchmarkRedisLeaseNothing is what each replica asks every second, or oftener,
// beside 10,000 heads that wait.
func BenchmarkRedisLeaseNothing(b *testing.B) {
	server := redistest.Shared(b)
	store := openRedis(b, storage.RedisConfig{
		Addresses: []string{server.Addr}, Password: server.Password, Prefix: newPrefix(),
	})
	written(b, 64, 10_000, func(id string) error {
		return store.Commit(context.Background(), storage.Commit{ID: id, Items: []storage.Item{{ID: id, Lane: storage.LaneCaller}}})
	})
	if leased, err := store.Lease(b.Context(), storage.LaneCaller, 10_000, at(0), at(60)); err != nil || len(leased) != 10_000 {
		b.Fatalf("leased %d, %v", len(leased), err)
	}
	for b.Loop() {
		if leased, err := store.Lease(b.Context(), storage.LaneCaller, 16, at(1), at(60)); err != nil || len(leased) != 0 {
			b.Fatalf("leased %d, %v", len(leased), err)
		}
	}
}
