package flows

import (
	"slices"
	"strings"
	"time"
)

// Who does not answer the check question right, or says the duress phrase, sees
// what a stranger sees, and can do what a stranger can. That must not be a play
// with a script of its own, in which something would be missing: behind the mask
// is a stranger's conversation, a State of its own, stepped by the same Step.
// What it shows the person is shown. What it wants of the officers goes into the
// thread of the real case, labelled as not verified.

// Why a case is guarded.
const (
	guardWrong   = "wrong"   // the question was answered wrong
	guardSkipped = "skipped" // a person or help was asked for in place of an answer
	guardDuress  = "duress"  // the duress phrase was said
)

// mostMasks is how many masks there can be one behind the other: a stranger can
// choose words of their own, and so can the stranger behind those.
const mostMasks = 3

// guard puts the mask on and warns the officers.
func (t *turn) guard(why string) {
	if t.depth >= mostMasks {
		// A stranger who plays with words of their own begins anew at last.
		t.s = State{Facts: Facts{Language: t.s.Language}, Messages: t.s.Messages, Shown: t.s.Shown, Covered: t.s.Covered, Seen: t.s.Seen}
		t.enter(t.book.policy.First)
		t.show(false)
		return
	}
	if t.s.Before != "" {
		t.s.Screen, t.s.Before = t.s.Before, ""
	}
	if t.s.Rest != nil {
		t.s.Screen, t.s.Trail, t.s.Rest = t.s.Rest.Screen, t.s.Rest.Trail, nil
		if t.s.Screen == t.book.policy.Ask {
			t.s.Screen = t.book.policy.Talk
		}
	}
	t.s.Note = ""
	t.hide()
	t.s.Mask = &State{Facts: Facts{Language: t.s.Language}, Hush: why == guardDuress}
	t.behindMask(func(in *turn) {
		in.enter(in.book.policy.First)
		in.show(false)
	})
	t.warn(why)
}

// warn tells the officers that it may be somebody else who writes, and calls them.
func (t *turn) warn(why string) {
	c := t.s.Case
	if c.Guarded != guardDuress {
		c.Guarded = why
	}
	c.GuardedAt = t.m.At
	t.record("person", "guarded", why)
	t.tell("card.guard.told_" + why)
	t.alarm()
}

// hide takes the officers' replies from the chat. Those whose words are still
// kept wait until the person asks for them.
func (t *turn) hide() {
	var ids []MessageID
	for i := range t.s.Replies {
		r := &t.s.Replies[i]
		if r.Message == "" || r.Note {
			continue
		}
		ids = append(ids, r.Message)
		if r.Text != "" && !r.Read {
			r.Message, r.Part, r.Held, r.Ask = "", 0, true, true
		}
	}
	t.s.Replies = slices.DeleteFunc(t.s.Replies, func(r Reply) bool { return r.Message != "" && !r.Note })
	if len(ids) > 0 {
		t.erase(ids...)
	}
}

// alarm calls the officers until somebody acknowledges that it may be somebody
// else who writes.
func (t *turn) alarm() {
	c := t.s.Case
	if c.Phase == Owned {
		c.waitsAgain(t.m.At)
	}
	t.page("card.guard.page")
	t.update()
}

// behind presses for the stranger what somebody pressed in place of an answer.
func (t *turn) behind(here *screen, o option, press string) {
	if t.depth >= mostMasks {
		t.calls(here, o, press)
		return
	}
	t.behindMask(func(in *turn) { in.calls(here, o, press) })
}

// calls does what a press does that asks for a person or for help, wherever it
// was made.
func (t *turn) calls(here *screen, o option, press string) {
	if press == pressHuman {
		t.human()
		t.advance(t.book.policy.Talk)
		t.show(false)
		return
	}
	t.settle(here, []string{o.ID})
}

// assume goes on as the stranger that somebody was since the chat was deleted,
// who now wants the officers and has not said the word.
func (t *turn) assume() {
	c := t.s.Case
	if c.Guarded == "" {
		c.Guarded, c.GuardedAt = guardSkipped, t.m.At
	}
	t.disguise()
	t.record("person", "guarded", guardSkipped)
	t.tell("card.guard.told_" + guardSkipped)
	t.behindMask(func(in *turn) { in.open() })
	t.alarm()
}

