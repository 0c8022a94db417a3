package storage

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// BenchmarkGroupCommit compares commits/s with those of two bare group commits of
// the same bytes, each one goroutine that brings what waits to the disk with one
// call: one puts each part of a commit under a key of its own in the same engine,
// Pebble, and checks, counts and orders nothing ("bare"); the other appends all to
// a file, in which nothing can be found again ("log"). They take turns, and a ratio
// is the median of those of the turns, as the disk is not always as fast. Each
// commit is of another conversation, with a state, an event, an item and an entry.
func BenchmarkGroupCommit(b *testing.B) {
	for _, writers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			n := min(5000, 500*writers)
			s := openBench(b)
			table, log := openTable(b), openJournal(b)
			commit := []func(*Commit) error{
				func(c *Commit) error { return s.Commit(context.Background(), *c) },
				table.commit,
				log.commit,
			}
			costs := make([]cost, len(commit))
			ratios := make([][]float64, len(commit))
			for round := 0; b.Loop(); round++ {
				now := make([]cost, len(commit))
				for i := range commit {
					i = (i + round) % len(commit)
					now[i].add(b, func() { commits(b, round, writers, n, commit[i]) })
				}
				for i := range commit {
					costs[i].wall, costs[i].cpu = costs[i].wall+now[i].wall, costs[i].cpu+now[i].cpu
					ratios[i] = append(ratios[i], now[i].wall.Seconds()/now[0].wall.Seconds())
				}
			}
			table.close()
			log.close()
			total := float64(b.N * n)
			for i, name := range []string{"", "bare-", "log-"} {
				b.ReportMetric(total/costs[i].wall.Seconds(), name+"commits/s")
				b.ReportMetric(float64(costs[i].cpu.Nanoseconds())/1000/total, name+"cpu-µs/commit")
				if i > 0 {
					slices.Sort(ratios[i])
					b.ReportMetric(ratios[i][len(ratios[i])/2], name+"ratio")
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// openBench opens a new store.
func openBench(b *testing.B) *Embedded {
	s, err := OpenEmbedded(filepath.Join(b.TempDir(), "store"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// commits makes n commits by so many writers at once.
func commits(b *testing.B, round, writers, n int, commit func(*Commit) error) {
	var next atomic.Int64
	state, body, entry := make([]byte, 600), make([]byte, 300), make([]byte, 2000)
	start := time.Unix(1_800_000_000, 0)
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				id := fmt.Sprintf("%016x", uint64(round*n+int(i))*0x9e3779b97f4a7c15)
				err := commit(&Commit{
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
}

// maxBatch is how many commits a bare group commit makes with one call at most.
const maxBatch = 1000

// A journal is a bare group commit.
type journal struct {
	queue chan waiting
	done  sync.WaitGroup
	keep  func([]*Commit) error // brings them to the disk
}

type waiting struct {
	*Commit
	done chan error
}

// openJournal appends to a file: the least that a durable commit takes.
func openJournal(b *testing.B) *journal {
	f, err := os.Create(filepath.Join(b.TempDir(), "journal"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = f.Close() })
	var bytes []byte
	return openBare(func(batch []*Commit) error {
		bytes = bytes[:0]
		for _, c := range batch {
			bytes = appendBytes(bytes, c)
		}
		if _, err := f.Write(bytes); err != nil {
			return err
		}
		return f.Sync()
	})
}

// openTable puts the parts of a commit into a Pebble that is set up as the store's.
func openTable(b *testing.B) *journal {
	s := openBench(b)
	return openBare(func(batch []*Commit) error {
		w := s.db.NewBatch()
		for _, c := range batch {
			for _, part := range []struct{ key, value []byte }{
				{[]byte("s" + c.ID), c.State},
				{[]byte("e" + c.ID + c.Events[0]), nil},
				{[]byte("o" + c.ID + c.Items[0].ID), c.Items[0].Body},
				{[]byte("w" + c.Transcript), c.Entries[0]},
			} {
				if err := w.Set(part.key, part.value, nil); err != nil {
					return err
				}
			}
		}
		return w.Commit(pebble.Sync)
	})
}

func openBare(keep func([]*Commit) error) *journal {
	j := &journal{queue: make(chan waiting, maxBatch), keep: keep}
	j.done.Go(j.run)
	return j
}

func (j *journal) close() {
	close(j.queue)
	j.done.Wait()
}

func (j *journal) run() {
	for first := range j.queue {
		// As the store does, so that what is compared is the work alone.
		runtime.Gosched()
		batch, all := []waiting{first}, []*Commit{first.Commit}
		for len(j.queue) > 0 && len(batch) < maxBatch {
			w := <-j.queue
			batch, all = append(batch, w), append(all, w.Commit)
		}
		err := j.keep(all)
		for _, w := range batch {
			w.done <- err
		}
	}
}

func (j *journal) commit(c *Commit) error {
	w := waiting{c, make(chan error, 1)}
	j.queue <- w
	return <-w.done
}

// appendBytes appends all that is in the commit.
func appendBytes(b []byte, c *Commit) []byte {
	b = append(append(b, c.ID...), c.State...)
	for _, event := range c.Events {
		b = append(b, event...)
	}
	for _, item := range c.Items {
		b = append(append(b, item.ID...), item.Body...)
	}
	for _, e := range c.Entries {
		b = append(b, e...)
	}
	return append(b, c.Transcript...)
}

// TestLoneWriterWaitsForNoTimer commits where the clock stands still as long as
// anybody is at work, and only moves when all wait for a timer.
func TestLoneWriterWaitsForNoTimer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	synctest.Test(t, func(t *testing.T) {
		s, err := OpenEmbedded(path)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for v := range uint64(50) {
			err := s.Commit(t.Context(), Commit{ID: "ann", Version: v, Events: []string{fmt.Sprint(v)}, State: []byte("x"), Items: []Item{{ID: fmt.Sprint(v), Lane: LaneCaller}}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Lease(t.Context(), LaneCaller, 1, start, start); err != nil {
				t.Fatal(err)
			}
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("100 writes of a lone writer waited for %v of timers, want none", waited)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
