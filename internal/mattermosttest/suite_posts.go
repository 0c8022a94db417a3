package mattermosttest

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"
)

func postFacts() []fact {
	return []fact{
		{"a bot's post keeps its props and is marked as a bot's", func(t *testing.T, w *World) {
			p := w.create(w.Bot, &model.Post{Message: "hello", Props: model.StringInterface{"relay_key": "k", "unsafe_links": "true"}})
			got, _, err := w.Officers[0].Client().GetPost(context.Background(), p.Id, "")
			w.must(err, "read")
			want(t, "props", map[string]any(got.GetProps()), map[string]any{"relay_key": "k", "unsafe_links": "true", "from_bot": "true"})
		}},
		{"the same pending_post_id twice is one post, with the first words", func(t *testing.T, w *World) {
			id := model.NewId()
			first := w.create(w.Bot, &model.Post{Message: "first", PendingPostId: id})
			second := w.create(w.Bot, &model.Post{Message: "second", PendingPostId: id})
			want(t, "id", second.Id, first.Id)
			want(t, "words", second.Message, "first")
		}},
		{"somebody else's pending_post_id returns their post", func(t *testing.T, w *World) {
			id := model.NewId()
			theirs := w.create(w.Officers[0], &model.Post{Message: "theirs", PendingPostId: id})
			got := w.create(w.Bot, &model.Post{Message: "ours", PendingPostId: id})
			want(t, "post", [2]string{got.Id, got.UserId}, [2]string{theirs.Id, w.Officers[0].ID})
		}},
		{"a refused post frees its pending_post_id", func(t *testing.T, w *World) {
			id := model.NewId()
			want(t, "status", w.try(w.Bot, &model.Post{Message: strings.Repeat("x", 16384), PendingPostId: id}), http.StatusBadRequest)
			want(t, "words", w.create(w.Bot, &model.Post{Message: "short", PendingPostId: id}).Message, "short")
		}},
		{"16383 runes are taken, one more is 400", func(t *testing.T, w *World) {
			want(t, "at the limit", w.try(w.Bot, &model.Post{Message: strings.Repeat("\U0001F198", 16383)}), http.StatusCreated)
			want(t, "above it", w.try(w.Bot, &model.Post{Message: strings.Repeat("a", 16384)}), http.StatusBadRequest)
		}},
		{"a body above 300,000 bytes is 413", func(t *testing.T, w *World) {
			want(t, "status", w.try(w.Bot, &model.Post{Message: "x", Props: model.StringInterface{"x": strings.Repeat("a", 310_000)}}), http.StatusRequestEntityTooLarge)
		}},
		{"NUL is 500 for ever", func(t *testing.T, w *World) {
			want(t, "in the words", w.try(w.Bot, &model.Post{Message: "a\x00b"}), http.StatusInternalServerError)
			want(t, "in a prop", w.try(w.Bot, &model.Post{Message: "a", Props: model.StringInterface{"x": "a\x00b"}}), http.StatusInternalServerError)
			p := w.Post(w.Bot, "", "fine")
			nul := "a\x00b"
			_, resp, err := w.Bot.Client().PatchPost(context.Background(), p.Id, &model.PostPatch{Message: &nul})
			want(t, "in a patch", w.status(resp, err), http.StatusInternalServerError)
		}},
		{"control characters other than NUL are kept", func(t *testing.T, w *World) {
			text := "\u202e \u0301 \x1b[31m \u200b"
			want(t, "words", w.Thread(w.Post(w.Bot, "", text).Id)[0].Message, text)
		}},
		{"an empty message is taken", func(t *testing.T, w *World) {
			want(t, "status", w.try(w.Bot, &model.Post{}), http.StatusCreated)
		}},
		{"an id of the client's choice is 400", func(t *testing.T, w *World) {
			want(t, "status", w.try(w.Bot, &model.Post{Id: model.NewId(), Message: "x"}), http.StatusBadRequest)
		}},
		{"a reply to a reply, to a deleted post or to none is 400", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			reply := w.Post(w.Bot, root.Id, "reply")
			want(t, "to a reply", w.try(w.Bot, &model.Post{RootId: reply.Id, Message: "x"}), http.StatusBadRequest)
			w.Delete(w.Bot, root.Id)
			want(t, "to a deleted post", w.try(w.Bot, &model.Post{RootId: root.Id, Message: "x"}), http.StatusBadRequest)
			want(t, "to none", w.try(w.Bot, &model.Post{RootId: model.NewId(), Message: "x"}), http.StatusBadRequest)
		}},
		{"a root is urgent without a licence, and stays so through an edit", func(t *testing.T, w *World) {
			p := w.create(w.Bot, &model.Post{Message: "x", Metadata: urgent()})
			w.Edit(w.Bot, p.Id, "y")
			got, _, err := w.Bot.Client().GetPost(context.Background(), p.Id, "")
			w.must(err, "read")
			if got.Metadata == nil || got.Metadata.Priority == nil {
				t.Fatal("no priority")
			}
			want(t, "priority", *got.Metadata.Priority.Priority, "urgent")
		}},
		{"a reply with a priority is 400, an acknowledgement asked for 501 or 403", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			want(t, "reply", w.try(w.Bot, &model.Post{RootId: root.Id, Message: "x", Metadata: urgent()}), http.StatusBadRequest)
			m, yes := urgent(), true
			m.Priority.RequestedAck = &yes
			want(t, "acknowledgement", w.try(w.Bot, &model.Post{Message: "x", Metadata: m}), http.StatusNotImplemented)
		}},
		{"PatchPost of the words keeps the props", func(t *testing.T, w *World) {
			p := w.create(w.Bot, &model.Post{Message: "x", Props: model.StringInterface{"relay_key": "k"}})
			got := w.Edit(w.Bot, p.Id, "y")
			want(t, "prop", got.GetProp("relay_key"), any("k"))
			if got.EditAt == 0 {
				t.Error("it is not marked as edited")
			}
		}},
		{"PatchPost with @channel in the words replaces all props", func(t *testing.T, w *World) {
			p := w.create(w.Bot, &model.Post{Message: "x", Props: model.StringInterface{"relay_key": "k"}})
			w.Edit(w.Bot, p.Id, "y @channel")
			got, _, err := w.Bot.Client().GetPost(context.Background(), p.Id, "")
			w.must(err, "read")
			want(t, "prop", got.GetProp("relay_key"), any(nil))
			p = w.create(w.Bot, &model.Post{Message: "x", Props: model.StringInterface{"relay_key": "k"}})
			want(t, "prop, with a word joiner after the sign", w.Edit(w.Bot, p.Id, "y @\u2060channel").GetProp("relay_key"), any("k"))
		}},
		{"PatchPost of the props replaces them", func(t *testing.T, w *World) {
			p := w.create(w.Bot, &model.Post{Message: "x", Props: model.StringInterface{"relay_key": "k", "a": "1"}})
			props := model.StringInterface{"b": "2"}
			got, _, err := w.Bot.Client().PatchPost(context.Background(), p.Id, &model.PostPatch{Props: &props})
			w.must(err, "patch")
			want(t, "props", map[string]any(got.GetProps()), map[string]any{"b": "2"})
			want(t, "words", got.Message, "x")
		}},
		{"UpdatePost without props wipes them", func(t *testing.T, w *World) {
			p := w.create(w.Bot, &model.Post{Message: "x", Props: model.StringInterface{"relay_key": "k"}})
			got, _, err := w.Bot.Client().UpdatePost(context.Background(), p.Id, &model.Post{Id: p.Id, Message: "y"})
			w.must(err, "update")
			want(t, "prop", got.GetProp("relay_key"), any(nil))
		}},
		{"only the author edits and deletes a post", func(t *testing.T, w *World) {
			p := w.Post(w.Officers[0], "", "mine")
			text := "theirs"
			_, resp, err := w.Officers[1].Client().PatchPost(context.Background(), p.Id, &model.PostPatch{Message: &text})
			want(t, "edit by an officer", w.status(resp, err), http.StatusForbidden)
			_, resp, err = w.Bot.Client().PatchPost(context.Background(), p.Id, &model.PostPatch{Message: &text})
			want(t, "edit by the bot", w.status(resp, err), http.StatusForbidden)
			resp, err = w.Bot.Client().DeletePost(context.Background(), p.Id)
			want(t, "delete by the bot", w.status(resp, err), http.StatusForbidden)
		}},
		{"an outsider neither reads nor posts", func(t *testing.T, w *World) {
			p := w.Post(w.Bot, "", "secret")
			_, resp, err := w.Outsider.Client().GetPost(context.Background(), p.Id, "")
			want(t, "read", w.status(resp, err), http.StatusForbidden)
			_, resp, err = w.Outsider.Client().GetPostThread(context.Background(), p.Id, "", false)
			want(t, "thread", w.status(resp, err), http.StatusForbidden)
			want(t, "post", w.try(w.Outsider, &model.Post{Message: "x"}), http.StatusForbidden)
			status, _ := w.raw("", http.MethodGet, "/posts/"+p.Id, "")
			want(t, "without a token", status, http.StatusUnauthorized)
			status, _ = w.raw("invented-token", http.MethodGet, "/posts/"+p.Id, "")
			want(t, "with a false one", status, http.StatusUnauthorized)
		}},
		{"a deleted post is gone for clients, and edits of it are 403", func(t *testing.T, w *World) {
			p := w.Post(w.Bot, "", "words")
			w.Delete(w.Bot, p.Id)
			_, resp, err := w.Bot.Client().GetPost(context.Background(), p.Id, "")
			want(t, "read", w.status(resp, err), http.StatusNotFound)
			text := "y"
			_, resp, err = w.Bot.Client().PatchPost(context.Background(), p.Id, &model.PostPatch{Message: &text})
			want(t, "edit", w.status(resp, err), http.StatusForbidden)
			resp, err = w.Bot.Client().DeletePost(context.Background(), p.Id)
			want(t, "delete again", w.status(resp, err), http.StatusNotFound)
		}},
		{"a deleted post stays in the database until it is deleted for good", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			p := w.Post(w.Bot, root.Id, "marker-of-a-deleted-post")
			w.Delete(w.Bot, p.Id)
			want(t, "kept", strings.Contains(string(w.Dump()), "marker-of-a-deleted-post"), true)
			resp, err := w.Bot.Client().PermanentDeletePost(context.Background(), p.Id)
			want(t, "by the bot", w.status(resp, err), http.StatusForbidden)
			resp, err = w.Admin.Client().PermanentDeletePost(context.Background(), p.Id)
			want(t, "by the administrator", w.status(resp, err), http.StatusOK)
			want(t, "kept afterwards", strings.Contains(string(w.Dump()), "marker-of-a-deleted-post"), false)
		}},
		{"the words before an edit stay even when the post is deleted for good", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			p := w.Post(w.Bot, root.Id, "marker-before-the-edit")
			w.Edit(w.Bot, p.Id, "after")
			resp, err := w.Admin.Client().PermanentDeletePost(context.Background(), p.Id)
			want(t, "delete", w.status(resp, err), http.StatusOK)
			want(t, "kept", strings.Contains(string(w.Dump()), "marker-before-the-edit"), true)
		}},
		{"an officer's file is seen, and only by members", func(t *testing.T, w *World) {
			p := w.PostFile(w.Officers[0], "", "with a file", "note.txt", []byte("inside"))
			got, _, err := w.Bot.Client().GetPost(context.Background(), p.Id, "")
			w.must(err, "read")
			if len(got.FileIds) != 1 || got.Metadata == nil || len(got.Metadata.Files) != 1 {
				t.Fatalf("file ids %v", got.FileIds)
			}
			want(t, "name", got.Metadata.Files[0].Name, "note.txt")
			content, _, err := w.Bot.Client().GetFile(context.Background(), got.FileIds[0])
			w.must(err, "fetch")
			want(t, "content", string(content), "inside")
			_, resp, err := w.Outsider.Client().GetFile(context.Background(), got.FileIds[0])
			want(t, "by the outsider", w.status(resp, err), http.StatusForbidden)
		}},
	}
}

func urgent() *model.PostMetadata {
	level := "urgent"
	return &model.PostMetadata{Priority: &model.PostPriority{Priority: &level}}
}
