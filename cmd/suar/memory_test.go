package main

import "testing"

// TestBreath gives more memory as soon as there is work, takes it back when there
// was none for a while, and never leaves less than what is in use needs.
func TestBreath(t *testing.T) {
	const (
		inUse = 20 << 20
		idle  = 100 << 10
		busy  = 50 << 20
	)
	b := breath{limit: memoryAtRest, quiet: quietLooks}
	look := func(when string, inUse, allocated uint64, want int64, wantSettled bool) {
		t.Helper()
		if limit, settled := b.next(inUse, allocated); limit != want || settled != wantSettled {
			t.Errorf("%s: limit %d, settled %v, want %d, %v", when, limit, settled, want, wantSettled)
		}
	}
	look("at rest", inUse, idle, memoryAtRest, false)
	look("work comes", inUse, busy, memoryAtWork, false)
	for range quietLooks - 1 {
		look("it pauses", inUse, idle, memoryAtWork, false)
	}
	look("it goes on", inUse, busy, memoryAtWork, false)
	for range quietLooks - 1 {
		look("it ends", inUse, idle, memoryAtWork, false)
	}
	look("it has ended", inUse, idle, memoryAtRest, true)
	look("and stays so", inUse, idle, memoryAtRest, false)

	// A word's sum takes 64 MB, an outage of hours may take more.
	for _, inUse := range []uint64{100 << 20, 1 << 30} {
		if limit, _ := b.next(inUse, idle); limit < int64(inUse)+memoryBeside {
			t.Errorf("with %d in use the limit is %d", inUse, limit)
		}
	}
}
