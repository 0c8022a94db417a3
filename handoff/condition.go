package handoff

import (
	"time"

	"suar/flows"
)

// A Condition is how the officers' side does. It holds numbers and instants only.
type Condition struct {
	// Listening says that this process is the one that listens, Hears that officers
	// are heard: by it, or by another one.
	Listening, Hears bool
	// Refused counts the requests and posts since New that were no officer's, not
	// fresh, or not signed.
	Refused int64
	// Counted says that this process knows the cards of the channel, as the one that
	// listens does after it has read them. Otherwise what follows is empty.
	Counted bool
	// Cases counts the open cases whose card is in the channel, by phase. Alerted is
	// when the oldest of those was opened that nobody has acknowledged, Unanswered
	// since when the words of a person wait for their officer for the longest; both
	// are zero if there is none.
	Cases               map[flows.Phase]int
	Alerted, Unanswered time.Time
}

// Condition returns how the officers' side does. It asks nobody.
func (d *Desk) Condition() Condition {
	d.mu.Lock()
	s := Condition{Listening: d.listening, Hears: d.fault == nil, Refused: d.refused.Load()}
	d.mu.Unlock()
	if !s.Listening {
		return s
	}
	cases, whole := d.index.open()
	if s.Counted = whole; !whole {
		return s
	}
	s.Cases = map[flows.Phase]int{}
	for _, e := range cases {
		s.Cases[e.Phase]++
		first := &s.Alerted
		if e.Phase == flows.Owned {
			first = &s.Unanswered
		}
		if !e.Waiting.IsZero() && (first.IsZero() || e.Waiting.Before(*first)) {
			*first = e.Waiting
		}
	}
	return s
}
