package storage

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// BenchmarkGroupCommit compares commits/s with those of a bare group commit of
// the same bytes: one goroutine that appends to a file what waits and brings it
// to the disk with one call. A second one puts the same bytes under one key each
// into an empty bbolt, which brings its pages to the disk and then the page that
// names them: two calls. They take turns; each commit is of another conversation,
// with a state, an event, an item and an entry.
func BenchmarkGroupCommit(b *testing.B) {
	for _, writers := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			n := min(2000, 300*writers)
			var ours, bare, tree time.Duration
			for b.Loop() {
				ours += commits(b, writers, n, func(s *Bolt, c *Commit) error {
					return s.Commit(context.Background(), *c)
				})
				j := openJournal(b)
				bare += commits(b, writers, n, func(_ *Bolt, c *Commit) error { return j.commit(c) })
				j.close()
				tree += commits(b, writers, n, func(s *Bolt, c *Commit) error {
					return s.writer.do(context.Background(), func(t *table) error {
						t.put(binary.BigEndian.AppendUint64(nil, t.next()), bytesOf(c))
						return nil
					})
				})
			}
			total := float64(b.N * n)
			b.ReportMetric(total/ours.Seconds(), "commits/s")
			b.ReportMetric(total/bare.Seconds(), "bare-commits/s")
			b.ReportMetric(bare.Seconds()/ours.Seconds(), "ratio")
			b.ReportMetric(tree.Seconds()/ours.Seconds(), "bbolt-ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

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
	for first := range j.queue {
		// As the store does, so that what is compared is the work alone.
		runtime.Gosched()
		batch := []entry{first}
		for len(j.queue) > 0 && len(batch) < maxBatch {
			batch = append(batch, <-j.queue)
		}
		var bytes []byte
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
		s, err := OpenBolt(path)
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
