package flows

import (
	"slices"
	"time"
)

// letOut reports whether something new may be sent to the person at an instant,
// by the person's own rule. Until the person was asked for a rule, replies go as
// long as there was a sign of them lately: whoever presses "danger" waits for an
// answer, and somebody else may hold the telephone later.
func (b *Book) letOut(s State, at time.Time) bool {
	if s.Left || s.Shut {
		return false
	}
	switch a, ok := s.answer(factContact); {
	case !ok:
		return b.lately(s, at)
	case len(a.Options) == 0:
		return false // Skipped means the default, which is to stay silent.
	case a.Options[0] == "any", a.Options[0] == "here", a.Options[0] == "call":
		return true
	case a.Options[0] == "day":
		return b.day(at)
	case a.Options[0] == "night":
		return !b.day(at)
	}
	return false
}

// lately reports whether there was a sign of the person a short time ago. What
// the person's own words or a press let out goes for as long, and then waits for
// the rule again: somebody else may hold the telephone when a long outage ends. A
// press on the cover is no sign of them: anybody could have made it.
func (b *Book) lately(s State, at time.Time) bool {
	seen := s.Seen
	if s.Rest != nil {
		seen = s.Rest.Since
	}
	return at.Before(b.policy.Live.after(seen))
}

// day reports whether it is day on the policy's clock.
func (b *Book) day(at time.Time) bool {
	_, since := b.midnight(at)
	return since >= time.Duration(b.policy.Day.From) && since < time.Duration(b.policy.Day.To)
}

// midnight returns the last midnight on the policy's clock and the time since.
func (b *Book) midnight(at time.Time) (time.Time, time.Duration) {
	local := at.UTC().Add(time.Duration(b.policy.UTCOffset))
	since := local.Sub(local.Truncate(24 * time.Hour))
	return at.Add(-since), since
}

// letOutAt is when, after an instant, held replies may go by the clock alone.
func (b *Book) letOutAt(s State, after time.Time) (time.Time, bool) {
	held := slices.ContainsFunc(s.Replies, func(r Reply) bool { return r.Held })
	a, ok := s.answer(factContact)
	if !held || s.Left || s.Shut || !ok || len(a.Options) == 0 {
		return time.Time{}, false
	}
	var begin time.Duration
	switch a.Options[0] {
	case "day":
		begin = time.Duration(b.policy.Day.From)
	case "night":
		begin = time.Duration(b.policy.Day.To)
	default:
		return time.Time{}, false
	}
	midnight, _ := b.midnight(after)
	next := midnight.Add(begin)
	if !next.After(after) {
		next = next.Add(24 * time.Hour)
	}
	return next, true
}
