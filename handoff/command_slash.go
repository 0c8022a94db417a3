package handoff

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"
)

// commandPath is where Mattermost sends the slash command, under CallbackURL.
const commandPath = "/mattermost/command"

// serveCommand takes the slash command. Mattermost proves itself by the token that it
// made for the command, and the officer by its signature of the user and the time.
// Its answer is seen by nobody but who asked.
func (d *Desk) serveCommand(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), pressTimeout)
	defer cancel()
	r.Body = http.MaxBytesReader(w, r.Body, maxPress)
	body, err := json.Marshal(&model.CommandResponse{
		ResponseType: model.CommandResponseTypeEphemeral, Text: d.commandGiven(ctx, r), SkipSlackParsing: true,
		Props: model.StringInterface{model.PostPropsUnsafeLinks: "true"},
	})
	if err != nil {
		http.Error(w, "no answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // Without the answer the officer asks again.
}

func (d *Desk) commandGiven(ctx context.Context, r *http.Request) string {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Token ")
	if !ok || subtle.ConstantTimeCompare([]byte(token), []byte(d.SlashToken.Reveal())) != 1 {
		return d.refuse("token of the command")
	}
	if err := r.ParseForm(); err != nil {
		return d.refuse("not a command")
	}
	p, err := d.where(ctx)
	if err != nil {
		return d.again(err)
	}
	t, ok := readTrigger(p.key, r.PostForm.Get("trigger_id"))
	if !ok || t.user != r.PostForm.Get("user_id") {
		return d.refuse("signature of the command")
	}
	if age := d.Now().Sub(t.at); age > pressAge || age < -pressAge {
		return d.refuse("age of the command")
	}
	officer, refusal := d.mayPress(ctx, p, t.user)
	if refusal != "" {
		return refusal
	}
	if !d.spent.spend(t.id, d.Now()) {
		return d.refuse("a command that came before")
	}
	a := asking{officer: officer, words: r.PostForm.Get("text"), id: "slash:" + t.id}
	if r.PostForm.Get("channel_id") == p.channel { // Elsewhere the answer to a dialog would be refused.
		a.trigger = r.PostForm.Get("trigger_id")
	}
	return d.answer(ctx, p, a)
}

// A direct is what somebody wrote to the bot alone.
type direct struct{ post *model.Post }

// isDirect reports whether a new post was written to the bot alone, by somebody else
// who was there: a webhook, a bot or a plugin can post in an officer's name.
func (p place) isDirect(ev *model.WebSocketEvent, post *model.Post) bool {
	kind, _ := ev.GetData()["channel_type"].(string)
	return kind == string(model.ChannelTypeDirect) && post.UserId != p.bot && post.OriginalId == "" &&
		(post.Type == model.PostTypeDefault || post.Type == model.PostTypeMe) &&
		post.GetProp(model.PostPropsFromWebhook) == nil && post.GetProp(model.PostPropsFromBot) == nil &&
		post.GetProp(model.PostPropsFromPlugin) == nil
}

// answerDirect answers an officer who wrote to the bot. Nobody else learns that
// somebody reads there.
func (d *Desk) answerDirect(ctx context.Context, p place, x direct) {
	ctx, cancel := context.WithTimeout(ctx, pressTimeout)
	defer cancel()
	officer, err := d.officer(ctx, p, x.post.UserId)
	if err != nil || !d.presses.try(officer.ID, d.Now(), d.Pace) {
		if errors.Is(err, errNotOfficer) {
			d.refuse("a direct message of somebody else")
		}
		return
	}
	words, is := commandOf(written(x.post))
	if !is {
		words = written(x.post) // There it is for nobody else anyway.
	}
	answer := &model.Post{
		ChannelId: x.post.ChannelId, RootId: x.post.RootId, PendingPostId: d.pendingID("command:"+x.post.Id, 0),
		Message: d.answer(ctx, p, asking{officer: officer, words: words, id: "post:" + x.post.Id}),
	}
	answer.AddProp(model.PostPropsUnsafeLinks, "true")
	if _, resp, err := d.client.CreatePost(ctx, answer); err != nil {
		d.Log.WarnContext(ctx, "a command was not answered", "status", statusOf(resp))
	}
}
