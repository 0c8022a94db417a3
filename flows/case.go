package flows

import (
	"slices"
	"strings"
	"time"
)

// human sees to it that the officers have the person's case.
func (t *turn) human() {
	if t.s.Kind == "" {
		t.s.Kind = "message"
	}
	t.open()
}

// open makes a case of what the person said so far and asks for its card. If
// the officers have one already, the person is back in it.
func (t *turn) open() {
	if t.active() {
		if t.s.Left {
			t.rejoin()
			t.call()
		}
		t.update()
		return
	}
	if t.s.Case != nil {
		t.s.Earlier = t.s.Case.ID.Code()
	}
	t.s.Left, t.s.LeftAt, t.s.Aside = false, time.Time{}, nil
	t.s.Replies = waiting(t.s.Replies)
	t.s.Case = &Case{ID: t.m.caseID(), Phase: Opening, Opened: t.m.At}
	t.do(Open{})
	t.record("bot", "opened", t.officers("card.kind."+t.s.Kind))
	if len(t.s.Answers) > 0 {
		var answers []string
		for _, a := range t.s.Answers {
			answers = append(answers, t.book.plain(a))
		}
		t.record("person", "answers", strings.Join(answers, "\n"))
	}
	for _, a := range t.s.Answers {
		t.relayAnswer(a)
	}
	t.show(false)
}

// call calls the officers again in a case that they have: the person has come
// back, or it has become urgent. Until somebody acknowledges it, it waits like a
// new one.
func (t *turn) call() {
	c := t.s.Case
	if c.Phase != Owned {
		return // The card itself, or the calls under way, call them.
	}
	c.Phase, c.Placed, c.Pages, c.Late, c.Calling = Alerting, t.m.At, 1, false, true
	if c.Since.IsZero() {
		c.Since = t.m.At
	}
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
	if c.Phase == Alerting || c.Phase == Opening {
		c.Phase, c.Officer, c.Acknowledged, c.Calling = Owned, o, t.m.At, false
		t.record("officer:"+o.Name, "claimed", "")
		t.show(true)
	}
	t.update()
}

// mostHeld is how many replies may wait for the person. More would flood the
// chat when they are let go, and no state may grow without end.
const mostHeld = 50

func (t *turn) replied(ev Replied) {
	if !t.active() {
		t.refuse(ev.Post, "card.reply_closed")
		return
	}
	if t.s.Case.Phase != Owned {
		// Whoever answers has read: no second tap at 3 a.m.
		t.claimed(ev.Officer)
	}
	t.s.Case.Owed, t.s.Case.Nudged = time.Time{}, false
	t.record("officer:"+ev.Officer.Name, "replied", ev.Text)
	if ev.Files > 0 {
		t.tell("card.files")
	}
	if strings.TrimSpace(ev.Text) == "" {
		t.do(Mark{Post: ev.Post, Sign: SignFailed})
		return
	}
	if len(waiting(slices.Clone(t.s.Replies))) >= mostHeld {
		t.refuse(ev.Post, "card.too_many")
		return
	}
	t.keep(Reply{Post: ev.Post, At: t.m.At, Text: ev.Text, Held: true, Ask: t.s.Left})
	if t.s.Shut {
		t.tell("card.reply_blocked")
	}
	t.release(byRule)
	if t.s.Replies[len(t.s.Replies)-1].Held {
		t.do(Mark{Post: ev.Post, Sign: SignHeld})
		t.update()
	}
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
	i := t.reply(ev.Post)
	if i < 0 {
		// It is older than what can still be changed, or was refused.
		t.refuse(ev.Post, "card.edit_late")
		return
	}
	r := &t.s.Replies[i]
	switch {
	case ev.Note && r.Note:
		t.record("officer:"+ev.Officer.Name, "note", ev.Text)
	case ev.Note:
		t.takeBack(i, "officer:"+ev.Officer.Name)
		t.record("officer:"+ev.Officer.Name, "note", ev.Text)
		t.do(Mark{Post: ev.Post, Sign: SignNote})
	case strings.TrimSpace(ev.Text) == "":
		t.takeBack(i, "officer:"+ev.Officer.Name)
	case r.Note:
		t.s.Replies = slices.Delete(t.s.Replies, i, i+1)
		t.replied(Replied{Post: ev.Post, Officer: ev.Officer, Text: ev.Text})
	case r.Gone:
	case r.Message != "":
		t.record("officer:"+ev.Officer.Name, "revised", ev.Text)
		t.do(Amend{Message: r.Message, Text: ev.Text, Erase: t.say("ui.erase"), Data: eraseData})
	default:
		// It waits or is on its way; what arrives is compared with this.
		t.record("officer:"+ev.Officer.Name, "revised", ev.Text)
		r.Text = ev.Text
	}
}

