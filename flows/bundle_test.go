package flows_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"suar/flows"
)

// words are the person's messages that went to the thread, once all that waits
// for its time has had it.
func (l *life) words() (all []string) {
	l.t.Helper()
	l.passes(time.Second)
	return relayed(l.officers)
}

// relayed are the messages of the relays among effects.
func relayed(effects []flows.Effect) (all []string) {
	for _, e := range effects {
		if r, ok := e.(flows.Relay); ok && r.Text != "" {
			all = append(all, strings.Split(r.Text, "\n")...)
		}
	}
	return all
}

// relays counts the posts that the person's words became.
func relays(effects []flows.Effect) (n int) {
	for _, e := range effects {
		if _, ok := e.(flows.Relay); ok {
			n++
		}
	}
	return n
}

// TestAFloodBecomesFewPosts: a chat that writes 2,000 messages in 4 s makes a
// post of its own for the first ten and then about one a second, in which every
// message stands, in order.
func TestAFloodBecomesFewPosts(t *testing.T) {
	l := inCase(t, "", "")
	l.passes(time.Minute)
	l.officers = nil
	var want []string
	for n := range 2000 {
		want = append(want, fmt.Sprintf("f%04d", n))
		l.says(want[n])
		l.passes(2 * time.Millisecond)
		if n == 9 && relays(l.officers) != 10 {
			t.Errorf("of the first ten messages %d went by themselves", relays(l.officers))
		}
	}
	if got := l.words(); !slices.Equal(got, want) {
		t.Errorf("%d messages are in the thread, of %d, or not in their order", len(got), len(want))
	}
	if n := relays(l.officers); n < 13 || n > 17 {
		t.Errorf("they are %d posts", n)
	}
	updates := 0
	for _, e := range l.officers {
		if e == flows.Effect(flows.Update{}) {
			updates++
		}
	}
	if updates > relays(l.officers)+1 {
		t.Errorf("the card was brought up to date %d times for %d posts", updates, relays(l.officers))
	}
	if _, last := l.officers[len(l.officers)-1].(flows.Update); !last {
		t.Errorf("the last to the officers is %v: the card does not witness all", l.officers[len(l.officers)-1])
	}
	if l.s.Case.Unsent != 0 {
		t.Errorf("%d count as on their way", l.s.Case.Unsent)
	}
	l.passes(time.Minute)
	l.officers = nil
	l.says("alone")
	if relays(l.officers) != 1 {
		t.Error("a minute later a message does not go at once")
	}
}

// TestNothingOvertakesWhatIsBundled: whatever ends or tells comes after the words
// before it, and they are lost to nothing.
func TestNothingOvertakesWhatIsBundled(t *testing.T) {
	siti := flows.Officer{ID: "1", Name: "siti"}
	for name, then := range map[string]flows.Event{
		"leaves":   flows.Asked{Message: "x", What: flows.AskDelete},
		"blocks":   flows.Blocked{},
		"attaches": flows.Attached{Message: "x", Media: flows.MediaSticker},
		"closed":   flows.Closed{Officer: siti},
	} {
		l := inCase(t, "", "")
		l.passes(time.Minute)
		for n := range 15 {
			l.says(fmt.Sprint("words ", n))
		}
		if l.s.Case.Bundle.Words == 0 {
			t.Fatal("nothing is bundled")
		}
		l.officers = nil
		l.happen(then)
		if _, ok := l.officers[0].(flows.Relay); !ok || l.s.Case.Bundle.Words != 0 {
			t.Errorf("%s: first comes %v, and %d messages wait still", name, l.officers[0], l.s.Case.Bundle.Words)
		}
	}
}

// TestALostCardKeepsTheOrder: words that find no card come before those that were
// bundled meanwhile.
func TestALostCardKeepsTheOrder(t *testing.T) {
	l := inCase(t, "", "")
	l.passes(time.Minute)
	for n := range 15 {
		l.says(fmt.Sprint("words ", n))
	}
	l.s.Case.Unsent++ // One is on its way again.
	l.officers = nil
	l.happen(flows.Undelivered{Effect: flows.Relay{Text: "before"}, Reason: flows.ReasonGone})
	got := l.words()
	if want := []string{"before", "words 10", "words 11", "words 12", "words 13", "words 14"}; !slices.Equal(got, want) {
		t.Errorf("the thread has %q, want %q", got, want)
	}
	if l.s.Case.Unsent != 0 {
		t.Errorf("%d count as on their way", l.s.Case.Unsent)
	}
}

// TestBundlesLoseNothing: whatever is written how fast, and whatever is done
// between, each message comes into the thread once and in its order, no later
// than after a second.
func TestBundlesLoseNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := inCase(t, "", "")
		l.officers = nil
		var want []string
		for n := range rapid.IntRange(1, 80).Draw(rt, "events") {
			text := fmt.Sprint("words ", n, strings.Repeat(" and more", rapid.SampledFrom([]int{0, 0, 0, 300}).Draw(rt, "length")))
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0:
				want = append(want, text)
				l.happen(flows.Edited{Message: "m3", Text: text})
			case 1:
				want = append(want, text)
				l.happen(flows.Attached{Message: l.id(), Media: flows.MediaPhoto, Caption: text})
			case 2:
				l.passes(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "pause")) * time.Millisecond)
			case 3:
				l.now = l.now.Add(-time.Hour) // The clock is put back.
				fallthrough
			default:
				want = append(want, text)
				l.happen(flows.Said{Message: l.id(), Text: text})
			}
		}
		due := l.s.Case.Bundle.Words > 0
		if at := l.s.Alarm(); due && at.Sub(l.now) > time.Second {
			rt.Fatalf("what is bundled goes in %v", at.Sub(l.now))
		}
		l.passes(time.Second)
		if got := l.words(); !slices.Equal(got, want) {
			rt.Fatalf("the thread has %q, want %q", got, want)
		}
		if l.s.Case.Unsent != 0 {
			rt.Fatalf("%d count as on their way", l.s.Case.Unsent)
		}
	})
}
