package handoff

import (
	"maps"
	"net/http"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/internal/mattermosttest"
)

// TestOutsidersGetNothing tries what those can who are not in the officers' channel:
// somebody of the same team, the system's administrator, and who has no session.
func TestOutsidersGetNothing(t *testing.T) {
	s := besiege(t)
	outsider, admin := s.w.Outsider, s.w.Admin
	nobody := mattermosttest.Account{URL: s.w.URL, ID: outsider.ID, Username: "nobody"}
	var ways []way
	add := func(name string, do func() (int, string)) { ways = append(ways, way{name: name, do: do}) }
	for _, as := range []mattermosttest.Account{outsider, admin, nobody} {
		ways = append(ways, s.cardWays(as, as.Username)...)
	}
	for _, as := range []mattermosttest.Account{outsider, admin} {
		ways = append(ways, s.ownCardWays(as, as.Username)...)
		ways = append(ways, s.endpointWays(as, as.Username)...)
		ways = append(ways, s.directWays(as, as.Username)...)
	}
	ways = append(ways, s.writeWays(outsider, "outsider")...)
	ways = append(ways, s.readWays(outsider, "outsider")...)
	// An administrator may write anywhere on the server, and is no officer for it.
	siti := s.w.Post(s.w.Officers[0], string(s.root), "siti says")
	s.until("siti's words are there", func() bool { return s.events() == 1 })
	for name, post := range map[string]*model.Post{
		"a reply": {Message: "from above"}, "a note": {Message: "// from above"}, "a mention": {Message: "@siti from above"},
	} {
		add("admin: "+name+" under the card", func() (int, string) {
			post.ChannelId, post.RootId = s.w.ChannelID, string(s.root)
			return s.call(admin.Token, http.MethodPost, "/posts", post)
		})
		ways[len(ways)-1].may = true
	}
	add("admin: another wording of siti's reply", func() (int, string) {
		return s.call(outsider.Token, http.MethodPut, "/posts/"+siti.Id+"/patch", map[string]any{"message": "not siti's"})
	})
	line := turnedAway(s.Words.Outsider, "admin")
	s.try(t, ways, func(said string) bool { return said == line }, outsider)
}

// cardWays press what is on the card, and answer siti's dialog, through the server.
func (s *siege) cardWays(as mattermosttest.Account, who string) []way {
	var ways []way
	actions := "/posts/" + string(s.root) + "/actions/"
	for name, action := range map[string]string{"Claim": "claim", "Close": "close", "an action that there is not": "transfer", "the menu as a button": menuID} {
		ways = append(ways, way{name: named("%s: presses %s", who, name), do: func() (int, string) {
			return s.call(as.Token, http.MethodPost, actions+action, map[string]any{})
		}})
	}
	for _, option := range []string{"mark:on", "look", "claim", ""} {
		ways = append(ways, way{name: named("%s: chooses %q", who, option), do: func() (int, string) {
			return s.call(as.Token, http.MethodPost, actions+menuID, map[string]any{"selected_option": option})
		}})
	}
	submit := func(name string, change func(*model.SubmitDialogRequest)) {
		ways = append(ways, way{name: who + ": " + name, do: func() (int, string) {
			r := model.SubmitDialogRequest{
				URL: s.dialog.URL, CallbackId: s.dialog.Dialog.CallbackId, State: s.dialog.Dialog.State,
				ChannelId: s.w.ChannelID, TeamId: s.w.TeamID, Submission: map[string]any{},
			}
			change(&r)
			return s.call(as.Token, http.MethodPost, "/actions/dialogs/submit", r)
		}})
	}
	submit("answers siti's dialog", func(*model.SubmitDialogRequest) {})
	submit("answers siti's dialog as siti", func(r *model.SubmitDialogRequest) { r.UserId = s.w.Officers[0].ID })
	submit("answers siti's dialog from a public channel", func(r *model.SubmitDialogRequest) { r.ChannelId = s.square })
	submit("answers siti's dialog of another action", func(r *model.SubmitDialogRequest) { r.CallbackId = "claim" })
	submit("answers with no state", func(r *model.SubmitDialogRequest) { r.State = "" })
	submit("sends the dialog to the buttons' address", func(r *model.SubmitDialogRequest) { r.URL = s.CallbackURL + actionPath })
	return ways
}

