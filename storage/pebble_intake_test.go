package storage

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkIntake commits what a conversation of nine steps does: each takes an
// event in and leases the answer at once, and then acknowledges it.
func BenchmarkIntake(b *testing.B) {
	s, err := OpenEmbedded(filepath.Join(b.TempDir(), "store"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	var total cost
	for round := 1; b.Loop(); round++ {
		total.add(b, func() { intakes(b, s, round) })
	}
	commits := float64(b.N) * intakeConversations * intakeSteps * 2
	b.ReportMetric(commits/total.wall.Seconds(), "commits/s")
	b.ReportMetric(float64(total.cpu.Nanoseconds())/1000/commits, "cpu-µs/commit")
	b.ReportMetric(0, "ns/op")
}

func intake(b *testing.B, s *Embedded, round, c, steps int) {
	ctx := context.Background()
	id := fmt.Sprintf("%016x%016x", uint64(round*1_000_003+c)*0x9e3779b97f4a7c15, c)
	state, body := make([]byte, 600), make([]byte, 300)
	at := time.Unix(1_800_000_000, int64(round))
	for step := range steps {
		at = at.Add(time.Second)
		item := fmt.Sprintf("%s%02x", id, step)
		leased, err := s.CommitAndLease(ctx, Commit{
			ID: id, Version: uint64(2 * step), Events: []string{item}, At: at, State: state, Alarm: at.Add(24 * time.Hour),
			Items: []Item{{ID: item, Lane: LaneCaller, Priority: 1, Body: body}},
		}, at.Add(time.Minute), LaneCaller)
		if err != nil || len(leased) != 1 {
			b.Errorf("leased %d, %v", len(leased), err)
			return
		}
		at = at.Add(time.Second)
		err = s.Commit(ctx, Commit{
			ID: id, Version: uint64(2*step + 1), Events: []string{item + "!"}, At: at, State: state, Alarm: at.Add(24 * time.Hour), Ack: &leased[0].Lease,
		})
		if err != nil {
			b.Error(err)
			return
		}
	}
}