// disguise makes a mask of the stranger that is seen already. Nothing of what is
// seen changes by it.
func (t *turn) disguise() {
	if t.s.Mask != nil || !t.active() {
		return
	}
	t.s.Mask = &State{
		Facts: t.s.Facts.clone(), Screen: t.s.Screen, Page: t.s.Page, Trail: t.s.Trail, Token: t.s.Token,
		Picks: t.s.Picks, Rest: t.s.Rest, Left: t.s.Left, LeftAt: t.s.LeftAt,
	}
	t.s.Rest, t.s.Before = nil, ""
}

// estrange takes the mask off without the word: who is there now sees what a
// stranger would who opens the chat, until they write.
func (t *turn) estrange() {
	if t.s.Aside == nil {
		facts := t.s.Facts
		t.s.Aside = &facts
	}
	language := t.s.Language
	if t.s.Mask != nil {
		language = t.s.Mask.Language
	}
	t.s.Facts = Facts{Language: language}
	t.s.Mask, t.s.Before, t.s.Rest, t.s.Left = nil, "", nil, true
	t.s.Trail, t.s.Note = nil, ""
	t.enter(t.book.policy.First)
	t.show(true)
}

// wear gives a mask what it shares with the conversation beneath: the chat.
func (s State) wear() State {
	mask := s.Mask.clone()
	mask.Messages, mask.Shown, mask.Covered, mask.Seen, mask.Shut = s.Messages, s.Shown, s.Covered, s.Seen, s.Shut
	return mask
}

// maskStep lets an event happen to the stranger.
func (t *turn) maskStep(ev Event) { t.behindMask(func(in *turn) { in.step(ev) }) }

// behindMask does something as the stranger, and what comes of it.
func (t *turn) behindMask(do func(in *turn)) {
	before := t.s.clone().wear()
	in := &turn{book: t.book, s: before.clone(), m: t.m, before: t.before, depth: t.depth + 1}
	do(in)
	begun := before
	begun.Seen = t.before // The sign was taken note of before it was the stranger's.
	in.finish(begun)
	s := in.s
	if !s.LeftAt.IsZero() && !s.LeftAt.Equal(before.LeftAt) {
		t.s.Messages, t.s.Seen = s.Messages, s.Seen // The command is one of them.
		t.leave()
		t.s.Later = s.Later
		t.keepMask(s)
		return
	}
	t.s.Messages, t.s.Shown, t.s.Covered, t.s.Seen = s.Messages, s.Shown, s.Covered, s.Seen
	if t.s.Shut && !s.Shut {
		t.s.Shut = false
		t.update()
	}
	t.keepMask(s)
	t.raise(before.Facts, s.Facts)
	for _, e := range in.effects {
		t.unmask(e)
	}
}

// keepMask keeps the stranger's conversation, if there is still somebody to deceive:
// a case that ended meanwhile has no mask.
func (t *turn) keepMask(s State) {
	if t.s.Case == nil {
		return
	}
	s.Messages, s.Shown, s.Covered, s.Shut = nil, "", false, false
	t.s.Mask = &s
}

// raise takes over what asks for speed. It is never taken back: see rejoin.
func (t *turn) raise(before, after Facts) {
	f := &t.s.Facts
	if t.s.Aside != nil {
		f = t.s.Aside
	}
	f.Pressing = f.Pressing || after.Pressing
	if after.Danger && !before.Danger {
		f.Danger = true
		t.tell("card.guard.danger")
		t.alarm()
	}
	if after.Minor && !before.Minor {
		f.Minor = true
		t.tell("card.guard.minor")
		t.alarm()
	}
}

// unmask does what the stranger's conversation wants done.
func (t *turn) unmask(e Effect) {
	switch e := e.(type) {
	case Show:
		t.refresh(e.Quiet)
	case Erase:
		t.do(e)
	case Open:
		t.do(t.asks())
		t.alarm()
	case Page:
		t.alarm()
	case Relay:
		t.relay(t.unverified(e.Label), e.Text)
	case Tell:
		if e != t.asks() { // Whoever asks from behind a second mask waits for it as well.
			e.Text = t.unverified(e.Text)
		}
		t.do(e)
	case Record:
		t.record("unverified", e.Kind, e.Text)
		if e.Kind == "answers" {
			t.relay(t.unverified(""), e.Text)
		}
	case Hash:
		e.For = ofMask + e.For
		t.do(e)
	case Check:
		e.For = ofMask + e.For
		t.do(e)
	case Look, Seek:
		t.do(e)
	}
}

// ofMask begins what an effect to the keeper is for that the stranger asked for.
const ofMask = "mask "

