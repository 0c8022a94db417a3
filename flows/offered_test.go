package flows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
)

// presses are all that could stand after a token.
var presses = []string{"s", "b", "h", "x", "d", "n", "r", "k", "q", "f", "p0", "p7", "len", "lid", "lxx", "c0", "c1", "o0", "o1", "o2", "o3", "o9", "o-1", "o", ""}

// TestOnlyWhatIsOfferedIsObeyed: security.md G12, forged input does nothing. The
// token of the cover is in the chat, and Telegram lets whoever has the account
// send it with any press: at rest only the cover's own buttons do something, as for
// a stranger, and nothing of the case shows.
func TestOnlyWhatIsOfferedIsObeyed(t *testing.T) {
	for _, press := range presses {
		l := inCase(t, testWord, testPhrase)
		l.presses("More")
		l.presses("When may we write?")
		l.presses("No, I will write first")
		l.happen(flows.Replied{Post: "r1", Officer: flows.Officer{ID: "1"}, Text: "The bus goes at nine"})
		l.passes(15 * time.Minute)
		v := l.book.View(l.s, l.now)
		data := l.s.Token + "." + press
		if l.s.Rest == nil || press == "h" || press == "x" || strings.Contains(seen(v), " "+press+" ") && press != "" {
			continue
		}
		bubble, _ := l.s.Bubble()
		l.caller, l.officers = nil, nil
		l.happen(flows.Chose{Message: bubble, Data: data})
		if diff := cmp.Diff(seen(v), seen(l.book.View(l.s, l.now))); diff != "" {
			t.Errorf("a forged %q changes the cover (-before +after):\n%s", press, diff)
		}
		if got := kinds(l.caller); slices.Contains(got, "say") || len(l.officers) > 0 {
			t.Errorf("a forged %q does %q and %q", press, got, kinds(l.officers))
		}
	}
}

// TestOfferedBesidesTheBubble: what stands beneath a reply's own message, on the
// privacy text that is shown once, and what asks for help is obeyed all the same.
func TestOfferedBesidesTheBubble(t *testing.T) {
	l := inCase(t, "", "")
	l.happen(flows.Replied{Post: "r1", Officer: flows.Officer{ID: "1"}, Text: "The bus goes at nine"})
	reply := l.s.Replies[0].Message
	l.happen(flows.Chose{Message: reply, Data: "part.1"})
	if l.s.Replies[0].Part != 1 {
		t.Error("the reply does not open")
	}
	l.happen(flows.Chose{Message: reply, Data: "erase"})
	if len(l.s.Replies) > 0 {
		t.Error("the reply does not go")
	}
	l.happen(flows.Asked{Message: l.id(), What: flows.AskPrivacy})
	l.presses("What we hold")
	if l.s.Screen != "case.held" {
		t.Errorf("the privacy text leads to %q", l.s.Screen)
	}
	l.happen(flows.Asked{Message: l.id(), What: flows.AskPrivacy})
	id, _ := l.s.Bubble()
	l.presses("Back")
	l.happen(flows.Asked{Message: l.id(), What: flows.AskPrivacy})
	l.happen(flows.Chose{Message: id, Data: l.s.Token + ".x"})
	if !l.s.Left {
		t.Error("what ends all was refused")
	}
}
