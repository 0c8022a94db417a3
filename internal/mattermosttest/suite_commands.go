package mattermosttest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"
)

// commandFacts are about slash commands and words to the bot alone.
func commandFacts() []fact {
	type hit struct {
		authorization string
		form          url.Values
	}
	endpoint := func(t *testing.T, status int, body string) (string, *[]hit) {
		var hits []hit
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := r.ParseForm(); err != nil {
				t.Errorf("the form: %v", err)
			}
			hits = append(hits, hit{r.Header.Get("Authorization"), r.PostForm})
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}))
		t.Cleanup(srv.Close)
		return srv.URL, &hits
	}
	return []fact{
		{"a command comes with its token, who gave it and a signed trigger", func(t *testing.T, w *World) {
			address, hits := endpoint(t, http.StatusOK, `{"response_type":"ephemeral","text":"said"}`)
			token := w.Command("first", address)
			root := w.Post(w.Officers[1], "", "root").Id
			said, status := w.Slash(w.Officers[0], root, "/first find 7H2K @all\n**x**")
			want(t, "status", status, http.StatusOK)
			want(t, "answer", said.Text, "said")
			if len(*hits) != 1 {
				t.Fatalf("%d requests, want 1", len(*hits))
			}
			h := (*hits)[0]
			want(t, "authorization", h.authorization, "Token "+token)
			for key, value := range map[string]string{
				"token": token, "user_id": w.Officers[0].ID, "channel_id": w.ChannelID, "team_id": w.TeamID,
				"text": "find 7H2K @all\n**x**", "command": "/first", "root_id": root,
			} {
				want(t, key, h.form.Get(key), value)
			}
			if h.form.Get("trigger_id") == "" {
				t.Error("no trigger id")
			}
		}},
		{"the answer is shown to nobody else", func(t *testing.T, w *World) {
			address, _ := endpoint(t, http.StatusOK, `{"response_type":"ephemeral","text":"for siti only"}`)
			w.Command("second", address)
			siti := w.Watch(w.Officers[0])
			before := len(w.Roots())
			w.Slash(w.Officers[0], "", "/second")
			ev := siti.Next(model.WebsocketEventEphemeralMessage)
			if text, _ := ev.GetData()["post"].(string); !strings.Contains(text, "for siti only") {
				t.Errorf("the answer is %q", text)
			}
			want(t, "posts", len(w.Roots()), before)
		}},
		{"only an administrator registers, only a member gives one", func(t *testing.T, w *World) {
			address, hits := endpoint(t, http.StatusOK, `{}`)
			w.Command("third", address)
			_, resp, err := w.Officers[0].Client().CreateCommand(context.Background(), &model.Command{
				TeamId: w.TeamID, Trigger: "fourth", URL: address, Method: model.CommandMethodPost,
			})
			want(t, "an officer registers", w.status(resp, err), http.StatusForbidden)
			_, status := w.Slash(w.Outsider, "", "/third")
			want(t, "an outsider gives it", status, http.StatusForbidden)
			_, status = w.Slash(w.Officers[0], "", "/nothing")
			want(t, "there is none", status, http.StatusNotFound)
			want(t, "requests", len(*hits), 0)
		}},
		{"an endpoint that fails is an error to who asked", func(t *testing.T, w *World) {
			address, _ := endpoint(t, http.StatusInternalServerError, `{}`)
			w.Command("fifth", address)
			_, status := w.Slash(w.Officers[0], "", "/fifth")
			want(t, "status", status, http.StatusInternalServerError)
		}},
		{"what is written to the bot alone is heard as of a direct channel", func(t *testing.T, w *World) {
			bot := w.Watch(w.Bot)
			post := w.WriteTo(w.Outsider, w.Bot, "hello")
			for {
				ev := bot.Next(model.WebsocketEventPosted)
				if text, _ := ev.GetData()["post"].(string); !strings.Contains(text, post.Id) {
					continue
				}
				want(t, "type", ev.GetData()["channel_type"], any(string(model.ChannelTypeDirect)))
				return
			}
		}},
	}
}
