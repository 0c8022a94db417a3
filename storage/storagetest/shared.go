package storagetest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"suar/storage"
)

// holds expects that the holder gets the name.
func (f *fixture) holds(name, holder string, now, until time.Time) {
	f.Helper()
	if err := f.store().Hold(f.Context(), name, holder, now, until); err != nil {
		f.Errorf("hold: %v", err)
	}
}

// heldByAnother expects that the holder does not get the name.
func (f *fixture) heldByAnother(name, holder string, now, until time.Time) {
	f.Helper()
	if err := f.store().Hold(f.Context(), name, holder, now, until); !errors.Is(err, storage.ErrHeld) {
		f.Errorf("hold: got %v, want %v", err, storage.ErrHeld)
	}
}

func hold(f *fixture) {
	f.holds("listen", "one", at(0), at(10))
	f.heldByAnother("listen", "two", at(0), at(20))
	f.heldByAnother("listen", "two", at(10).Add(-1), at(20))
	f.holds("speak", "two", at(0), at(10))
	// The holder prolongs, and a refusal has changed nothing.
	f.holds("listen", "one", at(5), at(15))
	f.heldByAnother("listen", "two", at(15).Add(-1), at(20))
	// It runs out at its instant.
	f.holds("listen", "two", at(15), at(25))
	f.heldByAnother("listen", "one", at(16), at(30))
	// The holder may also shorten.
	f.holds("listen", "two", at(16), at(18))
	f.holds("listen", "one", at(18), at(30))
}

func holdGivenUp(f *fixture) {
	f.holds("listen", "one", at(0), at(10))
	// Giving up what another holds, or what nobody holds, frees nothing.
	f.heldByAnother("listen", "two", at(1), at(1))
	f.heldByAnother("listen", "two", at(1), at(10))
	f.holds("speak", "two", at(1), at(1))
	f.holds("listen", "one", at(5), at(5))
	f.holds("listen", "two", at(5), at(10))
	f.heldByAnother("listen", "one", at(5), at(10))
	f.holds("listen", "two", at(6), at(0))
	f.holds("listen", "one", at(2), at(3))
}

// holdClocks is about two processes whose clocks differ.
func holdClocks(f *fixture) {
	f.holds("listen", "one", at(10), at(20))
	f.heldByAnother("listen", "two", at(0), at(5))
	f.holds("listen", "two", at(25), at(35))
	f.heldByAnother("listen", "one", at(15), at(25))
	// Given up by one whose clock is behind, it is free at once.
	f.holds("listen", "two", at(5), at(5))
	f.holds("listen", "one", at(1), at(11))
}

// turn expects the queue to give the turn at the instant. Instants and
// durations are whole milliseconds: a queue need not be kept more precisely
// than to the microsecond.
func (f *fixture) turn(queue string, now time.Time, cost, burst time.Duration, want time.Time) {
	f.Helper()
	got, err := f.store().Pace(f.Context(), queue, now, cost, burst)
	if err != nil {
		f.Fatalf("pace: %v", err)
	}
	if !got.Equal(want) {
		f.Errorf("pace: got %v, want %v", got, want)
	}
}

// ms is some milliseconds after noon.
func ms(n int) time.Time { return noon.Add(time.Duration(n) * time.Millisecond) }

func pace(f *fixture) {
	for i := range 5 {
		f.turn("even", ms(0), time.Second, time.Second, ms(i*1000))
	}
	// The time that passes meanwhile is not waited for twice.
	f.turn("even", ms(4500), time.Second, time.Second, ms(5000))
	f.turn("even", ms(5500), 250*time.Millisecond, 250*time.Millisecond, ms(6000))
	f.turn("even", ms(5500), 250*time.Millisecond, 250*time.Millisecond, ms(6250))
}

func paceBurst(f *fixture) {
	for i, want := range []int{0, 0, 0, 1000, 2000} {
		f.turn("burst", ms(0), time.Second, 3*time.Second, ms(want))
		// Another queue is at its own place.
		f.turn("other", ms(i), time.Second, 10*time.Second, ms(i))
	}
	// Five were taken by now: the queue is idle again at 5 s, so that at 3.5 s
	// one turn of the burst has come back.
	f.turn("burst", ms(3500), time.Second, 3*time.Second, ms(3500))
	f.turn("burst", ms(3500), time.Second, 3*time.Second, ms(4000))
	// Idle, it is as if it had never been, however long that was.
	for _, start := range []int{7000, 1_000_000} {
		for _, want := range []int{0, 0, 0, 1000} {
			f.turn("burst", ms(start), time.Second, 3*time.Second, ms(start+want))
		}
	}
}

// paceClocks is about two processes whose clocks differ.
func paceClocks(f *fixture) {
	f.turn("queue", ms(10_000), time.Second, time.Second, ms(10_000))
	f.turn("queue", ms(2000), time.Second, time.Second, ms(11_000))
	f.turn("queue", ms(10_000), time.Second, time.Second, ms(12_000))
}

// sharedPace lets many ask at once: nobody's turn is another's.
func sharedPace(t *testing.T, s storage.Store) {
	const callers, burst = 20, 3
	turns := make([]time.Time, callers)
	for _, err := range race(callers, func(i int) (err error) {
		turns[i], err = s.Pace(t.Context(), "all", noon, time.Second, burst*time.Second)
		return err
	}) {
		if err != nil {
			t.Fatalf("pace: %v", err)
		}
	}
	slices.SortFunc(turns, time.Time.Compare)
	for i, turn := range turns {
		if want := ms(max(0, i-burst+1) * 1000); !turn.Equal(want) {
			t.Errorf("turn %d comes at %v, want %v", i, turn, want)
		}
	}
}

// racingHolds lets many ask at once: one gets it.
func racingHolds(t *testing.T, s storage.Store) {
	holders := []string{"one", "two", "three", "four"}
	var mu sync.Mutex
	var got []string
	for _, err := range race(len(holders), func(i int) error {
		err := s.Hold(t.Context(), "listen", holders[i], at(0), at(10))
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, holders[i])
		}
		return err
	}) {
		if err != nil && !errors.Is(err, storage.ErrHeld) {
			t.Errorf("hold: %v", err)
		}
	}
	if len(got) != 1 {
		t.Errorf("%q hold it at once, want one", got)
	}
}
