package storage

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// BenchmarkMillion compares what a commit costs in a store of 1,000,000
// conversations with what it costs in one of 1,000: of new conversations, which
// is what an intake is, and of ones that return after the others have come and
// so lie anywhere in the file. The stores take turns. With -short it is 100,000.
func BenchmarkMillion(b *testing.B) {
	few, many := 1000, 1_000_000
	if testing.Short() {
		many = 100_000
	}
	start := time.Now()
	big := filled(b, many)
	b.Logf("filled with %d conversations in %v", many, time.Since(start).Round(time.Second))
	for name, work := range map[string]func(s *Bolt, stored, round int){
		"new":       func(s *Bolt, _, round int) { intakes(b, s, round) },
		"returning": func(s *Bolt, stored, round int) { returns(b, s, stored, round) },
	} {
		b.Run(name, func(b *testing.B) {
			var inFew, inMany cost
			for round := b.N; b.Loop(); round++ {
				small := filled(b, few)
				inFew.add(b, func() { work(small, few, round) })
				inMany.add(b, func() { work(big, many, round) })
				if err := small.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(inMany.wall.Seconds()/inFew.wall.Seconds(), "ratio")
			b.ReportMetric(inMany.cpu.Seconds()/inFew.cpu.Seconds(), "cpu-ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// A cost is what work took.
type cost struct{ wall, cpu time.Duration }

func (c *cost) add(b *testing.B, work func()) {
	start, cpu := time.Now(), cpuTime(b)
	work()
	c.wall += time.Since(start)
	c.cpu += cpuTime(b) - cpu
}

func storedID(i int) string { return fmt.Sprintf("%016x%016x", uint64(i)*0x9e3779b97f4a7c15, i) }

// filled returns a store of n conversations.
func filled(b *testing.B, n int) *Bolt {
	s, err := OpenBolt(filepath.Join(b.TempDir(), "store"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	at := time.Unix(1_700_000_000, 0)
	state := make([]byte, 600)
	i := 0
	err = s.Fill(b.Context(), func() (Piece, error) {
		if i == n {
			return Piece{}, io.EOF
		}
		i++
		id := storedID(i)
		return Piece{
			ID: id, Version: 1, State: state, Alarm: at.Add(time.Duration(i) * time.Second),
			Events: []Handled{{id, at.Add(time.Duration(i))}},
		}, nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

const (
	intakeConversations = 500
	intakeSteps         = 9
)

// intakes lets new conversations go through their steps at once.
func intakes(b *testing.B, s *Bolt, round int) {
	var wg sync.WaitGroup
	for c := range intakeConversations {
		wg.Go(func() { intake(b, s, round, c, intakeSteps) })
	}
	wg.Wait()
}

// returns lets 256 writers commit one step of some of the stored conversations,
// each of another one.
func returns(b *testing.B, s *Bolt, stored, round int) {
	const writers, each = 256, 16
	state := make([]byte, 600)
	at := time.Unix(1_800_000_000, int64(round))
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				// Coprime to both sizes, so that no two are the same in a round of
				// the large one, and few at the same time in the small one.
				id := storedID(1 + (w*each+i)*7919*round%stored)
				for {
					r, err := s.Load(context.Background(), id)
					if err != nil {
						b.Error(err)
						return
					}
					err = s.Commit(context.Background(), Commit{
						ID: id, Version: r.Version, Events: []string{fmt.Sprint(round, w, i)}, At: at, State: state, Alarm: at,
					})
					if err == nil {
						break
					}
				}
			}
		})
	}
	wg.Wait()
}
