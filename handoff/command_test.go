package handoff

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/mattermosttest"
)

func TestCommandOf(t *testing.T) {
	for text, want := range map[string]string{
		"!suar":                        "",
		"!suar help":                   "help",
		"!SUAR  Mine ":                 "Mine",
		" \t!suar find 7H2K-9QXM\nyes": "find 7H2K-9QXM",
		"/suar duty":                   "duty",
		" /suar duty":                  "duty",
		"! suar mine":                  "mine",
		"！suar mine":                   "mine",
		"`!suar mine`":                 "mine`",
		"> **!suar mine":               "mine",
		"\u200b!suar mine":             "mine",
		"Halo\n!suar waiting":          "waiting",
		"Halo\r\n!suar waiting\r\nya":  "waiting",
		"!suarhelp":                    "help",
	} {
		if got, is := commandOf(text); !is || got != want {
			t.Errorf("%q: %q, %v; want %q", text, got, is, want)
		}
	}
	for _, text := range []string{"", "!", "/", "suar", "Saya dari suar!", "Tunggu !suar", "!sua", "!ſuar", "//suar help", "! sinar", "!\xff"} {
		if got, is := commandOf(text); is {
			t.Errorf("%q is the command %q", text, got)
		}
	}
}

// TestACommandIsNotForThePerson: what begins with "!suar" is handed over neither when
// it is heard nor when it is read again, and an edit into one takes back what was
// said.
func TestACommandIsNotForThePerson(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		first := newRig(t, w)
		root := first.open(1)
		stop := first.run()
		siti := w.Officers[0]
		heard := w.Post(siti, string(root), "!suar mine")
		said := w.Post(siti, string(root), "Halo")
		first.ledger.wait(t, root, 1)
		stop()
		unheard := w.Post(siti, string(root), "Halo lagi\n !SUAR waiting")
		edited := w.Edit(siti, said.Id, "!suar help")

		second := newRig(t, w)
		second.ledger = first.ledger
		second.Handler = first.ledger
		second.run()
		last := w.Post(siti, string(root), "sampai nanti")

		at := func(p *model.Post) flows.PostID { return flows.PostID(p.Id) }
		want := []flows.Event{
			flows.Replied{Post: at(said), Officer: officer(siti), Text: "Halo"},
			flows.Revised{Post: at(edited), Officer: officer(siti), Text: "!suar help", Note: true},
			flows.Replied{Post: at(last), Officer: officer(siti), Text: "sampai nanti"},
		}
		if diff := cmp.Diff(want, first.ledger.wait(t, root, len(want))); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		second.until("both are marked and answered", func() bool {
			answers := 0
			for _, p := range w.Thread(string(root)) {
				if p.UserId == w.Bot.ID && strings.Contains(p.Message, "desk.") {
					answers++
				}
			}
			marked := func(p *model.Post) bool { return slices.Equal(w.Reactions(p.Id), []string{w.Bot.Username + ": lock"}) }
			return answers == 2 && marked(heard) && marked(unheard)
		})
	})
}

// TestDirectOfAWebhook: who has the address of an officer's webhook gives no command in
// the officer's name.
func TestDirectOfAWebhook(t *testing.T) {
	event := model.NewWebSocketEvent(model.WebsocketEventPosted, "", "direct", "", nil, "")
	event.Add("channel_type", string(model.ChannelTypeDirect))
	p := place{bot: "bot", channel: "channel"}
	post := func(prop string) *model.Post {
		post := &model.Post{UserId: "siti", ChannelId: "direct", Message: "waiting"}
		if prop != "" {
			post.AddProp(prop, "true")
		}
		return post
	}
	if !p.isDirect(event, post("")) {
		t.Error("what an officer wrote is nothing")
	}
	for _, prop := range []string{model.PostPropsFromWebhook, model.PostPropsFromBot, model.PostPropsFromPlugin} {
		if p.isDirect(event, post(prop)) {
			t.Errorf("a post with %s is an officer's", prop)
		}
	}
}
