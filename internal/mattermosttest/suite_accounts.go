package mattermosttest

import (
	"context"
	"net/http"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"
)

func accountFacts() []fact {
	return []fact{
		{"the bot knows itself", func(t *testing.T, w *World) {
			me, _, err := w.Bot.Client().GetMe(context.Background(), "")
			w.must(err, "read")
			want(t, "id, name, bot", []any{me.Id, me.Username, me.IsBot}, []any{w.Bot.ID, "suar", true})
		}},
		{"accounts are found by id, by name and in a channel", func(t *testing.T, w *World) {
			ctx, c := context.Background(), w.Bot.Client()
			u, _, err := c.GetUser(ctx, w.Officers[0].ID, "")
			w.must(err, "by id")
			want(t, "by id", u.Username, "siti")
			u, _, err = c.GetUserByUsername(ctx, "budi", "")
			w.must(err, "by name")
			want(t, "by name", u.Id, w.Officers[1].ID)
			_, resp, err := c.GetUserByUsername(ctx, "nobody", "")
			want(t, "no such name", w.status(resp, err), http.StatusNotFound)
			_, resp, err = c.GetUser(ctx, model.NewId(), "")
			want(t, "no such id", w.status(resp, err), http.StatusNotFound)
			list, _, err := c.GetUsersByIds(ctx, []string{w.Officers[2].ID, model.NewId()})
			w.must(err, "by ids")
			want(t, "by ids", len(list), 1)
			list, _, err = c.GetUsersInChannel(ctx, w.ChannelID, 0, 60, "")
			w.must(err, "in the channel")
			want(t, "in the channel", len(list), 4)
			members, _, err := c.GetChannelMembers(ctx, w.ChannelID, 0, 60, "")
			w.must(err, "members")
			want(t, "members", len(members), 4)
		}},
		{"who is no member is 404 as one, and cannot ask", func(t *testing.T, w *World) {
			ctx := context.Background()
			_, resp, err := w.Bot.Client().GetChannelMember(ctx, w.ChannelID, w.Outsider.ID, "")
			want(t, "the outsider", w.status(resp, err), http.StatusNotFound)
			_, resp, err = w.Outsider.Client().GetChannelMember(ctx, w.ChannelID, w.Officers[0].ID, "")
			want(t, "asked by the outsider", w.status(resp, err), http.StatusForbidden)
			_, resp, err = w.Outsider.Client().GetChannel(ctx, w.ChannelID)
			want(t, "the channel for the outsider", w.status(resp, err), http.StatusForbidden)
		}},
		{"the channel is found, and by its name", func(t *testing.T, w *World) {
			ctx, c := context.Background(), w.Bot.Client()
			ch, _, err := c.GetChannel(ctx, w.ChannelID)
			w.must(err, "by id")
			want(t, "by id", []any{ch.Name, ch.TeamId, ch.Type}, []any{"hotline", w.TeamID, model.ChannelTypePrivate})
			ch, _, err = c.GetChannelByName(ctx, "hotline", w.TeamID, "")
			w.must(err, "by name")
			want(t, "by name", ch.Id, w.ChannelID)
			team, _, err := c.GetTeam(ctx, w.TeamID, "")
			w.must(err, "team")
			want(t, "team", team.Name, "embassy")
		}},
		{"two accounts have one channel for direct messages, which takes an urgent post and nobody else reads", func(t *testing.T, w *World) {
			ctx, c := context.Background(), w.Bot.Client()
			a, _, err := c.CreateDirectChannel(ctx, w.Bot.ID, w.Officers[0].ID)
			w.must(err, "open")
			b, _, err := w.Officers[0].Client().CreateDirectChannel(ctx, w.Officers[0].ID, w.Bot.ID)
			w.must(err, "open from the other side")
			want(t, "the same", a.Id, b.Id)
			p, _, err := c.CreatePost(ctx, &model.Post{ChannelId: a.Id, Message: "directly", Metadata: urgent()})
			w.must(err, "post")
			got, _, err := w.Officers[0].Client().GetPost(ctx, p.Id, "")
			w.must(err, "read")
			if got.Metadata == nil || got.Metadata.Priority == nil {
				t.Fatal("no priority")
			}
			want(t, "message, priority", []any{got.Message, *got.Metadata.Priority.Priority}, []any{"directly", "urgent"})
			_, resp, err := w.Officers[1].Client().GetPost(ctx, p.Id, "")
			want(t, "another officer reads", w.status(resp, err), http.StatusForbidden)
			_, resp, err = w.Bot.Client().CreateDirectChannel(ctx, w.Officers[0].ID, w.Officers[1].ID)
			want(t, "a channel of others", w.status(resp, err), http.StatusForbidden)
		}},
		{"another channel has the same members, and its own posts", func(t *testing.T, w *World) {
			other := w.Channel("second")
			p := other.Post(other.Officers[0], "", "elsewhere")
			want(t, "there", len(other.Roots()), 1)
			for _, q := range w.Roots() {
				if q.Id == p.Id {
					t.Error("it is in the first channel too")
				}
			}
			_, resp, err := w.Outsider.Client().GetPost(context.Background(), p.Id, "")
			want(t, "for the outsider", w.status(resp, err), http.StatusForbidden)
		}},
		{"neither bot nor officer brings anybody in or puts anybody out", func(t *testing.T, w *World) {
			for _, who := range []Account{w.Bot, w.Officers[0]} {
				_, resp, err := who.Client().AddChannelMember(context.Background(), w.ChannelID, w.Outsider.ID)
				want(t, who.Username+" adds", w.status(resp, err), http.StatusForbidden)
				resp, err = who.Client().RemoveUserFromChannel(context.Background(), w.ChannelID, w.Officers[1].ID)
				want(t, who.Username+" removes", w.status(resp, err), http.StatusForbidden)
			}
		}},
		{"a status is readable", func(t *testing.T, w *World) {
			w.Watch(w.Officers[0])
			w.until("siti is online", func() bool {
				st, _, err := w.Bot.Client().GetUserStatus(context.Background(), w.Officers[0].ID, "")
				w.must(err, "read a status")
				return st.Status == model.StatusOnline
			})
			list, _, err := w.Bot.Client().GetUsersStatusesByIds(context.Background(), []string{w.Officers[0].ID, w.Officers[2].ID})
			w.must(err, "read the statuses")
			want(t, "statuses", len(list), 2)
		}},
		{"the signing key is shown to anybody", func(t *testing.T, w *World) {
			if w.PublicKey() == "" {
				t.Error("no key")
			}
		}},
		{"a removed officer's press is 403", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			card := w.card(e, "claim")
			w.RemoveMember(w.Officers[2])
			want(t, "status", w.Press(w.Officers[2], card.Id, "claim"), http.StatusForbidden)
			e.untouched()
			w.AddMember(w.Officers[2])
			want(t, "status after the return", w.Press(w.Officers[2], card.Id, "claim"), http.StatusOK)
		}},
		{"a deactivated officer is out at once, yet still a member", func(t *testing.T, w *World) {
			e := newEndpoint(t)
			card := w.card(e, "claim")
			w.Deactivate(w.Officers[2])
			want(t, "press", w.Press(w.Officers[2], card.Id, "claim"), http.StatusUnauthorized)
			e.untouched()
			_, resp, err := w.Bot.Client().GetChannelMember(context.Background(), w.ChannelID, w.Officers[2].ID, "")
			want(t, "membership", w.status(resp, err), http.StatusOK)
			u, _, err := w.Bot.Client().GetUser(context.Background(), w.Officers[2].ID, "")
			w.must(err, "read")
			want(t, "has a time of deletion", u.DeleteAt != 0, true)
			w.Reactivate(w.Officers[2])
			want(t, "press after the return, with the old token", w.Press(w.Officers[2], card.Id, "claim"), http.StatusUnauthorized)
		}},
		{"a bot with a revoked token is 401, its socket open and silent", func(t *testing.T, w *World) {
			s := w.Watch(w.Bot)
			w.RevokeToken(w.Bot)
			_, resp, err := w.Bot.Client().GetMe(context.Background(), "")
			want(t, "status", w.status(resp, err), http.StatusUnauthorized)
			// What an officer hears, the bot would have heard by now; and if this
			// is ever too early, the fact passes, but never fails, wrongly.
			siti := w.Watch(w.Officers[0])
			for range 3 {
				w.Post(w.Officers[0], "", "unheard")
				siti.Next(model.WebsocketEventPosted)
			}
			for len(s.client.EventChannel) > 0 {
				if ev := <-s.client.EventChannel; ev.EventType() == model.WebsocketEventPosted {
					t.Error("the socket still hears")
				}
			}
			select {
			case _, open := <-s.client.EventChannel:
				want(t, "open", open, true)
			default:
			}
		}},
	}
}

