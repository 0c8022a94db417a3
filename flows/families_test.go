package flows_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"suar/flows"
)

// TestAHostileMarkChangesNothingForThePerson (domain 5, 8): with and without the
// mark the same events show the person the same, in the same order, and nothing
// is held up or refused.
func TestAHostileMarkChangesNothingForThePerson(t *testing.T) {
	book := shippedBook(t)
	rapid.Check(t, func(t *rapid.T) {
		marked := lived(t, book)
		if marked.s.Case == nil || marked.s.Case.Phase != flows.Owned && marked.s.Case.Phase != flows.Alerting {
			return
		}
		plain := *marked
		plain.waiting = append([]flows.Effect(nil), marked.waiting...)
		c := *marked.s.Case
		c.Hostile, c.HostileAt, c.Release = "siti", marked.now, flows.Release{}
		marked.s.Case = &c
		d := *plain.s.Case
		d.Hostile, d.Release = "", flows.Release{}
		plain.s.Case = &d
		for range rapid.IntRange(1, 20).Draw(t, "after") {
			ev := plain.event(t)
			if acted, ok := ev.(flows.Acted); ok && (acted.Action == flows.ActionHostile || acted.Action == flows.ActionRelease) {
				continue // A release is not offered while the mark is set.
			}
			marked.now, marked.waiting = plain.now, append([]flows.Effect(nil), plain.waiting...)
			seen, effects := toPerson(plain.goes(ev)), toPerson(marked.goes(ev))
			if diff := cmp.Diff(seen, effects); diff != "" {
				t.Fatalf("%T: the mark changes what the person gets (-without +with):\n%s", ev, diff)
			}
			if diff := cmp.Diff(book.View(plain.s, plain.now), book.View(marked.s, marked.now)); diff != "" {
				t.Fatalf("%T: the mark changes the bubble (-without +with):\n%s", ev, diff)
			}
			if !plain.s.Alarm().Equal(marked.s.Alarm()) {
				t.Fatalf("%T: the mark changes when something happens", ev)
			}
		}
	})
}

func toPerson(effects []flows.Effect) []flows.Effect {
	var out []flows.Effect
	for _, e := range effects {
		if e.To() == flows.Caller {
			out = append(out, e)
		}
	}
	return out
}

// TestTwoOfficersRelease (domain 5, 8): whatever officers choose in whatever
// order, a sentence goes to the person only when one officer proposed it and
// another confirmed that same one, with nothing in between; and it is one of the
// fixed ones.
func TestTwoOfficersRelease(t *testing.T) {
	book := shippedBook(t)
	choices := []string{"alive", "call", "message", "undo", "confirm-alive", "confirm-call", "confirm-message", "confirm-", ""}
	rapid.Check(t, func(t *rapid.T) {
		w := &world{book: book, now: monday}
		w.goes(flows.Said{Message: "1", Text: "where is he"})
		w.goes(flows.Delivered{Effect: flows.Open{}, Post: "root"})
		w.goes(flows.Claimed{Officer: flows.Officer{ID: "id-siti", Name: "siti"}})
		w.s.Kind, w.s.Language = "family", "en"
		var proposed, by string
		for range rapid.IntRange(1, 30).Draw(t, "choices") {
			name := rapid.SampledFrom([]string{"siti", "budi", "rina"}).Draw(t, "officer")
			choice := rapid.SampledFrom(choices).Draw(t, "choice")
			released := 0
			for _, e := range w.goes(flows.Acted{Officer: flows.Officer{ID: "id-" + name, Name: name}, Action: flows.ActionRelease, Choice: choice}) {
				if _, ok := e.(flows.Say); ok {
					released++
				}
			}
			sentence, confirms := strings.CutPrefix(choice, "confirm-")
			due := confirms && proposed != "" && sentence == proposed && name != by
			if (released == 1) != due || released > 1 {
				t.Fatalf("%s chose %q while %q was proposed by %q: %d sentences went out", name, choice, proposed, by, released)
			}
			switch {
			case due:
				if got, want := w.s.Replies[len(w.s.Replies)-1].Text, book.OfficerText("ui.release."+proposed); got == "" || want == "" {
					t.Fatalf("the sentence is %q", got)
				}
				proposed, by = "", ""
			case proposed == "" && len(choice) > 0 && choice != "undo" && !confirms:
				proposed, by = choice, name
			case proposed != "" && choice == "undo":
				proposed, by = "", ""
			}
		}
	})
}

