package flows_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
)

// closedCase is a closed case in which a check word was set and a reply lies
// unopened.
func closedCase(t *testing.T) *life {
	t.Helper()
	o := flows.Officer{ID: "1", Name: "siti"}
	l := inCase(t, testWord, testPhrase)
	l.happen(flows.Replied{Post: "r1", Officer: o, Text: "The bus goes at nine"})
	l.happen(flows.Closed{Officer: o})
	return l
}

// stands reports the messages of replies that can be opened.
func (l *life) stands() (ids []flows.MessageID) {
	for _, r := range l.s.Replies {
		if r.Message != "" && !r.Note {
			ids = append(ids, r.Message)
		}
	}
	return ids
}

// TestAClosedCaseIsNobodys: domain.md 7.2 and 8, never confirm a person's contact.
// After a break a closed case with a check word is a stranger's chat, whatever is
// pressed or written: the bubble is byte for byte what a stranger sees, and no
// reply opens, also not in the new case that somebody begins.
func TestAClosedCaseIsNobodys(t *testing.T) {
	l := closedCase(t)
	replies := l.stands()
	if len(replies) != 1 {
		t.Fatalf("%d replies lie in the chat, want 1", len(replies))
	}
	l.passes(24 * time.Hour)
	stranger := newLife(t)
	stranger.now = l.now
	stranger.happen(flows.Started{Message: stranger.id()})
	stranger.presses("English")
	l.caller, l.officers = nil, nil
	for _, label := range []string{"Contact the embassy", "Yes"} {
		l.presses(label)
		stranger.presses(label)
		if diff := cmp.Diff(seen(stranger.book.View(stranger.s, stranger.now)), seen(l.book.View(l.s, l.now))); diff != "" {
			t.Fatalf("after %q (-stranger +closed case):\n%s", label, diff)
		}
	}
	if !slices.ContainsFunc(l.officers, func(e flows.Effect) bool {
		m, ok := e.(flows.Mark)
		return ok && m.Post == "r1" && m.Sign == flows.SignFailed
	}) {
		t.Error("the officer is not told that the reply is for nobody any more")
	}
	id := l.s.Case.ID
	l.says("hello")
	if l.s.Case.ID == id || l.s.Case.Phase == flows.Ended {
		t.Fatal("a stranger's words do not begin a case")
	}
	for _, m := range replies {
		l.happen(flows.Chose{Message: m, Data: "part.1"})
	}
	if got := kinds(l.caller); slices.Contains(got, "say") || slices.Contains(got, "amend") {
		t.Errorf("of the old case's replies came %q", got)
	}
}

// TestAClosedCaseByEverySign: each sign makes the stranger, also where the chat
// folds late and still shows the case, and where it was deleted.
func TestAClosedCaseByEverySign(t *testing.T) {
	signs := map[string]func(l *life){
		"opened":  func(l *life) { l.happen(flows.Started{Message: l.id()}) },
		"privacy": func(l *life) { l.happen(flows.Asked{Message: l.id(), What: flows.AskLanguage}) },
		"garbled": func(l *life) { l.happen(flows.Garbled{Message: l.id()}) },
		"photo":   func(l *life) { l.happen(flows.Attached{Message: l.id(), Media: flows.MediaPhoto}) },
		"reply": func(l *life) {
			for _, m := range l.stands() {
				l.happen(flows.Chose{Message: m, Data: "part.1"})
			}
		},
		"a press": func(l *life) {
			bubble, _ := l.s.Bubble()
			l.happen(flows.Chose{Message: bubble, Data: l.s.Token + ".r"})
		},
	}
	for name, sign := range signs {
		for place, settle := range map[string]func(l *life){
			"folded": func(*life) {},
			"late": func(l *life) {
				l.presses("More")
				l.presses("Hide this after…")
				l.presses("1 hour")
			},
		} {
			t.Run(name+" "+place, func(t *testing.T) {
				l := inCase(t, testWord, "")
				settle(l)
				l.happen(flows.Replied{Post: "r1", Officer: flows.Officer{ID: "1"}, Text: "The bus goes at nine"})
				l.happen(flows.Closed{Officer: flows.Officer{ID: "1"}})
				l.passes(31 * time.Minute)
				if folded := l.s.Rest != nil; folded != (place == "folded") {
					t.Fatalf("the chat is folded: %v", folded)
				}
				l.caller = nil
				sign(l)
				l.noTrace("after the sign")
				if got := kinds(l.caller); slices.Contains(got, "amend") || slices.Contains(got, "say") {
					t.Errorf("it did %q", got)
				}
			})
		}
	}
}

// TestHelpFromAClosedCase: danger and a person are one tap away, too, from a chat
// that still shows the closed case; what comes of it is a new case.
func TestHelpFromAClosedCase(t *testing.T) {
	for _, label := range []string{"Danger now", "A person"} {
		l := inCase(t, testWord, "")
		l.presses("More")
		l.presses("Hide this after…")
		l.presses("1 hour")
		id := l.s.Case.ID
		l.happen(flows.Closed{Officer: flows.Officer{ID: "1"}})
		l.passes(45 * time.Minute)
		l.presses(label)
		if l.s.Case.ID == id || l.s.Case.Phase != flows.Alerting || l.s.Left {
			t.Errorf("%q: the case is %+v", label, l.s.Case)
		}
	}
}

// TestThePhraseInAClosedCase: it looks as always, and the officers know.
func TestThePhraseInAClosedCase(t *testing.T) {
	l := closedCase(t)
	id := l.s.Case.ID
	l.officers = nil
	l.says(testPhrase)
	l.noTrace("after the phrase")
	if l.s.Case.ID != id || l.s.Case.Duress.IsZero() || !slices.Contains(kinds(l.officers), "page") {
		t.Errorf("the officers got %q", kinds(l.officers))
	}
	l.says("hello")
	if l.s.Case.ID == id {
		t.Error("other words do not begin a case")
	}
}
