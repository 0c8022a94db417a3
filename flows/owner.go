package flows

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// A case that somebody has acknowledged has one owner: the officer whose replies
// are passed on. Everything here either changes who that is, in one step, or leaves
// it: a case is never with two, and never with nobody without being called out.

// The actions about who owns a case.
const (
	// ActionSeen acknowledges a case that another officer owns, where more than one
	// must.
	ActionSeen ActionName = "seen"
	// ActionTransfer offers the case to the officer that is named in its form;
	// ActionAccept and ActionDecline answer it, ActionRetract takes it back. The
	// choice of those three is the Transfer's Key.
	ActionTransfer ActionName = "transfer"
	ActionAccept   ActionName = "transfer accept"
	ActionDecline  ActionName = "transfer decline"
	ActionRetract  ActionName = "transfer retract"
	// ActionReturnQueue gives a case back, so that all are called again.
	ActionReturnQueue ActionName = "give back"
	// ActionTake takes a case from its owner; its choice is the ID of the owner from
	// whom, so that a press that is late takes it from nobody else.
	ActionTake ActionName = "take"
	// ActionLook says that a lead or a supervisor looks into a case of somebody else.
	ActionLook ActionName = "look in"
)

// A Transfer is a case offered to a colleague; the zero Transfer is none.
type Transfer struct {
	To Officer   `json:"to"`
	By Officer   `json:"by"`
	At time.Time `json:"at"`
	// Key is drawn for each, so that the answer to one is never that to another.
	Key string `json:"key"`
}

// open reports whether there is one.
func (x Transfer) open() bool { return x.Key != "" }

// leads reports whether an officer may decide about the cases of others.
func (o Officer) leads() bool { return o.Role == RoleLead || o.Role == RoleSupervisor }

// decides reports whether an officer may decide about the case: its owner, and who
// leads. Anybody else is told who may.
func (t *turn) decides(o Officer) bool {
	c := t.s.Case
	if o.ID == c.Officer.ID || o.leads() {
		return true
	}
	t.do(Tell{Text: t.officers("card.owner.only", "officer", "@"+o.Name, "owner", "@"+c.Officer.Name)})
	return false
}

// buttons are the buttons of a card, in order: who waits for a press now has one.
func (b *Book) buttons(s State) []Action {
	c := s.Case
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	var list []Action
	switch c.Phase {
	case Opening, Alerting:
		list = append(list, Action{Name: ActionClaim, Label: say("card.claim")})
	case Owned:
		if c.Lacks > 0 {
			list = append(list, Action{Name: ActionSeen, Label: say("card.seen")})
		}
		if c.Transfer.open() {
			list = append(list,
				Action{Name: ActionAccept, Choice: c.Transfer.Key, Label: say("card.transfer.accept")},
				Action{Name: ActionDecline, Choice: c.Transfer.Key, Label: say("card.transfer.decline")})
		}
		confirm := say("card.close.confirm", "code", c.ID.Code())
		if s.held() {
			confirm += " " + say("card.close.waiting")
		}
		list = append(list, Action{Name: ActionClose, Label: say("card.close"), Confirm: confirm})
	}
	return list
}

// ownerMenu offers what changes the owner, once there is one.
func (b *Book) ownerMenu(c Case, add adder) {
	if c.Phase != Owned {
		return
	}
	owner := "@" + c.Officer.Name
	if c.Transfer.open() {
		add(ActionRetract, c.Transfer.Key, "card.transfer.retract", "", "to", "@"+c.Transfer.To.Name)
	}
	add(ActionTransfer, "", "card.transfer.menu", "")
	add(ActionReturnQueue, c.Officer.ID, "card.queue", "card.queue.confirm", "owner", owner)
	add(ActionTake, c.Officer.ID, "card.take", "card.take.confirm", "owner", owner)
	add(ActionLook, "", "card.look", "", "owner", owner)
}

// owns does what an officer chose about the owner.
func (t *turn) owns(ev Acted) {
	o := ev.Officer
	switch ev.Action {
	case ActionSeen:
		t.acknowledge(o)
	case ActionAccept, ActionDecline:
		t.takeUp(o, ev.Action == ActionAccept)
	case ActionRetract:
		t.lapseTransfer("card.transfer.retracted")
	case ActionReturnQueue:
		t.do(Tell{Text: t.officers("card.queue.told", "officer", "@"+o.Name)})
		t.queue()
	case ActionTake:
		t.take(o)
	case ActionLook:
		t.do(Tell{Text: t.officers("card.look.told", "officer", "@"+o.Name)})
	}
}

// formed reports whether one of the actions here asks for something first.
func (a Action) formed() bool {
	return a.Name == ActionTransfer || a.Name == ActionCanned || a.Name == ActionApprove && slices.Contains(approvals(), a.Choice)
}

