package flows

import (
	"slices"
	"strings"
	"time"
)

// mostHeld is how many replies may wait for the person. More would flood the
// chat when they are let go, and no state may grow without end.
const mostHeld = 50

func (t *turn) replied(ev Replied) {
	if !t.active() {
		t.refuse(ev.Post, "card.reply_closed")
		return
	}
	if ev.Mentions {
		t.aside(ev)
		return
	}
	if t.fenced(ev) {
		return
	}
	if t.s.Case.Phase != Owned {
		// Whoever answers has read: no second tap at 3 a.m.
		t.claimed(ev.Officer)
	}
	t.attended()
	if t.doubts(ev) {
		return
	}
	if !t.s.Case.Owed.IsZero() {
		t.s.Case.Owed, t.s.Case.Nudged = time.Time{}, false
		t.update() // Its place in the queue is another now.
	}
	t.record("officer:"+ev.Officer.Name, "replied", ev.Text)
	if ev.Files > 0 {
		t.tell("card.files")
	}
	if strings.TrimSpace(ev.Text) == "" {
		t.do(Mark{Post: ev.Post, Sign: SignFailed})
		return
	}
	if len(waiting(t.s.Replies)) >= mostHeld {
		t.refuse(ev.Post, "card.too_many")
		return
	}
	t.keep(Reply{Post: ev.Post, At: t.m.At, Text: ev.Text, Held: true, Ask: t.s.Left || t.s.unsure()})
	if t.s.Shut {
		t.tell("card.reply_blocked")
	}
	t.release(byRule)
	if t.s.Replies[len(t.s.Replies)-1].Held {
		t.do(Mark{Post: ev.Post, Sign: SignHeld})
		t.waits()
		t.update()
	}
}

// aside keeps from the person what an officer most likely wrote to a colleague, and
// says so. The post can still be made a note, or a reply, by editing it.
func (t *turn) aside(ev Replied) {
	t.attended()
	t.keep(Reply{Post: ev.Post, At: t.m.At, Note: true})
	t.record("officer:"+ev.Officer.Name, "note", ev.Text)
	t.refuse(ev.Post, "card.mention")
}

// waits tells the thread, once until replies go again, that they wait, since when
// and for what.
func (t *turn) waits() {
	c := t.s.Case
	if c == nil || c.Told || t.s.Shut {
		return
	}
	c.Told = true
	t.do(Tell{Text: t.officers("card.held", "rule", t.book.contactLine(t.s))})
}

// refuse tells the officer that a post will not reach the person, and why.
func (t *turn) refuse(post PostID, why string) {
	t.do(Mark{Post: post, Sign: SignFailed})
	t.tell(why)
}

// mostReplies is how many replies and notes can still be changed; beyond it the
// oldest that have arrived no longer can.
const mostReplies = 200

// keep adds a reply to those that may still be changed or wait.
func (t *turn) keep(r Reply) {
	t.s.Replies = append(t.s.Replies, r)
	for i := 0; len(t.s.Replies) > mostReplies && i < len(t.s.Replies); {
		if r := t.s.Replies[i]; r.Note || r.Message != "" {
			t.s.Replies = slices.Delete(t.s.Replies, i, i+1)
			continue
		}
		i++
	}
}

func (t *turn) noted(ev Noted) {
	if !t.active() {
		return
	}
	t.attended()
	t.acknowledge(ev.Officer)
	t.keep(Reply{Post: ev.Post, At: t.m.At, Note: true})
	t.record("officer:"+ev.Officer.Name, "note", ev.Text)
	t.do(Mark{Post: ev.Post, Sign: SignNote})
}

// reply returns the index of the reply that a post became.
func (t *turn) reply(post PostID) int {
	return slices.IndexFunc(t.s.Replies, func(r Reply) bool { return r.Post == post })
}

