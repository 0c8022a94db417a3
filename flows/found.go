package flows

import (
	"slices"
	"strings"
	"time"
)

// A person whom somebody looks for decides what is said to them: nothing, unless
// the person says otherwise. The officer asks in the case of the person who was
// found; nothing here knows who asks, and no two cases are linked.

// factTell is the fact that holds what may be said to somebody who asks about
// the person: nothing, alive, call or message.
const factTell = "tell"

// An adder adds a line to the card's menu; label and confirm are text keys.
type adder func(name ActionName, choice, label, confirm string, pairs ...string)

// askMenu offers to ask the person, or to take the question back.
func (b *Book) askMenu(c Case, kind string, add adder) {
	switch {
	case !c.Asking.IsZero():
		add(ActionAsk, choiceUndo, "card.found.undo", "")
	case kind != kindFamily:
		add(ActionAsk, choiceMark, "card.found.ask", "card.found.confirm")
	}
}

// asking reports whether the person is offered an officer's question: not before
// it may be said that there is one.
func (s State) asking() bool {
	if s.Case == nil || s.Left || s.Case.Phase == Ended || s.Case.Asking.IsZero() {
		return false
	}
	return !slices.ContainsFunc(s.Replies, func(r Reply) bool { return r.Held && strings.HasPrefix(string(r.Post), ownAsk) })
}

// askFound asks the person, or takes the question back. That there is a question
// arrives as a reply does: never before a person comes who writes first.
func (t *turn) askFound(ev Acted) {
	t.unwrite(ownAsk) // What waits of an earlier question.
	if ev.Choice == choiceUndo {
		t.s.Case.Asking = time.Time{}
	} else {
		t.s.Case.Asking = t.m.At
		t.write(ownAsk, t.say("ui.found"))
	}
	t.show(true)
}

// decided tells the officers what the person lets them say, and closes the
// question.
func (t *turn) decided(a Answer) {
	if a.Fact != factTell {
		return
	}
	t.s.Case.Asking = time.Time{}
	t.unwrite(ownAsk)
	t.do(Tell{Text: t.officers("card.found.answered", "answer", t.book.answerLine(a))})
}
