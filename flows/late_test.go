package flows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"suar/flows"
)

// TestALateCloseEndsNoAlert: whoever is asked whether to close a case may answer when
// it waits for somebody again. Then nobody has seen why, and it goes on.
func TestALateCloseEndsNoAlert(t *testing.T) {
	t.Parallel()
	lead := flows.Officer{ID: "3", Name: "eka", Role: flows.RoleLead}
	for name, again := range map[string]func(d *desk){
		"danger": func(d *desk) {
			d.s.Danger = true
			d.step(flows.Chose{Message: "1", Data: d.s.Token + ".h"})
		},
		"given back": func(d *desk) { d.step(flows.Acted{Officer: siti, Action: flows.ActionReturnQueue, Choice: siti.ID}) },
		"departed":   func(d *desk) { d.step(flows.Departed{Officer: siti}) },
	} {
		d := newDesk(t, shippedBook(t))
		again(d)
		if d.s.Case.Phase != flows.Alerting {
			t.Fatalf("%s: the case does not wait, it is %s", name, d.s.Case.Phase)
		}
		for _, o := range []flows.Officer{siti, budi, lead} {
			d.step(flows.Closed{Officer: o})
			if d.s.Case.Phase != flows.Alerting {
				t.Errorf("%s: %s ends the case that waits", name, o.Name)
			}
		}
		d.step(flows.Claimed{Officer: budi})
		if d.step(flows.Closed{Officer: budi}); d.s.Case.Phase != flows.Ended {
			t.Errorf("%s: whoever has it cannot close it", name)
		}
	}
}

// TestGivenBackIsNotAlertedYet: when a case is given back or its owner departs, the
// person is told that somebody was alerted once that is so; and that nobody can be
// reached if it stays out.
func TestGivenBackIsNotAlertedYet(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]flows.Event{
		"given back": flows.Acted{Officer: siti, Action: flows.ActionReturnQueue, Choice: siti.ID},
		"departed":   flows.Departed{Officer: siti},
	} {
		const alerted = "A person has been alerted"
		d := newDesk(t, shippedBook(t))
		d.step(flows.Delivered{Effect: flows.Relay{Words: 1}})
		var page flows.Effect
		for _, e := range d.step(again) {
			if _, ok := e.(flows.Page); ok {
				page = e
			}
		}
		reads := func() string { return d.book.View(d.s, d.now).Text }
		if page == nil || strings.Contains(reads(), alerted) {
			t.Fatalf("%s: before the call is out the person reads %q", name, reads())
		}
		waits := d.s
		d.step(flows.Delivered{Effect: page})
		if !strings.Contains(reads(), alerted) {
			t.Errorf("%s: when the call is out the person reads %q", name, reads())
		}
		d.s = waits
		for range 10 {
			d.now = d.s.Alarm()
			d.step(flows.TimedOut{})
		}
		if stuck := d.s.Case.Stuck; !stuck {
			t.Errorf("%s: the call stays out, and the person reads %q", name, reads())
		}
		// Who claims it then ends that wait: the next call has its whole time.
		d.step(flows.Claimed{Officer: budi})
		if d.s.Case.Stuck || !d.s.Case.Since.IsZero() {
			t.Errorf("%s: claimed, and it still waits since %v", name, d.s.Case.Since)
		}
	}
}

