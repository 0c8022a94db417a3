package handoff

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
)

const (
	pageSize = 200 // the most that Mattermost gives at once
	// rootsSince is how far back a repeated Open looks for its card: as far as a
	// backup may lie back from which the store was restored.
	rootsSince = 15 * 24 * time.Hour
)

// errNoThread says that an effect came for a case without a card.
var errNoThread = errors.New("handoff: the case has no card")

// errForeign says that the server gave back somebody else's post for ours.
var errForeign = errors.New("handoff: the server answered with a post that is not ours")

// Deliver performs an effect to the officers. A delivery that may have
// succeeded before (Tries of 2 or more) is looked for first, so that nothing
// stands in the channel twice. Its error is always an *engine.Failure, and for
// Open never a final one.
func (d *Desk) Deliver(ctx context.Context, dl engine.Delivery) (flows.Delivered, error) {
	done, err := d.deliver(ctx, dl)
	if err == nil {
		return done, nil
	}
	f, ok := errors.AsType[*engine.Failure](err)
	if !ok {
		f = d.unreached(err)
	}
	if _, open := dl.Effect.(flows.Open); open && f.Final {
		f.Final, f.After = false, afterRefusal
	}
	return flows.Delivered{}, f
}

// unreached is a failure to learn who and where we are: it concerns everybody.
func (d *Desk) unreached(err error) *engine.Failure {
	f := &engine.Failure{Err: err, After: afterPending, All: true}
	if fault, ok := errors.AsType[*faultError](err); ok {
		f.Status = fault.status
		if fault.status >= 400 && fault.status < 500 {
			f.After = afterRefusal
		}
	}
	return f
}

func (d *Desk) deliver(ctx context.Context, dl engine.Delivery) (flows.Delivered, error) {
	p, err := d.where(ctx)
	if err != nil {
		return flows.Delivered{}, err
	}
	if _, open := dl.Effect.(flows.Open); open {
		return d.open(ctx, p, dl)
	}
	if e, mark := dl.Effect.(flows.Mark); mark { // it names its post, also of a case that is no more
		return flows.Delivered{}, d.mark(ctx, p, e)
	}
	if e, restate := dl.Effect.(flows.Restate); restate { // So does this.
		return flows.Delivered{}, d.restate(ctx, p, e)
	}
	if e, retract := dl.Effect.(flows.Retract); retract { // And this.
		return flows.Delivered{}, d.retract(ctx, p, e)
	}
	if dl.Thread == "" { // a person's words must not become a post of their own
		return flows.Delivered{}, &engine.Failure{Reason: flows.ReasonGone, Final: true, Err: errNoThread}
	}
	switch e := dl.Effect.(type) {
	case flows.Update:
		return flows.Delivered{}, d.update(ctx, dl)
	case flows.Relay:
		return d.reply(ctx, p, dl, relayed(e))
	case flows.Tell:
		done, err := d.tell(ctx, p, dl, e)
		c := d.call(1)
		done.Unattended, done.Duty = c.unattended, c.next
		return done, err
	case flows.Prompt:
		return d.prompt(ctx, p, dl, e)
	case flows.Offer:
		return d.offer(ctx, p, dl, e)
	case flows.Present:
		return d.present(ctx, p, dl, e)
	case flows.Refer:
		return d.refer(ctx, p, dl, e)
	case flows.Page:
		return d.page(ctx, p, dl, e)
	}
	return flows.Delivered{}, &engine.Failure{
		Reason: flows.ReasonRejected, Final: true, Err: fmt.Errorf("handoff: %T is not an effect to the officers", dl.Effect),
	}
}

func (d *Desk) open(ctx context.Context, p place, dl engine.Delivery) (flows.Delivered, error) {
	c := d.call(1)
	id, err := d.putCard(ctx, p, dl, c)
	if err != nil {
		return flows.Delivered{}, err
	}
	d.ring(ctx, p, dl, c, dl.Card.Code)
	return flows.Delivered{Post: id, Unattended: c.unattended, Duty: c.next}, nil
}

func (d *Desk) putCard(ctx context.Context, p place, dl engine.Delivery, c call) (flows.PostID, error) {
	if dl.Tries > 1 {
		id, err := d.findRoot(ctx, p, d.relayKey(dl.ID, 0))
		if id != "" || err != nil {
			return id, err
		}
	}
	return d.create(ctx, p, d.root(p, dl, c))
}

// page calls in the thread, and by direct messages.
func (d *Desk) page(ctx context.Context, p place, dl engine.Delivery, e flows.Page) (flows.Delivered, error) {
	c := d.call(e.Level)
	text := ours(e.Text)
	if len(c.names) > 0 {
		text = mentions(c.names) + " " + text
	}
	done, err := d.reply(ctx, p, dl, []string{text})
	if err != nil {
		return done, err
	}
	d.ring(ctx, p, dl, c, e.Code)
	done.Unattended, done.Duty = c.unattended, c.next
	return done, nil
}

// reply posts parts into the case's thread, in order. The delivery's post is
// the first of them.
func (d *Desk) reply(ctx context.Context, p place, dl engine.Delivery, parts []string) (flows.Delivered, error) {
	var there map[string]flows.PostID
	if dl.Tries > 1 {
		var err error
		if there, err = d.keysInThread(ctx, p, dl.Thread); err != nil {
			return flows.Delivered{}, err
		}
	}
	var first flows.PostID
	for i, part := range parts {
		id, ok := there[d.relayKey(dl.ID, i)]
		if !ok {
			var err error
			if id, err = d.create(ctx, p, d.newPost(p, dl, i, part)); err != nil {
				return flows.Delivered{}, err
			}
		}
		if i == 0 {
			first = id
		}
	}
	return flows.Delivered{Post: first}, nil
}