// transferForm asks to whom the case is offered.
func (b *Book) transferForm(s State) (Form, bool) {
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	return Form{
		Title: say("card.transfer.title"),
		Intro: say("card.transfer.intro", "owner", "@"+s.Case.Officer.Name, "minutes", minutes(b.policy.Transfer)),
		Fields: []Field{
			{Name: toField, Label: say("card.transfer.to"), Kind: FieldOfficer},
			{Name: noteField, Label: say("card.transfer.note"), Help: say("card.transfer.note.help"), Kind: FieldArea, Optional: true, Max: 1000},
		},
	}, true
}

// deed is how the trail names what an officer chose, and whom it concerns beside.
func (t *turn) deed(ev Acted) (what string, with []Officer) {
	c := t.s.Case
	what = string(ev.Action)
	switch ev.Action {
	case ActionTransfer:
		return what, []Officer{ev.Named}
	case ActionAccept, ActionDecline, ActionTake, ActionReturnQueue:
		return what, []Officer{c.Officer}
	case ActionApprove:
		if slices.Contains(approvals(), ev.Choice) {
			return what + " " + ev.Choice, nil
		}
		kind, _, _ := strings.Cut(ev.Choice, "-")
		return what + " " + kind + " " + c.Approval.What, []Officer{c.Approval.By}
	case ActionRelease:
		kind, _, _ := strings.Cut(ev.Choice, "-")
		if c.Release.Sentence == "" {
			return what + " propose", nil
		}
		return what + " " + kind, []Officer{c.Release.By} // "confirm" or "undo"
	case ActionWork:
		what += " " + ev.Choice
		if ev.Choice == workLink {
			step, _, _ := strings.Cut(ev.Values["what"], ".") // The rest is a code.
			what += " " + step
		}
	case ActionHostile, ActionMedia, ActionAsk:
		what += " " + ev.Choice
	case ActionReturn:
		what += " " + strings.TrimRight(ev.Choice, "0123456789") // The rest says to whom.
	}
	return what, nil
}

// allowed reports whether this officer may do what they chose. Who may not is told
// who may, and nothing else comes of it.
func (t *turn) allowed(ev Acted) bool {
	c, o := t.s.Case, ev.Officer
	switch ev.Action {
	case ActionAccept, ActionDecline:
		return t.named(o)
	case ActionRetract:
		return o.is(c.Transfer.By) || t.decides(o)
	case ActionTransfer, ActionReturnQueue:
		return t.decides(o)
	case ActionTake:
		return !o.is(c.Officer)
	case ActionCanned:
		if c.Phase == Owned && !o.is(c.Officer) {
			t.do(Tell{Text: t.officers("card.canned.only", "officer", "@"+o.Name, "owner", "@"+c.Officer.Name)})
			return false
		}
	case ActionLook:
		if !o.leads() {
			t.do(Tell{Text: t.officers("card.look.only", "officer", "@"+o.Name)})
		}
		return o.leads()
	case ActionRelease:
		if r := c.Release; strings.HasPrefix(ev.Choice, confirmed) && r.By.is(o) {
			t.do(Tell{Text: t.officers("card.release.same", "officer", "@"+o.Name, "first", "@"+r.By.Name, "sentence", t.officers("ui.release."+r.Sentence))})
			return false
		}
	case ActionApprove:
		if a := c.Approval; strings.HasPrefix(ev.Choice, confirmed) && a.By.is(o) {
			t.do(Tell{Text: t.approval("card.approve.same", a, o)})
			return false
		}
	}
	return true
}

// named reports whether the case is offered to an officer. Anybody else is told to
// whom it is.
func (t *turn) named(o Officer) bool {
	x := t.s.Case.Transfer
	if !o.is(x.To) {
		t.do(Tell{Text: t.officers("card.transfer.only", "officer", "@"+o.Name, "to", "@"+x.To.Name)})
	}
	return o.is(x.To)
}

// own makes an officer the case's one owner. Who has acknowledged it is not asked
// to again.
func (t *turn) own(o Officer) {
	c := t.s.Case
	c.Phase, c.Officer, c.Acknowledged, c.Calling = Owned, o, t.m.At, false
	c.Transfer = Transfer{}
	t.underWay() // The call that did not go out is not waited for any more.
	if c.Placed.IsZero() {
		c.Placed = t.m.At // It is claimed before it is known where its card is.
	}
	t.show(true)
}

