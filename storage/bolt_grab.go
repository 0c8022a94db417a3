package storage

import (
	"slices"
	"time"
)

// A grab is what a commit leases of its conversation's outbox. A new head that
// it takes is never listed as one that others may lease.
type grab struct {
	owner      owner
	now, until time.Time
	lanes      []Lane
	got        []Leased
}

// wants tells whether the head of the lane is to be leased and was not yet.
func (g *grab) wants(lane Lane) bool {
	return slices.Contains(g.lanes, lane) && g.index(lane) < 0
}

func (g *grab) index(lane Lane) int {
	return slices.IndexFunc(g.got, func(l Leased) bool { return l.Lane == lane })
}

// finish takes the heads that were there before, and returns all leases in the
// order of the lanes.
func (g *grab) finish(t *table) []Leased {
	var leased []Leased
	for i, lane := range g.lanes {
		if slices.Contains(g.lanes[:i], lane) {
			continue
		}
		if i := g.index(lane); i >= 0 {
			leased = append(leased, g.got[i])
			continue
		}
		head, ok := t.head(g.owner, lane)
		if !ok || head.token != 0 && head.ready.After(g.now) {
			continue
		}
		t.unlist(lane, head)
		leased = append(leased, t.take(g.owner, lane, head, t.get(bodyKey(head.seq)), g.until))
	}
	return leased
}
