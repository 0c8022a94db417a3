package flows

import (
	"slices"
	"time"
)

// The actions of the card's menu.
const (
	// ActionHostile marks a report as hostile or false; its choices are below.
	ActionHostile ActionName = "hostile"
	// ActionMedia sets whether photos and voice messages are taken; its choices
	// are below.
	ActionMedia ActionName = "media"
	// ActionShow asks for a medium; its choice is the MediaID. It is not in the
	// menu but beneath the medium's line.
	ActionShow ActionName = "show"
)

// The choices of a mark.
const (
	choiceMark = "mark"
	choiceUndo = "undo"
)

// menu returns the actions that officers can choose beside the buttons in a
// state at an instant. What is not in it has no effect when it comes.
func (b *Book) menu(s State, _ time.Time) []Action {
	c := s.Case
	if c == nil || c.Phase != Alerting && c.Phase != Owned {
		return nil
	}
	var menu []Action
	add := func(name ActionName, choice, label, confirm string) {
		a := Action{Name: name, Choice: choice, Label: b.say(b.policy.Officers, label)}
		if confirm != "" {
			a.Confirm = b.say(b.policy.Officers, confirm, "code", c.ID.Code())
		}
		menu = append(menu, a)
	}
	switch {
	case c.Hostile != "":
		add(ActionHostile, choiceUndo, "card.hostile.undo", "")
	case s.facts().Kind == kindFamily:
		add(ActionHostile, choiceMark, "card.hostile.mark", "card.hostile.confirm")
	}
	if choice, label, confirm := b.mediaMenu(s); choice != "" {
		add(ActionMedia, choice, label, confirm)
	}
	return menu
}

// acted does what an officer chose in the card's menu. Whoever chose from a card
// that has changed since only sees the new card.
func (t *turn) acted(ev Acted) {
	if ev.Action == ActionShow {
		t.showMedium(ev)
		return
	}
	t.update()
	menu := t.book.menu(t.s, t.m.At)
	i := slices.IndexFunc(menu, func(a Action) bool { return a.Name == ev.Action && a.Choice == ev.Choice })
	if i < 0 {
		return
	}
	t.record("officer:"+ev.Officer.Name, "acted", menu[i].Label)
	switch ev.Action {
	case ActionHostile:
		t.hostile(ev)
	case ActionMedia:
		t.permit(ev)
	}
}

// kindFamily is the flow of those who look for somebody.
const kindFamily = "family"

// hostile sets or takes back the officers' mark of a hostile or false report. It
// is theirs alone: the person sees, hears and can do the same as before.
func (t *turn) hostile(ev Acted) {
	c := t.s.Case
	c.Hostile, c.HostileAt = "", time.Time{}
	if ev.Choice == choiceMark {
		c.Hostile, c.HostileAt = ev.Officer.Name, t.m.At
	}
}