// acknowledge takes note that one more officer has seen the case. Whoever writes in
// its thread has.
func (t *turn) acknowledge(o Officer) {
	c := t.s.Case
	if c.Phase != Owned || c.Lacks == 0 || slices.ContainsFunc(c.Acks, o.is) {
		return
	}
	c.Acks = append(c.Acks, o)
	c.Lacks--
	t.do(Tell{Text: t.officers("card.seen.told", "officer", "@"+o.Name)})
	t.update()
}

// is reports whether two are the same officer, whatever they are called now.
func (o Officer) is(other Officer) bool { return o.ID == other.ID }

// acknowledges is how many officers must acknowledge the case.
func (b *Book) acknowledges(s State) int {
	f, n := s.facts(), 1
	if f.Danger || !s.Case.Duress.IsZero() {
		n = max(n, b.policy.Acknowledge.Danger)
	}
	if f.Minor {
		n = max(n, b.policy.Acknowledge.Minor)
	}
	return n
}

// waitsAgain lets a case wait for somebody to acknowledge it as a new one does.
func (c *Case) waitsAgain(at time.Time) {
	c.Phase, c.Placed, c.Pages, c.Late = Alerting, at, 1, false
	c.Acks, c.Lacks, c.Transfer = nil, 0, Transfer{}
}

// waitsForCall says that nobody has been called yet since somebody waits again.
func (c *Case) waitsForCall(at time.Time) {
	c.Calling = true
	if c.Since.IsZero() {
		c.Since = at
	}
}

// queue takes a case from its owner and calls all out for it again.
func (t *turn) queue() {
	c := t.s.Case
	c.waitsAgain(t.m.At)
	c.Officer = Officer{}
	c.waitsForCall(t.m.At)
	if m := t.s.Mask; m != nil && m.Case != nil && m.Case.Phase == Owned {
		in := m.Case // What is said behind the mask must be true as well.
		in.waitsAgain(t.m.At)
		in.waitsForCall(t.m.At)
		in.Paging, in.Paged = true, t.m.At // So that it hears of the call.
	}
	t.page("card.queue.page")
	t.update()
	t.show(true)
}

// take makes an officer the owner in the place of another, who is told.
func (t *turn) take(o Officer) {
	c := t.s.Case
	if o.ID == c.Officer.ID {
		return
	}
	before := c.Officer
	t.acknowledge(o)
	t.own(o)
	t.record("officer:"+o.Name, "claimed", "")
	t.do(Tell{
		Text:  t.officers("card.take.told", "officer", "@"+o.Name, "owner", "@"+before.Name),
		Calls: before, Code: c.ID.Code(),
	})
}

// offerTo offers the case to a colleague, with words for the colleague only. Until
// they accept nothing changes.
func (t *turn) offerTo(by, to Officer, note string) {
	c := t.s.Case
	if !t.active() || c.Phase != Owned || to.ID == "" || !t.decides(by) {
		return
	}
	if to.is(c.Officer) {
		t.do(Tell{Text: t.officers("card.transfer.same", "to", "@"+to.Name)})
		return
	}
	c.Transfer = Transfer{To: to, By: by, At: t.m.At, Key: t.m.token()}
	if note != "" {
		t.record("officer:"+by.Name, "note", note)
	}
	t.do(Tell{
		Text: t.officers("card.transfer.offered", "by", "@"+by.Name, "to", "@"+to.Name,
			"minutes", minutes(t.book.policy.Transfer), "owner", "@"+c.Officer.Name),
		Quote: note, Calls: to, Code: c.ID.Code(),
	})
	t.update()
}

// takeUp answers what is offered. Only whom it is offered to can.
func (t *turn) takeUp(o Officer, accept bool) {
	if !t.active() || !t.s.Case.Transfer.open() {
		t.update()
		return
	}
	c := t.s.Case
	switch {
	case !t.named(o):
	case !accept:
		t.lapseTransfer("card.transfer.declined")
	default:
		before := c.Officer
		t.acknowledge(o)
		t.own(o)
		t.record("officer:"+o.Name, "claimed", "")
		t.do(Tell{
			Text:  t.officers("card.transfer.accepted", "to", "@"+o.Name, "owner", "@"+before.Name),
			Calls: before, Code: c.ID.Code(),
		})
	}
	t.update()
}

// lapseTransfer ends an offer. The case stays with its owner, who is told.
func (t *turn) lapseTransfer(key string) {
	c := t.s.Case
	x := c.Transfer
	c.Transfer = Transfer{}
	t.do(Tell{
		Text:  t.officers(key, "to", "@"+x.To.Name, "owner", "@"+c.Officer.Name),
		Calls: c.Officer, Code: c.ID.Code(),
	})
	t.update()
}

