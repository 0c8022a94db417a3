package handoff

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
)

const (
	// maxPress is the length of a request. A form's fields that are too long must
	// still be told so.
	maxPress = 256 << 10
	// pressTimeout is below the 30 s after which Mattermost gives up.
	pressTimeout = 10 * time.Second
	// pressAge is how old or how early a press may be: what two clocks may be
	// apart.
	pressAge = 10 * time.Minute
	// questionLife is how long an officer may look at a dialog.
	questionLife = 15 * time.Minute
	// unknownPatience is how long a press waits for its card to be recorded,
	// which is a moment after it can be seen.
	unknownPatience = 2 * time.Second
)

// ServeHTTP takes presses at …/mattermost/action, answers to dialogs at
// …/mattermost/dialog and, if there is a SlashToken, the slash command at
// …/mattermost/command. Mattermost does not authenticate itself: whoever
// reaches the address can send anything, and any user of the server can have it
// sent. So a press counts only with the signature in the button's context,
// Mattermost's signature of the user and the time, and membership in the
// channel; an answer only with our signature of what was asked of whom. What
// fails any of these is answered the same, and does nothing; and so is a press
// that came before.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var answer func(context.Context, *json.Decoder) any
	switch {
	case strings.HasSuffix(r.URL.Path, commandPath) && r.Method == http.MethodPost:
		if d.SlashToken.Empty() {
			http.NotFound(w, r)
			return
		}
		d.serveCommand(w, r)
		return
	case strings.HasSuffix(r.URL.Path, actionPath):
		answer = func(ctx context.Context, body *json.Decoder) any {
			return &model.PostActionIntegrationResponse{EphemeralText: d.pressed(ctx, body), SkipSlackParsing: true}
		}
	case strings.HasSuffix(r.URL.Path, dialogPath):
		answer = func(ctx context.Context, body *json.Decoder) any {
			return d.answered(ctx, body)
		}
	default:
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), pressTimeout)
	defer cancel()
	body, err := json.Marshal(answer(ctx, json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPress))))
	if err != nil {
		http.Error(w, "no answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	// An answer that cannot be written is repeated by the officer's next press.
	_, _ = w.Write(body)
}

// pressed takes a press and returns what the officer is told, empty if the card
// will say it.
func (d *Desk) pressed(ctx context.Context, body *json.Decoder) string {
	var r model.PostActionIntegrationRequest
	if err := body.Decode(&r); err != nil {
		return d.refuse("not a press")
	}
	button, ok := d.readPress(r.Context)
	if !ok {
		return d.refuse("signature of the button")
	}
	p, err := d.where(ctx)
	if err != nil {
		return d.again(err)
	}
	t, ok := readTrigger(p.key, r.TriggerId)
	if !ok || t.user != r.UserId {
		return d.refuse("signature of the press")
	}
	if age := d.Now().Sub(t.at); age > pressAge || age < -pressAge {
		return d.refuse("age of the press")
	}
	if r.ChannelId != p.channel {
		return d.refuse("channel")
	}
	officer, refusal := d.mayPress(ctx, p, r.UserId)
	if refusal != "" {
		return refusal
	}
	if !d.spent.spend(t.id, d.Now()) {
		return d.refuse("a press that came before")
	}
	if button.Card != "" {
		r.PostId = button.Card
	}
	if button.Form {
		return d.askForm(ctx, r, button, officer, t.id)
	}
	if button.Confirm != "" {
		return d.ask(ctx, r, t, button)
	}
	return d.act(ctx, deed{post: r.PostId, conversation: button.Conversation, id: "mm:press:" + t.id, action: button.Action, choice: button.Choice, officer: officer})
}

// ask opens the dialog that stands before an action.
func (d *Desk) ask(ctx context.Context, r model.PostActionIntegrationRequest, t trigger, b buttonContext) string {
	state, err := d.signQuestion(question{
		Post: r.PostId, Conversation: b.Conversation, User: t.user, Action: b.Action, Choice: b.Choice, Press: t.id,
		Expiry: d.Now().Add(questionLife).Unix(),
	})
	if err != nil {
		return d.again(err)
	}
	resp, err := d.client.OpenInteractiveDialog(ctx, model.OpenDialogRequest{
		TriggerId: r.TriggerId,
		URL:       d.CallbackURL + dialogPath,
		Dialog: model.Dialog{
			CallbackId: actionID(flows.ActionName(b.Action)), Title: short(b.Label), IntroductionText: ours(b.Confirm), SubmitLabel: b.Label, State: state,
		},
	})
	if err != nil {
		return d.again(failed(resp, err))
	}
	return ""
}

// short cuts a dialog's title to what clients show.
func short(label string) string {
	runes := []rune(label)
	if len(runes) <= model.DialogTitleMaxLength {
		return label
	}
	return strings.TrimSpace(string(runes[:model.DialogTitleMaxLength-1])) + "…"
}

// answered takes the answer to a dialog and returns what the dialog shows; an
// empty response closes it.
func (d *Desk) answered(ctx context.Context, body *json.Decoder) *model.SubmitDialogResponse {
	say := func(words string) *model.SubmitDialogResponse { return &model.SubmitDialogResponse{Error: words} }
	var r model.SubmitDialogRequest
	if err := body.Decode(&r); err != nil {
		return say(d.refuse("not an answer"))
	}
	q, ok := d.readQuestion(r.State, d.Now())
	if !ok {
		return say(d.refuse("signature or age of the question"))
	}
	if q.Action == probe {
		return say(q.Press)
	}
	if r.Cancelled {
		return say("")
	}
	p, err := d.where(ctx)
	if err != nil {
		return say(d.again(err))
	}
	if r.UserId != q.User || r.ChannelId != p.channel || r.CallbackId != actionID(flows.ActionName(q.Action)) {
		return say(d.refuse("answer to another question"))
	}
	officer, refusal := d.mayPress(ctx, p, r.UserId)
	if refusal != "" {
		return say(refusal)
	}
	if isDuty(q) {
		return d.dutyFilledIn(ctx, p, q, r.Submission, officer)
	}
	if q.Stamp != "" {
		return d.filledIn(ctx, p, q, r.Submission, officer)
	}
	return say(d.act(ctx, deed{post: q.Post, conversation: q.Conversation, id: "mm:answer:" + q.Press, action: q.Action, choice: q.Choice, officer: officer}))
}

// mayPress returns the officer, or what to answer if it is none.
func (d *Desk) mayPress(ctx context.Context, p place, user string) (flows.Officer, string) {
	officer, err := d.officer(ctx, p, user)
	switch {
	case errors.Is(err, errNotOfficer):
		d.noteRefused(ctx, flows.AuditRefused, officer)
		return officer, d.refuse("not an officer")
	case err != nil:
		return officer, d.again(err)
	case !d.presses.try(user, d.Now(), d.Pace):
		return officer, d.Words.Slow
	}
	return officer, ""
}

// A deed is what an officer did with a button. Nobody signs the post; the
// conversation is signed by us.
type deed struct {
	post, conversation string
	// id is the event's identity.
	id             string
	action, choice string
	officer        flows.Officer
	// What was filled in, if the action has a form; see flows.Acted.
	values map[string]string
	stamp  string
	named  flows.Officer
}

// act hands over what an officer did. The engine knows the cards that are ours,
// and compares the card's conversation with the button's, so that a press that
// was recorded on its way does nothing under another card.
func (d *Desk) act(ctx context.Context, x deed) string {
	in := engine.Inbound{Name: "mm:" + x.post, ID: x.id, Conversation: x.conversation, Event: x.event()}
	patience, cancel := context.WithTimeout(ctx, unknownPatience)
	defer cancel()
	for {
		err := d.Handler.Handle(ctx, in)
		switch {
		case err == nil:
			return ""
		case !errors.Is(err, engine.ErrUnknown):
			return d.again(err)
		case sleep(patience, 100*time.Millisecond) != nil:
			return d.Words.Unknown
		}
	}
}

// refuse counts a request that is none of ours, and returns the one answer.
func (d *Desk) refuse(cause string) string {
	d.trail.refused.Add(1)
	d.refused.Add(1)
	if n, ok := d.refusals.count(d.Now()); ok {
		d.Log.Warn("refused what came to the officers' endpoint", "cause", cause, "count", n)
	}
	return d.Words.Refused
}

// again answers a press that could not be recorded.
func (d *Desk) again(err error) string {
	d.Log.Error("a press was not recorded", "status", statusOfError(err))
	return d.Words.Again
}

// statusOfError is the status of an answer that an error is about, 0 for none.
func statusOfError(err error) int {
	if f, ok := errors.AsType[*faultError](err); ok {
		return f.status
	}
	return 0
}

// sleep waits, or returns why it could not.
func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