func (t *turn) withdrawn(ev Withdrawn) {
	if i := t.reply(ev.Post); i >= 0 && t.s.Case != nil {
		t.takeBack(i, "officer:"+t.s.Case.Officer.Name)
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

func (t *turn) closed(o Officer) {
	c := t.s.Case
	if c == nil || c.Phase == Ended || c.Phase == Opening {
		t.update()
		return
	}
	c.Phase, c.Closed = Ended, t.m.At
	if c.Officer.ID == "" {
		c.Officer = o
	}
	c.Calling, c.Lost = false, false
	t.s.Note = ""
	t.record("officer:"+o.Name, "closed", "")
	card := t.book.Card(t.s, t.m.At)
	t.do(Update{Last: &card})
	if t.s.Screen != "" {
		// Questions have nobody left who waits for the answers.
		t.enter(t.book.policy.Talk)
	}
	t.show(true)
}

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
		return at.Before(b.policy.Live.after(s.Seen))
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

// Wanted reports whether an effect to the person is still wanted in a state: it
// may have waited while the person left. What is not wanted is not performed
// and becomes Undelivered for ReasonUnwanted.
func (b *Book) Wanted(s State, e Effect) bool {
	switch e := e.(type) {
	case Say:
		i := slices.IndexFunc(s.Replies, func(r Reply) bool { return r.Post == e.Post })
		return i >= 0 && !s.Replies[i].Gone && !s.Left && !s.Shut
	case Amend:
		return !s.Left && !s.Shut
	}
	return true
}

// factContact is the fact that holds the person's contact rule. Its options are
// first, any, day and night, and for families here, first and call (an officer
// arranges it here).
const factContact = "contact"

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

// What lets held replies go.
const (
	byRule  = iota // the person's rule allows it now
	bySign         // the person has just written
	byPress        // the person asks to see replies
)

// release lets held replies go. It reports whether there were any.
func (t *turn) release(by int) bool {
	if t.s.Left || t.s.Shut || (by == byRule && !t.book.letOut(t.s, t.m.At)) {
		return false
	}
	released := false
	for i, r := range t.s.Replies {
		if !r.Held || (r.Ask && by != byPress) {
			continue
		}
		t.s.Replies[i].Held, t.s.Replies[i].Ask = false, false
		t.do(Say{Post: r.Post, Text: r.Text, Erase: t.say("ui.erase"), Data: eraseData})
		released = true
	}
	if released && by != byRule {
		t.update()
	}
	return released
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
	case Open:
		if c == nil || c.Phase != Opening {
			return
		}
		c.Phase, c.Placed, c.Thread, c.Pages, c.Stuck = Alerting, t.m.At, ev.Post, 1, false
		t.show(true)
	case Relay:
		if c == nil || c.Unsent == 0 {
			return
		}
		c.Lost = false
		t.sent()
	case Page:
		if c == nil {
			return
		}
		c.Paging = false
		if c.Calling {
			if c.Calling = false; c.Unsent == 0 {
				c.Stuck, c.Since = false, time.Time{}
			}
			t.show(true)
		}
	}
}

// sent counts one of the person's messages as no longer on its way.
func (t *turn) sent() {
	c := t.s.Case
	if c.Unsent--; c.Unsent == 0 {
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

// arrived takes note of an officer's reply in the person's chat.
func (t *turn) arrived(e Say, id MessageID) {
	t.s.Messages = append(t.s.Messages, Message{ID: id, At: t.m.At})
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
	case t.s.Left || t.s.Shut:
		// The person was leaving while it was sent, and may not have read it.
		t.erase(id)
		t.hold(i, e)
		return
	case r.Text != e.Text:
		t.do(Amend{Message: id, Text: r.Text, Erase: e.Erase, Data: e.Data})
	}
	r.Text, r.Message, r.Held = "", id, false
	t.do(Mark{Post: e.Post, Sign: SignSent})
}

// hold lets a reply wait that was already on its way.
func (t *turn) hold(i int, e Say) {
	r := &t.s.Replies[i]
	r.Ask = t.s.Left
	if r.Held = true; r.Text == "" {
		r.Text = e.Text
	}
	t.do(Mark{Post: e.Post, Sign: SignHeld})
	t.update()
}

// erased forgets messages that are gone, and tells the person of those that
// Telegram keeps.
func (t *turn) erased(e Erase, kept []MessageID) {
	t.s.Messages = slices.DeleteFunc(t.s.Messages, func(m Message) bool { return slices.Contains(e.Messages, m.ID) })
	t.s.Replies = slices.DeleteFunc(t.s.Replies, func(r Reply) bool {
		return r.Message != "" && slices.Contains(e.Messages, r.Message)
	})
	if slices.Contains(e.Messages, t.s.Shown) {
		t.s.Shown, t.s.Covered = "", false
	}
	if len(kept) > 0 && t.s.Left && !t.s.Shut && t.m.At.Sub(t.s.LeftAt) < truthWindow {
		t.enter(t.book.policy.Gone)
		t.s.Seen = t.m.At
		t.show(false)
	}
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
			return slices.Contains(e.Messages, m.ID) && t.m.At.Sub(m.At) > oldest
		})
		for i, m := range t.s.Messages {
			if slices.Contains(e.Messages, m.ID) {
				t.s.Messages[i].Going = false
			}
		}
	case Relay:
		switch {
		case c == nil || c.Unsent == 0:
		case ev.Reason == ReasonGone && t.active():
			t.reopen()
			t.do(e)
		default:
			c.Lost = true
			t.sent()
			t.show(true)
		}
	case Tell:
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
	t.do(Open{})
	t.tell("card.replaced")
	t.show(true)
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
		t.hold(i, e)
		return
	case why == ReasonBlocked:
		t.s.Replies[i].Held, t.s.Replies[i].Text = true, e.Text
	default:
		t.s.Replies = slices.Delete(t.s.Replies, i, i+1)
	}
	t.do(Mark{Post: e.Post, Sign: SignFailed})
	t.tell("card.undelivered." + strings.ReplaceAll(string(why), " ", "_"))
}
