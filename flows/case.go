package flows

import (
	"slices"
	"strings"
	"time"
)

// human sees to it that the officers have the person's case.
func (t *turn) human() {
	if t.s.Kind == "" {
		t.s.Kind = kindMessage
	}
	t.open()
}

// open makes a case of what the person said so far and asks for its card. If
// the officers have one already, the person is back in it.
func (t *turn) open() {
	if t.active() {
		if t.s.Left {
			if t.unknown() {
				t.assume()
				return
			}
			t.rejoin()
			t.call()
		}
		t.update()
		return
	}
	if t.s.Case != nil && !t.s.Case.Withdrawn && !t.s.Case.Shredded {
		t.s.Earlier = t.s.Case.ID.Code()
	}
	t.s.Left, t.s.LeftAt, t.s.Aside = false, time.Time{}, nil
	t.s.Replies = pending(t.s.Replies)
	t.s.Case = &Case{ID: t.m.caseID(), Phase: Opening, Opened: t.m.At}
	if t.s.Kind == kindFamily && t.s.Rest == nil && t.s.Note == "" {
		t.s.Note = noteUnpaid
	}
	t.do(Open{Case: t.s.Case.ID})
	t.record("bot", "opened", t.officers("card.kind."+t.s.Kind))
	if len(t.s.Answers) > 0 {
		var answers []string
		for _, a := range t.s.Answers {
			if a.Fact == factFold {
				continue
			}
			answers = append(answers, t.book.plain(a))
		}
		t.record("person", "answers", strings.Join(answers, "\n"))
	}
	t.relayAnswers()
	t.show(false)
}

// noteUnpaid is what matters most of the advice at the end of the questions for
// whoever looks for somebody: it must not wait for them to come there.
const noteUnpaid = "family.dont_pay"

// call calls the officers again in a case that they have: the person has come
// back, or it has become urgent. Until somebody acknowledges it, it waits like a
// new one.
func (t *turn) call() {
	c := t.s.Case
	if c.Phase != Owned {
		return // The card itself, or the calls under way, call them.
	}
	c.waitsAgain(t.m.At)
	c.waitsForCall(t.m.At)
	t.page("card.again")
	t.update()
}

// claimed makes the officer the case's. The first press counts; a later one
// only brings the card up to date, which shows who was first.
func (t *turn) claimed(o Officer) {
	c := t.s.Case
	if c == nil {
		return
	}
	switch c.Phase {
	case Opening, Alerting:
		t.own(o)
		if c.Acks = []Officer{o}; t.depth == 0 {
			c.Lacks = t.book.acknowledges(t.s) - 1
		}
		t.record("officer:"+o.Name, "claimed", "")
		t.audit(AuditClaimed, o)
	case Owned:
		t.acknowledge(o)
	}
	t.attended()
	if t.s.Mask != nil && t.s.Mask.Case != nil {
		t.maskStep(Claimed{Officer: o})
	}
	t.update()
}

// attended takes note of a sign of an officer in the case's thread: the words
// that are there have been read. What is still on its way has not.
func (t *turn) attended() {
	if c := t.s.Case; c != nil && c.Has && !c.Read && c.Unsent == 0 {
		c.Read = true
		t.show(true)
	}
}

func (t *turn) closed(o Officer) {
	c := t.s.Case
	// A case that waits again is closed by nobody: the question may have been asked
	// before the person said what nobody has seen yet.
	if c == nil || c.Phase != Owned || !t.decides(o) {
		t.update()
		return
	}
	t.audit(AuditClosed, o)
	t.end("officer:" + o.Name)
}

// end ends a case. By says who ended it, as in a Record.
func (t *turn) end(by string) {
	c := t.s.Case
	c.Phase, c.Closed = Ended, t.m.At
	c.Calling, c.Lost = false, false
	t.settleCase()
	t.s.Note = ""
	if t.s.unsure() {
		t.estrange()
	}
	t.removeAll()
	t.record(by, "closed", "")
	card := t.book.Card(t.s, t.m.At)
	t.do(Update{Last: &card})
	// Questions have nobody left who waits for the answers.
	switch {
	case t.s.Rest != nil:
		t.s.Rest.Screen, t.s.Rest.Trail = t.book.policy.Talk, nil
	case t.s.Screen != "" && !t.s.Left && !t.book.onCover(t.s.Screen):
		t.enter(t.book.policy.Talk)
	}
	t.show(true)
}