func outageFacts() []fact {
	return []fact{
		{"after a crash everything is where it was, and tokens hold", func(t *testing.T, w *World) {
			root := w.Post(w.Bot, "", "root")
			w.Post(w.Officers[0], root.Id, "reply")
			w.Kill()
			if _, resp, err := w.Bot.Client().GetMe(context.Background(), ""); err == nil || resp != nil && resp.StatusCode != 0 {
				t.Fatal("it still answers")
			}
			w.Start()
			want(t, "thread", w.Texts(w.Thread(root.Id)), []string{"suar: root", "siti: reply"})
		}},
		{"after a restart the same pending_post_id makes a second post", func(t *testing.T, w *World) {
			id := model.NewId()
			first := w.create(w.Bot, &model.Post{Message: "x", PendingPostId: id})
			w.Kill()
			w.Start()
			second := w.create(w.Bot, &model.Post{Message: "x", PendingPostId: id})
			want(t, "same post", first.Id == second.Id, false)
		}},
		{"a restart ends connections, and resuming begins anew with hello", func(t *testing.T, w *World) {
			s := w.Watch(w.Bot)
			w.Post(w.Officers[0], "", "x")
			s.Next(model.WebsocketEventPosted)
			w.Kill()
			for range s.client.EventChannel {
				// It is closed when the connection ends.
			}
			w.Start()
			r := w.resume(w.Bot, s.ConnectionID, s.Last+1)
			want(t, "event", r.Next().EventType(), model.WebsocketEventHello)
		}},
		{"the signing key stays the same through a restart", func(t *testing.T, w *World) {
			key := w.PublicKey()
			w.Kill()
			w.Start()
			want(t, "key", w.PublicKey(), key)
		}},
	}
}