// TestTheFoundPersonIsNotWrittenToFirst (domain 5, 8): an officer's question
// waits for the person's contact rule as a reply does, and the bubble does not
// show it before.
func TestTheFoundPersonIsNotWrittenToFirst(t *testing.T) {
	book := shippedBook(t)
	o := flows.Officer{ID: "1", Name: "siti"}
	for rule, goes := range map[string]bool{"first": false, "any": true} {
		t.Run(rule, func(t *testing.T) {
			w := &world{book: book, now: monday}
			w.goes(flows.Said{Message: "1", Text: "hello"})
			w.goes(flows.Delivered{Effect: flows.Open{}, Post: "root"})
			w.goes(flows.Claimed{Officer: o})
			w.s.Language, w.s.Kind = "en", "victim"
			w.s.Answers = []flows.Answer{{Screen: "victim.contact", Fact: "contact", Options: []string{rule}}}
			before := book.View(w.s, w.now)
			said := false
			for _, e := range w.goes(flows.Acted{Officer: o, Action: flows.ActionAsk, Choice: "mark"}) {
				_, ok := e.(flows.Say)
				said = said || ok
				if show, ok := e.(flows.Show); ok && !show.Quiet {
					t.Error("the bubble makes a sound")
				}
			}
			if said != goes {
				t.Errorf("a message goes: %v, want %v", said, goes)
			}
			if after := book.View(w.s, w.now); cmp.Equal(before, after) == goes {
				t.Errorf("the bubble has changed: %v, want %v", !goes, goes)
			}
			// Nothing is the default, and it is what a skip means.
			w.s.Replies = nil
			w.at("case.found")
			w.goes(flows.Chose{Data: "AAAAAAAA.s"})
			if !w.s.Case.Asking.IsZero() {
				t.Error("the question stays open")
			}
			if card := fmt.Sprint(book.Card(w.s, w.now)); !strings.Contains(card, book.OfficerText("case.found.nothing")) {
				t.Errorf("the card does not say that nothing may be said: %s", card)
			}
		})
	}
}

// TestNoFamilyIsAskedWhatMayBeSaid: who looks for somebody is never offered the
// question of who was found, and who was found is never offered a release.
func TestNoFamilyIsAskedWhatMayBeSaid(t *testing.T) {
	book := shippedBook(t)
	for kind, want := range map[string]string{
		"family": "hostile release", "victim": "ask", "emergency": "ask",
		"message": "ask hostile release", // It may be either; the officer knows.
	} {
		w := &world{book: book, now: monday}
		w.goes(flows.Said{Message: "1", Text: "hello"})
		w.goes(flows.Delivered{Effect: flows.Open{}, Post: "root"})
		w.goes(flows.Claimed{Officer: flows.Officer{ID: "1", Name: "siti"}})
		w.s.Kind = kind
		has := map[flows.ActionName]bool{}
		for _, a := range book.Card(w.s, w.now).Menu {
			has[a.Name] = true
			if strings.Contains(string(a.Name)+a.Choice, ":") {
				t.Errorf("the action %q %q holds a colon", a.Name, a.Choice)
			}
		}
		var got []string
		for _, name := range []flows.ActionName{flows.ActionAsk, flows.ActionHostile, flows.ActionRelease} {
			if has[name] {
				got = append(got, string(name))
			}
		}
		if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}