// ownCardWays press cards of their own in other channels, with the contexts of ours.
func (s *siege) ownCardWays(as mattermosttest.Account, who string) []way {
	var ways []way
	direct := s.directChannel(as)
	for name, context := range map[string]map[string]any{
		"Claim": s.genuine["Claim"], "Close": s.genuine["Close"], "the menu": s.genuine["menu"], "nothing": {},
		"a code of zeros": {"conversation": "blind", "action": "claim", "label": "Claim", "confirm": "", "mac": "00000000000000000000000000000000"},
		"the card's name": besides(s.genuine["Claim"], "card", string(s.root)),
	} {
		ways = append(ways,
			way{name: named("%s: an own card in a public channel with the context of %s", who, name), do: func() (int, string) {
				return s.ownCard(as, s.square, context)
			}},
			way{name: named("%s: an own card in a direct channel with the context of %s", who, name), do: func() (int, string) {
				return s.ownCard(as, direct, context)
			}})
	}
	return ways
}

func besides(m map[string]any, key string, value any) map[string]any {
	c := maps.Clone(m)
	c[key] = value
	return c
}

// endpointWays reach the endpoint itself, with a press for which the server vouches
// and the contexts of our card.
func (s *siege) endpointWays(as mattermosttest.Account, who string) []way {
	own := s.held(func() { s.ownCard(as, s.square, map[string]any{}) })
	siti := s.w.Officers[0]
	var ways []way
	for name, context := range s.genuine {
		press := own
		press.Context, press.PostId, press.ChannelId = context, string(s.root), s.w.ChannelID
		ways = append(ways, way{name: named("%s: %s at the endpoint with a press of their own", who, name), do: func() (int, string) {
			return s.direct(actionPath, press)
		}})
		asSiti := press
		asSiti.UserId = siti.ID
		ways = append(ways, way{name: named("%s: %s at the endpoint in siti's name", who, name), do: func() (int, string) {
			return s.direct(actionPath, asSiti)
		}})
	}
	for name, change := range map[string]func(*model.SubmitDialogRequest){
		"in their own name":       func(r *model.SubmitDialogRequest) { r.UserId = as.ID },
		"in nobody's name":        func(r *model.SubmitDialogRequest) { r.UserId = "" },
		"from a public channel":   func(r *model.SubmitDialogRequest) { r.UserId, r.ChannelId = siti.ID, s.square },
		"with another's callback": func(r *model.SubmitDialogRequest) { r.UserId, r.CallbackId = siti.ID, "claim" },
	} {
		r := model.SubmitDialogRequest{CallbackId: s.dialog.Dialog.CallbackId, State: s.dialog.Dialog.State, ChannelId: s.w.ChannelID, Submission: map[string]any{}}
		change(&r)
		ways = append(ways, way{name: named("%s: siti's dialog at the endpoint %s", who, name), do: func() (int, string) { return s.direct(dialogPath, r) }})
	}
	return ways
}