// create makes a post and verifies that it is ours: somebody who guessed the
// pending id first would get his own given back to us.
func (d *Desk) create(ctx context.Context, p place, post *model.Post) (flows.PostID, error) {
	made, resp, err := d.client.CreatePost(ctx, post)
	switch {
	case err != nil && rootGone(err):
		// The server says the same when its database fails.
		return "", d.doubt(ctx, post.RootId, &engine.Failure{Status: resp.StatusCode, After: afterPending, Err: err})
	case err != nil:
		return "", failure(resp, err)
	case made.UserId != p.bot || made.GetProp(propKey) != post.GetProp(propKey):
		// The server forgets the id after 30 s.
		return "", &engine.Failure{Status: resp.StatusCode, After: afterRefusal + afterPending, Err: errForeign}
	}
	return flows.PostID(made.Id), nil
}

// doubt is the failure of an answer that may mean that the card is gone: that it
// is, if the server says so when it is asked for the card, otherwise f.
func (d *Desk) doubt(ctx context.Context, root string, f *engine.Failure) *engine.Failure {
	_, resp, err := d.client.GetPost(ctx, root, "")
	if err == nil {
		return f
	}
	return failure(resp, err)
}

// findRoot looks for a root post of ours with the key, newest first.
func (d *Desk) findRoot(ctx context.Context, p place, key string) (flows.PostID, error) {
	horizon := d.Now().Add(-rootsSince).UnixMilli()
	for page := 0; ; page++ {
		list, resp, err := d.client.GetPostsForChannel(ctx, p.channel, page, pageSize, "", true, false)
		if err != nil {
			return "", failure(resp, err)
		}
		oldest := int64(1<<63 - 1)
		for _, post := range list.Posts {
			if post.UserId == p.bot && post.GetProp(propKey) == key {
				return flows.PostID(post.Id), nil
			}
		}
		for _, id := range list.Order {
			oldest = min(oldest, list.Posts[id].CreateAt)
		}
		if len(list.Order) < pageSize || oldest < horizon {
			return "", nil
		}
	}
}

// keysInThread returns our posts in a thread by their keys.
func (d *Desk) keysInThread(ctx context.Context, p place, root flows.PostID) (map[string]flows.PostID, error) {
	keys := map[string]flows.PostID{}
	opts := model.GetPostsOptions{PerPage: pageSize, Direction: "down"}
	for {
		list, resp, err := d.client.GetPostThreadWithOpts(ctx, string(root), "", opts)
		if err != nil {
			return nil, failure(resp, err)
		}
		var last *model.Post
		for _, post := range list.Posts {
			if key, _ := post.GetProp(propKey).(string); key != "" && post.UserId == p.bot {
				keys[key] = flows.PostID(post.Id)
			}
			if last == nil || later(post, last) {
				last = post
			}
		}
		// The root comes on every page, so a page of it alone is the end.
		if last == nil || last.Id == opts.FromPost || list.HasNext == nil || !*list.HasNext {
			return keys, nil
		}
		opts.FromPost, opts.FromCreateAt = last.Id, last.CreateAt
	}
}

// later orders posts as the server does.
func later(a, b *model.Post) bool {
	return a.CreateAt > b.CreateAt || a.CreateAt == b.CreateAt && a.Id > b.Id
}

// update changes the card in place. PatchPost with properties replaces all of
// them, so the others are read and given back.
func (d *Desk) update(ctx context.Context, dl engine.Delivery) error {
	old, resp, err := d.client.GetPost(ctx, string(dl.Thread), "")
	if err != nil {
		return failure(resp, err)
	}
	props := old.GetProps()
	props[model.PostPropsAttachments] = d.attachments(dl)
	props[model.PostPropsUnsafeLinks] = "true"
	props[propCase] = dl.Card.Index
	message := title(dl.Card)
	_, resp, err = d.client.PatchPost(ctx, old.Id, &model.PostPatch{Message: &message, Props: &props})
	switch {
	case err == nil:
		return nil
	case resp != nil && resp.StatusCode == http.StatusForbidden:
		// So it answers for a card that was deleted just now, too.
		return d.doubt(ctx, old.Id, refused(resp, err))
	}
	return failure(resp, err)
}

// mark puts a sign on a post and takes our other signs off it.
func (d *Desk) mark(ctx context.Context, p place, e flows.Mark) error {
	there, resp, err := d.client.GetReactions(ctx, string(e.Post))
	if err != nil {
		return unmarked(resp, err)
	}
	there = slices.DeleteFunc(there, func(r *model.Reaction) bool { return r.UserId != p.bot || !isSign(r.EmojiName) })
	want := emoji(e.Sign)
	if !slices.ContainsFunc(there, func(r *model.Reaction) bool { return r.EmojiName == want }) {
		_, resp, err := d.client.SaveReaction(ctx, &model.Reaction{UserId: p.bot, PostId: string(e.Post), EmojiName: want})
		if err != nil {
			return unmarked(resp, err)
		}
	}
	for _, r := range there {
		if r.EmojiName == want {
			continue
		}
		resp, err := d.client.DeleteReaction(ctx, r)
		if err != nil && (resp == nil || resp.StatusCode != http.StatusNotFound) {
			return unmarked(resp, err)
		}
	}
	return nil
}

// unmarked is failure for a sign, which a missing right must not make the
// person's words wait for.
func unmarked(resp *model.Response, err error) *engine.Failure {
	if resp != nil && resp.StatusCode == http.StatusForbidden {
		return refused(resp, err)
	}
	return failure(resp, err)
}
