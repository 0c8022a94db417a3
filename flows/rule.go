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
	if s.Left || s.Shut || s.unsure() {
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
		return b.day(s, at)
	case a.Options[0] == "night":
		return !b.day(s, at)
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

// factClock is the fact that holds which clock the person reads.
const factClock = "clock"

// clock is how far ahead of UTC the person's clock is; the policy's unless they
// chose one.
func (b *Book) clock(s State) time.Duration {
	if a, ok := s.answer(factClock); ok && len(a.Options) > 0 && b.screens[a.Screen] != nil {
		if o := b.screens[a.Screen].option(a.Options[0]); o.Clock > 0 {
			return time.Duration(o.Clock)
		}
	}
	return time.Duration(b.policy.UTCOffset)
}

// day reports whether it is day on the person's clock.
func (b *Book) day(s State, at time.Time) bool {
	_, since := b.midnight(s, at)
	return since >= time.Duration(b.policy.Day.From) && since < time.Duration(b.policy.Day.To)
}

// midnight returns the last midnight on the person's clock and the time since.
func (b *Book) midnight(s State, at time.Time) (time.Time, time.Duration) {
	local := at.UTC().Add(b.clock(s))
	since := local.Sub(local.Truncate(24 * time.Hour))
	return at.Add(-since), since
}

// letOutAt is when, after an instant, held replies may go by the clock alone.
func (b *Book) letOutAt(s State, after time.Time) (time.Time, bool) {
	held := slices.ContainsFunc(s.Replies, func(r Reply) bool { return r.Held })
	a, ok := s.answer(factContact)
	if !held || s.Left || s.Shut || s.unsure() || !ok || len(a.Options) == 0 {
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
	midnight, _ := b.midnight(s, after)
	next := midnight.Add(begin)
	if !next.After(after) {
		next = next.Add(24 * time.Hour)
	}
	return next, true
}