func (t *turn) delivered(ev Delivered) {
	c := t.s.Case
	switch e := ev.Effect.(type) {
	case Show:
		t.shown(ev.Message)
	case Say:
		t.arrived(e, ev.Message)
	case Erase:
		t.erased(e, ev.Kept)
	case Tell:
		t.told(e)
	case Open:
		if c != nil && c.Withdrawn {
			c.Thread = ev.Post
		}
		if c != nil && c.Phase == Owned && c.Thread == "" {
			c.Thread = ev.Post // It was claimed on the card before this one.
			return
		}
		if c == nil || c.Phase != Opening {
			return
		}
		t.s.Revoked = false // What waited for the case before stood before it.
		c.Phase, c.Placed, c.Thread, c.Pages, c.Stuck = Alerting, t.m.At, ev.Post, 1, false
		t.attendance(ev)
		t.show(true)
	case Relay:
		if c == nil || c.Unsent == 0 {
			return
		}
		c.Lost = false
		c.Has, c.Read = true, false
		t.sentWords(e)
	case Fetch:
		t.fetched(e, ev.Held)
	case Offer:
		t.offered(e, ev.Post)
	case Present:
		t.presented(e)
	case Refer:
		t.referred(e, ev.Post)
	case Prompt:
		t.prompted(e, ev.Post)
	case Page:
		if c == nil {
			return
		}
		c.Paging = false
		if t.attendance(ev) {
			t.show(true)
		}
		if c.Calling {
			c.Calling = false
			t.underWay()
			t.show(true)
		}
	}
}

// missed tells the officers that nobody read what they wrote in that time.
func (t *turn) missed(ev Missed) {
	c := t.s.Case
	if c == nil || c.Withdrawn {
		return
	}
	since, until := t.book.officersClock(ev.Since), t.book.officersClock(ev.Until)
	t.do(Tell{Text: t.officers("card.missed", "since", since, "until", until)})
	t.record("bot", "missed", since+" – "+until)
}

// attendance takes note of whether somebody was on duty at a call. It reports
// whether that has changed.
func (t *turn) attendance(ev Delivered) bool {
	c := t.s.Case
	before, at := c.Unattended, c.Duty
	if c.Unattended, c.Duty = ev.Unattended, ev.Duty; !c.Duty.After(t.m.At) {
		c.Duty = time.Time{}
	}
	return c.Unattended != before || !c.Duty.Equal(at)
}

// sent counts one of the person's messages as no longer on its way.
func (t *turn) sent() {
	t.s.Case.Unsent--
	t.underWay()
}

// sentWords counts a relay's messages as no longer on their way.
func (t *turn) sentWords(e Relay) {
	c := t.s.Case
	c.Unsent -= min(max(e.Words, 1), c.Unsent)
	t.underWay()
}

// underWay forgets since when the person waits for something to be passed on, if
// nothing is on its way any more.
func (t *turn) underWay() {
	if c := t.s.Case; c != nil && c.underWay() == 0 && !c.Calling && !c.Since.IsZero() {
		c.Stuck, c.Since = false, time.Time{}
		t.show(true)
	}
}

// shown takes note of where the bubble is.
func (t *turn) shown(id MessageID) {
	if id == "" || id == t.s.Shown {
		return
	}
	t.know(id)
	if t.s.Screen == "" {
		// It arrived after the person had left: it must go again.
		t.s.Shown = ""
		t.erase(id)
		return
	}
	if old := t.s.Shown; old != id {
		t.erase(old)
	}
	t.s.Shown, t.s.Covered = id, false
}

// erased forgets messages that are gone, and tells the person of those that
// Telegram keeps.
func (t *turn) erased(e Erase, kept []MessageID) {
	t.s.Messages = slices.DeleteFunc(t.s.Messages, func(m Message) bool { return slices.Contains(e.Messages, m.ID) })
	t.unread(e.Messages)
	if slices.Contains(e.Messages, t.s.Shown) {
		t.s.Shown, t.s.Covered = "", false
	}
	if len(kept) > 0 && !t.s.Revoked { // Of who withdrew the consent nothing is kept.
		t.s.Kept = t.m.At
	}
	if (len(kept) > 0 || !t.s.Kept.IsZero()) && t.s.Left && !t.s.Shut && !t.s.Later && t.m.At.Sub(t.s.LeftAt) < truthWindow {
		t.enter(t.book.policy.Gone)
		t.s.Seen, t.s.Kept = t.m.At, time.Time{}
		t.show(false)
	}
}

