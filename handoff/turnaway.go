package handoff

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"slices"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
)

// turnAway deals with what somebody wrote under a card who is in the channel, or
// was, and is no officer: nothing of it is handed over. A new post gets the sign of
// one that reaches nobody, and a line in the thread says why, once a day and
// person.
func (d *Desk) turnAway(ctx context.Context, p place, c change, who flows.Officer) error {
	ours, err := d.isCard(ctx, p, c.root())
	if err != nil || !ours {
		return err
	}
	d.refuse("a post of somebody who is no officer")
	d.noteRefused(ctx, flows.AuditWithheld, who)
	if err := d.markFailed(ctx, p, c); err != nil {
		return err
	}
	line := engine.Delivery{ // Said once, it costs nothing more.
		ID:     hex.EncodeToString(d.mac("turned away", c.root(), who.ID, d.today())[:16]),
		Thread: flows.PostID(c.root()),
		Tries:  2, // An earlier process may have said it.
	}
	if d.told.known(line.ID) {
		return nil
	}
	_, err = d.reply(ctx, p, line, []string{turnedAway(d.Words.Outsider, who.Name)})
	if failure, ok := errors.AsType[*engine.Failure](err); ok && failure.Final {
		err = nil
	}
	if err == nil {
		d.told.spend(line.ID, d.Now())
	}
	return err
}

// turnedAway is the line about somebody, whom it does not call.
func turnedAway(words, name string) string { return "**" + ours("@"+name) + "** " + ours(words) }

// isCard reports whether a post is a card of ours that is there.
func (d *Desk) isCard(ctx context.Context, p place, root string) (bool, error) {
	post, resp, err := d.client.GetPost(ctx, root, "")
	switch {
	case resp != nil && (resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusForbidden):
		return false, nil
	case err != nil:
		return false, failed(resp, err)
	}
	return post.UserId == p.bot && post.GetProp(propKey) != nil, nil
}

// turnedAwayBefore reports whether a post has the sign of one that reaches nobody.
// Who wrote it may be an officer by now, and has been told that it was not passed
// on.
func turnedAwayBefore(p place, post *model.Post) bool {
	return post.Metadata != nil && slices.ContainsFunc(post.Metadata.Reactions, func(r *model.Reaction) bool {
		return r.UserId == p.bot && r.EmojiName == emoji(flows.SignFailed)
	})
}
