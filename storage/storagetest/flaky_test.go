package storagetest_test

import (
	"context"
	"errors"
	"io"
	"reflect"
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

// TestFlakyMethods lets every fault befall every method of a store, and looks
// whether the store behind it was called.
func TestFlakyMethods(t *testing.T) {
	var called []string
	behind := storagetest.NewFlaky(storagetest.NewMemory(), func(c storagetest.Call) storagetest.Fault {
		called = append(called, c.Method)
		return storagetest.None
	})
	var fault storagetest.Fault
	s := storagetest.NewFlaky(behind, func(storagetest.Call) storagetest.Fault { return fault })
	now := time.Now()
	c := storage.Commit{ID: "ann"}
	methods := map[string]func(context.Context) error{
		"Load":           func(ctx context.Context) error { _, err := s.Load(ctx, "ann"); return err },
		"Resolve":        func(ctx context.Context) error { _, err := s.Resolve(ctx, "name"); return err },
		"Commit":         func(ctx context.Context) error { return s.Commit(ctx, c) },
		"CommitAndLease": func(ctx context.Context) error { _, err := s.CommitAndLease(ctx, c, now, 1); return err },
		"Lease":          func(ctx context.Context) error { _, err := s.Lease(ctx, 1, 1, now, now); return err },
		"Defer":          func(ctx context.Context) error { return s.Defer(ctx, storage.Lease{}, now) },
		"Waiting":        func(ctx context.Context) error { _, _, err := s.Waiting(ctx, 1); return err },
		"Due":            func(ctx context.Context) error { _, err := s.Due(ctx, now, 1); return err },
		"Transcript":     func(ctx context.Context) error { _, err := s.Transcript(ctx, "case"); return err },
		"Transcripts":    func(ctx context.Context) error { _, err := s.Transcripts(ctx, "", 1); return err },
		"Forget":         func(ctx context.Context) error { return s.Forget(ctx, "case") },
		"Sweep":          func(ctx context.Context) error { _, err := s.Sweep(ctx, now, 1); return err },
		"Hold":           func(ctx context.Context) error { return s.Hold(ctx, "name", "one", now, now) },
		"Pace":           func(ctx context.Context) error { _, err := s.Pace(ctx, "queue", now, 1, 1); return err },
		"Dump":           func(ctx context.Context) error { return s.Dump(ctx, func(storage.Piece) error { return nil }) },
		"Fill": func(ctx context.Context) error {
			return s.Fill(ctx, func() (storage.Piece, error) { return storage.Piece{}, io.EOF })
		},
	}
	for m := range reflect.TypeFor[storage.Store]().Methods() {
		if m.Name == "Close" {
			continue // It always gets through.
		}
		call, listed := methods[m.Name]
		if !listed {
			t.Errorf("%s has no faults", m.Name)
			continue
		}
		for _, tt := range []struct {
			fault storagetest.Fault
			want  error
			calls []string
		}{
			{storagetest.Refused, storagetest.ErrOutage, nil},
			{storagetest.Lost, storagetest.ErrOutage, []string{m.Name}},
			{storagetest.Stalled, context.Canceled, nil},
		} {
			called, fault = nil, tt.fault
			ctx, cancel := context.WithCancel(t.Context())
			if fault == storagetest.Stalled {
				cancel()
			}
			if err := call(ctx); !errors.Is(err, tt.want) {
				t.Errorf("%s with the fault %d: got %v, want %v", m.Name, tt.fault, err, tt.want)
			}
			cancel()
			if d := cmp.Diff(tt.calls, called); d != "" {
				t.Errorf("%s with the fault %d: the calls behind it (-want +got):\n%s", m.Name, tt.fault, d)
			}
		}
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
