package handoff

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/mattermosttest"
)

// TestWhatWasMissedIsTold: nothing ran for more than the horizon. Each post of
// that time gets the sign that it will not arrive, its thread is told once, and
// threads in which nobody wrote are told nothing; nor is it told again.
func TestWhatWasMissedIsTold(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		first := newRig(t, w)
		root, other, quiet := first.open(1), first.open(2), first.open(3)
		stop := first.run()
		siti := w.Officers[0]
		read := w.Post(siti, string(root), "read")
		revised := w.Post(siti, string(other), "read, and edited later")
		w.Post(siti, string(quiet), "read as well")
		first.ledger.wait(t, root, 1)
		first.ledger.wait(t, other, 1)
		first.ledger.wait(t, quiet, 1)
		stop() // It saves its mark.

		missed := w.Post(siti, string(root), "missed")
		note := w.Post(siti, string(root), "// missed as well")
		w.Edit(siti, revised.Id, "not seen")
		theirs := w.Post(siti, "", "a thread of their own")
		unasked := w.Post(siti, theirs.Id, "not about a case")

		next := newRig(t, w, func(c *Config) {
			c.Now = func() time.Time { return time.Now().Add(horizon + 3*time.Hour) }
			c.Handler = first.ledger
		})
		stop = next.run()
		crossed := []string{w.Bot.Username + ": x"}
		for _, post := range []*model.Post{missed, note} {
			next.until("the sign is there", func() bool { return slices.Equal(w.Reactions(post.Id), crossed) })
		}
		for _, post := range []*model.Post{read, revised, unasked} {
			if got := w.Reactions(post.Id); len(got) != 0 {
				t.Errorf("%q has the signs %v", post.Message, got)
			}
		}
		w.Post(siti, string(root), "heard")
		events := first.ledger.wait(t, root, 3)
		gap, ok := events[1].(flows.Missed)
		if !ok || gap.Since.UnixMilli() < read.CreateAt || gap.Since.UnixMilli() >= missed.CreateAt || gap.Until.UnixMilli() <= note.CreateAt {
			t.Errorf("after what was read comes %+v", events[1])
		}
		if r, ok := events[2].(flows.Replied); !ok || r.Text != "heard" {
			t.Errorf("then comes %+v", events[2])
		}
		if diff := cmp.Diff(flows.Event(gap), first.ledger.wait(t, other, 2)[1]); diff != "" {
			t.Errorf("of the edit (-want +got):\n%s", diff)
		}
		stop()

		again := newRig(t, w, func(c *Config) {
			c.Now = func() time.Time { return time.Now().Add(2 * horizon) }
			c.Handler = first.ledger
		})
		again.run()
		w.Post(siti, string(quiet), "the last")
		if got := first.ledger.wait(t, quiet, 2); len(got) != 2 {
			t.Errorf("the thread in which nobody wrote got %v", got)
		}
		for _, root := range []flows.PostID{root, other} {
			n := 0
			for _, e := range first.ledger.of(root) {
				if _, is := e.(flows.Missed); is {
					n++
				}
			}
			if n != 1 {
				t.Errorf("a thread was told %d times", n)
			}
		}
	})
}

// TestMissedIn: what of a post's life lies in a gap.
func TestMissedIn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		create, edit, remove int64
		want                 bool
	}{
		"before":                 {create: 90},
		"written":                {create: 150, want: true},
		"after":                  {create: 210},
		"edited":                 {create: 90, edit: 150, want: true},
		"edited after":           {create: 90, edit: 210},
		"deleted":                {create: 90, remove: 150, want: true},
		"written and deleted":    {create: 150, remove: 160},
		"written, deleted after": {create: 150, remove: 210},
	} {
		post := &model.Post{CreateAt: c.create, EditAt: c.edit, DeleteAt: c.remove}
		if _, got := missedIn(post, 100, 200); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
