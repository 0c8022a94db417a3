package mattermosttest

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"
)

// deletionFacts are what deleting for good takes away, and what it leaves.
func deletionFacts() []fact {
	erase := func(w *World, id string) {
		resp, err := w.Admin.Client().PermanentDeletePost(context.Background(), id)
		want(w.t, "delete for good", w.status(resp, err), http.StatusOK)
	}
	kept := func(w *World, marker string) bool { return strings.Contains(string(w.Dump()), marker) }
	return []fact{
		{"a root deleted for good takes its replies with it, but not its own earlier versions, nor the replies' files", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "marker-root-before")
			w.Edit(w.Bot, root.Id, "marker-root-after")
			reply := w.Post(w.Bot, root.Id, "marker-reply-before")
			w.Edit(w.Bot, reply.Id, "marker-reply-after")
			w.PostFile(w.Officers[0], root.Id, "with a file", "marker-file.txt", []byte("inside"))
			erase(w, root.Id)
			for marker, stays := range map[string]bool{
				"marker-root-before": true, "marker-file.txt": true,
				"marker-root-after": false, "marker-reply-before": false, "marker-reply-after": false,
			} {
				want(t, marker, kept(w, marker), stays)
			}
		}},
		{"a reply deleted for good takes its file with it, also if it was hidden before", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			p := w.PostFile(w.Officers[0], root.Id, "with a file", "marker-hidden.txt", []byte("inside"))
			w.Delete(w.Bot, root.Id)
			erase(w, p.Id)
			want(t, "kept", kept(w, "marker-hidden.txt"), false)
		}},
		{"an administrator's page of the channel has hidden replies and earlier versions, each deletable", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			w.Edit(w.Bot, root.Id, "root again")
			reply := w.Post(w.Bot, root.Id, "marker-version-one")
			w.Edit(w.Bot, reply.Id, "marker-version-two")
			w.Delete(w.Bot, root.Id)
			list, _, err := w.Admin.Client().GetPostsForChannel(context.Background(), w.ChannelID, 0, 200, "", false, true)
			w.must(err, "read the channel")
			var versions []string
			for _, p := range list.Posts {
				if p.OriginalId == root.Id || p.OriginalId == reply.Id {
					want(t, "a version's time", p.CreateAt, map[string]int64{root.Id: root.CreateAt, reply.Id: reply.CreateAt}[p.OriginalId])
					versions = append(versions, p.Id)
				}
			}
			want(t, "versions", len(versions), 2)
			want(t, "the hidden reply is there", list.Posts[reply.Id] != nil, true)
			for _, id := range versions {
				erase(w, id)
			}
			want(t, "kept", kept(w, "marker-version-one"), false)
			_, resp, err := w.Admin.Client().GetPostIncludeDeleted(context.Background(), versions[0], "")
			want(t, "read back", w.status(resp, err), http.StatusNotFound)
			resp, err = w.Admin.Client().PermanentDeletePost(context.Background(), versions[0])
			want(t, "again", w.status(resp, err), http.StatusNotFound)
		}},
		{"a hidden root takes no reply and no edit", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			reply := w.Post(w.Bot, root.Id, "reply")
			resp, err := w.Admin.Client().DeletePost(context.Background(), root.Id)
			want(t, "hide", w.status(resp, err), http.StatusOK)
			want(t, "reply", w.try(w.Bot, &model.Post{RootId: root.Id, Message: "x"}), http.StatusBadRequest)
			text := "y"
			for _, id := range []string{root.Id, reply.Id} {
				_, resp, err = w.Bot.Client().PatchPost(context.Background(), id, &model.PostPatch{Message: &text})
				want(t, "edit", w.status(resp, err), http.StatusForbidden)
			}
		}},
		{"the bot reads no hidden post", func(t *testing.T, w *World) {
			p := w.Post(w.Bot, "", "x")
			w.Delete(w.Bot, p.Id)
			_, resp, err := w.Bot.Client().GetPostIncludeDeleted(context.Background(), p.Id, "")
			want(t, "post", w.status(resp, err), http.StatusForbidden)
			_, resp, err = w.Bot.Client().GetPostsForChannel(context.Background(), w.ChannelID, 0, 200, "", false, true)
			want(t, "page", w.status(resp, err), http.StatusForbidden)
		}},
		{"the local socket asks for no login, deletes for good and knows no thread", func(t *testing.T, w *World) {
			c := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", w.Socket())
			}}}
			defer c.CloseIdleConnections()
			ask := func(method, path string) int {
				req, err := http.NewRequest(method, "http://local/api/v4"+path, nil)
				w.must(err, "make a request")
				resp, err := c.Do(req)
				w.must(err, "ask the socket")
				defer resp.Body.Close()
				return resp.StatusCode
			}
			p := w.Post(w.Bot, "", "marker-on-the-socket")
			want(t, "channel", ask(http.MethodGet, "/channels/"+w.ChannelID), http.StatusOK)
			want(t, "channel by its names", ask(http.MethodGet, "/teams/name/embassy/channels/name/hotline"), http.StatusOK)
			want(t, "thread", ask(http.MethodGet, "/posts/"+p.Id+"/thread"), http.StatusNotFound)
			want(t, "hide", ask(http.MethodDelete, "/posts/"+p.Id), http.StatusOK)
			want(t, "read", ask(http.MethodGet, "/posts/"+p.Id+"?include_deleted=true"), http.StatusOK)
			want(t, "page", ask(http.MethodGet, "/channels/"+w.ChannelID+"/posts?include_deleted=true&page=0&per_page=200&skipFetchThreads=true"), http.StatusOK)
			want(t, "delete", ask(http.MethodDelete, "/posts/"+p.Id+"?permanent=true"), http.StatusOK)
			want(t, "read back", ask(http.MethodGet, "/posts/"+p.Id+"?include_deleted=true"), http.StatusNotFound)
			want(t, "kept", kept(w, "marker-on-the-socket"), false)
		}},
		{"a bot writes to itself", func(t *testing.T, w *World) {
			want(t, "words", w.WriteTo(w.Bot, w.Bot, "note").Message, "note")
		}},
	}
}
