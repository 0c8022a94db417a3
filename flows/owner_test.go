package flows_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"suar/flows"
)

// ownerWalks is how many random lives of a case are walked.
const ownerWalks = 10_000

// A caseWalk is one random life of a case: the person, five officers who come and go, and
// a world that performs what is to be done late, in order, or not at all. Whoever
// has departed presses nothing, but for what was under way when they did; then they
// depart again, as the edge sees to every minute.
type caseWalk struct {
	*testing.T
	rng     *rand.Rand
	book    *flows.Book
	s       flows.State
	now     time.Time
	steps   int
	posts   int
	waiting []flows.Effect
	gone    map[string]bool
	stale   []flows.Action // of cards that were seen
	last    flows.Event
	trace   []string
}

func deskOf() []flows.Officer {
	return []flows.Officer{
		{ID: "a", Name: "ani", Role: flows.RoleOfficer},
		{ID: "b", Name: "budi", Role: flows.RoleOfficer},
		{ID: "c", Name: "citra", Role: flows.RoleOfficer},
		{ID: "d", Name: "dewi", Role: flows.RoleLead},
		{ID: "e", Name: "eka", Role: flows.RoleSupervisor},
	}
}

// TestNoCaseIsEverAlone walks 10,000 random sequences of events, stale, doubled, late
// and forged ones among them: no open case is without an owner who is there or calls
// that go on, it never has two who can speak to the person, and whatever waits for
// somebody has its end.
func TestNoCaseIsEverAlone(t *testing.T) {
	t.Parallel()
	files := shipped(t)
	policy := files["policy.yaml"]
	policy.Data = []byte(strings.Replace(string(policy.Data), "acknowledge: {danger: 1, minor: 1}", "acknowledge: {danger: 2, minor: 3}", 1))
	several, err := flows.Load(files, flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	one := shippedBook(t)
	walks := ownerWalks
	if testing.Short() {
		walks /= 20
	}
	met := map[string]int{}
	for seed := range walks {
		w := &caseWalk{T: t, rng: rand.New(rand.NewPCG(uint64(seed), 5)), book: one, now: monday, gone: map[string]bool{}}
		if seed%2 == 1 {
			w.book = several
		}
		w.goes(flows.Said{Message: "1", Text: "please"})
		for range 12 + w.rng.IntN(24) {
			before := w.s
			w.event()
			w.reconcile()
			w.holds(seed)
			count(met, before, w.s)
		}
	}
	for _, what := range []string{"claimed", "given back", "handed on", "offered", "stray", "approval", "lacking", "ended", "opening again"} {
		if met[what] == 0 {
			t.Errorf("no walk came to %q, so it says nothing about it: %v", what, met)
		}
	}
}

// count notes what a walk came by.
func count(met map[string]int, before, after flows.State) {
	a, b := before.Case, after.Case
	if a == nil || b == nil {
		return
	}
	for what, is := range map[string]bool{
		"claimed":       a.Phase == flows.Alerting && b.Phase == flows.Owned,
		"given back":    a.Phase == flows.Owned && b.Phase == flows.Alerting && b.Officer.ID == "",
		"handed on":     a.Phase == flows.Owned && b.Phase == flows.Owned && a.Officer.ID != b.Officer.ID,
		"offered":       b.Transfer.Key != "" && a.Transfer.Key != b.Transfer.Key,
		"stray":         len(b.Strays) > len(a.Strays),
		"approval":      b.Approval.What != "" && a.Approval.What == "",
		"lacking":       b.Lacks > 0,
		"ended":         a.Phase != flows.Ended && b.Phase == flows.Ended,
		"opening again": a.Phase != flows.Opening && b.Phase == flows.Opening,
	} {
		if is {
			met[what]++
		}
	}
}

func (w *caseWalk) goes(ev flows.Event) []flows.Effect {
	w.steps++
	m := flows.Moment{At: w.now}
	copy(m.Fresh[:], fmt.Sprintf("%016d", w.steps))
	var effects []flows.Effect
	w.s, effects = w.book.Step(w.s, m, ev)
	w.trace = append(w.trace, fmt.Sprintf("%s %T %+v", w.now.Format("15:04:05"), ev, ev))
	for _, e := range effects {
		if e.To() != flows.Archive {
			w.waiting = append(w.waiting, e)
		}
	}
	return effects
}

// event lets one thing happen.
func (w *caseWalk) event() {
	desk := deskOf()
	o := desk[w.rng.IntN(len(desk))]
	late := w.rng.IntN(20) == 0
	w.posts++
	post := flows.PostID(fmt.Sprint("p", w.posts))
	old := flows.PostID(fmt.Sprint("p", 1+w.rng.IntN(w.posts)))
	var ev flows.Event
	switch w.rng.IntN(24) {
	case 0, 1:
		ev = flows.Claimed{Officer: o}
	case 2, 3, 4:
		ev = flows.Replied{Post: post, Officer: o, Text: "we read you"}
	case 5:
		ev = flows.Noted{Post: post, Officer: o, Text: "a note"}
	case 6:
		ev = flows.Revised{Post: old, Officer: o, Text: "otherwise", Note: w.rng.IntN(3) == 0}
	case 7:
		if ev = (flows.Withdrawn{Post: old}); w.rng.IntN(3) == 0 && w.s.Case != nil {
			ev = flows.Withdrawn{Post: w.s.Case.Thread}
		}
	case 8:
		if w.rng.IntN(3) == 0 {
			ev = flows.Closed{Officer: o}
		}
	case 9, 10, 11, 12:
		ev = w.acted(o)
	case 13, 14:
		ev = flows.HandedOver{By: o, To: desk[w.rng.IntN(len(desk))]}
	case 15:
		ev = flows.TakenUp{Officer: o, Accept: w.rng.IntN(3) > 0}
	case 16:
		w.gone[o.ID] = true
		w.goes(flows.Departed{Officer: o})
		return
	case 17:
		delete(w.gone, o.ID) // Somebody is an officer again.
		return
	case 18:
		w.goes(flows.Said{Message: flows.MessageID(post), Text: "are you there"})
		return
	case 19:
		w.s.Danger = true // As a press of "Danger now" does, wherever the person is.
		w.goes(flows.Chose{Message: "1", Data: w.s.Token + ".h"})
		return
	case 20, 21:
		w.now = w.now.Add([]time.Duration{time.Second, time.Minute, 9 * time.Minute, time.Hour, 25 * time.Hour}[w.rng.IntN(5)])
		if due := w.s.Alarm(); !due.IsZero() && due.Before(w.now) {
			w.goes(flows.TimedOut{})
		}
		return
	case 22:
		w.perform()
		return
	case 23:
		ev = w.last // Doubled.
	}
	if ev == nil || w.gone[o.ID] && !late {
		return
	}
	w.last = ev
	w.replies(ev)
}

// acted chooses from the card, from one that was seen before, or something forged.
func (w *caseWalk) acted(o flows.Officer) flows.Event {
	card := w.book.Card(w.s, w.now)
	w.stale = append(append(w.stale, card.Menu...), card.Actions...)
	if c := w.s.Case; c != nil {
		for _, s := range c.Strays {
			w.stale = append(w.stale, flows.Action{Name: flows.ActionSend, Choice: s.Key})
		}
	}
	if len(w.stale) == 0 || w.rng.IntN(20) == 0 {
		return flows.Acted{Officer: o, Action: flows.ActionAccept, Choice: "forged"}
	}
	a := w.stale[w.rng.IntN(len(w.stale))]
	if len(w.stale) > 40 {
		w.stale = w.stale[20:]
	}
	switch a.Name {
	case flows.ActionClaim:
		return flows.Claimed{Officer: o}
	case flows.ActionClose:
		return nil // It would end most walks too early; it has its own turn.
	}
	acted := flows.Acted{Officer: o, Action: a.Name, Choice: a.Choice}
	if f, ok := w.book.Form(w.s, w.now, o, a.Name, a.Choice); ok {
		desk := deskOf()
		acted.Named, acted.Stamp = desk[w.rng.IntN(len(desk))], f.Stamp
		acted.Values = map[string]string{}
		for _, field := range f.Fields {
			if acted.Values[field.Name] = "because"; field.Kind == flows.FieldOfficer {
				acted.Values[field.Name] = acted.Named.ID
			}
		}
	}
	return acted
}

// replies lets an event of an officer happen, and holds what goes to the person by
// it to the one who owns the case.
func (w *caseWalk) replies(ev flows.Event) {
	before := len(w.s.Replies)
	w.goes(ev)
	var by flows.Officer
	switch ev := ev.(type) {
	case flows.Replied:
		by = ev.Officer
	case flows.Acted:
		if by = ev.Officer; ev.Action != flows.ActionSend {
			return
		}
	case flows.Revised:
		by = ev.Officer
	default:
		return
	}
	for i, r := range w.s.Replies {
		if i >= before && !r.Note && r.Text != "" && (w.s.Case.Phase != flows.Owned || w.s.Case.Officer.ID != by.ID) {
			w.fail("%s speaks to the person of a case of %q", by.Name, w.s.Case.Officer.Name)
		}
	}
}

// perform does what waits first on one side.
func (w *caseWalk) perform() {
	for range 1 + w.rng.IntN(8) {
		if len(w.waiting) == 0 {
			return
		}
		e := w.waiting[0]
		w.waiting = w.waiting[1:]
		_, open := e.(flows.Open)
		switch {
		case !w.book.Wanted(w.s, w.now, e):
			w.goes(flows.Undelivered{Effect: e, Reason: flows.ReasonUnwanted})
		case !open && w.rng.IntN(30) == 0:
			w.goes(flows.Undelivered{Effect: e, Reason: flows.ReasonGone})
		default:
			w.goes(flows.Delivered{Effect: e, Message: "m", Post: flows.PostID(fmt.Sprint("root", w.steps))})
		}
	}
}

// reconcile is what the edge does every minute: who owns a case and is no officer
// any more departs, however that came.
func (w *caseWalk) reconcile() {
	for _, o := range deskOf() {
		if w.gone[o.ID] {
			w.goes(flows.Departed{Officer: o})
			w.trace = w.trace[:len(w.trace)-1]
		}
	}
}

func (w *caseWalk) fail(format string, args ...any) {
	w.Helper()
	w.Fatalf(format+"\n%s", append(args, strings.Join(w.trace, "\n"))...)
}

// holds is what must be so after every event.
func (w *caseWalk) holds(seed int) {
	c := w.s.Case
	if c == nil {
		return
	}
	due := w.s.Alarm()
	by := func(at time.Time, what string) {
		if due.IsZero() || due.After(at) {
			w.fail("walk %d: %s has no end: it is to be over at %s, the alarm is at %s", seed, what, at, due)
		}
	}
	switch c.Phase {
	case flows.Opening:
		placing := false
		for _, e := range w.waiting {
			_, open := e.(flows.Open)
			placing = placing || open
		}
		if !placing {
			w.fail("walk %d: no card is on its way", seed)
		}
	case flows.Alerting:
		by(w.now.Add(2*time.Hour), "the wait for a call") // The longest interval of the policy.
	case flows.Owned:
		if c.Officer.ID == "" || w.gone[c.Officer.ID] {
			w.fail("walk %d: the owner %q is not there", seed, c.Officer.Name)
		}
		if c.Lacks > 0 {
			by(w.now.Add(2*time.Hour), "the wait for another officer")
		}
		w.alone(seed)
	}
	if c.Phase != flows.Owned && (c.Transfer.Key != "" || c.Lacks > 0) {
		w.fail("walk %d: %s with an offer or a lack: %+v", seed, c.Phase, c)
	}
	if x := c.Transfer; x.Key != "" {
		by(x.At.Add(10*time.Minute), "an offer")
		if w.gone[x.To.ID] || x.To.ID == c.Officer.ID {
			w.fail("walk %d: an offer to %q, the owner is %q", seed, x.To.Name, c.Officer.Name)
		}
	}
	if c.Phase == flows.Ended && (len(c.Strays) > 0 || c.Approval.What != "" || c.Release.Sentence != "") {
		w.fail("walk %d: something waits in a case that has ended", seed)
	}
	for _, s := range c.Strays {
		by(s.At.Add(10*time.Minute), "what was not sent")
	}
	if c.Approval.What != "" {
		by(c.Approval.At.Add(24*time.Hour), "a proposal")
	}
	if c.Release.Sentence != "" {
		by(c.Release.At.Add(24*time.Hour), "a proposed sentence")
	}
}

// alone tries whether anybody but the owner, or whom the case is offered to, could
// speak to the person now.
func (w *caseWalk) alone(seed int) {
	desk := deskOf()
	o := desk[w.rng.IntN(len(desk))]
	c := w.s.Case
	if o.ID == c.Officer.ID || c.Transfer.Key != "" && o.ID == c.Transfer.To.ID {
		return
	}
	next, effects := w.book.Step(w.s, flows.Moment{At: w.now}, flows.Replied{Post: "try", Officer: o, Text: "me, too"})
	for _, r := range next.Replies {
		if r.Post == "try" {
			w.fail("walk %d: %s can speak to the person of a case of %s", seed, o.Name, c.Officer.Name)
		}
	}
	for _, e := range effects {
		if say, ok := e.(flows.Say); ok && say.Post == "try" {
			w.fail("walk %d: %s speaks to the person of a case of %s", seed, o.Name, c.Officer.Name)
		}
	}
}
