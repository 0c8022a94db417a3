package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"suar/internal/mattermosttest"
)

// arrive lets somebody open the chat and come to where "danger now" is shown.
func arrive(ctx context.Context, h *hotline, id int) (*person, error) {
	p := &person{Person: h.telegram.Person(int64(id))}
	p.Start()
	if err := p.walk(ctx, danger[:2]...); err != nil {
		return nil, err
	}
	label, err := word(danger[2])
	if err != nil {
		return nil, err
	}
	_, err = p.see(ctx, "opening.now", label)
	return p, err
}

// tap presses "danger now" and says something with the tag, and returns how long
// it took from the press until an officer's client was told of the card: which
// one it is is known by what is said in its thread.
func (p *person) tap(ctx context.Context, s *screen, tag int) (time.Duration, error) {
	tapped := time.Now()
	if err := p.step(ctx, danger[2]); err != nil {
		return 0, err
	}
	name := fmt.Sprintf("p%04d", tag)
	p.Say(name + " says 0000")
	th, err := s.caseOf(ctx, name)
	if err != nil {
		return 0, err
	}
	return th.root.seen.Sub(tapped), nil
}

// spread is the median and what 99 of 100 stay below.
func spread(all []time.Duration) string {
	if len(all) == 0 {
		return "nothing measured"
	}
	p50, p99 := percentile(all, 50), percentile(all, 99)
	return fmt.Sprintf("p50 %v, p99 %v of %d", p50.Round(time.Millisecond), p99.Round(time.Millisecond), len(all))
}

func percentile(all []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[(len(sorted)-1)*p/100]
}

// milliseconds reports the spread as a benchmark's figures.
func milliseconds(b *testing.B, name string, all []time.Duration) {
	b.Helper()
	b.ReportMetric(float64(percentile(all, 50).Microseconds())/1000, name+"p50-ms")
	b.ReportMetric(float64(percentile(all, 99).Microseconds())/1000, name+"p99-ms")
}

// BenchmarkDangerNow measures from the tap on "danger now" to the post in the
// officers' channel as an officer's client is told of it: one person after the
// other, each with a case of their own.
func BenchmarkDangerNow(b *testing.B) {
	h := newHotline(b, mattermosttest.Real(b), unchecked)
	s := watch(b, h.world, h.world.Officers[2])
	h.start()
	var all []time.Duration
	ctx := patient(b)
	for b.Loop() {
		b.StopTimer()
		p, err := arrive(ctx, h, 900_000+len(all))
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		took, err := p.tap(ctx, s, len(all))
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, took)
	}
	milliseconds(b, "", all)
	b.ReportMetric(0, "ns/op")
}
