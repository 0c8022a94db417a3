package mattermosttest

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
)

func threadFacts() []fact {
	return []fact{
		{"a cursor of create_at and id reads each reply once, in order", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			var written []string
			for i := range 25 {
				written = append(written, w.Post(w.Bot, root.Id, fmt.Sprint(i)).Id)
			}
			var read []string
			opts := model.GetPostsOptions{PerPage: 10, Direction: "down"}
			for range 10 {
				list, _, err := w.Bot.Client().GetPostThreadWithOpts(context.Background(), root.Id, "", opts)
				w.must(err, "read")
				if list.Posts[root.Id] == nil {
					t.Fatal("a page without the root")
				}
				for _, id := range list.Order {
					if id != root.Id {
						read = append(read, id)
						opts.FromPost, opts.FromCreateAt = id, list.Posts[id].CreateAt
					}
				}
				if list.HasNext == nil || !*list.HasNext {
					break
				}
			}
			slices.Sort(written)
			slices.Sort(read)
			want(t, "replies", read, written)
		}},
		{"updatesOnly finds edits by update_at", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			a := w.Post(w.Officers[0], root.Id, "a")
			b := w.Post(w.Officers[0], root.Id, "b")
			edited := w.Edit(w.Officers[0], a.Id, "a, changed")
			list, _, err := w.Bot.Client().GetPostThreadWithOpts(context.Background(), root.Id, "", model.GetPostsOptions{
				UpdatesOnly: true, FromUpdateAt: edited.UpdateAt - 1, Direction: "down", PerPage: 100,
			})
			w.must(err, "read")
			if list.Posts[a.Id] == nil || list.Posts[a.Id].Message != "a, changed" {
				t.Error("the edit is absent")
			}
			if b.UpdateAt < edited.UpdateAt-1 && list.Posts[b.Id] != nil {
				t.Error("what did not change is there")
			}
		}},
		{"a cursor without its time, or of two kinds, is 400", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			for _, q := range []string{
				"fromPost=" + root.Id, "updatesOnly=true", "fromUpdateAt=1&fromCreateAt=1",
				"fromUpdateAt=1&fromPost=" + root.Id, "direction=left", "perPage=201", "updatesOnly=true&fromUpdateAt=1&direction=up",
			} {
				status, _ := w.raw(w.Bot.Token, http.MethodGet, "/posts/"+root.Id+"/thread?"+q, "")
				want(t, q, status, http.StatusBadRequest)
			}
		}},
		{"the thread is also found by a reply", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			reply := w.Post(w.Bot, root.Id, "reply")
			list, _, err := w.Bot.Client().GetPostThread(context.Background(), reply.Id, "", false)
			w.must(err, "read")
			want(t, "posts", len(list.Posts), 2)
		}},
		{"a deleted reply is absent, a deleted root is 404", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			reply := w.Post(w.Bot, root.Id, "reply")
			w.Delete(w.Bot, reply.Id)
			want(t, "thread", w.Texts(w.Thread(root.Id)), []string{"suar: root"})
			w.Delete(w.Bot, root.Id)
			_, resp, err := w.Bot.Client().GetPostThread(context.Background(), root.Id, "", false)
			want(t, "status", w.status(resp, err), http.StatusNotFound)
		}},
		{"deleting a root deletes its replies", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			reply := w.Post(w.Officers[0], root.Id, "reply")
			w.Delete(w.Bot, root.Id)
			_, resp, err := w.Officers[0].Client().GetPost(context.Background(), reply.Id, "")
			want(t, "status", w.status(resp, err), http.StatusNotFound)
		}},
		{"since shows what is new, edited and deleted, and the history of edits", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			gone := w.Post(w.Officers[0], root.Id, "gone")
			changed := w.Post(w.Officers[0], root.Id, "before")
			from := changed.UpdateAt
			w.Edit(w.Officers[0], changed.Id, "after")
			w.Delete(w.Officers[0], gone.Id)
			list, _, err := w.Bot.Client().GetPostsSince(context.Background(), w.ChannelID, from-1, false)
			w.must(err, "read")
			if p := list.Posts[gone.Id]; p == nil || p.DeleteAt == 0 || p.Message != "" {
				t.Errorf("the deleted post is %+v", p)
			}
			if p := list.Posts[changed.Id]; p == nil || p.Message != "after" || p.EditAt == 0 {
				t.Errorf("the edited post is %+v", p)
			}
			history := 0
			for _, p := range list.Posts {
				if p.OriginalId == changed.Id {
					history++
				}
			}
			want(t, "rows of history", history, 1)
		}},
		{"since with collapsed threads shows no replies", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			reply := w.Post(w.Bot, root.Id, "reply")
			list, _, err := w.Bot.Client().GetPostsSince(context.Background(), w.ChannelID, root.CreateAt-1, true)
			w.must(err, "read")
			want(t, "the reply is there", list.Posts[reply.Id] != nil, false)
			want(t, "the root is there", list.Posts[root.Id] != nil, true)
		}},
		{"a page of the channel holds the newest posts", func(t *testing.T, w *World) {
			tick()
			root := w.Post(w.Bot, "", "the newest root")
			all := w.Roots()
			want(t, "last", all[len(all)-1].Id, root.Id)
		}},
		{"a reaction, a pin and a reply each change update_at", func(t *testing.T, w *World) {
			p := w.Post(w.Bot, "", "x")
			now := func() int64 {
				got, _, err := w.Bot.Client().GetPost(context.Background(), p.Id, "")
				w.must(err, "read")
				return got.UpdateAt
			}
			tick()
			w.React(w.Officers[0], p.Id, "eyes")
			reacted := now()
			tick()
			_, err := w.Bot.Client().PinPost(context.Background(), p.Id)
			w.must(err, "pin")
			pinned := now()
			reply := w.Post(w.Bot, p.Id, "reply")
			want(t, "changed by the reaction", reacted > p.UpdateAt, true)
			want(t, "changed by the pin", pinned > reacted, true)
			want(t, "changed by the reply", now(), reply.CreateAt)
		}},
	}
}

