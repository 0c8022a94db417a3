package flows

import (
	"slices"
	"strconv"
	"time"
)

// Somebody types a receipt code in another chat. That chat, the asker's, does the
// same and shows the same whatever comes of it: the code is looked up, a harmless
// question is asked, its answer is passed on, one sentence says thank you. What
// the asker's state holds tells nothing of whether the code was right, not even to
// itself. If it was, the case's own conversation is told by the engine, and there
// an officer decides.

// What a screen's Secret takes.
const (
	secretCode   = "code"
	secretAnswer = "answer"
)

// A Return is a code that was typed in this chat and is on its way.
type Return struct {
	// Note tells this one from others.
	Note string `json:"note"`
	// Sum is what the code is looked up by, as soon as it is known. Known says
	// that it is; beyond the number of tries it stays empty.
	Sum   string `json:"sum,omitempty"`
	Known bool   `json:"known,omitempty"`
	// Text is the answer to the question, kept only until the sum is known.
	Text     string `json:"text,omitempty"`
	Answered bool   `json:"answered,omitempty"`
}

// An Ask is somebody who typed the case's code in another chat.
type Ask struct {
	// N counts those who asked, so that an officer accepts the one he read of.
	N int `json:"n"`
	// From is the conversation of the other chat, in the engine's own words.
	// Here says that it is the case's own.
	From string `json:"from"`
	Here bool   `json:"here,omitempty"`
	// At is when.
	At time.Time `json:"at"`
	// Word says how the question was answered, "" until it was compared.
	Word string `json:"word,omitempty"`
}

// secret takes what is typed where nothing that is typed may stay.
func (t *turn) secret(here *screen, ev Said) {
	if here.Secret == secretWord || here.Secret == secretPhrase {
		t.setSecret(here, ev)
		return
	}
	t.erase(ev.Message)
	if here.Secret == secretCheck {
		t.show(false) // Only the keeper can tell whether it is the answer.
		return
	}
	switch here.Secret {
	case secretCode:
		t.s.Return = &Return{Note: t.m.token()}
		t.do(Look{Note: t.s.Return.Note, Code: FoldCode(ev.Text)})
	case secretAnswer:
		t.answerReturn(ev.Text)
	}
	t.advance(here.Next)
	t.show(false)
}

// Outcome is what comes of a Look.
func (l Look) Outcome(sum string) Hashed { return Hashed{For: forCode, Note: l.Note, Sum: sum} }

// answerReturn takes the answer to the question; a skipped one is empty.
func (t *turn) answerReturn(text string) {
	if r := t.s.Return; r != nil {
		r.Text, r.Answered = text, true
		t.seek()
	}
}

// looked takes what a code is looked up by.
func (t *turn) looked(ev Hashed) {
	if r := t.s.Return; r != nil && r.Note == ev.Note {
		r.Sum, r.Known = ev.Sum, true
		t.seek()
	}
}

// seek has the case looked for when code and answer are there.
func (t *turn) seek() {
	if r := t.s.Return; r.Known && r.Answered {
		t.do(Seek{Sum: r.Sum, Text: r.Text})
		t.s.Return = nil
	}
}

// mostAsks is how often a code is typed until it is of no use any more: each time
// the officers are called, and what they could accept before is replaced.
const mostAsks = 5

// sought takes note that somebody typed the case's code. The officers are told
// when the answer was compared.
func (t *turn) sought(ev Sought) {
	c := t.s.Case
	if !t.active() || c.Code == "" || c.Code != ev.Sum || ev.Here && !t.s.Left {
		return
	}
	c.Asks++
	if c.CodeAsks++; c.CodeAsks >= mostAsks {
		c.Code = ""
		t.tell("card.return.dropped")
	}
	c.Ask = &Ask{N: c.Asks, From: ev.From, Here: ev.Here, At: t.m.At}
	t.do(Check{For: forReturn, Note: strconv.Itoa(c.Asks), Sums: c.sums(), Text: ev.Text})
}

// How the question was answered.
const (
	wordNone   = "none"
	wordRight  = "right"
	wordWrong  = "wrong"
	wordDuress = "duress"
)

// compared tells the officers that somebody asks.
func (t *turn) compared(ev Checked) {
	c := t.s.Case
	if !t.active() || c.Ask == nil || strconv.Itoa(c.Ask.N) != ev.Note {
		return
	}
	c.Ask.Word = c.meaning(ev.Match)
	if c.Ask.Word == wordDuress {
		c.Duress = t.m.At
	}
	word := t.officers("card.return." + c.Ask.Word)
	t.do(Tell{Text: t.officers("card.return.asks", "word", word, "made", t.book.officersClock(c.CodeMade))})
	t.record("bot", "asked to continue", word)
	t.page("card.return.page")
	t.update()
}

// ActionReturn answers somebody who asks to continue from another account. Its
// choices begin with accept or refuse and end with the number of the Ask.
const ActionReturn ActionName = "return"

const (
	choiceAccept = "accept"
	choiceRefuse = "refuse"
)

// choice is what an officer chooses about the ask.
func (a *Ask) choice(what string) string { return what + strconv.Itoa(a.N) }