func (t *turn) revised(ev Revised) {
	if t.s.Case == nil {
		return
	}
	if t.reviseDoubt(ev) {
		return
	}
	i := t.reply(ev.Post)
	if i < 0 && t.reviseStray(ev) {
		return
	}
	if i < 0 {
		// It is older than what can still be changed, or was refused.
		t.refuse(ev.Post, "card.edit_late")
		return
	}
	r := &t.s.Replies[i]
	switch {
	case ev.Note && r.Note:
		t.record("officer:"+ev.Officer.Name, "note", ev.Text)
		t.do(Mark{Post: ev.Post, Sign: SignNote})
	case ev.Note:
		t.takeBack(i, "officer:"+ev.Officer.Name)
		t.record("officer:"+ev.Officer.Name, "note", ev.Text)
		t.do(Mark{Post: ev.Post, Sign: SignNote})
	case strings.TrimSpace(ev.Text) == "":
		t.takeBack(i, "officer:"+ev.Officer.Name)
	case r.Note:
		t.s.Replies = slices.Delete(t.s.Replies, i, i+1)
		t.replied(Replied{Post: ev.Post, Officer: ev.Officer, Text: ev.Text, Mentions: ev.Mentions})
	case r.Gone:
	case ev.Mentions:
		t.record("officer:"+ev.Officer.Name, "note", ev.Text)
		t.tell("card.mention.edit")
	case t.active() && t.s.Case.Phase == Owned && !t.s.Case.Officer.is(ev.Officer):
		t.record("officer:"+ev.Officer.Name, "note", ev.Text)
		t.do(Tell{Text: t.officers("card.stray.edit", "officer", "@"+ev.Officer.Name, "owner", "@"+t.s.Case.Officer.Name)})
	case t.active() && t.doubts(Replied{Post: ev.Post, Officer: ev.Officer, Text: ev.Text}):
	default:
		t.record("officer:"+ev.Officer.Name, "revised", ev.Text)
		r.Text = ev.Text
		if r.Part > 0 {
			t.turnTo(i, r.Part)
			return
		}
		r.Read = false // The new words were not read.
	}
}

func (t *turn) withdrawn(ev Withdrawn) {
	if t.active() && ev.Post == t.s.Case.Thread && ev.Post != "" {
		t.reopen() // Without a card nobody could go on with the case, nor close it.
		return
	}
	if t.active() {
		t.dropStrays(func(s Stray) bool { return s.Post == ev.Post })
		t.dropDoubts("card.never.over", func(d Doubt) bool { return d.Post == ev.Post })
	}
	if i := t.reply(ev.Post); i >= 0 && t.s.Case != nil {
		if r := t.s.Replies[i]; ev.Outsider && r.Message != "" && !r.Note {
			// Whoever was thrown out takes nothing away from the person.
			t.record("somebody", "deleted", "")
			t.do(Tell{Text: t.officers("card.reply.kept")})
			return
		}
		t.takeBack(i, "somebody")
	}
}

// takeBack sees to it that a reply is not, or not any longer, with the person.
func (t *turn) takeBack(i int, from string) {
	r := &t.s.Replies[i]
	if r.Note || r.Gone {
		return
	}
	t.record(from, "withdrawn", "")
	switch {
	case r.Message != "":
		t.erase(r.Message)
		t.s.Replies = slices.Delete(t.s.Replies, i, i+1)
	case r.Held:
		t.s.Replies = slices.Delete(t.s.Replies, i, i+1)
		t.update()
	default:
		r.Gone, r.Text = true, ""
	}
}

