package flows_test

import (
	"testing"

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
