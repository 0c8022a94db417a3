package flows

import (
	"testing"
	"time"
)

// TestTypes: that an officer writes is shown to a person who is there and may get a
// message now, and in no other case.
func TestTypes(t *testing.T) {
	b, err := Load(Shipped(), Directory{})
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 3, 2, 5, 0, 0, 0, time.UTC) // by the policy's clock
	siti := Officer{ID: "u1", Name: "siti"}
	contact := func(options ...string) Answer {
		return Answer{Screen: "victim.contact", Fact: factContact, Options: options}
	}
	there := func() State {
		return State{
			Facts:  Facts{Language: "en", Answers: []Answer{contact("any")}},
			Screen: b.policy.Talk, Seen: noon.Add(-time.Minute),
			Case: &Case{ID: Moment{}.caseID(), Phase: Owned, Officer: siti, Thread: "card"},
		}
	}
	if !b.Types(there(), noon, siti) {
		t.Fatal("it is not shown to somebody who is there")
	}
	day := there()
	day.Answers = []Answer{contact("day")}
	if !b.Types(day, noon, siti) {
		t.Error("it is not shown by day to somebody who may be written to by day")
	}
	for never, harm := range map[string]func(s *State, o *Officer){
		"who writes first":             func(s *State, _ *Officer) { s.Answers = []Answer{contact("first")} },
		"who skipped the question":     func(s *State, _ *Officer) { s.Answers = []Answer{contact()} },
		"by night, by day":             func(s *State, _ *Officer) { s.Answers = []Answer{contact("night")} },
		"who gave no sign for long":    func(s *State, _ *Officer) { s.Seen = noon.Add(-time.Hour) },
		"who deleted the chat":         func(s *State, _ *Officer) { s.Left = true },
		"who closed the chat":          func(s *State, _ *Officer) { s.Shut = true },
		"whose chat folded back":       func(s *State, _ *Officer) { s.Rest = &Rest{Screen: b.policy.Talk, Since: noon} },
		"a stranger behind a mask":     func(s *State, _ *Officer) { s.Mask = &State{} },
		"at the check question":        func(s *State, _ *Officer) { s.Before = b.policy.Talk },
		"who may be somebody else":     func(s *State, _ *Officer) { s.Case.Guarded = guardWrong },
		"who sees no screen":           func(s *State, _ *Officer) { s.Screen = "" },
		"without a case":               func(s *State, _ *Officer) { s.Case = nil },
		"in a case nobody has claimed": func(s *State, _ *Officer) { s.Case.Phase = Alerting },
		"in a closed case":             func(s *State, _ *Officer) { s.Case.Phase = Ended },
		"of another officer":           func(_ *State, o *Officer) { *o = Officer{ID: "u2", Name: "siti"} },
		"of nobody":                    func(_ *State, o *Officer) { *o = Officer{} },
	} {
		s, o := there(), siti
		if harm(&s, &o); b.Types(s, noon, o) {
			t.Errorf("it is shown: %s", never)
		}
	}
	s := there()
	s.Answers = nil // Who was not asked is written to for as long as they were there.
	if !b.Types(s, noon, siti) {
		t.Error("it is not shown to somebody who was not asked yet and is there")
	}
}
