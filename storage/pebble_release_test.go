package storage_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/storage"
)

// TestRelease lets a process die with items leased: the next one leases them at
// once, counts their tries on, and leaves alone what was deferred.
func TestRelease(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "store")
	store := openEmbedded(t, path)
	at := time.Date(2026, 11, 23, 5, 47, 0, 0, time.UTC)
	lane := storage.LaneOfficers
	for _, id := range []string{"held", "deferred", "waiting"} {
		if err := store.Commit(ctx, storage.Commit{ID: id, At: at, State: []byte("x"), Items: []storage.Item{
			{ID: id + " 1", Lane: lane, Body: []byte("1")}, {ID: id + " 2", Lane: lane, Body: []byte("2")},
		}}); err != nil {
			t.Fatal(err)
		}
	}
	lease := func(store *storage.Embedded, n int, now time.Time) []storage.Leased {
		t.Helper()
		leased, err := store.Lease(ctx, lane, n, now, now.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		return leased
	}
	old := lease(store, 2, at)
	if err := store.Defer(ctx, old[1].Lease, at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}

	store = openEmbedded(t, path)
	for range 2 { // a second time changes nothing
		if err := store.Release(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if n, _, err := store.Waiting(ctx, lane); err != nil || n != 6 {
		t.Errorf("%d items wait (%v), want 6", n, err)
	}
	type taken struct {
		Item  string
		Tries int
	}
	var got []taken
	now := lease(store, 10, at)
	for _, l := range now {
		got = append(got, taken{l.Item, l.Tries})
	}
	if diff := cmp.Diff([]taken{{"held 1", 2}, {"waiting 1", 1}}, got); diff != "" {
		t.Errorf("leased (-want +got):\n%s", diff)
	}
	if err := store.Defer(ctx, old[0].Lease, at); !errors.Is(err, storage.ErrLeaseLost) {
		t.Errorf("the lease that was given up: got %v, want %v", err, storage.ErrLeaseLost)
	}
	// In its lane the next one follows, and the deferred one comes in its time.
	if err := store.Commit(ctx, storage.Commit{ID: "held", Version: 1, At: at, State: []byte("y"), Ack: &now[0].Lease}); err != nil {
		t.Fatal(err)
	}
	if next := lease(store, 10, at); len(next) != 1 || next[0].Item != "held 2" {
		t.Errorf("leased %v, want the second item of the lane", next)
	}
	next := lease(store, 10, at.Add(time.Hour))
	if !slices.ContainsFunc(next, func(l storage.Leased) bool { return l.Item == "deferred 1" }) {
		t.Errorf("leased %v, want the deferred item among them", next)
	}
}
