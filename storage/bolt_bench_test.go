package storage

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// BenchmarkCommit compares our group commit with a transaction of bbolt's own
// for each commit, on the same commits: a state, an event, an item and an
// entry, each to a conversation of its own.
func BenchmarkCommit(b *testing.B) {
	for _, writers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			var ours, plain time.Duration
			for b.Loop() {
				const each = 2000
				ours += commits(b, writers, each, func(s *Bolt, c *Commit) error {
					return s.Commit(context.Background(), *c)
				})
				plain += commits(b, writers, each, func(s *Bolt, c *Commit) error {
					return s.open.db.Update(func(tx *bolt.Tx) error {
						t := &table{bucket: tx.Bucket([]byte(bucketName))}
						defer t.flush()
						_, err := t.commit(c, time.Time{}, nil)
						return err
					})
				})
			}
			total := float64(b.N) * 2000
			b.ReportMetric(total/ours.Seconds(), "commits/s")
			b.ReportMetric(total/plain.Seconds(), "plain-commits/s")
			b.ReportMetric(plain.Seconds()/ours.Seconds(), "ratio")
		})
	}
}

// commits makes n commits by so many writers at once, in a new store, and
// returns how long that took.
func commits(b *testing.B, writers, n int, commit func(*Bolt, *Commit) error) time.Duration {
	s, err := OpenBolt(filepath.Join(b.TempDir(), "store"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var next atomic.Int64
	state, body, entry := make([]byte, 600), make([]byte, 300), make([]byte, 2000)
	start := time.Now()
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				id := fmt.Sprintf("%016x", uint64(i)*0x9e3779b97f4a7c15)
				err := commit(s, &Commit{
					ID: id, Events: []string{"tg:1"}, At: start, State: state, Alarm: start,
					Items:      []Item{{ID: id, Lane: LaneCaller, Body: body}},
					Transcript: id, Entries: [][]byte{entry},
				})
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// BenchmarkLease leases from an outbox of 50,000 heads.
func BenchmarkLease(b *testing.B) {
	s, err := OpenBolt(filepath.Join(b.TempDir(), "store"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var wg sync.WaitGroup
	for w := range 500 {
		wg.Go(func() {
			for i := range 100 {
				id := fmt.Sprintf("%d.%d", w, i)
				if err := s.Commit(context.Background(), Commit{ID: id, Items: []Item{{ID: id, Lane: LaneCaller, Priority: uint8(i)}}}); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	start := time.Now()
	for i := 0; b.Loop(); i++ {
		// Every lease runs out before the one after next.
		now := start.Add(time.Duration(i) * time.Second)
		leased, err := s.Lease(context.Background(), LaneCaller, 16, now, now.Add(2*time.Second))
		if err != nil || len(leased) != 16 {
			b.Fatalf("leased %d, %v", len(leased), err)
		}
	}
}
