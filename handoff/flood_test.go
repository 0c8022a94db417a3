package handoff

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/mattermosttest"
)

// Who is no officer may write as much as they like: an officer's reply in the same
// thread does not wait for it.
func TestOutsidersHoldUpNobody(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		var s served
		s.serve(t, withoutRina)
		r := newRig(t, w, ofRoster(&s), func(c *Config) { c.Pace = 0.1 }) // Eight would wait longer than the test.
		r.run()
		root := r.open(1)
		var posts []*model.Post
		for range 8 {
			posts = append(posts, w.Post(w.Officers[2], string(root), "noise"))
		}
		w.Post(w.Officers[0], string(root), "from siti")
		if got := r.ledger.wait(t, root, 1)[0].(flows.Replied); got.Text != "from siti" {
			t.Errorf("handed over: %v", got)
		}
		for _, post := range posts {
			if got := w.Reactions(post.Id); !cmp.Equal(got, []string{"suar: x"}) {
				t.Errorf("the signs of what reached nobody: %q", got)
			}
		}
	})
}

// What an officer wrote who is a minute and more ahead is not handed over, and shown
// so; it costs the officer nothing.
func TestFarAheadIsLetGo(t *testing.T) {
	w := mattermosttest.StandIn(t)
	r := newRig(t, w, func(c *Config) { c.Pace = 0.1 })
	r.run()
	root, siti := r.open(1), w.Officers[0]
	for range 30 {
		r.posts.take(siti.ID, time.Now(), r.Pace)
	}
	owed := func() time.Time {
		r.posts.mu.Lock()
		defer r.posts.mu.Unlock()
		return r.posts.of(siti.ID, time.Time{})
	}
	before := owed()
	post := w.Post(siti, string(root), "one more")
	r.until("the post has the sign of one that reaches nobody", func() bool {
		return cmp.Equal(w.Reactions(post.Id), []string{"suar: x"})
	})
	if got := r.ledger.of(root); len(got) != 0 {
		t.Errorf("handed over: %v", got)
	}
	if got := owed(); !got.Equal(before) {
		t.Errorf("it cost %v", got.Sub(before))
	}
}

// One author cannot fill what waits: the socket is read on, and another's words in
// another thread are handed over.
func TestOneAuthorDoesNotFillTheLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, kinds, siti := make(chan bool), map[what]int{}, make(chan bool, 1)
		of := func(author, root string, n int64) *model.Post {
			return &model.Post{Id: "post", UserId: author, RootId: root, UpdateAt: n}
		}
		var l *lanes
		l = newLanes(func(c change) bool {
			if c.post.UserId == "siti" {
				siti <- true
				return true
			}
			<-stuck
			l.mu.Lock()
			defer l.mu.Unlock()
			kinds[c.what]++
			return true
		})
		for n := range int64(2 * maxQueued) {
			if err := l.offer(t.Context(), change{what: created, post: of("rina", "first", n+1)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.offer(t.Context(), change{what: deleted, post: of("rina", "first", 1)}); err != nil {
			t.Fatal(err)
		}
		if err := l.offer(t.Context(), change{what: created, post: of("siti", "second", 1)}); err != nil {
			t.Fatal(err)
		}
		<-siti
		close(stuck)
		l.done.Wait()
		if diff := cmp.Diff(map[what]int{created: mostOfOne, tooMany: mostOfOne, deleted: 1}, kinds); diff != "" {
			t.Errorf("what was handled of rina's (-want +got):\n%s", diff)
		}
		// Then there is room again.
		if err := l.offer(t.Context(), change{what: edited, post: of("rina", "first", 1)}); err != nil {
			t.Fatal(err)
		}
		l.done.Wait()
		if kinds[edited] != 1 || len(l.of) != 0 || l.total != 0 {
			t.Errorf("afterwards: %v, %v waiting", kinds, l.of)
		}
	})
}
