package flows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"suar/flows"
	"suar/flows/rehearsal"
)

// reveals are words that only somebody with a case sees.
var reveals = []string{"An officer", "The officer", "Settings", "What we hold", "There is news", "No reply yet", "Check word", "A person will read this"}

// noTrace fails if what is seen tells of a case.
func (l *life) noTrace(when string) {
	l.t.Helper()
	v := l.book.View(l.s, l.now)
	for _, word := range reveals {
		if strings.Contains(seen(v), word) {
			l.t.Errorf("%s the bubble tells of the case: %q", when, seen(v))
			return
		}
	}
}

// TestTheDeletedChatAsks: domain.md 7.2. Whoever writes in a chat that was deleted
// or closed to us may be another, however short a time ago that was: the question
// comes before anything of the case does.
func TestTheDeletedChatAsks(t *testing.T) {
	for name, end := range map[string]func(l *life){
		"deleted": func(l *life) { l.presses("Delete & leave") },
		"blocked": func(l *life) { l.happen(flows.Blocked{}) },
	} {
		t.Run(name, func(t *testing.T) {
			l := inCase(t, testWord, "")
			end(l)
			l.passes(time.Minute)
			l.officers = nil
			l.says("halo")
			if v := l.book.View(l.s, l.now); !strings.HasSuffix(v.Text, "What is your favourite food?") {
				t.Errorf("a minute later words are answered with %q", v.Text)
			}
			for _, e := range l.officers {
				if r, ok := e.(flows.Relay); ok && !strings.Contains(r.Label, "BELUM TERVERIFIKASI") {
					t.Errorf("words of nobody knows whom went out as %+v", r)
				}
			}
			l.says(testWord)
			if l.s.Left || l.s.Before != "" {
				t.Error("the right word does not lead back")
			}
		})
	}
	t.Run("a person asked for", func(t *testing.T) {
		l := inCase(t, testWord, "")
		l.presses("Delete & leave")
		l.passes(time.Minute)
		l.happen(flows.Started{Message: l.id()})
		l.presses("English")
		l.presses("A person")
		if l.s.Mask == nil {
			t.Error("whoever presses after the deletion is taken for the person")
		}
		if v := l.book.View(l.s, l.now); strings.Contains(v.Text, "An officer has") {
			t.Errorf("it shows the case: %q", v.Text)
		}
	})
}

// TestWordsOutliveTheChat: words that are at the keeper when the chat is deleted
// or closed to us come to the officers as what they are, and nothing of them comes
// back to the chat.
func TestWordsOutliveTheChat(t *testing.T) {
	ends := map[string]func(l *life){
		"deleted": func(l *life) { l.happen(flows.Asked{Message: l.id(), What: flows.AskDelete}) },
		"blocked": func(l *life) { l.happen(flows.Blocked{}) },
	}
	for name, end := range ends {
		for _, text := range []string{testWord, testPhrase, "nasi goreng"} {
			t.Run(name+" "+text, func(t *testing.T) {
				l := asked(t, testWord, testPhrase)
				l.happen(flows.Said{Message: l.id(), Text: text})
				end(l)
				l.caller, l.officers = nil, nil
				l.keep()
				if l.s.Screen != "" || l.s.Shown != "" || !l.s.Left || l.book.View(l.s, l.now).Text != "" {
					t.Errorf("the chat is at %q, the bubble %q", l.s.Screen, l.book.View(l.s, l.now).Text)
				}
				for _, kind := range kinds(l.caller) {
					if kind != "erase" && kind != "show quietly" {
						t.Errorf("in the deleted chat came %q", kinds(l.caller))
					}
				}
				told := false
				for _, e := range l.officers {
					switch e := e.(type) {
					case flows.Tell:
						told = true
					case flows.Relay:
						if e.Text != "nasi goreng" || !strings.Contains(e.Label, "BELUM TERVERIFIKASI") {
							t.Errorf("the thread got %+v", e)
						}
					}
				}
				if !told {
					t.Error("the officers do not know")
				}
				if text == testPhrase && (l.s.Case.Duress.IsZero() || l.s.Mask == nil) {
					t.Error("the phrase was lost")
				}
				l.happen(flows.Started{Message: l.id()})
				l.noTrace("after the chat was opened again")
			})
		}
	}
	t.Run("before a deletion in a known chat", func(t *testing.T) {
		l := inCase(t, testWord, testPhrase)
		l.happen(flows.Said{Message: l.id(), Text: "they took my passport"})
		ends["deleted"](l)
		l.officers = nil
		l.keep()
		relayed := 0
		for _, e := range l.officers {
			if r, ok := e.(flows.Relay); ok && r.Text == "they took my passport" && r.Label == "" {
				relayed++
			}
		}
		if relayed != 1 || !l.s.Left {
			t.Errorf("the words came %d times, the chat is left: %v", relayed, l.s.Left)
		}
	})
	t.Run("no case any more", func(t *testing.T) {
		l := inCase(t, testWord, testPhrase)
		l.happen(flows.Said{Message: l.id(), Text: "never mind"})
		l.happen(flows.Said{Message: l.id(), Text: "really"})
		l.s.Case, l.s.Left, l.s.Screen = nil, true, "" // As after a withdrawal.
		l.officers = nil
		l.keep()
		if l.s.Case != nil || len(l.officers) > 0 {
			t.Errorf("words of a case that is gone did %q", kinds(l.officers))
		}
	})
}

