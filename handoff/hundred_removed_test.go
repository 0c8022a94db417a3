package handoff

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/internal/mattermosttest"
)

// TestRemovedOfficersGetNothing tries what those can who were officers a moment ago,
// with all that they had then: their session, a press that was on its way, a dialog
// that is open, posts of their own, a websocket. siti stays.
func TestRemovedOfficersGetNothing(t *testing.T) {
	for _, how := range []struct {
		name   string
		remove func(s *siege, r *served, who mattermosttest.Account)
		// inside says that Mattermost still lets them into the channel.
		inside bool
	}{
		{name: "removed from the channel", remove: func(s *siege, _ *served, who mattermosttest.Account) { s.w.RemoveMember(who) }},
		{name: "removed from the team", remove: func(s *siege, _ *served, who mattermosttest.Account) {
			if _, err := s.w.Admin.Client().RemoveTeamMember(s.t.Context(), s.w.TeamID, who.ID); err != nil {
				s.t.Fatal(err)
			}
		}},
		{name: "deactivated", remove: func(s *siege, _ *served, who mattermosttest.Account) { s.w.Deactivate(who) }},
		{name: "off the roster", inside: true, remove: func(s *siege, r *served, _ mattermosttest.Account) { r.serve(s.t, withoutRina) }},
	} {
		t.Run(how.name, func(t *testing.T) {
			var r served
			r.serve(t, withRina)
			s := besiege(t, ofRoster(&r))
			rina := s.w.Officers[2]
			ways := s.removedWays(rina, how.name, func() { how.remove(s, &r, rina) }, how.inside)
			line := turnedAway(s.Words.Outsider, "rina")
			s.siege(t, ways, 32, func(said string) bool { return how.inside && said == line }, rina)
		})
	}
}

// removedWays prepares what an officer has, removes them, and lists what they try.
func (s *siege) removedWays(as mattermosttest.Account, how string, remove func(), inside bool) []way {
	root, channel := string(s.root), s.w.ChannelID
	screen := s.w.Watch(as)
	var dialogs []*model.OpenDialogRequest
	s.w.Press(as, root, "Close")
	dialogs = append(dialogs, screen.Dialog())
	s.w.Choose(as, root, "More…", "mark:on")
	dialogs = append(dialogs, screen.Dialog())
	reply, note := s.w.Post(as, root, "while an officer"), s.w.Post(as, root, "// while an officer")
	s.until("what rina wrote is handed over", func() bool { return s.events() == 2 })
	held := map[string]model.PostActionIntegrationRequest{
		"Claim": s.held(func() { s.w.Press(as, root, "Claim") }),
		"Close": s.held(func() { s.w.Press(as, root, "Close") }),
		"mark":  s.held(func() { s.w.Choose(as, root, "More…", "mark:on") }),
		"look":  s.held(func() { s.w.Choose(as, root, "More…", "look") }),
	}
	ways := s.cardWays(as, how)
	ways = append(ways, s.ownCardWays(as, how)...)
	ways = append(ways, s.endpointWays(as, how)...)
	if how == "deactivated" {
		for _, w := range s.directWays(as, how) {
			w.may = false
			ways = append(ways, w)
		}
	} else {
		ways = append(ways, s.directWays(as, how)...)
	}
	remove()
	if !inside {
		ways = append(ways, s.writeWays(as, how)...)
		ways = append(ways, s.readWays(as, how)...)
	}
	add := func(name string, may bool, do func() (int, string)) {
		ways = append(ways, way{name: how + ": " + name, may: may, do: do})
	}
	for name, press := range held {
		add("the press of "+name+" that was on its way", false, func() (int, string) { return s.direct(actionPath, press) })
	}
	for i, name := range []string{"close", "mark"} {
		d := dialogs[i]
		r := model.SubmitDialogRequest{CallbackId: d.Dialog.CallbackId, State: d.Dialog.State, UserId: as.ID, ChannelId: channel, Submission: map[string]any{}}
		add("the open dialog to "+name+", through the server", false, func() (int, string) {
			q := r
			q.URL = d.URL
			return s.call(as.Token, http.MethodPost, "/actions/dialogs/submit", q)
		})
		add("the open dialog to "+name+", at the endpoint", false, func() (int, string) { return s.direct(dialogPath, r) })
	}
	for name, text := range map[string]string{"a reply": "after", "a note": "// after", "a long reply": strings.Repeat("after ", 2500), "a mention": "@siti after", "markup": "[after](http://x.test) ![](http://x.test/i.png)"} {
		add(name+" under the card, after", inside, func() (int, string) {
			return s.call(as.Token, http.MethodPost, "/posts", &model.Post{ChannelId: channel, RootId: root, Message: text})
		})
	}
	for name, post := range map[string]*model.Post{"the own reply": reply, "the own note": note} {
		add("another wording of "+name, inside, func() (int, string) {
			return s.call(as.Token, http.MethodPut, "/posts/"+post.Id+"/patch", map[string]any{"message": "reworded after"})
		})
		add("makes a reply of "+name, inside, func() (int, string) {
			return s.call(as.Token, http.MethodPut, "/posts/"+post.Id+"/patch", map[string]any{"message": "said after"})
		})
	}
	return ways
}
