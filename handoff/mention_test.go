package handoff

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/mattermosttest"
)

// TestAMentionIsNotForThePerson: what mentions a member of the channel, somebody on
// call or everybody says so to the engine; other names and addresses do not.
func TestAMentionIsNotForThePerson(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w, func(c *Config) { c.OnCall = []string{"piket.malam"} })
		root := r.open(1)
		r.run()
		siti, budi, gone := w.Officers[0], w.Officers[1], w.Officers[2]
		w.RemoveMember(gone)

		var want []flows.Event
		var posts []*model.Post
		for _, said := range []struct {
			text     string
			mentions bool
		}{
			{"@" + budi.Username + " I do not believe her", true},
			{"what do you think (@" + budi.Username + ")?", true},
			{"ask @" + budi.Username + ".", true},
			{"@channel who can take this", true},
			{"tolong @HERE", true},
			{"@piket.malam look", true},
			{"write to kbri@" + budi.Username + ".example", false},
			{"on Telegram we are @kbri_contoh", false},
			{"@" + gone.Username + " is not here any more", false},
			{"meet @ 10", false},
		} {
			post := w.Post(siti, string(root), said.text)
			posts = append(posts, post)
			want = append(want, flows.Replied{Post: flows.PostID(post.Id), Officer: officer(siti), Text: said.text, Mentions: said.mentions})
		}
		note := w.Post(siti, string(root), "// @"+budi.Username+" look")
		want = append(want, flows.Noted{Post: flows.PostID(note.Id), Officer: officer(siti), Text: "@" + budi.Username + " look"})
		r.ledger.wait(t, root, len(want))
		for i, text := range []string{"you, @" + budi.Username, "you"} {
			w.Edit(siti, posts[i].Id, text)
			want = append(want, flows.Revised{Post: flows.PostID(posts[i].Id), Officer: officer(siti), Text: text, Mentions: i == 0})
		}
		if diff := cmp.Diff(want, r.ledger.wait(t, root, len(want))); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}