// truth tells whoever gives a sign, once, that messages could not be erased: this
// process or Telegram was out of reach until they were too old. It is said with what
// is shown anyway, and never by itself.
func (t *turn) truth() {
	shows := slices.ContainsFunc(t.effects, func(e Effect) bool { _, ok := e.(Show); return ok })
	if t.s.Kept.IsZero() || !shows || t.s.Note != "" || t.s.unsure() || t.s.Screen == t.book.policy.Gone || t.s.Screen == "" {
		return
	}
	t.s.Note, t.s.Kept = t.book.policy.Gone, time.Time{}
}

// keptAt is when it is told to nobody any more.
func (b *Book) keptAt(s State) time.Time {
	if s.Kept.IsZero() {
		return time.Time{}
	}
	return b.policy.Keep.after(s.Kept)
}

// truthWindow is how long after leaving a person is still told that something
// could not be erased. Later a new message in the chat would be a trace itself.
const truthWindow = 2 * time.Minute

func (t *turn) undelivered(ev Undelivered) {
	if ev.Reason == ReasonBlocked {
		t.blocked()
	}
	c := t.s.Case
	switch e := ev.Effect.(type) {
	case Say:
		t.unsaid(e, ev.Reason)
	case Amend:
		if c != nil && ev.Reason != ReasonBlocked && ev.Reason != ReasonUnwanted {
			t.tell("card.edit_late")
		}
	case Erase:
		// What is too old is lost to us; the rest is tried again by the sweep.
		t.s.Messages = slices.DeleteFunc(t.s.Messages, func(m Message) bool {
			lost := slices.Contains(e.Messages, m.ID) && t.m.At.Sub(m.At) > oldest
			if lost && !t.s.Revoked {
				t.s.Kept = t.m.At
			}
			return lost
		})
		for i, m := range t.s.Messages {
			if slices.Contains(e.Messages, m.ID) {
				t.s.Messages[i].Going = false
			}
		}
	case Relay:
		switch {
		case c == nil || c.Unsent == 0:
		case ev.Reason == ReasonUnwanted: // It was of the case before this one.
		case ev.Reason == ReasonGone && t.active():
			t.reopen()
			t.do(e)
		default:
			c.Lost = true
			t.sentWords(e)
			t.show(true)
		}
	case Fetch:
		t.unfetched(e, ev.Reason)
	case Offer:
		t.unoffered(e, ev.Reason)
	case Present:
		t.unpresented(e, ev.Reason)
	case Refer:
		t.unreferred(e)
	case Prompt:
		if ev.Reason == ReasonGone && t.active() {
			t.reopen() // What it was about is gone with the thread.
		}
		t.cannedLost(e)
	case Tell:
		t.told(e)
		if ev.Reason == ReasonGone && t.active() {
			t.reopen()
			t.do(e)
		}
	case Update:
		if ev.Reason == ReasonGone && e.Last == nil && t.active() {
			t.reopen()
		}
	case Page:
		if c == nil {
			return
		}
		c.Paging = false
		if ev.Reason == ReasonGone && t.active() {
			t.reopen() // The new card calls by itself.
		}
	}
}

// oldest is the age from which on Telegram does not let a bot erase a message.
const oldest = 48 * time.Hour

// reopen places a new card for a case whose card is gone.
func (t *turn) reopen() {
	c := t.s.Case
	if c.Phase == Opening {
		return
	}
	c.Phase, c.Thread, c.Calling, c.Opened = Opening, "", false, t.m.At
	c.Acks, c.Lacks, c.Transfer, c.Strays, c.Doubts = nil, 0, Transfer{}, nil, nil
	t.again = true
	t.replaced()
	t.lostPackets()
	t.do(Open{Case: t.s.Case.ID})
	t.tell("card.replaced")
	t.offerAgain()
	t.show(true)
}
