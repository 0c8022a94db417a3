package flows_test

import (
	"testing"
	"time"

	"suar/flows"
)

// TestRankAt: a case's index gives the rank that the case itself has, at any time.
func TestRankAt(t *testing.T) {
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	opened := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
	ranks := map[int]bool{}
	for _, facts := range []flows.Facts{{}, {Danger: true}, {Minor: true, Pressing: true}} {
		for _, c := range []flows.Case{
			{Phase: flows.Alerting, Opened: opened},
			{Phase: flows.Owned, Opened: opened, Acknowledged: opened.Add(time.Minute)},
			{Phase: flows.Owned, Opened: opened, Acknowledged: opened.Add(time.Minute), Owed: opened.Add(2 * time.Minute)},
			{Phase: flows.Ended, Opened: opened, Acknowledged: opened, Closed: opened.Add(time.Hour)},
		} {
			s := flows.State{Facts: facts, Case: &c}
			index := book.Card(s, opened.Add(3*time.Minute)).Index
			for _, wait := range []time.Duration{3 * time.Minute, time.Hour, 100 * time.Hour} {
				at := opened.Add(wait)
				want, _ := book.Rank(s, at)
				if got := book.RankAt(index, at); got != want {
					t.Errorf("%v %v after %v: %d, want %d", facts, c.Phase, wait, got, want)
				}
				ranks[want] = true
			}
		}
	}
	if len(ranks) < 5 {
		t.Errorf("only the ranks %v", ranks)
	}
}
