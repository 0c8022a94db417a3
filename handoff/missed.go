package handoff

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
)

// What officers wrote while no process listened is read when one does again, but
// not beyond the horizon: the engine no longer knows what of it was handed over
// before. So that nobody believes it was read, each such post gets the sign that
// it will not reach the person, and a line in its thread says between which
// instants nothing was read.

// gap returns the milliseconds between which nothing was read and nothing will
// be. A process that found no mark of another knows of none.
func (l *listener) gap() (since, until int64, is bool) {
	since, until = l.safe(), l.Now().Add(-horizon).UnixMilli()
	return since, until, l.saved > 0 && since < until
}

// missedIn is the change that tells of what a post went through in a gap, if it
// did. What was both written and deleted there needs no word.
func missedIn(post *model.Post, since, until int64) (change, bool) {
	in := func(at int64) bool { return at > since && at < until }
	is := in(post.CreateAt) || in(post.EditAt)
	if post.DeleteAt != 0 {
		is = in(post.DeleteAt) && post.CreateAt <= since
	}
	return change{what: missed, post: post, since: since, until: until}, is
}

// handMissed tells of one post that nobody read; of each thread the engine tells
// once.
func (d *Desk) handMissed(ctx context.Context, c change, began time.Time) error {
	p, err := d.where(ctx)
	if err != nil {
		return err
	}
	// For the sign: only what was written in the gap gets it.
	shown := change{what: edited, post: c.post}
	if c.post.CreateAt > c.since {
		shown.what = created
		// The last process may have read it and died before it saved so.
		if signed, err := d.signed(ctx, p, c.post.Id); signed || err != nil {
			return err
		}
	}
	switch _, err := d.officer(ctx, p, c.post.UserId); {
	case errors.Is(err, errBot):
		return nil
	case err != nil && !errors.Is(err, errNotOfficer): // Who left wrote all the same.
		return err
	}
	err = d.Handler.Handle(ctx, engine.Inbound{
		Name:  "mm:" + c.root(),
		ID:    fmt.Sprintf("mm:%s:missed:%d", c.root(), c.since),
		Event: flows.Missed{Since: time.UnixMilli(c.since), Until: time.UnixMilli(c.until)},
	})
	switch {
	case errors.Is(err, engine.ErrUnknown):
		return d.unknown(ctx, shown, began)
	case errors.Is(err, engine.ErrStep):
		d.Log.Error("what was missed cannot be told", "error", err)
	case err != nil:
		return err
	}
	return d.markFailed(ctx, p, shown)
}

// signed reports whether a post has a sign of ours, or is gone.
func (d *Desk) signed(ctx context.Context, p place, post string) (bool, error) {
	there, resp, err := d.client.GetReactions(ctx, post)
	if err != nil {
		if resp != nil && (resp.StatusCode == 404 || resp.StatusCode == 403) {
			return true, nil
		}
		return false, failed(resp, err)
	}
	for _, r := range there {
		if r.UserId == p.bot && isSign(r.EmojiName) {
			return true, nil
		}
	}
	return false, nil
}