// departed takes away all that an officer has in the case who is no officer any
// more. It can come again, and does nothing then.
func (t *turn) departed(o Officer) {
	c := t.s.Case
	if !t.active() || o.ID == "" {
		return
	}
	t.dropStrays(func(s Stray) bool { return s.By.is(o) })
	t.lapseDoubts(func(d Doubt) bool { return d.By.is(o) })
	if c.Approval.What != "" && c.Approval.By.is(o) {
		t.lapseApproval()
	}
	if c.Release.Sentence != "" && c.Release.By.is(o) {
		t.lapseRelease()
	}
	if i := slices.IndexFunc(c.Acks, o.is); i >= 0 && c.Phase == Owned && !c.Officer.is(o) {
		c.Acks = slices.Delete(c.Acks, i, i+1)
		n := len(c.Acks)
		if !slices.ContainsFunc(c.Acks, c.Officer.is) {
			n++ // Who took it over has seen it.
		}
		// Who was counted is not there to help.
		lacks := max(c.Lacks, t.book.acknowledges(t.s)-n)
		if c.Lacks == 0 && lacks > 0 {
			t.page("card.page.second")
			c.Placed, c.Pages = t.m.At, 1 // The calls begin anew.
		}
		c.Lacks = lacks
		t.update()
	}
	switch {
	case c.Phase == Owned && c.Officer.is(o):
		t.audit(auditDeparted, o)
		t.do(Tell{Text: t.officers("card.departed", "officer", "@"+o.Name)})
		t.queue()
	case c.Officer.is(o):
		c.Officer = Officer{} // They were called into it again, and cannot come.
		t.update()
	case c.Transfer.open() && c.Transfer.To.is(o):
		t.lapseTransfer("card.transfer.departed")
	case c.Transfer.open() && c.Transfer.By.is(o):
		t.lapseTransfer("card.transfer.retracted")
	}
}

// transferAt is when an offer lapses, zero without one.
func (b *Book) transferAt(s State) time.Time {
	if x := s.Case.Transfer; x.open() {
		return b.policy.Transfer.after(x.At)
	}
	return time.Time{}
}

// mostAcks is how many officers can be made to acknowledge a case.
const mostAcks = 5

// The fields of the transfer's form: to whom, and words for the colleague.
const (
	toField   = "to"
	noteField = "note"
)

// settleCase ends what waits in a case that ends.
func (t *turn) settleCase() {
	c := t.s.Case
	t.dropStrays(func(Stray) bool { return true })
	t.lapseDoubts(func(Doubt) bool { return true })
	c.Lacks, c.Transfer, c.Approval, c.Release = 0, Transfer{}, Approval{}, Release{}
}

// lapsed ends what has waited too long.
func (t *turn) lapsed(came func(time.Time) bool) {
	c := t.s.Case
	if !t.active() {
		return
	}
	if c.Phase == Owned && came(t.book.transferAt(t.s)) {
		t.lapseTransfer("card.transfer.lapsed")
	}
	if came(t.book.strayAt(t.s)) {
		t.dropStrays(func(s Stray) bool { return came(t.book.policy.Transfer.after(s.At)) })
	}
	if c.Approval.What != "" && came(t.book.policy.Approval.after(c.Approval.At)) {
		t.lapseApproval()
	}
	if c.Release.Sentence != "" && came(t.book.policy.Approval.after(c.Release.At)) {
		t.lapseRelease()
	}
}

// ownerLines say who is to answer, and who has seen the case.
func (b *Book) ownerLines(c Case) []Line {
	var lines []Line
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	if x := c.Transfer; c.Phase == Owned && x.open() {
		lines = append(lines, Line{
			Label: say("card.transfer.line"),
			Value: say("card.transfer.open", "to", "@"+x.To.Name, "time", b.officersClock(b.policy.Transfer.after(x.At))),
		})
	}
	if c.Phase == Owned && c.Lacks > 0 {
		lines = append(lines, Line{Label: say("card.seen.line"), Value: say("card.seen.lacks", "count", strconv.Itoa(c.Lacks))})
	}
	return lines
}

// auditDeparted says in the trail that an owner is no officer any more.
const auditDeparted = "departed"

// handedOver offers the case as one of all that an officer has.
func (t *turn) handedOver(ev HandedOver) {
	if !t.active() || t.s.Case.Phase != Owned || !t.decides(ev.By) {
		return
	}
	t.audit(string(ActionTransfer), ev.By, ev.To)
	t.offerTo(ev.By, ev.To, "")
}

// takenUp answers an offer without a press on the card.
func (t *turn) takenUp(ev TakenUp) {
	if !t.active() || !t.s.Case.Transfer.open() || !t.named(ev.Officer) {
		return
	}
	what := ActionDecline
	if ev.Accept {
		what = ActionAccept
	}
	t.audit(string(what), ev.Officer, t.s.Case.Officer)
	t.takeUp(ev.Officer, ev.Accept)
}
