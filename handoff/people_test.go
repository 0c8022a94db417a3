package handoff

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
	"suar/handoff/roster"
	"suar/internal/mattermosttest"
)

// Rosters with and without rina.
const (
	withRina    = "version: 1\nzone: UTC\nofficers: [{name: siti}, {name: budi, role: lead}, {name: rina, role: supervisor}]\n" + always
	withoutRina = "version: 2\nzone: UTC\nofficers: [{name: siti}, {name: budi, role: lead}]\n" + always
	always      = "shifts: [{days: [mon], from: 06:00, to: 22:00, first: siti}]\n"
)

// served is a roster that can be replaced.
type served struct{ atomic.Pointer[roster.Roster] }

func (s *served) serve(t *testing.T, text string) { s.Store(newRoster(t, text)()) }

func ofRoster(s *served) func(*Config) {
	return func(c *Config) { c.Roster, c.OnCall, c.Words.Outsider = s.Load, nil, "belum dalam daftar" }
}

// Somebody who leaves the roster can do nothing from that moment on, although still
// in the channel: no press, no menu, no answer to a dialog that is open, no reply, no
// note, no edit. Whoever wrote is told so in the thread, once.
func TestLeavesTheRoster(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		var s served
		s.serve(t, withRina)
		r := newRig(t, w, ofRoster(&s))
		r.run()
		root := r.open(1)
		siti, rina := w.Officers[0], w.Officers[2]
		screen := w.Watch(rina)
		first := w.Post(rina, string(root), "while an officer")
		r.ledger.wait(t, root, 1)
		w.Press(rina, string(root), "Close")
		d := screen.Dialog()

		s.serve(t, withoutRina)
		w.Press(rina, string(root), "Claim")
		if got := screen.Ephemeral(); got != r.Words.Refused {
			t.Errorf("a press is answered %q", got)
		}
		w.Choose(rina, string(root), "More…", "look")
		if answer, _ := w.SubmitDialog(rina, d, map[string]any{}); answer == nil || answer.Error != r.Words.Refused {
			t.Errorf("the dialog that was open is answered %+v", answer)
		}
		reply := w.Post(rina, string(root), "a reply")
		note := w.Post(rina, string(root), "// a note")
		w.Edit(rina, first.Id, "another wording")
		for _, post := range []string{reply.Id, note.Id} {
			r.until("the post has the sign of one that reaches nobody", func() bool {
				return cmp.Equal(w.Reactions(post), []string{"suar: x"})
			})
		}
		w.Post(siti, string(root), "from siti") // It is handed over after all of rina's.
		events := r.ledger.wait(t, root, 2)
		if got, ok := events[1].(flows.Replied); !ok || got.Text != "from siti" || len(events) != 2 {
			t.Errorf("handed over: %v", events)
		}
		told := 0
		for _, post := range w.Thread(string(root)) {
			if post.UserId == w.Bot.ID && strings.Contains(post.Message, "belum dalam daftar") {
				told++
				if !strings.HasPrefix(post.Message, "**@\u2060rina** ") {
					t.Errorf("the thread says %q", post.Message)
				}
			}
		}
		if told != 1 {
			t.Errorf("the thread says it %d times, want once", told)
		}

		// Who is back may write again; what was turned away stays so.
		s.serve(t, withRina)
		w.Post(rina, string(root), "back again")
		if got := r.ledger.wait(t, root, 3)[2].(flows.Replied); got.Text != "back again" {
			t.Errorf("after the return: %v", got)
		}
		w.Edit(siti, w.Post(siti, string(root), "one more").Id, "one more, edited")
		r.ledger.wait(t, root, 5)

		// Of what is deleted it is said whether its author is an officer.
		s.serve(t, withoutRina)
		w.Delete(rina, first.Id)
		if got, want := r.ledger.wait(t, root, 6)[5], (flows.Withdrawn{Post: flows.PostID(first.Id), Outsider: true}); got != flows.Event(want) {
			t.Errorf("the deletion: %v", got)
		}
	})
}

// What an officer wrote who was removed before anybody could listen is not handed
// over, nor what a member wrote who never was one.
func TestRemovedBeforeItIsRead(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w, func(c *Config) { c.Now = time.Now })
		root := r.open(1)
		siti, budi, rina := w.Officers[0], w.Officers[1], w.Officers[2]
		posts := []string{w.Post(rina, string(root), "removed at once").Id, w.Post(budi, string(root), "deactivated at once").Id}
		w.RemoveMember(rina)
		w.Deactivate(budi)
		w.Post(siti, string(root), "from siti")
		r.run()
		events := r.ledger.wait(t, root, 1)
		for _, post := range posts {
			r.until("the post has the sign of one that reaches nobody", func() bool {
				return cmp.Equal(w.Reactions(post), []string{"suar: x"})
			})
		}
		if got := events[0].(flows.Replied); got.Text != "from siti" || len(r.ledger.of(root)) != 1 {
			t.Errorf("handed over: %v", r.ledger.of(root))
		}
	})
}

// In a thread that is none of a case nobody is told anything.
func TestTurnedAwayOnlyUnderCards(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		var s served
		s.serve(t, withoutRina)
		r := newRig(t, w, ofRoster(&s))
		r.run()
		root := r.open(1)
		talk := w.Post(w.Officers[2], "", "lunch?")
		w.Post(w.Officers[2], talk.Id, "at noon")
		w.Post(w.Officers[0], string(root), "a reply")
		r.ledger.wait(t, root, 1)
		reply := w.Post(w.Officers[2], string(root), "not mine to say")
		r.until("the thread of the case says it", func() bool { return len(w.Reactions(reply.Id)) == 1 })
		if thread := w.Thread(talk.Id); len(thread) != 2 || len(w.Reactions(thread[1].Id)) != 0 {
			t.Errorf("the colleagues' own thread: %q", w.Texts(thread))
		}
	})
}