// tick waits for the next millisecond, since times are compared.
func tick() {
	for at := time.Now().UnixMilli(); time.Now().UnixMilli() == at; {
		runtime.Gosched()
	}
}

func reactionFacts() []fact {
	return []fact{
		{"a reaction comes and goes, twice is once", func(t *testing.T, w *World) {
			p := w.Post(w.Bot, "", "x")
			want(t, "before", w.Reactions(p.Id), []string{})
			w.React(w.Bot, p.Id, "eyes")
			w.React(w.Bot, p.Id, "eyes")
			w.React(w.Officers[0], p.Id, "white_check_mark")
			want(t, "both", w.Reactions(p.Id), []string{"siti: white_check_mark", "suar: eyes"})
			w.Unreact(w.Bot, p.Id, "eyes")
			w.Unreact(w.Bot, p.Id, "eyes")
			want(t, "one left", w.Reactions(p.Id), []string{"siti: white_check_mark"})
		}},
		{"the emoji of our signs exist, an invented one is 404", func(t *testing.T, w *World) {
			p := w.Post(w.Bot, "", "x")
			for _, name := range []string{"white_check_mark", "hourglass_flowing_sand", "memo", "warning", "eyes", "x", "lock", "spiral_note_pad", "no_entry"} {
				w.React(w.Bot, p.Id, name)
			}
			_, resp, err := w.Bot.Client().SaveReaction(context.Background(), &model.Reaction{UserId: w.Bot.ID, PostId: p.Id, EmojiName: "invented_emoji"})
			want(t, "status", w.status(resp, err), http.StatusNotFound)
		}},
		{"nobody reacts as somebody else, nor from outside", func(t *testing.T, w *World) {
			p := w.Post(w.Bot, "", "x")
			_, resp, err := w.Bot.Client().SaveReaction(context.Background(), &model.Reaction{UserId: w.Officers[0].ID, PostId: p.Id, EmojiName: "eyes"})
			want(t, "as an officer", w.status(resp, err), http.StatusForbidden)
			_, resp, err = w.Outsider.Client().SaveReaction(context.Background(), &model.Reaction{UserId: w.Outsider.ID, PostId: p.Id, EmojiName: "eyes"})
			want(t, "from outside", w.status(resp, err), http.StatusForbidden)
			w.React(w.Officers[0], p.Id, "eyes")
			resp, err = w.Bot.Client().DeleteReaction(context.Background(), &model.Reaction{UserId: w.Officers[0].ID, PostId: p.Id, EmojiName: "eyes"})
			want(t, "taking another's away", w.status(resp, err), http.StatusForbidden)
		}},
		{"a reaction to a deleted post is 404", func(t *testing.T, w *World) {
			p := w.Post(w.Bot, "", "x")
			w.Delete(w.Bot, p.Id)
			_, resp, err := w.Bot.Client().SaveReaction(context.Background(), &model.Reaction{UserId: w.Bot.ID, PostId: p.Id, EmojiName: "eyes"})
			want(t, "status", w.status(resp, err), http.StatusNotFound)
		}},
		{"a post shows its reactions", func(t *testing.T, w *World) {
			p := w.Post(w.Bot, "", "x")
			w.React(w.Bot, p.Id, "eyes")
			got := w.Thread(p.Id)[0]
			if got.Metadata == nil || len(got.Metadata.Reactions) != 1 || !got.HasReactions {
				t.Errorf("metadata %+v", got.Metadata)
			}
		}},
	}
}
