package flows

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Some things no officer may decide alone: one proposes with a reason, and a second
// one who is another person confirms. A sentence to somebody who looks for a person
// is the fourth of them: see release.go.

// ActionApprove proposes one of the things that take two, confirms it, or takes the
// proposal back. Its choice is what; for an answer to a proposal "confirm-" or
// "undo-" and the Approval's Key.
const ActionApprove ActionName = "approve"

// What takes two officers.
const (
	approveAuthorities = "authorities" // contact authorities without the person's consent
	approveTranscript  = "transcript"  // open the transcript of the case before this one
	approveDelete      = "delete"      // end the case and erase its transcript before its time
)

// approvals are they, in the order in which they are offered.
func approvals() []string { return []string{approveAuthorities, approveTranscript, approveDelete} }

// undone begins the choice of whoever takes a proposal back.
const undone = "undo-"

// reasonField is the field of the form that holds why.
const reasonField = "reason"

// An Approval is what one officer proposes until a second one confirms it; the zero
// Approval is none. The reason is in the thread and in the sealed transcript only.
type Approval struct {
	What string    `json:"what"`
	By   Officer   `json:"by"`
	At   time.Time `json:"at"`
	Key  string    `json:"key"`
}

// An Override is what two officers decided, for the card.
type Override struct {
	What   string    `json:"what"`
	By     string    `json:"by"`
	Second string    `json:"second"`
	At     time.Time `json:"at"`
}

// approveMenu offers to propose what takes two, or to answer a proposal.
func (b *Book) approveMenu(s State, add adder) {
	c := s.Case
	if c.Phase != Owned {
		return
	}
	if a := c.Approval; a.What != "" {
		what := b.say(b.policy.Officers, "card.approve."+a.What)
		add(ActionApprove, confirmed+a.Key, "card.approve.second", "card.approve.confirm."+a.What, "what", what, "officer", "@"+a.By.Name)
		add(ActionApprove, undone+a.Key, "card.approve.undo", "")
		return
	}
	for _, what := range approvals() {
		if what != approveTranscript || s.Earlier != "" {
			add(ActionApprove, what, "card.approve.propose."+what, "")
		}
	}
}

// approveForm asks why.
func (b *Book) approveForm(s State, what string) (Form, bool) {
	if !slices.Contains(approvals(), what) {
		return Form{}, false
	}
	say := func(key string) string { return b.say(b.policy.Officers, key) }
	return Form{
		Title: say("card.approve.title"),
		Intro: say("card.approve."+what) + ". " + say("card.approve.intro"),
		Fields: []Field{{
			Name: reasonField, Label: say("card.approve.reason"), Help: say("card.approve.reason.help"), Kind: FieldArea, Max: 1000,
		}},
	}, true
}

// approves does what an officer chose about what takes two.
func (t *turn) approves(ev Acted) {
	c := t.s.Case
	a := c.Approval
	switch {
	case slices.Contains(approvals(), ev.Choice):
		c.Approval = Approval{What: ev.Choice, By: ev.Officer, At: t.m.At, Key: t.m.token()}
		reason := strings.TrimSpace(ev.Values[reasonField])
		t.record("officer:"+ev.Officer.Name, "note", reason)
		t.do(Tell{
			Text:  t.approval("card.approve.proposed", c.Approval, ev.Officer),
			Quote: reason,
		})
	case strings.HasPrefix(ev.Choice, undone):
		t.do(Tell{Text: t.approval("card.approve.undone", a, ev.Officer)})
		c.Approval = Approval{}
	default:
		c.Approval = Approval{}
		c.Overrides = slices.DeleteFunc(c.Overrides, func(o Override) bool { return o.What == a.What })
		c.Overrides = append(c.Overrides, Override{What: a.What, By: a.By.Name, Second: ev.Officer.Name, At: t.m.At})
		t.do(Tell{Text: t.approval("card.approve.done", a, ev.Officer) + " " + t.officers("card.approve.done."+a.What, "earlier", t.s.Earlier)})
		if a.What == approveDelete {
			t.deleteCase(ev.Officer)
		}
	}
}

// approval is a line about a proposal.
func (t *turn) approval(key string, a Approval, o Officer) string {
	return t.officers(key, "officer", "@"+o.Name, "first", "@"+a.By.Name, "what", t.officers("card.approve."+a.What),
		"hours", strconv.Itoa(int(time.Duration(t.book.policy.Approval).Hours())))
}

// deleteCase ends a case and has its transcript erased. What was on its way there
// is not wanted any more.
func (t *turn) deleteCase(o Officer) {
	t.end("officer:" + o.Name)
	t.s.Case.Shredded = true
	t.effects = slices.DeleteFunc(t.effects, func(e Effect) bool { return e.To() == Archive })
	t.do(Shred{Case: t.s.Case.ID})
}

// lapseApproval ends a proposal that nobody confirmed.
func (t *turn) lapseApproval() {
	a := t.s.Case.Approval
	t.s.Case.Approval = Approval{}
	t.do(Tell{Text: t.approval("card.approve.lapsed", a, a.By)})
	t.update()
}

// lapseRelease ends a proposed sentence that nobody confirmed.
func (t *turn) lapseRelease() {
	r := t.s.Case.Release
	t.s.Case.Release = Release{}
	t.do(Tell{Text: t.officers("card.release.lapsed", "first", "@"+r.By.Name, "sentence", t.officers("ui.release."+r.Sentence))})
	t.update()
}

// approvalAt is when a proposal lapses, zero without one.
func (b *Book) approvalAt(s State) time.Time {
	var due time.Time
	for _, at := range []time.Time{s.Case.Approval.At, s.Case.Release.At} {
		if !at.IsZero() && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	if due.IsZero() {
		return due
	}
	return b.policy.Approval.after(due)
}

// overrideLines are what two officers decided, and what waits for a second one.
func (b *Book) overrideLines(c Case) []Line {
	var lines []Line
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	if a := c.Approval; a.What != "" {
		lines = append(lines, Line{
			Label: say("card.approve." + a.What),
			Value: say("card.approve.open", "officer", "@"+a.By.Name, "time", b.officersClock(a.At)),
		})
	}
	for _, o := range c.Overrides {
		lines = append(lines, Line{
			Label: say("card.approve." + o.What),
			Value: say("card.approve.both", "officer", "@"+o.By, "second", "@"+o.Second, "time", b.officersClock(o.At)),
		})
	}
	return lines
}