// asks tells the officers that the stranger wants them. Its delivery is for the
// stranger what the card's would be.
func (t *turn) asks() Tell { return Tell{Text: t.officers("card.guard.asks")} }

// masks lets an event happen to the stranger if it is the stranger's, and reports
// whether nothing else is to happen.
func (t *turn) masks(ev Event) bool {
	switch ev := ev.(type) {
	case Hashed:
		if what, ok := strings.CutPrefix(ev.For, ofMask); ok {
			if ev.For = what; t.s.Mask != nil {
				t.maskStep(ev)
			}
			return true
		}
		if ev.For == forCode && t.s.Mask != nil {
			t.maskStep(ev)
			return true
		}
	case Checked:
		if what, ok := strings.CutPrefix(ev.For, ofMask); ok {
			ev.For = what
			switch {
			case t.s.Mask != nil:
				t.maskStep(ev)
			case t.active() && what != forSecret:
				t.relay(t.unverified(""), ev.Text) // The mask is off by now.
				t.record("unverified", kindSaid, ev.Text)
			}
			return true
		}
	}
	if t.s.Mask == nil {
		return false
	}
	switch ev := ev.(type) {
	case Started, Asked, Chose, Garbled:
		t.maskStep(ev)
		return true
	case Attached:
		if t.s.Mask.Case == nil {
			t.do(Tell{Text: t.unverified(t.attachment(ev))})
			t.record("unverified", "attached", string(ev.Media))
		}
		if t.arrive(ev.Message); !t.hearWith(kindSaid, ev.Media, Said{Message: ev.Message, Text: ev.Caption}) {
			t.maskStep(ev)
		}
		return true
	case Delivered:
		return t.maskDelivered(ev)
	case Undelivered:
		switch ev.Effect.(type) {
		case Show, Erase:
			if ev.Reason != ReasonBlocked {
				t.maskStep(ev)
				return true
			}
		}
	}
	return false
}

// maskDelivered tells the stranger what was done, and reports whether it was
// done for the stranger only.
func (t *turn) maskDelivered(ev Delivered) bool {
	switch e := ev.Effect.(type) {
	case Show, Erase:
		t.maskStep(ev)
		return true
	case Tell:
		if e == t.asks() {
			t.maskStep(Delivered{Effect: Open{}, Post: t.s.Thread(), Unattended: ev.Unattended, Duty: ev.Duty})
		}
	case Open:
		if in := t.s.Mask.Case; in != nil && in.Phase == Opening {
			t.maskStep(ev)
		}
	case Page:
		if in := t.s.Mask.Case; in != nil && in.Paging {
			t.maskStep(ev)
		}
	}
	return false
}

// follow keeps the stranger's case to what the real one has come to: what the
// person is told must be true behind a mask as well.
func (t *turn) follow(ev Event) {
	if t.s.Mask == nil || t.s.Case == nil {
		return
	}
	switch ev := ev.(type) {
	case Delivered, Undelivered:
		for in := t.s.Mask.Case; in != nil && in.Unsent > t.s.Case.underWay(); in = t.s.Mask.Case {
			t.maskStep(Delivered{Effect: Relay{}})
		}
		if in := t.s.Mask.Case; in != nil && t.s.Case.Lost && !in.Lost {
			in.Lost = true
			t.refresh(true)
		}
	case TimedOut:
		if due := t.s.Mask.Due; !due.IsZero() && !t.m.At.Before(due) {
			t.maskStep(ev)
		}
	}
}

// replaced lets the stranger wait for the new card as the person would.
func (t *turn) replaced() {
	if t.s.Mask != nil && t.s.Mask.Case != nil && t.s.Mask.Case.Phase != Ended {
		c := t.s.Mask.Case
		c.Phase, c.Thread, c.Calling, c.Opened = Opening, "", false, t.m.At
	}
}

// expose is what is left of a mask when the chat is deleted: a stranger opens it.
func (s State) expose(at time.Time) *State {
	if s.Mask == nil || s.Case == nil || s.Case.Phase == Ended {
		return nil
	}
	return &State{Left: true, LeftAt: at}
}

// trust ends the cover on an officer's word. Who has the telephone at this moment
// need not be the person, so nothing appears by itself.
func (t *turn) trust() {
	c := t.s.Case
	c.Guarded, c.GuardedAt = "", time.Time{}
	c.Word = Word{Removed: t.m.At}
	c.Wrongs, c.AskNext = 0, false
	t.tell("card.guard.ended")
	if t.s.unsure() {
		t.estrange()
	}
}
