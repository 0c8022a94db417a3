package flows

import "time"

// stir takes note that something happened in a case that an officer has: a sign
// of the person, or something that an officer did.
func (t *turn) stir() {
	if c := t.s.Case; c != nil {
		c.Stirred, c.Dormant = t.m.At, false
	}
}

// notice is how long before a case closes by itself the officers are told.
const notice = 14 * 24 * time.Hour

// dormantAt is when something is to be done about a claimed case in which
// nothing happens: first the officers are told, then it is closed. So nothing
// of a person is kept for ever because somebody forgot to press Close. A case
// that nobody has claimed is never closed: the officers are called again.
func (b *Book) dormantAt(s State) time.Time {
	c := s.Case
	if c == nil || c.Phase != Owned {
		return time.Time{}
	}
	since := c.Stirred
	if since.IsZero() {
		since = c.Acknowledged // Kept by an earlier version.
	}
	at := b.policy.Dormant.after(since)
	if c.Dormant {
		at = at.Add(notice)
	}
	return at
}

// dormant tells the officers that a case will close by itself, or closes it.
func (t *turn) dormant() {
	c := t.s.Case
	if !c.Dormant {
		c.Dormant = true
		t.page("card.dormant")
		return
	}
	t.tell("card.dormant_closed")
	t.end("bot")
}
