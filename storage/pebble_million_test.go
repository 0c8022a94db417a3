package storage

import (
	"context"
	"errors"
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
// so lie anywhere. The stores take turns and grow alike. With -short it is
// 100,000.
func BenchmarkMillion(b *testing.B) {
	few, many := 1000, 1_000_000
	if testing.Short() {
		many = 100_000
	}
	start := time.Now()
	big, small := filled(b, many), filled(b, few)
	b.Logf("filled with %d conversations in %v", many, time.Since(start).Round(time.Second))
	for _, kind := range []struct {
		name string
		work func(s *Embedded, stored, round int)
	}{
		{"new", func(s *Embedded, _, round int) { intakes(b, s, round) }},
		{"returning", func(s *Embedded, stored, round int) { returns(b, s, stored, round) }},
	} {
		round := 0
		b.Run(kind.name, func(b *testing.B) {
			var inFew, inMany cost
			for b.Loop() {
				round++
				inFew.add(b, func() { kind.work(small, few, round) })
				inMany.add(b, func() { kind.work(big, many, round) })
			}
			b.ReportMetric(inMany.wall.Seconds()/inFew.wall.Seconds(), "ratio")
			b.ReportMetric(inMany.cpu.Seconds()/inFew.cpu.Seconds(), "cpu-ratio")
			b.ReportMetric(float64(inFew.cpu.Microseconds())/float64(b.N*returning), "few-cpu-µs/commit")
			b.ReportMetric(float64(inMany.cpu.Microseconds())/float64(b.N*returning), "many-cpu-µs/commit")
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
func filled(b *testing.B, n int) *Embedded {
	s, err := OpenEmbedded(filepath.Join(b.TempDir(), "store"))
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

	returners = 256
	// returning is how many commits of each kind one round makes.
	returning = intakeConversations * intakeSteps * 2
)

// intakes lets new conversations go through their steps at once.
func intakes(b *testing.B, s *Embedded, round int) {
	var wg sync.WaitGroup
	for c := range intakeConversations {
		wg.Go(func() { intake(b, s, round, c, intakeSteps) })
	}
	wg.Wait()
}

// returns lets many writers commit one step of some of the stored conversations,
// each of another one.
func returns(b *testing.B, s *Embedded, stored, round int) {
	state := make([]byte, 600)
	at := time.Unix(1_800_000_000, int64(round))
	var wg sync.WaitGroup
	for w := range returners {
		wg.Go(func() {
			for i := w; i < returning; i += returners {
				// Coprime to both sizes, so that they go through all of them in no
				// order.
				id := storedID(1 + (round*returning+i)*7919%stored)
				for {
					r, err := s.Load(context.Background(), id)
					if err != nil {
						b.Error(err)
						return
					}
					err = s.Commit(context.Background(), Commit{
						ID: id, Version: r.Version, Events: []string{fmt.Sprint(round, i)}, At: at, State: state, Alarm: at,
					})
					if err == nil {
						break
					}
					if !errors.Is(err, ErrConflict) {
						b.Error(err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}