// TestALateCannedReplyClaimsNothing: a prepared reply that comes into the thread when
// its officer has the case no more, or long after it was chosen, claims nothing and
// goes to nobody; and whoever chooses one in a case that waits has it at once.
func TestALateCannedReplyClaimsNothing(t *testing.T) {
	t.Parallel()
	chooses := func(d *desk, o flows.Officer) (prompt flows.Effect) {
		form, _ := d.book.Form(d.s, d.now, o, flows.ActionCanned, "")
		for _, e := range d.step(flows.Acted{Officer: o, Action: flows.ActionCanned, Values: map[string]string{"reply": "waiting"}, Stamp: form.Stamp}) {
			if _, ok := e.(flows.Prompt); ok {
				prompt = e
			}
		}
		return prompt
	}
	for name, then := range map[string]func(d *desk){
		"in time":    func(*desk) {},
		"old":        func(d *desk) { d.now = d.now.Add(time.Hour) },
		"departed":   func(d *desk) { d.step(flows.Departed{Officer: siti}) },
		"given back": func(d *desk) { d.step(flows.Acted{Officer: siti, Action: flows.ActionReturnQueue, Choice: siti.ID}) },
		"taken":      func(d *desk) { d.step(flows.Acted{Officer: budi, Action: flows.ActionTake, Choice: siti.ID}) },
		"danger": func(d *desk) {
			d.s.Danger = true
			d.step(flows.Chose{Message: "1", Data: d.s.Token + ".h"})
		},
	} {
		d := newDesk(t, shippedBook(t))
		prompt := chooses(d, siti)
		if prompt == nil {
			t.Fatal("nothing is put into the thread")
		}
		then(d)
		before := *d.s.Case
		effects := d.step(flows.Delivered{Effect: prompt, Post: "canned"})
		if c := d.s.Case; c.Phase != before.Phase || c.Officer != before.Officer {
			t.Errorf("%s: the case is %s of %q, was %s of %q", name, c.Phase, c.Officer.Name, before.Phase, before.Officer.Name)
		}
		said, failed := len(d.s.Replies) > 0, slices.Contains(effects, flows.Effect(flows.Mark{Post: "canned", Sign: flows.SignFailed}))
		if inTime := name == "in time"; said != inTime || failed == inTime {
			t.Errorf("%s: said %v, marked as failed %v", name, said, failed)
		}
	}
	d := newDesk(t, shippedBook(t))
	d.step(flows.Acted{Officer: siti, Action: flows.ActionReturnQueue, Choice: siti.ID})
	if chooses(d, budi); d.s.Case.Phase != flows.Owned || d.s.Case.Officer != budi {
		t.Errorf("chosen, and the case is %s of %q", d.s.Case.Phase, d.s.Case.Officer.Name)
	}
}

// TestWhoseWordCountsIsInTheIndex: the card's index names every officer on whose word
// something rests, so that it is found out when one is no officer any more; and what
// rests on it is over then.
func TestWhoseWordCountsIsInTheIndex(t *testing.T) {
	t.Parallel()
	lead := flows.Officer{ID: "3", Name: "eka", Role: flows.RoleLead}
	offers := func(d *desk, by flows.Officer) {
		d.step(flows.HandedOver{By: by, To: flows.Officer{ID: "4", Name: "citra"}})
	}
	proposes := func(d *desk, by flows.Officer) {
		form, _ := d.book.Form(d.s, d.now, by, flows.ActionApprove, "delete")
		d.step(flows.Acted{Officer: by, Action: flows.ActionApprove, Choice: "delete", Values: map[string]string{"reason": "because"}, Stamp: form.Stamp})
	}
	for name, c := range map[string]struct {
		does func(d *desk, by flows.Officer)
		open func(c flows.Case) bool
	}{
		"an offer":   {offers, func(c flows.Case) bool { return c.Transfer.Key != "" }},
		"a proposal": {proposes, func(c flows.Case) bool { return c.Approval.What != "" }},
		"a sentence": {
			func(d *desk, by flows.Officer) {
				d.step(flows.Acted{Officer: by, Action: flows.ActionRelease, Choice: "alive"})
			},
			func(c flows.Case) bool { return c.Release.Sentence != "" },
		},
		"acknowledged": {
			func(d *desk, by flows.Officer) {
				d.s.Case.Lacks = 1 // As in a case that takes two.
				d.step(flows.Acted{Officer: by, Action: flows.ActionSeen})
			},
			func(c flows.Case) bool { return c.Lacks == 0 },
		},
	} {
		d := newDesk(t, twoAcknowledge(t))
		if d.s.Danger = true; name != "acknowledged" {
			d.s.Case.Lacks = 0
		}
		c.does(d, lead)
		if !c.open(*d.s.Case) {
			t.Fatalf("%s: nothing came of it", name)
		}
		if also := d.book.Card(d.s, d.now).Index.Also; !slices.Contains(also, lead) {
			t.Errorf("%s: the index names %v", name, also)
		}
		effects := d.step(flows.Departed{Officer: lead})
		if c.open(*d.s.Case) || d.s.Case.Officer != siti {
			t.Errorf("%s: it stands although its officer is gone", name)
		}
		if also := d.book.Card(d.s, d.now).Index.Also; len(also) > 0 || !slices.Contains(effects, flows.Effect(flows.Update{})) {
			t.Errorf("%s: the index still names %v", name, also)
		}
		if effects := d.step(flows.Departed{Officer: lead}); len(effects) > 0 {
			t.Errorf("%s: told again it does %v", name, effects)
		}
	}
}

// twoAcknowledge is the shipped book with two officers for whoever is in danger.
func twoAcknowledge(t *testing.T) *flows.Book {
	t.Helper()
	files := shipped(t)
	policy := files["policy.yaml"]
	policy.Data = []byte(strings.Replace(string(policy.Data), "acknowledge: {danger: 1, minor: 1}", "acknowledge: {danger: 2, minor: 3}", 1))
	book, err := flows.Load(files, flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	return book
}
