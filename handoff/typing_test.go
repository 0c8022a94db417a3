package handoff

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/mattermosttest"
)

// typingIn makes the event of somebody who types.
func typingIn(channel, user, root string) *model.WebSocketEvent {
	ev := model.NewWebSocketEvent(model.WebsocketEventTyping, "", channel, "", nil, "")
	ev.Add("user_id", user)
	ev.Add("parent_id", root)
	return ev
}

// TestTyping: that an officer types under a card is passed on with who it is, once in
// five seconds; not of somebody who is no officer, of the bot, elsewhere, or beside a
// thread.
func TestTyping(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		var got []string
		now := time.Unix(1_800_000_000, 0)
		r := newRig(t, w, func(c *Config) {
			c.Now = func() time.Time { return now }
			c.Typing = func(_ context.Context, thread flows.PostID, o flows.Officer) error {
				got = append(got, fmt.Sprint(o.Name, " in ", thread))
				return nil
			}
		})
		place, err := r.where(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		l := &listener{Desk: r.Desk, place: place}
		officer, root, other := w.Officers[0], model.NewId(), model.NewId()
		hears := func(want int, what string, ev *model.WebSocketEvent) {
			t.Helper()
			before := len(got)
			l.types(t.Context(), ev)
			l.typed.done.Wait()
			if len(got)-before != want {
				t.Errorf("%s: passed on %d times, want %d", what, len(got)-before, want)
			}
		}
		hears(1, "an officer", typingIn(place.channel, officer.ID, root))
		hears(0, "again at once", typingIn(place.channel, officer.ID, root))
		hears(1, "in another thread", typingIn(place.channel, officer.ID, other))
		now = now.Add(typedEvery)
		hears(1, "five seconds later", typingIn(place.channel, officer.ID, root))
		now = now.Add(typedEvery)
		hears(0, "an outsider", typingIn(place.channel, w.Outsider.ID, root))
		now = now.Add(typedEvery)
		hears(0, "the bot", typingIn(place.channel, place.bot, root))
		hears(0, "another channel", typingIn(model.NewId(), officer.ID, root))
		hears(0, "no thread", typingIn(place.channel, officer.ID, ""))
		if want := officer.Username + " in " + root; len(got) == 0 || got[0] != want {
			t.Errorf("it was %q, want %q first", got, want)
		}
	})
}

// TestTypingIsBounded: many threads at once are neither remembered without end nor
// looked at all at once.
func TestTypingIsBounded(t *testing.T) {
	var ty typed
	now := time.Unix(1_800_000_000, 0)
	begun := 0
	for i := range 3 * mostTyped {
		if ty.begin(fmt.Sprint(i), now) {
			begun++
			if begun > typedAtOnce {
				ty.end()
			}
		}
	}
	if begun != typedAtOnce {
		t.Errorf("%d at once, want %d", begun, typedAtOnce)
	}
	for range typedAtOnce {
		ty.end()
	}
	for i := range 3 * mostTyped {
		if !ty.begin(fmt.Sprint(i, "x"), now) {
			t.Fatalf("the %d. is not passed on", i)
		}
		ty.end()
	}
	if len(ty.last) > mostTyped {
		t.Errorf("%d threads are remembered", len(ty.last))
	}
}
