package flows

import "slices"

// renew asks the person, who has just given a sign, for the agreement to a notice
// that is newer than the one they agreed to. It never sends anything by itself,
// asks once in a conversation, and holds up nothing: what was said is passed on,
// and whoever is in the questions about a danger is not disturbed.
func (t *turn) renew() {
	b, here := t.book, t.book.screens[t.s.Screen]
	if b.text[t.s.Language].short {
		return // There is no notice that could be agreed to in it.
	}
	if t.s.Notice == "" || t.s.Notice == b.policy.Notice || t.s.Asked == b.policy.Notice {
		return
	}
	if t.s.Rest != nil || here == nil || b.front(t.s.Screen) || here.flow == kindEmergency || here.name == b.policy.Gone || t.s.Note == notePrivacy {
		return
	}
	t.s.Asked = b.policy.Notice
	if !here.Menu {
		t.s.Trail = append(t.s.Trail, here.name)
	}
	t.enter(b.policy.Renew)
	t.show(false)
}

// kindEmergency is the flow of those who press "danger".
const kindEmergency = "emergency"

// agreed notes the agreement to the present notice.
func (t *turn) agreed() {
	t.s.Notice, t.s.NoticeAt = t.book.policy.Notice, t.m.At
	if t.with() {
		t.update()
		t.record("person", "answers", t.officers("card.notice")+": "+t.officers("card.notice.yes", "version", t.s.Notice))
	}
}

// consent is the screen that shows the notice at first.
func (b *Book) consent() string {
	for _, name := range b.order {
		if name != b.policy.Renew && slices.ContainsFunc(b.screens[name].Options, func(o option) bool { return o.Consent }) {
			return name
		}
	}
	return ""
}

// fromPerson reports whether an event is a sign of the person.
func fromPerson(ev Event) bool {
	switch ev.(type) {
	case Started, Asked, Said, Chose, Attached, Edited, Garbled:
		return true
	}
	return false
}
