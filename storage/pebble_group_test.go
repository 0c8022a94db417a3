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
)

// BenchmarkGroupCommit compares commits/s with those of a bare group commit of
// the same bytes: one goroutine that appends to a file what waits and brings it
// to the disk with one call. They take turns, and the ratio is the median of
// those of the turns, as the disk is not always as fast. Each commit is of
// another conversation, with a state, an event, an item and an entry.
func BenchmarkGroupCommit(b *testing.B) {
	for _, writers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			n := min(5000, 500*writers)
			s := openBench(b)
			j := openJournal(b)
			var ratios []float64
			var ours, bare cost
			for round := 0; b.Loop(); round++ {
				mine, its := cost{}, cost{}
				work := []func(){
					func() {
						mine.add(b, func() {
							commits(b, round, writers, n, func(c *Commit) error { return s.Commit(context.Background(), *c) })
						})
					},
					func() { its.add(b, func() { commits(b, round, writers, n, j.commit) }) },
				}
				if round%2 == 1 {
					slices.Reverse(work)
				}
				for _, f := range work {
					f()
				}
				ratios = append(ratios, its.wall.Seconds()/mine.wall.Seconds())
				ours.wall, ours.cpu = ours.wall+mine.wall, ours.cpu+mine.cpu
				bare.wall, bare.cpu = bare.wall+its.wall, bare.cpu+its.cpu
			}
			j.close()
			slices.Sort(ratios)
			total := float64(b.N * n)
			b.ReportMetric(total/ours.wall.Seconds(), "commits/s")
			b.ReportMetric(total/bare.wall.Seconds(), "bare-commits/s")
			b.ReportMetric(ratios[len(ratios)/2], "ratio")
			b.ReportMetric(float64(ours.cpu.Nanoseconds())/1000/total, "cpu-µs/commit")
			b.ReportMetric(float64(bare.cpu.Nanoseconds())/1000/total, "bare-cpu-µs/commit")
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

// maxBatch is how many commits the bare group commit makes with one call at
// most.
const maxBatch = 1000

// A journal is the least that a durable commit takes: it can find nothing
// again.
type journal struct {
	file  *os.File
	queue chan entry
	done  sync.WaitGroup
}

type entry struct {
	bytes []byte
	done  chan error
}

func openJournal(b *testing.B) *journal {
	f, err := os.Create(filepath.Join(b.TempDir(), "journal"))
	if err != nil {
		b.Fatal(err)
	}
	j := &journal{file: f, queue: make(chan entry, maxBatch)}
	j.done.Go(j.run)
	return j
}

func (j *journal) close() {
	close(j.queue)
	j.done.Wait()
	_ = j.file.Close()
}

func (j *journal) run() {
	var bytes []byte
	for first := range j.queue {
		// As the store does, so that what is compared is the work alone.
		runtime.Gosched()
		batch := []entry{first}
		for len(j.queue) > 0 && len(batch) < maxBatch {
			batch = append(batch, <-j.queue)
		}
		bytes = bytes[:0]
		for _, e := range batch {
			bytes = append(bytes, e.bytes...)
		}
		_, err := j.file.Write(bytes)
		if err == nil {
			err = j.file.Sync()
		}
		for _, e := range batch {
			e.done <- err
		}
	}
}

func (j *journal) commit(c *Commit) error {
	e := entry{bytesOf(c), make(chan error, 1)}
	j.queue <- e
	return <-e.done
}

// bytesOf is all that is in the commit.
func bytesOf(c *Commit) []byte {
	b := append([]byte(c.ID), c.State...)
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
