package flows

import (
	"slices"
	"testing"
	"time"
)

// erasing are the messages that effects erase.
func erasing(effects []Effect) (all []MessageID) {
	for _, e := range effects {
		if e, ok := e.(Erase); ok {
			all = append(all, e.Messages...)
		}
	}
	return all
}

// TestWhatIsWrittenAtRestGoes: who writes while the chat is at rest and goes back
// from the gate leaves nothing of it there; the chat does not fold once more.
func TestWhatIsWrittenAtRestGoes(t *testing.T) {
	t.Parallel()
	book, err := Load(Shipped(), Directory{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)
	s := State{
		Facts: Facts{Language: "id"}, Screen: book.policy.First, Token: "t", Shown: "1",
		Messages: []Message{{ID: "1", At: at}}, Seen: at, Rest: &Rest{Screen: book.policy.Talk, Since: at},
		Case: &Case{Phase: Owned, Opened: at, Placed: at, Acknowledged: at, Stirred: at, Thread: "root"},
	}
	s, effects := book.Step(s, Moment{At: at.Add(time.Hour)}, Said{Message: "2", Text: "halo"})
	if s.Screen != book.policy.Gate || slices.Contains(erasing(effects), "2") {
		t.Fatalf("at %q, erased %v; want the gate, and the message still there", s.Screen, erasing(effects))
	}
	s, effects = book.Step(s, Moment{At: at.Add(61 * time.Minute)}, Chose{Message: "1", Data: s.Token + "." + pressBack})
	if s.Screen != book.policy.First || !slices.Contains(erasing(effects), "2") {
		t.Errorf("at %q, erased %v; want the cover without the message", s.Screen, erasing(effects))
	}
}

// TestWhoUnblocksFindsNothing: what could not be erased from a chat that was closed
// to us goes when it is opened again, by whomever.
func TestWhoUnblocksFindsNothing(t *testing.T) {
	t.Parallel()
	book, err := Load(Shipped(), Directory{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)
	s := State{
		Facts: Facts{Language: "id"}, Screen: book.policy.Talk, Token: "t", Shown: "1",
		Messages: []Message{{ID: "1", At: at}, {ID: "2", At: at}}, Seen: at,
		Case: &Case{Phase: Owned, Opened: at, Placed: at, Acknowledged: at, Stirred: at, Thread: "root"},
	}
	s, _ = book.Step(s, Moment{At: at.Add(time.Minute)}, Blocked{})
	s, effects := book.Step(s, Moment{At: at.Add(time.Hour)}, Started{Message: "3"})
	for _, id := range []MessageID{"1", "2", "3"} {
		if !slices.Contains(erasing(effects), id) {
			t.Errorf("message %s stays: erased %v", id, erasing(effects))
		}
	}
	if s.Shut || s.Screen != book.policy.First {
		t.Errorf("shut %v at %q, want the cover", s.Shut, s.Screen)
	}
}
