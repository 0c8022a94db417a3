package roster

import (
	"slices"
	"time"
)

// ChangeLife is how far ahead a Change may reach. What is meant to last belongs into
// the signed roster.
const ChangeLife = 14 * 24 * time.Hour

// A Change is an override or a swap that a lead made beside the signed roster: Who
// stands wherever Instead would, from From to To. Without Instead, Who is on call
// then. In a swap Instead stands in the same way for Who from BackFrom to BackTo.
type Change struct {
	ID       string    `json:"id"`
	Who      string    `json:"who"`
	Instead  string    `json:"instead,omitempty"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	BackFrom time.Time `json:"back_from,omitzero"`
	BackTo   time.Time `json:"back_to,omitzero"`
	// By is who decided it, At when.
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Swap reports whether it goes both ways.
func (c Change) Swap() bool { return !c.BackFrom.IsZero() || !c.BackTo.IsZero() }

// End is when it is over.
func (c Change) End() time.Time {
	if c.BackTo.After(c.To) {
		return c.BackTo
	}
	return c.To
}

// A ChangeFault is why a Change cannot be made, "" if it can.
type ChangeFault string

// The faults.
const (
	FaultWho   ChangeFault = "who"   // names somebody who is not in the roster
	FaultSame  ChangeFault = "same"  // both are the same officer
	FaultOrder ChangeFault = "order" // hours that do not end after they begin
	FaultPast  ChangeFault = "past"  // it would be over already
	FaultLong  ChangeFault = "long"  // it reaches further ahead than ChangeLife
)

// Fault returns what is wrong with a change at an instant.
func (r *Roster) Fault(c Change, now time.Time) ChangeFault {
	_, who := r.Officer(c.Who)
	_, instead := r.Officer(c.Instead)
	switch {
	case !who || !instead && (c.Instead != "" || c.Swap()):
		return FaultWho
	case c.Who == c.Instead:
		return FaultSame
	case !c.From.Before(c.To) || c.Swap() && !c.BackFrom.Before(c.BackTo):
		return FaultOrder
	case !c.End().After(now):
		return FaultPast
	case c.End().After(now.Add(ChangeLife)):
		return FaultLong
	}
	return ""
}

// With returns the roster with changes on top of its own, the later ones after the
// earlier. One that names somebody who is not in the roster counts for nothing: so a
// newer roster that somebody was taken off leaves them out here too.
func (r *Roster) With(changes []Change) *Roster {
	out := *r
	out.changes = slices.Clone(r.changes)
	for _, c := range changes {
		if f := r.Fault(c, c.From.Add(-time.Second)); f == FaultWho || f == FaultSame || f == FaultOrder {
			continue
		}
		s := stand{from: c.From, to: c.To, who: c.Who, instead: c.Instead}
		if c.Instead == "" {
			s.posts = Posts{First: c.Who}
		}
		one := change{[]stand{s}}
		if c.Swap() {
			one.stands = append(one.stands, stand{from: c.BackFrom, to: c.BackTo, who: c.Instead, instead: c.Who})
		}
		out.changes = append(out.changes, one)
	}
	return &out
}

// Time reads a time as the roster's file has it, on the roster's clock if it names no
// other.
func (r *Roster) Time(text string) (time.Time, bool) {
	m, ok := parseMoment(text)
	if !ok {
		return time.Time{}, false
	}
	return m.in(r.home), true
}