// TestCodeAfterTheDeletion: whoever has a receipt code may type it in the chat
// that was deleted, too: it goes nowhere, and no question of ours comes in between.
func TestCodeAfterTheDeletion(t *testing.T) {
	l := inCase(t, testWord, "")
	l.presses("Delete & leave")
	l.passes(31 * time.Minute)
	l.happen(flows.Started{Message: l.id()})
	l.s.Screen = "return.number" // However one comes there.
	l.officers = nil
	l.happen(flows.Said{Message: l.id(), Text: "1234 5678 1234 5678"})
	for _, e := range l.officers {
		if r, ok := e.(flows.Relay); ok {
			t.Errorf("the code went into the thread: %+v", r)
		}
	}
	if l.s.Before != "" || l.s.Screen != "return.question" {
		t.Errorf("it goes on at %q", l.s.Screen)
	}
}

// TestWordsAtTheKeeperAreOnTheirWay: domain.md 8, no false promise. As long as
// words wait to be compared the bubble says that they are being sent, after a while
// that the officers' side cannot be reached, and never that they were read.
func TestWordsAtTheKeeperAreOnTheirWay(t *testing.T) {
	l := inCase(t, "", testPhrase)
	text := func() string { return l.book.View(l.s, l.now).Text }
	if !strings.HasPrefix(text(), "An officer has read your message.") {
		t.Fatalf("before, the bubble says %q", text())
	}
	l.caller = nil
	since := l.now
	l.happen(flows.Said{Message: l.id(), Text: "they locked the door"})
	if !strings.HasPrefix(text(), "Sending your message") || !slices.Contains(kinds(l.caller), "show quietly") {
		t.Errorf("at the keeper the bubble says %q after %q", text(), kinds(l.caller))
	}
	l.passes(time.Minute)
	l.happen(flows.Said{Message: l.id(), Text: "please come"})
	l.passes(2 * time.Minute)
	if !l.s.Case.Stuck || strings.Contains(text(), "has read") {
		t.Errorf("after %v the bubble says %q", l.now.Sub(since), text())
	}
	e := l.keeper[0]
	l.keeper = l.keeper[1:]
	l.happen(rehearsal.Keep(e))
	if l.s.Case.Since.IsZero() || !l.s.Case.Stuck {
		t.Error("one came, the other is still on its way, and nobody says so")
	}
	l.keep()
	if !strings.HasPrefix(text(), "The officers have your message.") || l.s.Case.Stuck || !l.s.Case.Since.IsZero() {
		t.Errorf("at last the bubble says %q", text())
	}
}