// answered does what an officer chose. Whoever refuses changes nothing that the
// asker or the person could see.
func (t *turn) answered(ev Acted) {
	ask := t.s.Case.Ask
	if t.s.Case.Checking > 0 && !ask.Here && ev.Choice == ask.choice(choiceAccept) {
		t.tell("card.return.waits") // What was said here belongs into the thread first.
		return
	}
	t.s.Case.Ask = nil
	if ev.Choice == ask.choice(choiceRefuse) {
		t.tell("card.return.refused")
		return
	}
	t.s.Case.Code = "" // It was for one time.
	if ask.Here {
		t.tell("card.return.here")
		t.rejoin()
		if r := t.s.Rest; r != nil {
			r.Screen, r.Trail = t.book.policy.Talk, nil // The bubble stays the cover.
		} else if t.s.Screen != "" {
			t.enter(t.book.policy.Talk)
			t.show(true)
		}
		return
	}
	t.hand(ask.From)
}

// hand gives the case to another conversation and cuts this chat off: from now on
// it is a stranger's. All that was on its way to it is not wanted any more, what
// the officers had written and is not there yet goes with the case, and what is
// there is erased: words that were not opened come again.
func (t *turn) hand(into string) {
	t.record("bot", "moved", "")
	t.tell("card.return.accepted")
	old := t.s
	c := *old.Case
	c.Moved = t.m.At
	// What is on its way to the officers arrives before the case does; its
	// outcome is this conversation's.
	c.Unsent, c.Since, c.Paging, c.Calling, c.Stuck, c.Lost = 0, time.Time{}, false, false, false, false
	c.Summons, c.Summoned, c.Paged = 0, time.Time{}, time.Time{}
	c.Doubts = nil // The lines are of this chat's case; the words can be written again.
	if len(c.Media) > 0 {
		c.Media = nil
		t.tell("card.return.media")
	}
	var replies []Reply
	for _, r := range old.Replies {
		if !r.Note && !r.Gone && !r.Read && r.Text != "" {
			replies = append(replies, Reply{Post: r.Post, At: r.At, Text: r.Text, Held: true, Ask: true})
			t.do(Mark{Post: r.Post, Sign: SignHeld})
		}
	}
	t.s = State{Messages: old.Messages, Left: true, Shut: old.Shut, Seen: old.Seen, Kept: old.Kept}
	if old.Shown != "" && !slices.ContainsFunc(old.Messages, func(m Message) bool { return m.ID.covers(old.Shown) }) {
		t.s.Messages = append(t.s.Messages, Message{ID: old.Shown, At: t.m.At})
	}
	t.effects = slices.DeleteFunc(t.effects, func(e Effect) bool {
		_, update := e.(Update)
		return update || e.To() == Caller
	})
	t.do(Hand{Into: into, Case: c, Facts: old.facts().clone(), Replies: replies, Earlier: old.Earlier})
	t.eraseAll()
}

// cede ends this conversation's own case for one that an officer brings here. A
// case whose card is not placed yet cannot be ended: the engine comes again.
func (t *turn) cede(ev Ceded) {
	c := t.s.Case
	if !t.active() || c.Phase == Opening || c.ID == ev.To {
		return
	}
	t.tell("card.return.ceded")
	c.Phase, c.Closed = Ended, t.m.At
	c.Calling, c.Lost = false, false
	t.settleCase()
	t.record("bot", "closed", "")
	card := t.book.Card(t.s, t.m.At)
	t.do(Update{Last: &card})
}

// joined takes over a case from another conversation. What was said here since is
// added to it; what the person of this chat chose about languages and being
// written to counts.
func (t *turn) joined(ev Joined) {
	since := t.s.facts()
	if t.s.Mask != nil {
		since = t.s.Mask.Facts // What lies behind the mask is another case's.
	}
	t.s.Mask, t.s.Before = nil, ""
	away := t.s.Left || t.s.Shut || t.s.Screen == ""
	t.s.Earlier = ev.Earlier
	if t.s.Case != nil {
		t.s.Earlier = t.s.Case.ID.Code()
	}
	c := ev.Case
	c.Guarded, c.GuardedAt, c.Known, c.Checking = "", time.Time{}, t.m.At, 0
	t.s.Case, t.s.Replies = &c, slices.Clone(ev.Replies)
	t.s.Facts, t.s.Aside, t.s.Return = ev.Facts.clone(), nil, nil
	// When it is safe to write to the old chat says nothing of this one.
	t.s.Answers = slices.DeleteFunc(t.s.Answers, func(a Answer) bool { return a.Fact == factContact })
	t.add(since)
	switch here := t.book.screens[t.s.Screen]; {
	case away:
		aside := t.s.Facts
		t.s.Facts, t.s.Aside = Facts{Language: aside.Language}, &aside
		t.s.Left = true
	case t.s.Rest != nil:
		t.s.Rest.Screen, t.s.Rest.Trail = t.book.policy.Talk, nil
	case here != nil && t.book.onCover(here.name):
		// The cover stays what it is until the person goes on from it.
		t.s.Rest = &Rest{Screen: t.book.policy.Talk, Since: t.s.Seen}
	case here == nil || here.Secret != "" || here.flow == flowReturn || t.book.outside(here):
		t.enter(t.book.policy.Talk)
		t.show(true)
	}
	t.tell("card.return.moved")
	if since.Danger && !ev.Facts.Danger {
		t.call()
	}
	t.update()
}

// flowReturn is the flow of those who come back.
const flowReturn = "return"

// sums are what an answer is compared with.
func (c *Case) sums() []string {
	var sums []string
	for _, w := range []Word{c.Word, c.Phrase} {
		if w.Sum != "" {
			sums = append(sums, w.Sum)
		}
	}
	return sums
}

// meaning says what it means that an answer matches one of the sums, or none.
func (c *Case) meaning(match int) string {
	switch {
	case match >= 0 && (match == 1 || c.Word.Sum == ""):
		return wordDuress
	case c.Word.Sum == "":
		return wordNone
	case match == 0:
		return wordRight
	}
	return wordWrong
}
