package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"suar/internal/mattermosttest"
)

const (
	// flood is how many messages one chat writes, taps how many other people
	// tap "danger now" meanwhile, and window how long all of it takes.
	flood  = 10_000
	taps   = 100
	window = 20 * time.Second
)

// BenchmarkDangerInFlood measures from the tap on "danger now" to the post in
// the officers' channel, 100 taps at random moments of 20 s, first while nobody
// else writes and then, at the same moments, while one chat writes 10,000
// messages: evenly, 500 a second; or all of them at once, so that whoever taps
// at first is behind them in the queue that Telegram keeps.
func BenchmarkDangerInFlood(b *testing.B) {
	b.Run("evenly", func(b *testing.B) {
		const every = 20 * time.Millisecond
		benchmarkFlood(b, func(ctx context.Context, say func()) {
			tick := time.NewTicker(every)
			defer tick.Stop()
			for n := 0; n < flood; {
				select {
				case <-tick.C:
				case <-ctx.Done():
					return
				}
				for range int(flood * every / window) {
					say()
					n++
				}
			}
		})
	})
	b.Run("at-once", func(b *testing.B) {
		benchmarkFlood(b, func(_ context.Context, say func()) {
			for range flood {
				say()
			}
		})
	})
}

// benchmarkFlood measures one flood, which pours out its messages through say.
// It takes longer than any benchtime, so that it runs once.
func benchmarkFlood(b *testing.B, pour func(ctx context.Context, say func())) {
	h := newHotline(b, mattermosttest.Real(b), unchecked)
	s := watch(b, h.world, h.world.Officers[2])
	h.start()
	ctx := patient(b)
	// Who comes first after the start is not measured.
	if _, err := tapAll(ctx, h, s, 1000, make([]time.Duration, 10)); err != nil {
		b.Fatal(err)
	}
	at := moments(taps)
	quiet, err := tapAll(ctx, h, s, 2000, at)
	if err != nil {
		b.Fatal(err)
	}
	flooder := h.telegram.Person(700_000)
	flooder.Start()
	var pouring sync.WaitGroup
	loaded, err := tapAll(ctx, h, s, 3000, at, func() {
		pouring.Go(func() {
			n := 0
			pour(ctx, func() {
				n++
				flooder.Say(fmt.Sprintf("f%05d is written", n))
			})
		})
	})
	pouring.Wait()
	if err != nil {
		b.Fatal(err)
	}
	milliseconds(b, "quiet-", quiet)
	milliseconds(b, "flood-", loaded)
	b.ReportMetric(float64(percentile(loaded, 50))/float64(percentile(quiet, 50)), "p50-ratio")
	b.ReportMetric(float64(percentile(loaded, 99))/float64(percentile(quiet, 99)), "p99-ratio")
	b.ReportMetric(0, "ns/op")
	b.Logf("quiet: %s; in the flood: %s", spread(quiet), spread(loaded))
}

// moments are so many moments of the window, in their order.
func moments(n int) []time.Duration {
	at := make([]time.Duration, n)
	for i := range at {
		at[i] = rand.N(window)
	}
	slices.Sort(at)
	return at
}

// tapAll lets people come to the danger button, calls begin, and then lets each
// tap at their moment. Tags and ids of people count from first.
func tapAll(ctx context.Context, h *hotline, s *screen, first int, at []time.Duration, begin ...func()) ([]time.Duration, error) {
	people, faults := make([]*person, len(at)), make([]error, len(at))
	var all sync.WaitGroup
	for i := range at {
		all.Go(func() { people[i], faults[i] = arrive(ctx, h, 800_000+first+i) })
	}
	all.Wait()
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	for _, f := range begin {
		f()
	}
	took := make([]time.Duration, len(at))
	began := time.Now()
	for i, p := range people {
		select {
		case <-time.After(at[i] - time.Since(began)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		all.Go(func() { took[i], faults[i] = p.tap(ctx, s, first+i) })
	}
	all.Wait()
	return took, errors.Join(faults...)
}