// directChannel is somebody's channel with the bot, which the bot opened.
func (s *siege) directChannel(as mattermosttest.Account) string {
	s.t.Helper()
	ch, _, err := s.w.Bot.Client().CreateDirectChannel(s.t.Context(), s.w.Bot.ID, as.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return ch.Id
}

// directWays write to the bot itself.
func (s *siege) directWays(as mattermosttest.Account, who string) []way {
	var ways []way
	direct := s.directChannel(as)
	for _, text := range []string{"claim K0001", "!suar mine", "!suar waiting", "!suar find K0001", "/suar mine", "@siti K0001"} {
		ways = append(ways, way{name: named("%s: writes %q to the bot", who, text), may: true, do: func() (int, string) {
			return s.call(as.Token, http.MethodPost, "/posts", &model.Post{ChannelId: direct, Message: text})
		}})
	}
	return ways
}

// writeWays write, change and erase in the officers' channel.
func (s *siege) writeWays(as mattermosttest.Account, who string) []way {
	root, channel := string(s.root), s.w.ChannelID
	post := func(p *model.Post) func() (int, string) {
		return func() (int, string) { return s.call(as.Token, http.MethodPost, "/posts", p) }
	}
	return []way{
		{name: who + ": a post in the channel", do: post(&model.Post{ChannelId: channel, Message: "x"})},
		{name: who + ": a reply under the card", do: post(&model.Post{ChannelId: channel, RootId: root, Message: "x"})},
		{name: who + ": a note under the card", do: post(&model.Post{ChannelId: channel, RootId: root, Message: "// x"})},
		{name: who + ": a reply with a mention", do: post(&model.Post{ChannelId: channel, RootId: root, Message: "@siti x"})},
		{name: who + ": a reply with /me", do: post(&model.Post{ChannelId: channel, RootId: root, Message: "*x*", Type: model.PostTypeMe})},
		{name: who + ": a reply from a public channel", do: post(&model.Post{ChannelId: s.square, RootId: root, Message: "x"})},
		{name: who + ": another wording of the card", do: func() (int, string) {
			return s.call(as.Token, http.MethodPut, "/posts/"+root+"/patch", map[string]any{"message": "x"})
		}},
		{name: who + ": erases the card", do: func() (int, string) { return s.call(as.Token, http.MethodDelete, "/posts/"+root, nil) }},
		{name: who + ": pins the card", do: func() (int, string) { return s.call(as.Token, http.MethodPost, "/posts/"+root+"/pin", nil) }},
		{name: who + ": a sign on the card", do: func() (int, string) {
			return s.call(as.Token, http.MethodPost, "/reactions", &model.Reaction{UserId: as.ID, PostId: root, EmojiName: "eyes"})
		}},
		{name: who + ": a line that only they see", do: func() (int, string) {
			return s.call(as.Token, http.MethodPost, "/posts/ephemeral", map[string]any{"user_id": as.ID, "post": map[string]any{"channel_id": channel, "message": "x"}})
		}},
		{name: who + ": joins the channel", do: func() (int, string) {
			return s.call(as.Token, http.MethodPost, "/channels/"+channel+"/members", map[string]any{"user_id": as.ID})
		}},
		{name: who + ": a slash command in the channel", do: func() (int, string) {
			return s.call(as.Token, http.MethodPost, "/commands/execute", map[string]any{"channel_id": channel, "command": "/suar mine"})
		}},
	}
}

// readWays read what the officers read.
func (s *siege) readWays(as mattermosttest.Account, who string) []way {
	var ways []way
	root, channel := string(s.root), s.w.ChannelID
	for name, path := range map[string]string{
		"the card": "/posts/" + root, "the thread": "/posts/" + root + "/thread", "the card's signs": "/posts/" + root + "/reactions",
		"the card's files": "/posts/" + root + "/files/info", "the channel's posts": "/channels/" + channel + "/posts",
		"the channel's new posts": "/channels/" + channel + "/posts?since=1", "the channel": "/channels/" + channel,
		"the channel's members": "/channels/" + channel + "/members", "the channel's pinned posts": "/channels/" + channel + "/pinned",
		"how large the channel is": "/channels/" + channel + "/stats", "the card's history": "/posts/" + root + "/edit_history",
		"their own thread of the case": "/users/" + as.ID + "/teams/" + s.w.TeamID + "/threads/" + root,
		"siti's unread posts":          "/users/" + s.w.Officers[0].ID + "/channels/" + channel + "/posts/unread",
	} {
		ways = append(ways, way{name: who + ": reads " + name, do: func() (int, string) { return s.call(as.Token, http.MethodGet, path, nil) }})
	}
	return ways
}
