package flows_test

import (
	"testing"
	"time"

	"suar/flows"
)

// TestHelpFromTheScreenBefore: domain.md 8, never lock out an emergency press. Two
// presses are made at once on two devices; the second is of a screen that is gone.
// What asks for help or ends all is obeyed all the same, and nothing else.
func TestHelpFromTheScreenBefore(t *testing.T) {
	press := func(l *life, label string) flows.Event {
		t.Helper()
		bubble, _ := l.s.Bubble()
		for _, row := range l.book.View(l.s, l.now).Rows {
			for _, b := range row {
				if b.Label == label {
					return flows.Chose{Message: bubble, Data: b.Data}
				}
			}
		}
		t.Fatalf("no button %q", label)
		return nil
	}
	all := []string{"Danger now", "A person", "Delete & leave", "More"}
	for _, first := range all {
		for _, second := range all {
			l := inCase(t, "", "")
			one, two := press(l, first), press(l, second)
			l.happen(one)
			before := seen(l.book.View(l.s, l.now))
			l.happen(two)
			danger := first == "Danger now" || second == "Danger now"
			if l.s.Urgent() != danger {
				t.Errorf("%q, then %q: danger is %v", first, second, l.s.Urgent())
			}
			if second == "Delete & leave" && !l.s.Left {
				t.Errorf("%q, then %q: the chat stays", first, second)
			}
			if second == "More" && first != "More" && first != "Delete & leave" && seen(l.book.View(l.s, l.now)) != before {
				t.Errorf("%q, then %q: a button of a screen that is gone leads somewhere", first, second)
			}
			if !l.s.Left && l.s.Case == nil {
				t.Errorf("%q, then %q: the case is lost", first, second)
			}
		}
	}
}

// TestNotNowIsKept: who says "not now" hears nothing before their next sign, not
// even that Telegram kept a message; then they are told.
func TestNotNowIsKept(t *testing.T) {
	for _, how := range []string{"not now", "delete"} {
		book := shippedBook(t)
		at := time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)
		step := func(s flows.State, ev flows.Event) (flows.State, []flows.Effect) {
			at = at.Add(time.Second)
			return book.Step(s, flows.Moment{At: at, Fresh: [16]byte{1}}, ev)
		}
		s, _ := step(flows.State{}, flows.Started{Message: "1"})
		s, _ = step(s, flows.Delivered{Effect: flows.Show{}, Message: "2"})
		s.Screen, s.Token = "opening.now", "tok"
		if how == "not now" {
			s, _ = step(s, flows.Chose{Message: "2", Data: "tok.o1"})
		} else {
			s, _ = step(s, flows.Asked{Message: "3", What: flows.AskDelete})
		}
		if !s.Left {
			t.Fatalf("%s: the person has not left", how)
		}
		gone := []flows.MessageID{"1", "2"}
		s, effects := step(s, flows.Delivered{Effect: flows.Erase{Messages: gone}, Kept: gone[:1]})
		if told := len(effects) > 0 || book.View(s, at).Text != ""; told != (how == "delete") {
			t.Errorf("%s: told that a message was kept: %v (%v)", how, told, effects)
		}
		if how == "delete" {
			continue
		}
		s, _ = step(s, flows.Started{Message: "4"})
		if s.Note == "" {
			t.Errorf("%s: not told at the next sign either", how)
		}
	}
}
