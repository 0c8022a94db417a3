package flows

import "slices"

// A case that has ended has no question: nobody waits for a wrong answer. Where a
// check word was set, whoever comes after so long that it would be asked for is a
// stranger from then on. They can have a new case, and nothing of the old one.

// lapses makes a stranger of whoever gives a sign in a closed case, if it is not
// known any more who that is, and reports whether that is all there is to do.
func (t *turn) lapses(ev Event) bool {
	if t.s.Case == nil || t.s.Case.Phase != Ended || !t.anybody() {
		return false
	}
	seen := t.s.Rest == nil && !t.s.Left // What is of the case, when they press.
	chose, ok := ev.(Chose)
	here, o, press := (*screen)(nil), option{}, ""
	if ok {
		here, o, press = t.pressOf(chose)
	}
	if press == pressLeave {
		return false
	}
	t.lapse()
	if !seen || press != pressHuman && !(o.Danger && o.Kind != "") {
		return false
	}
	t.seen()
	t.know(chose.Message)
	t.calls(here, o, press)
	return true
}

// lapse makes a stranger of the person of a closed case. Who is at the cover stays
// where they are. Replies that were not opened are for nobody any more, and the
// officers see it.
func (t *turn) lapse() {
	t.hide()
	t.abandon(t.s.Replies)
	t.s.Replies = slices.DeleteFunc(t.s.Replies, func(r Reply) bool { return !r.Note })
	switch {
	case t.s.Left:
	case t.s.Rest != nil:
		aside := t.s.Facts
		t.s.Facts, t.s.Aside = Facts{Language: t.s.Language}, &aside
		t.s.Rest, t.s.Left = nil, true
	default:
		t.estrange()
	}
}
