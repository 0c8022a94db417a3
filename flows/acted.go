package flows

import (
	"slices"
	"time"
)

// The actions of the card's menu.
const (
	// ActionHostile marks a report as hostile or false; its choices are below.
	ActionHostile ActionName = "hostile"
	// ActionAsk asks a person whether somebody who asks about them may be told
	// something; its choices are below.
	ActionAsk ActionName = "ask"
	// ActionRelease proposes, confirms or takes back a fixed sentence to somebody
	// who looks for a person: see release.go for its choices.
	ActionRelease ActionName = "release"
	// ActionMedia sets whether photos and voice messages are taken; its choices
	// are below.
	ActionMedia ActionName = "media"
	// ActionShow asks for a medium; its choice is the MediaID. It is not in the
	// menu but beneath the medium's line.
	ActionShow ActionName = "show"
	// ActionAskWord has the check question asked at the person's next sign,
	// ActionTrust ends the cover of somebody who was verified another way.
	ActionAskWord ActionName = "ask word"
	ActionTrust   ActionName = "trust"
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
	add := func(name ActionName, choice, label, confirm string, pairs ...string) {
		pairs = append(pairs, "code", c.ID.Code())
		a := Action{Name: name, Choice: choice, Label: b.say(b.policy.Officers, label, pairs...)}
		if confirm != "" {
			a.Confirm = b.say(b.policy.Officers, confirm, pairs...)
		}
		menu = append(menu, a)
	}
	kind := s.facts().Kind
	// First what waits for an answer, then what is done each day, then what is
	// recorded, and last what is rare: a telephone shows few entries at once.
	if ask := c.Ask; ask != nil && ask.Word != "" {
		add(ActionReturn, ask.choice(choiceAccept), "card.return.accept", "card.return.accept.confirm", "made", b.officersClock(c.CodeMade))
		add(ActionReturn, ask.choice(choiceRefuse), "card.return.refuse", "card.return.refuse.confirm")
	}
	if c.Guarded != "" {
		add(ActionTrust, "", "card.guard.end", "card.guard.end.confirm")
	}
	if c.Release.Sentence != "" {
		b.releaseMenu(*c, kind, add)
	}
	if c.Approval.What != "" {
		b.approveMenu(s, add)
	}
	if len(b.canned) > 0 {
		add(ActionCanned, "", "card.canned.menu", "")
	}
	if c.Guarded == "" && c.Word.Sum != "" && !c.AskNext && s.Before == "" {
		add(ActionAskWord, "", "card.word.ask", "")
	}
	b.ownerMenu(*c, add)
	b.workMenu(s, func(a Action) { menu = append(menu, a) })
	b.askMenu(*c, kind, add)
	if c.Release.Sentence == "" {
		b.releaseMenu(*c, kind, add)
	}
	if choice, label, confirm := b.mediaMenu(s); choice != "" {
		add(ActionMedia, choice, label, confirm)
	}
	switch {
	case c.Hostile != "":
		add(ActionHostile, choiceUndo, "card.hostile.undo", "")
	case kind == kindFamily || kind == kindMessage:
		add(ActionHostile, choiceMark, "card.hostile.mark", "card.hostile.confirm")
	}
	if c.Approval.What == "" {
		b.approveMenu(s, add)
	}
	for i, a := range menu {
		menu[i].Form = a.Form || a.formed()
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
	if ev.Action == ActionSend {
		t.sendStray(ev)
		return
	}
	if ev.Action == ActionSure || ev.Action == ActionUnsay {
		t.decideDoubt(ev)
		return
	}
	t.update()
	menu := t.book.menu(t.s, t.m.At)
	if t.active() {
		menu = append(menu, t.book.buttons(t.s)...)
	}
	i := slices.IndexFunc(menu, func(a Action) bool { return a.Name == ev.Action && a.Choice == ev.Choice })
	if i < 0 {
		return
	}
	if !t.allowed(ev) {
		return
	}
	if menu[i].Form {
		filled, ok := t.filled(ev)
		if !ok {
			return
		}
		ev = filled
	}
	t.attended()
	t.record("officer:"+ev.Officer.Name, "acted", menu[i].Label)
	what, with := t.deed(ev)
	t.audit(what, ev.Officer, with...)
	switch ev.Action {
	case ActionHostile:
		t.hostile(ev)
	case ActionAsk:
		t.askFound(ev)
	case ActionRelease:
		t.releases(ev)
	case ActionMedia:
		t.permit(ev)
	case ActionReturn:
		t.answered(ev)
	case ActionAskWord:
		t.s.Case.AskNext = true
		t.do(Tell{Text: t.officers("card.word.ask.told", "officer", "@"+ev.Officer.Name)})
	case ActionTrust:
		t.trust()
	case ActionCanned:
		t.sayCanned(ev)
	case ActionApprove:
		t.approves(ev)
	case ActionTransfer:
		t.offerTo(ev.Officer, ev.Named, ev.Values[noteField])
	case ActionWork:
		t.worked(ev)
	default:
		t.owns(ev)
	}
}

// The kinds of conversations that look for somebody, or may: the flow for it, and
// those who only wrote.
const (
	kindFamily  = "family"
	kindMessage = "message"
)

// hostile sets or takes back the officers' mark of a hostile or false report. It
// is theirs alone: the person sees, hears and can do the same as before.
func (t *turn) hostile(ev Acted) {
	c := t.s.Case
	c.Hostile, c.HostileAt = "", time.Time{}
	if ev.Choice == choiceMark {
		c.Hostile, c.HostileAt = ev.Officer.Name, t.m.At
		c.Release = Release{}
	}
}
