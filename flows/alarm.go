package flows

import (
	"slices"
	"strconv"
	"time"
)

// due is when the state wants to be looked at again.
func (b *Book) due(s State, now time.Time) time.Time {
	var due time.Time
	at := func(t time.Time) {
		if !t.IsZero() && (due.IsZero() || t.Before(due)) {
			due = t
		}
	}
	for _, m := range s.Messages {
		if !m.Going {
			at(b.policy.Sweep.after(m.At))
		}
	}
	at(b.foldAt(s))
	at(b.keptAt(s))
	if s.Mask != nil {
		at(s.Mask.Due)
	}
	if s.Case == nil {
		if !s.Blank() && !s.Left || s.Shut {
			at(b.policy.Idle.after(s.Seen))
		}
		return due
	}
	c := s.Case
	at(s.codeAt())
	at(b.mediaAt(s))
	at(c.bundleAt())
	at(b.workDue(s))
	switch c.Phase {
	case Opening:
		at(b.stuckAt(s))
	case Alerting:
		at(b.stuckAt(s))
		at(b.pageAt(s))
		at(c.Duty)
	case Owned:
		at(b.stuckAt(s))
		if c.Lacks > 0 {
			at(b.pageAt(s))
		}
		at(b.owedAt(s))
		at(b.dormantAt(s))
		at(b.transferAt(s))
	case Ended:
		at(b.policy.Keep.after(c.Closed))
	}
	at(b.summonAt(s))
	if c.Phase != Ended {
		at(b.strayAt(s))
		at(b.approvalAt(s))
	}
	if next, ok := b.letOutAt(s, now); ok {
		at(next)
	}
	return due
}

// stuckAt is when the person must be told that the officers' side is out of
// reach, zero if there is nothing to tell.
func (b *Book) stuckAt(s State) time.Time {
	c := s.Case
	switch {
	case c.Stuck:
		return time.Time{}
	case c.Phase == Opening:
		return b.policy.Stuck.after(c.Opened)
	case c.underWay() > 0 || c.Calling:
		return b.policy.Stuck.after(c.Since)
	}
	return time.Time{}
}

// owedAt is when an officer is reminded of words that nobody has answered, zero
// if there are none or it was done.
func (b *Book) owedAt(s State) time.Time {
	if c := s.Case; !c.Owed.IsZero() && !c.Nudged {
		return b.policy.Unanswered.after(c.Owed)
	}
	return time.Time{}
}

// calls are the intervals at which the officers are called about a case.
func (b *Book) calls(s State) []Duration {
	f := s.facts()
	steps := b.policy.Urgent
	switch {
	case !s.Urgent():
		steps = b.policy.Ordinary
	case (f.Danger || !s.Case.Duress.IsZero()) && len(b.policy.Danger) > 0:
		steps = b.policy.Danger
	case f.Minor && len(b.policy.Minor) > 0:
		steps = b.policy.Minor
	}
	return steps
}

// pageAt is when the officers are called again.
func (b *Book) pageAt(s State) time.Time {
	steps := b.calls(s)
	at := s.Case.Placed
	for i := range s.Case.Pages {
		at = steps[min(i, len(steps)-1)].after(at)
	}
	return at
}

func (t *turn) timedOut() {
	now := t.m.At
	came := func(at time.Time) bool { return !at.IsZero() && !now.Before(at) }

	t.release(byRule)
	if came(t.s.codeAt()) {
		// Before the chat folds, which may be at the same time: nobody comes back
		// to a code that is gone.
		t.enter(t.book.policy.Talk)
		t.show(true)
	}
	if came(t.book.foldAt(t.s)) {
		t.rest()
	}
	t.sweep()
	if came(t.book.keptAt(t.s)) {
		t.s.Kept = time.Time{}
	}
	c := t.s.Case
	if c == nil {
		if came(t.book.policy.Idle.after(t.s.Seen)) {
			t.expire()
		}
		return
	}
	if came(c.bundleAt()) {
		t.unbundle()
	}
	if c.Phase == Ended {
		if came(t.book.policy.Keep.after(c.Closed)) {
			t.abandon(t.s.Replies)
			t.s.Case, t.s.Replies, t.s.Aside, t.s.Mask = nil, nil, nil, nil
			t.expire()
		}
		return
	}
	t.workLapses()
	if came(t.book.stuckAt(t.s)) {
		c.Stuck = true
		t.show(true)
	}
	if c.Phase == Owned && came(t.book.owedAt(t.s)) {
		c.Nudged = true
		t.update() // Lists of cases show it.
		t.page("card.unanswered")
	}
	if came(t.book.dormantAt(t.s)) {
		t.dormant()
	}
	t.lapsed(came)
	if c.Phase == Owned && c.Lacks > 0 && came(t.book.pageAt(t.s)) {
		for came(t.book.pageAt(t.s)) {
			c.Pages++
		}
		t.pageAt(c.Pages, "card.page.second")
	}
	if c.Phase == Alerting && came(t.book.pageAt(t.s)) {
		// After a long sleep one call is enough.
		for came(t.book.pageAt(t.s)) {
			c.Pages++
		}
		t.pageAt(c.Pages, "card.page")
		if c.Pages >= len(t.book.calls(t.s)) && !c.Late {
			c.Late = true
			t.show(true)
		}
	}
	if c.Phase == Alerting && came(c.Duty) {
		// Somebody comes on duty now: that nobody was is over.
		c.Unattended, c.Duty = false, time.Time{}
		t.page("card.page")
		t.show(true)
	}
	if came(t.book.summonAt(t.s)) {
		t.summon()
	}
}

// sweep erases what must not get older. From a chat that is closed to us nothing
// can be erased: there it is only forgotten.
func (t *turn) sweep() {
	var old []MessageID
	for _, m := range t.s.Messages {
		if !t.m.At.Before(t.book.policy.Sweep.after(m.At)) && !m.Going {
			old = append(old, m.ID)
		}
	}
	if len(old) == 0 {
		return
	}
	if t.s.Shut {
		if !t.s.Revoked {
			t.s.Kept = t.m.At
		}
		t.s.Messages = slices.DeleteFunc(t.s.Messages, func(m Message) bool { return slices.Contains(old, m.ID) })
		return
	}
	t.erase(old...)
	if slices.Contains(old, t.s.Shown) {
		t.s.Shown, t.s.Covered = "", false
	}
}

// expire erases a conversation that nobody went on with.
func (t *turn) expire() {
	if t.s.Shut {
		t.abandon(t.s.Replies)
		t.s = State{Kept: t.s.Kept, Left: !t.s.Kept.IsZero()}
		return
	}
	t.leave()
	t.s.LeftAt = time.Time{}
}

// page calls who is on duty, unless a call is on its way already.
func (t *turn) page(key string) { t.pageAt(1, key) }

// pageAt is page for the level to which the calls have risen.
func (t *turn) pageAt(level int, key string) {
	c := t.s.Case
	if c.Paging {
		return
	}
	c.Paging, c.Paged = true, t.m.At
	t.do(Page{Level: level, Code: c.ID.Code(), Text: t.officers(key, "code", c.ID.Code(), "minutes", strconv.Itoa(int(t.m.At.Sub(c.waits()).Minutes())))})
}
