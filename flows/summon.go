package flows

import "time"

// When the officers' side cannot be reached, nobody there can be called. Then the
// officers are called a second way, outside of it, and again at the case's call times
// until somebody has acknowledged the case; a claimed one, until what could not go
// there is there. What goes that way is a case's code, and never more.

// Summon calls the officers the second way. Level counts the calls since the first
// such one.
type Summon struct {
	Level int    `json:"level"`
	Code  string `json:"code"`
}

// To is where the effect is performed.
func (Summon) To() Side     { return Pager }
func (Summon) kind() string { return "summon" }

// Summoning returns the book for officers who can be called a second way.
func (b *Book) Summoning() *Book {
	other := *b
	other.summons = true
	return &other
}

// unreached is since when something that calls the officers, or that the person waits
// for, has not come to their side, zero if there is nothing.
func (c *Case) unreached() time.Time {
	var since time.Time
	at := func(t time.Time) {
		if !t.IsZero() && (since.IsZero() || t.Before(since)) {
			since = t
		}
	}
	if c.Phase == Opening {
		at(c.Opened)
	}
	if c.underWay() > 0 || c.Calling {
		at(c.Since)
	}
	if c.Paging {
		at(c.Paged)
	}
	return since
}

// summonAt is when the officers are called the second way, zero for never.
func (b *Book) summonAt(s State) time.Time {
	c := s.Case
	switch {
	case !b.summons || c == nil || c.Phase == Ended:
		return time.Time{}
	case c.Summons > 0:
		steps := b.calls(s)
		return steps[min(c.Summons, len(steps))-1].after(c.Summoned)
	}
	if since := c.unreached(); !since.IsZero() {
		return b.policy.Stuck.after(since)
	}
	if b.policy.Summon > 0 && c.Phase == Alerting && c.Pages >= b.policy.Summon {
		return c.Placed
	}
	return time.Time{}
}

// summon calls the officers the second way. After a long sleep one call is enough.
func (t *turn) summon() {
	c := t.s.Case
	c.Summons++
	c.Summoned = t.m.At
	t.do(Summon{Level: c.Summons, Code: c.ID.Code()})
}

// summoned ends those calls when somebody has acknowledged the case and nothing waits
// for the officers' side any more.
func (t *turn) summoned() {
	c := t.s.Case
	if c != nil && c.Summons > 0 && (c.Phase == Ended || c.Phase == Owned && c.unreached().IsZero()) {
		c.Summons, c.Summoned = 0, time.Time{}
	}
}