// Wanted reports whether an effect is still wanted in a state at an instant: it
// may have waited while the person left, or until the time is over at which the
// person may be written to, or until the person withdrew the consent. What is
// not wanted is not performed and becomes Undelivered for ReasonUnwanted.
func (b *Book) Wanted(s State, at time.Time, e Effect) bool {
	switch e := e.(type) {
	case Say:
		i := slices.IndexFunc(s.Replies, func(r Reply) bool { return r.Post == e.Post })
		return i >= 0 && !s.Replies[i].Gone && !s.Left && !s.Shut && !s.unsure() && (b.letOut(s, at) || b.lately(s, at))
	case Amend:
		i := slices.IndexFunc(s.Replies, func(r Reply) bool { return r.Message == e.Message })
		return !s.Left && !s.Shut && i >= 0 && s.Replies[i].Part == e.Part && (e.Part == 0 || !s.unsure())
	case Fetch:
		return s.Case != nil && slices.ContainsFunc(s.Case.Media, func(m Medium) bool { return m.ID == e.Media })
	case Page:
		return !s.Revoked || e.Text == b.say(b.policy.Officers, pageStood)
	case Refer:
		c := s.Case
		return !s.Revoked && c != nil && c.ID == e.Case && c.Work != nil &&
			slices.ContainsFunc(c.Work.Referrals, func(r Referral) bool { return r.N == e.N && !r.Gone })
	case Relay, Offer, Present, Prompt:
		return !s.Revoked
	case Summon: // Only the last one counts: those before it waited for the same.
		return s.Case != nil && s.Case.Summons == e.Level && s.Case.ID.Code() == e.Code
	case Open:
		return !s.Revoked || s.Case != nil && s.Case.ID == e.Case
	}
	return true
}

// factContact is the fact that holds the person's contact rule. Its options are
// first, any, day and night, and for families here, first and call (an officer
// arranges it here).
const factContact = "contact"

// What lets held replies go.
const (
	byRule  = iota // the person's rule allows it now
	bySign         // the person has just written
	byPress        // the person asks to see replies
)

// release lets held replies go. It reports whether there were any.
func (t *turn) release(by int) bool {
	if t.s.Left || t.s.Shut || t.s.unsure() || (by == byRule && !t.book.letOut(t.s, t.m.At)) {
		return false
	}
	released := false
	for i, r := range t.s.Replies {
		if !r.Held || (r.Ask && by != byPress) || (r.Again && by == byRule) {
			continue
		}
		t.s.Replies[i].Held, t.s.Replies[i].Ask, t.s.Replies[i].Again = false, false, false
		v := t.book.news(t.s, Reply{})
		t.do(Say{Post: r.Post, Text: v.Text, Rows: v.Rows})
		released = true
	}
	if released && t.s.Case != nil {
		t.s.Case.Told = false
	}
	if released && by != byRule {
		t.update()
	}
	return released
}

// arrived takes note of an officer's reply in the person's chat.
func (t *turn) arrived(e Say, id MessageID) {
	t.know(id)
	t.s.Covered = t.s.Shown != ""
	i := t.reply(e.Post)
	if i < 0 {
		t.erase(id)
		return
	}
	r := &t.s.Replies[i]
	switch {
	case r.Gone:
		t.erase(id)
		t.s.Replies = slices.Delete(t.s.Replies, i, i+1)
		return
	case t.s.Left || t.s.Shut || t.s.unsure():
		// The person was leaving while it was sent, and may not have read it.
		t.erase(id)
		t.hold(i)
		return
	}
	wish := r.Wish
	r.Message, r.Part, r.Held, r.Wish = id, 0, false, ""
	t.do(Mark{Post: e.Post, Sign: SignSent})
	if wish != "" && id.covers(wish) {
		t.leaf(id, partData+"1")
	}
}

// hold lets a reply wait that was already on its way.
func (t *turn) hold(i int) {
	r := &t.s.Replies[i]
	r.Ask, r.Held = t.s.Left || t.s.unsure(), true
	t.do(Mark{Post: r.Post, Sign: SignHeld})
	t.update()
}

// unsaid answers a reply that will not be sent as it is.
func (t *turn) unsaid(e Say, why Reason) {
	i := t.reply(e.Post)
	switch {
	case i < 0:
		return
	case t.s.Replies[i].Gone:
		t.s.Replies = slices.Delete(t.s.Replies, i, i+1)
		return
	case why == ReasonUnwanted:
		t.hold(i)
		return
	case why == ReasonBlocked:
		t.s.Replies[i].Held = true
	default:
		t.s.Replies = slices.Delete(t.s.Replies, i, i+1)
	}
	t.do(Mark{Post: e.Post, Sign: SignFailed})
	t.tell("card.undelivered." + strings.ReplaceAll(string(why), " ", "_"))
}
