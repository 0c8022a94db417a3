package handoff

import (
	"context"
	"unicode/utf8"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
)

// tell puts our own words into the thread, what an officer wrote beneath them, and
// calls whom they are for.
func (d *Desk) tell(ctx context.Context, p place, dl engine.Delivery, e flows.Tell) (flows.Delivered, error) {
	text := ours(e.Text)
	if e.Calls.Name != "" {
		text = mentions([]string{e.Calls.Name}) + " " + text
	}
	parts := []string{text}
	if e.Quote != "" {
		parts = inert(e.Quote, partRunes-utf8.RuneCountInString(text)-1)
		parts[0] = text + "\n" + parts[0]
	}
	done, err := d.reply(ctx, p, dl, parts)
	if err == nil && e.Calls.Name != "" {
		d.ring(ctx, p, dl, call{names: []string{e.Calls.Name}}, e.Code)
	}
	return done, err
}

// prompt posts a line with its buttons. They name the card, since the line is not
// what the engine knows the case by.
func (d *Desk) prompt(ctx context.Context, p place, dl engine.Delivery, e flows.Prompt) (flows.Delivered, error) {
	return d.once(ctx, p, dl, func() (*model.Post, error) {
		post := d.newPost(p, dl, 0, ours(e.Text))
		a := &model.MessageAttachment{}
		for _, action := range e.Actions {
			a.Fallback += "[" + ours(action.Label) + "] "
			a.Actions = append(a.Actions, &model.PostAction{
				Id: actionID(action.Name), Type: model.PostActionTypeButton, Name: ours(action.Label),
				Integration: &model.PostActionIntegration{URL: d.CallbackURL + actionPath, Context: d.lineButton(dl, action).fields()},
			})
		}
		if len(e.Actions) > 0 {
			post.AddProp(model.PostPropsAttachments, []*model.MessageAttachment{a})
		}
		return post, nil
	})
}
