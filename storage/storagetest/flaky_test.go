package storagetest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/storage"
	"suar/storage/storagetest"
)

// always lets one fault befall every commit.
func always(fault storagetest.Fault) func(storagetest.Call) storagetest.Fault {
	return func(c storagetest.Call) storagetest.Fault {
		if c.Method == "Commit" {
			return fault
		}
		return storagetest.None
	}
}

func TestFlakyFaults(t *testing.T) {
	for _, tt := range []struct {
		name  string
		fault storagetest.Fault
		want  error
		kept  bool
	}{
		{"none", storagetest.None, nil, true},
		{"refused", storagetest.Refused, storagetest.ErrOutage, false},
		{"lost", storagetest.Lost, storagetest.ErrOutage, true},
		{"stalled", storagetest.Stalled, context.DeadlineExceeded, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := storagetest.NewFlaky(storagetest.NewMemory(), always(tt.fault))
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				start := time.Now()
				err := s.Commit(ctx, storage.Commit{ID: "ann", State: []byte("state")})
				if !errors.Is(err, tt.want) {
					t.Errorf("commit: got %v, want %v", err, tt.want)
				}
				if took := time.Since(start); (took == time.Hour) != (tt.fault == storagetest.Stalled) {
					t.Errorf("commit returned after %v", took)
				}
				if _, err := s.Load(ctx, "ann"); tt.fault != storagetest.Stalled && (err == nil) != tt.kept {
					t.Errorf("load: %v; want it kept: %t", err, tt.kept)
				}
			})
		})
	}
}

func TestSeeded(t *testing.T) {
	draw := func(seed uint64) []storagetest.Fault {
		decide := storagetest.Seeded(seed, 20, storagetest.Refused, storagetest.Lost)
		var faults []storagetest.Fault
		for n := range 2000 {
			faults = append(faults, decide(storagetest.Call{Method: "Commit", Subject: "ann", Nth: n + 1}))
		}
		return faults
	}
	first := draw(1)
	if d := cmp.Diff(first, draw(1)); d != "" {
		t.Errorf("the same seed decides differently:\n%s", d)
	}
	if cmp.Equal(first, draw(2)) {
		t.Error("another seed decides the same")
	}
	count := make(map[storagetest.Fault]int)
	for _, fault := range first {
		count[fault]++
	}
	for fault, want := range map[storagetest.Fault]int{
		storagetest.None: 1600, storagetest.Refused: 200, storagetest.Lost: 200,
	} {
		if got := count[fault]; got < want-100 || got > want+100 {
			t.Errorf("fault %d befell %d of 2000 calls, want about %d", fault, got, want)
		}
	}
}
