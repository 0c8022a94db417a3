package mattermosttest

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/mattermost/mattermost/server/public/model"
)

// postEvents are the events about posts.
func postEvents() []model.WebsocketEventType {
	return []model.WebsocketEventType{
		model.WebsocketEventPosted, model.WebsocketEventPostEdited, model.WebsocketEventPostDeleted,
		model.WebsocketEventReactionAdded, model.WebsocketEventReactionRemoved,
	}
}

// seen waits until the screen shows the post. What was posted before the screen was
// there may come to it, too.
func seen(s *Screen, p *model.Post) *model.WebSocketEvent {
	for {
		ev := s.Next(model.WebsocketEventPosted)
		if text, _ := ev.GetData()["post"].(string); strings.Contains(text, p.Id) {
			return ev
		}
	}
}

func socketFacts() []fact {
	return []fact{
		{"a connection begins with hello, number 0, and its id", func(t *testing.T, w *World) {
			s := w.Watch(w.Bot)
			want(t, "number", s.Last, int64(0))
			want(t, "id", model.IsValidId(s.ConnectionID), true)
		}},
		{"what happens to posts arrives in order, numbered without a gap", func(t *testing.T, w *World) {
			s := w.Watch(w.Bot)
			p := w.Post(w.Officers[0], "", "one")
			w.Edit(w.Officers[0], p.Id, "two")
			w.React(w.Officers[0], p.Id, "eyes")
			w.Unreact(w.Officers[0], p.Id, "eyes")
			w.Delete(w.Officers[0], p.Id)
			next := s.Last + 1
			var kinds []string
			for len(kinds) < 5 {
				ev := s.Next()
				want(t, "number", ev.GetSequence(), next)
				next++
				for _, k := range postEvents() {
					if ev.EventType() == k {
						kinds = append(kinds, string(k))
					}
				}
			}
			want(t, "events", kinds, []string{"posted", "post_edited", "reaction_added", "reaction_removed", "post_deleted"})
		}},
		{"posted carries the post, the channel and the sender", func(t *testing.T, w *World) {
			s := w.Watch(w.Bot)
			p := w.Post(w.Officers[0], "", "hello")
			ev := s.Next(model.WebsocketEventPosted)
			data := ev.GetData()
			want(t, "channel", ev.GetBroadcast().ChannelId, w.ChannelID)
			want(t, "names", []any{data["channel_name"], data["channel_type"], data["sender_name"], data["team_id"]}, []any{"hotline", "P", "@siti", w.TeamID})
			var got model.Post
			text, _ := data["post"].(string)
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatal(err)
			}
			want(t, "post", [3]string{got.Id, got.UserId, got.Message}, [3]string{p.Id, w.Officers[0].ID, "hello"})
		}},
		{"the bot's own posts come back to it", func(t *testing.T, w *World) {
			s := w.Watch(w.Bot)
			p := w.Post(w.Bot, "", "mine")
			want(t, "id", s.Post(model.WebsocketEventPosted).Id, p.Id)
		}},
		{"post_edited carries the new words, post_deleted the old ones", func(t *testing.T, w *World) {
			s := w.Watch(w.Bot)
			p := w.Post(w.Officers[0], "", "before")
			w.Edit(w.Officers[0], p.Id, "after")
			edited := s.Post(model.WebsocketEventPostEdited)
			want(t, "edited", [2]string{edited.Id, edited.Message}, [2]string{p.Id, "after"})
			w.Delete(w.Officers[0], p.Id)
			deleted := s.Post(model.WebsocketEventPostDeleted)
			want(t, "deleted", [2]string{deleted.Id, deleted.Message}, [2]string{p.Id, "after"})
		}},
		{"a reaction's event says who, what and where", func(t *testing.T, w *World) {
			s := w.Watch(w.Bot)
			p := w.Post(w.Bot, "", "x")
			w.React(w.Officers[1], p.Id, "eyes")
			var got model.Reaction
			s.decode(s.Next(model.WebsocketEventReactionAdded), "reaction", &got)
			want(t, "reaction", [3]string{got.UserId, got.PostId, got.EmojiName}, [3]string{w.Officers[1].ID, p.Id, "eyes"})
		}},
		{"a pin is an edit without a time of editing", func(t *testing.T, w *World) {
			s := w.Watch(w.Bot)
			p := w.Post(w.Bot, "", "x")
			_, err := w.Bot.Client().PinPost(context.Background(), p.Id)
			w.must(err, "pin")
			got := s.Post(model.WebsocketEventPostEdited)
			want(t, "pinned, edited", [2]bool{got.IsPinned, got.EditAt != 0}, [2]bool{true, false})
		}},
		{"a mention reaches the officer, unless a word joiner breaks it", func(t *testing.T, w *World) {
			s := w.Watch(w.Officers[0])
			w.Post(w.Bot, "", "call @siti please")
			text, _ := s.Next(model.WebsocketEventPosted).GetData()["mentions"].(string)
			want(t, "mentioned", strings.Contains(text, w.Officers[0].ID), true)
			w.Post(w.Bot, "", "call @\u2060siti please")
			want(t, "mentioned when broken", s.Next(model.WebsocketEventPosted).GetData()["mentions"], any(nil))
		}},
		{"typing reaches the others", func(t *testing.T, w *World) {
			s := w.Watch(w.Bot)
			officer := w.Watch(w.Officers[0])
			root := w.Post(w.Bot, "", "x")
			officer.client.UserTyping(w.ChannelID, root.Id)
			got := s.Next(model.WebsocketEventTyping).GetData()
			want(t, "who, where", []any{got["user_id"], got["parent_id"]}, []any{w.Officers[0].ID, root.Id})
		}},
		{"an outsider's connection hears nothing of the channel", func(t *testing.T, w *World) {
			s, member := w.Watch(w.Outsider), w.Watch(w.Officers[0])
			seen(member, w.Post(w.Bot, "", "secret")) // It has been handed out.
			w.AddMember(w.Outsider)
			p := w.Post(w.Bot, "", "now a member")
			got := s.Next(model.WebsocketEventPosted)
			for {
				text, _ := got.GetData()["post"].(string)
				if strings.Contains(text, "secret") {
					t.Fatal("it hears what was said before")
				}
				if strings.Contains(text, p.Id) {
					break
				}
				got = s.Next(model.WebsocketEventPosted)
			}
			w.RemoveMember(w.Outsider)
		}},
		{"resuming replays what was missed, without a hello", func(t *testing.T, w *World) {
			s := w.Watch(w.Bot)
			seen(s, w.Post(w.Officers[0], "", "seen"))
			s.Close()
			w.offline(w.Bot)
			missed := w.Post(w.Officers[0], "", "missed")
			r := w.resume(w.Bot, s.ConnectionID, s.Last+1)
			ev := r.Next(model.WebsocketEventHello, model.WebsocketEventPosted)
			if ev.EventType() == model.WebsocketEventHello {
				t.Fatal("a new connection, though nothing was lost")
			}
			text, _ := ev.GetData()["post"].(string)
			want(t, "the missed post", strings.Contains(text, missed.Id), true)
		}},
		{"resuming sends again what was sent but not read", func(t *testing.T, w *World) {
			s := w.Watch(w.Bot)
			first := seen(s, w.Post(w.Officers[0], "", "one")).GetSequence()
			seen(s, w.Post(w.Officers[0], "", "two"))
			s.Close()
			w.offline(w.Bot)
			r := w.resume(w.Bot, s.ConnectionID, first)
			ev := r.Next()
			want(t, "event, number", []any{ev.EventType(), ev.GetSequence()}, []any{model.WebsocketEventPosted, first})
			text, _ := r.Next(model.WebsocketEventPosted).GetData()["post"].(string)
			want(t, "the second follows", strings.Contains(text, "two"), true)
		}},
		{"a number that the server does not know begins a new connection with hello", func(t *testing.T, w *World) {
			s := w.Watch(w.Bot)
			seen(s, w.Post(w.Officers[0], "", "x"))
			s.Close()
			w.offline(w.Bot)
			r := w.resume(w.Bot, s.ConnectionID, s.Last+100)
			hello := r.Next()
			want(t, "event", hello.EventType(), model.WebsocketEventHello)
			want(t, "same id", hello.GetData()["connection_id"] == any(s.ConnectionID), false)
		}},
		{"too much missed begins a new connection with hello", func(t *testing.T, w *World) {
			s := w.Watch(w.Bot)
			seen(s, w.Post(w.Officers[0], "", "x"))
			s.Close()
			w.offline(w.Bot)
			for range 300 {
				w.Post(w.Officers[0], "", "x")
			}
			r := w.resume(w.Bot, s.ConnectionID, s.Last+1)
			want(t, "event", r.Next().EventType(), model.WebsocketEventHello)
		}},
		{"somebody else's connection is not resumed", func(t *testing.T, w *World) {
			s := w.Watch(w.Bot)
			seen(s, w.Post(w.Officers[0], "", "x"))
			s.Close()
			w.offline(w.Bot)
			r := w.resume(w.Officers[0], s.ConnectionID, s.Last+1)
			want(t, "event", r.Next().EventType(), model.WebsocketEventHello)
		}},
		{"two connections of one account each get everything", func(t *testing.T, w *World) {
			a, b := w.Watch(w.Bot), w.Watch(w.Bot)
			p := w.Post(w.Officers[0], "", "x")
			want(t, "first", a.Post(model.WebsocketEventPosted).Id, p.Id)
			want(t, "second", b.Post(model.WebsocketEventPosted).Id, p.Id)
		}},
		{"a challenge over the socket authenticates too", func(t *testing.T, w *World) {
			address := "ws" + strings.TrimPrefix(w.URL, "http")
			c, err := model.NewWebSocketClient4(address, w.Bot.Token)
			w.must(err, "connect")
			t.Cleanup(c.Close)
			c.Listen()
			ev := <-c.EventChannel
			want(t, "event", ev.EventType(), model.WebsocketEventHello)
			resp := <-c.ResponseChannel
			want(t, "answer", resp.Status, model.StatusOk)
		}},
		{"a false token over the socket ends it", func(t *testing.T, w *World) {
			c := w.dial(nil)
			w.must(c.WriteJSON(map[string]any{"seq": 1, "action": "authentication_challenge", "data": map[string]any{"token": "invented"}}), "challenge")
			if _, _, err := c.ReadMessage(); err == nil {
				t.Error("the connection goes on")
			}
		}},
		{"ping is answered", func(t *testing.T, w *World) {
			c := w.dial(http.Header{"Authorization": {"Bearer " + w.Bot.Token}})
			w.must(c.WriteJSON(map[string]any{"seq": 1, "action": "ping"}), "ping")
			for {
				var got map[string]any
				w.must(c.ReadJSON(&got), "read")
				if got["seq_reply"] != nil {
					want(t, "status", got["status"], any("OK"))
					return
				}
			}
		}},
		{"a removed officer hears of it, and then nothing", func(t *testing.T, w *World) {
			bot, rina := w.Watch(w.Bot), w.Watch(w.Officers[2])
			w.RemoveMember(w.Officers[2])
			ev := bot.Next(model.WebsocketEventUserRemoved)
			want(t, "the channel hears", []any{ev.GetData()["user_id"], ev.GetBroadcast().ChannelId}, []any{w.Officers[2].ID, w.ChannelID})
			ev = rina.Next(model.WebsocketEventUserRemoved)
			for ev.GetData()["channel_id"] == nil {
				ev = rina.Next(model.WebsocketEventUserRemoved)
			}
			want(t, "the officer hears", ev.GetData()["channel_id"], any(w.ChannelID))
			w.Post(w.Bot, "", "after the removal")
			w.AddMember(w.Officers[2])
			w.Post(w.Bot, "", "after the return")
			for {
				text, _ := rina.Next(model.WebsocketEventPosted).GetData()["post"].(string)
				if strings.Contains(text, "after the removal") {
					t.Fatal("she hears what she should not")
				}
				if strings.Contains(text, "after the return") {
					return
				}
			}
		}},
	}
}

// dial opens a websocket without a client around it.
func (w *World) dial(header http.Header) *websocket.Conn {
	w.t.Helper()
	address := "ws" + strings.TrimPrefix(w.URL, "http") + "/api/v4/websocket"
	c, resp, err := websocket.DefaultDialer.Dial(address, header)
	w.must(err, "connect")
	w.must(resp.Body.Close(), "connect")
	w.t.Cleanup(func() { c.Close() })
	return c
}

// offline waits until the server knows that an account's connections have
// ended. It sees that by the status, which only then can be offline.
func (w *World) offline(a Account) {
	w.t.Helper()
	w.until("the connection of "+a.Username+" is known to have ended", func() bool {
		st, _, err := w.Admin.Client().GetUserStatus(context.Background(), a.ID, "")
		w.must(err, "read a status")
		return st.Status == model.StatusOffline
	})
}
