package handoff

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
)

// notePrefix begins a post that stays among the officers.
const notePrefix = "//"

// horizon is how far back a change is still handed over. The engine remembers
// for 48 h which it saw; an older one could be taken for new.
const horizon = 47 * time.Hour

// A process that was suspended after it placed a card, an hour at most, records
// it when it wakes: then a change is tried for a moment more.
const (
	freshCard = time.Hour
	moment    = 20 * time.Second
)

// recordedWithin is how long the engine may need to record a card after it
// could be seen: a crash in between, and the next lease.
const recordedWithin = 3 * time.Minute

// concerns says whether a post may be an officer's words to a person: a reply,
// in our channel, not ours, and written, not made by the server or a webhook.
// What is written with /me is written.
func (p place) concerns(post *model.Post) bool {
	return post.ChannelId == p.channel && post.RootId != "" && post.OriginalId == "" &&
		post.UserId != p.bot && (post.Type == model.PostTypeDefault || post.Type == model.PostTypeMe) &&
		post.GetProp(model.PostPropsFromWebhook) == nil
}

// card says whether a post is a card of ours. Only that one was deleted is of
// interest: nobody else would notice that its buttons are gone.
func (p place) card(post *model.Post) bool {
	return post.ChannelId == p.channel && post.RootId == "" && post.OriginalId == "" &&
		post.UserId == p.bot && post.GetProp(propKey) != nil
}

// written is what an officer wrote. Mattermost sets what follows /me in italics.
func written(post *model.Post) string {
	if inner, ok := strings.CutPrefix(post.Message, "*"); ok && post.Type == model.PostTypeMe {
		return strings.TrimSuffix(inner, "*")
	}
	return post.Message
}

// changes are what a post as it is now may have gone through since the horizon.
// What was handed over before, the engine knows; of what it may have forgotten,
// up to the floor, only edits and deletions are told.
func changes(post *model.Post, now time.Time, floor int64) []change {
	oldest := now.Add(-horizon).UnixMilli()
	if post.DeleteAt != 0 {
		if post.DeleteAt < oldest {
			return nil
		}
		return []change{{what: deleted, post: post}}
	}
	var all []change
	if post.CreateAt >= oldest && post.CreateAt > floor {
		all = append(all, change{what: created, post: post})
	}
	if post.EditAt >= oldest && post.EditAt != 0 {
		all = append(all, change{what: edited, post: post})
	}
	return all
}

// noted is what an officer wrote, without the sign that it is a note, and whether
// it is one. A command is one too.
func noted(post *model.Post) (text string, isNote bool) {
	text = written(post)
	if _, is := commandOf(text); is {
		return text, true
	}
	if note, ok := strings.CutPrefix(strings.TrimLeft(text, " \t\n"), notePrefix); ok {
		return strings.TrimSpace(note), true
	}
	return text, false
}

// inbound is a change as the engine takes it; mentions says that the post mentions
// a colleague.
func inbound(c change, officer flows.Officer, mentions bool) engine.Inbound {
	in := engine.Inbound{Name: "mm:" + c.root()}
	id := flows.PostID(c.post.Id)
	text, isNote := noted(c.post)
	switch {
	case c.what == deleted:
		in.ID = "mm:" + c.post.Id + ":deleted"
		in.Event = flows.Withdrawn{Post: id}
	case c.what == edited:
		in.ID = fmt.Sprintf("mm:%s:%d", c.post.Id, c.post.EditAt)
		in.Event = flows.Revised{Post: id, Officer: officer, Text: text, Note: isNote, Mentions: mentions}
	case isNote:
		in.ID = "mm:" + c.post.Id + ":0"
		in.Event = flows.Noted{Post: id, Officer: officer, Text: text}
	default:
		in.ID = "mm:" + c.post.Id + ":0"
		in.Event = flows.Replied{Post: id, Officer: officer, Text: text, Files: len(c.post.FileIds), Mentions: mentions}
	}
	return in
}

// handle hands a change over until the engine has it or has no use for it, or
// ctx ends; then it returns false. It never skips one.
func (d *Desk) handle(ctx context.Context, r *right, c change) bool {
	var b backoff
	began := d.Now()
	counted := false // for the author's pace
	for {
		call, cancel := r.within(ctx)
		err := d.handOver(call, c, began, &counted)
		cancel()
		if err == nil {
			return true
		}
		if early, ok := errors.AsType[*earlyError](err); ok {
			if sleep(ctx, early.ahead) != nil {
				return false
			}
			continue
		}
		if ctx.Err() != nil {
			return false
		}
		if n, ok := d.waits.count(d.Now()); ok {
			status := 0
			if f, ok := errors.AsType[*faultError](err); ok {
				status = f.status
			}
			d.Log.Warn("officers' posts wait to be handed over", "tries", n, "status", status)
		}
		if b.wait(ctx) != nil {
			return false
		}
	}
}

// mostAhead is how long a post waits for its author's turn at most. What would wait
// for longer is not handed over: its author sees the sign and writes it again.
const mostAhead = time.Minute

// An earlyError says that an officer has written more than may be for the moment: the
// post comes later, and is not lost.
type earlyError struct{ ahead time.Duration }

func (e *earlyError) Error() string { return "handoff: it is not the turn of this post yet" }

// early counts a post of an officer and returns how long it waits for its turn.
func (d *Desk) early(c change) time.Duration {
	wrote := time.UnixMilli(c.post.UpdateAt)
	turn := d.posts.take(c.post.UserId, wrote, d.Pace)
	// The server's clock may be ahead of ours.
	ahead := min(turn.Sub(wrote), turn.Sub(d.Now()))
	if ahead > mostAhead {
		d.posts.back(c.post.UserId, d.Pace)
	}
	return ahead
}

// errNotRecorded says that a card is seen but not yet recorded.
var errNotRecorded = errors.New("handoff: the card is not recorded yet")

// handOver hands a change over that was first tried at began; counted says that the
// pace of who wrote it has counted it. Only an officer's is counted: who is none is
// turned away at once, and nobody's words wait for it.
func (d *Desk) handOver(ctx context.Context, c change, began time.Time, counted *bool) error {
	switch c.what {
	case missed:
		return d.handMissed(ctx, c, began)
	case tooMany:
		return d.letGo(ctx, c)
	}
	var officer flows.Officer
	mentions := false
	outsider := false
	if c.what == deleted && c.post.RootId != "" {
		// Who deleted a post Mattermost does not say.
		p, err := d.where(ctx)
		if err != nil {
			return err
		}
		_, err = d.officer(ctx, p, c.post.UserId)
		if outsider = errors.Is(err, errNotOfficer); err != nil && !outsider {
			return err
		}
	}
	if c.what != deleted {
		p, err := d.where(ctx)
		if err != nil {
			return err
		}
		officer, err = d.officer(ctx, p, c.post.UserId)
		switch {
		case errors.Is(err, errBot) || err == nil && c.what == created && turnedAwayBefore(p, c.post):
			return nil
		case errors.Is(err, errNotOfficer):
			return d.turnAway(ctx, p, c, officer)
		case err != nil:
			return err
		}
		if !*counted {
			*counted = true
			switch ahead := d.early(c); {
			case ahead > mostAhead:
				return d.letGo(ctx, c)
			case ahead > 0:
				return &earlyError{ahead}
			}
		}
		if words, is := commandOf(written(c.post)); is && c.what == created {
			if c.post.EditAt != 0 {
				return nil // What it said first is not known; its edit comes next.
			}
			return d.commanded(ctx, p, c, words, officer)
		} else if is {
			if was, err := d.wasCommand(ctx, p, c); was || err != nil {
				return err
			}
		}
		if text, isNote := noted(c.post); !isNote {
			if mentions, err = d.mentions(ctx, text); err != nil {
				return err
			}
		}
	}
	in := inbound(c, officer, mentions)
	if outsider {
		in.Event = flows.Withdrawn{Post: flows.PostID(c.post.Id), Outsider: true}
	}
	err := d.Handler.Handle(ctx, in)
	switch {
	case errors.Is(err, engine.ErrUnknown) && c.post.RootId == "":
		return nil // The card of a case that is no more.
	case errors.Is(err, engine.ErrUnknown):
		return d.unknown(ctx, c, began)
	case errors.Is(err, engine.ErrStep):
		// It would fail again for ever, and everything behind it would wait.
		d.Log.Error("an officer's post cannot be taken", "error", err)
		p, err := d.where(ctx)
		if err != nil {
			return err
		}
		return d.markFailed(ctx, p, c)
	}
	return err
}

// unknown decides about a post in a thread that the engine does not know. Under
// a card of ours it is either too early, or too late: then the officer sees
// that nobody will read it. began is when the change was first tried.
func (d *Desk) unknown(ctx context.Context, c change, began time.Time) error {
	p, err := d.where(ctx)
	if err != nil {
		return err
	}
	root, resp, err := d.client.GetPost(ctx, c.post.RootId, "")
	if err != nil {
		if resp != nil && (resp.StatusCode == 404 || resp.StatusCode == 403) {
			return nil
		}
		return failed(resp, err)
	}
	if root.UserId != p.bot || root.GetProp(propKey) == nil {
		return nil // a thread of somebody else's
	}
	now := d.Now()
	seen := time.UnixMilli(root.CreateAt)
	woken := now.Sub(seen) < freshCard && now.Sub(began) < moment
	if d.began.After(seen) {
		seen = d.began
	}
	if woken || now.Sub(seen) < recordedWithin {
		return errNotRecorded
	}
	return d.markFailed(ctx, p, c)
}

// letGo shows, under a card, that a post or its edit is not handed over.
func (d *Desk) letGo(ctx context.Context, c change) error {
	p, err := d.where(ctx)
	if err != nil {
		return err
	}
	ours, err := d.isCard(ctx, p, c.root())
	if err != nil || !ours {
		return err
	}
	return d.markFailed(ctx, p, change{what: created, post: c.post})
}

// markFailed shows the officer that a new post will not reach the person.
func (d *Desk) markFailed(ctx context.Context, p place, c change) error {
	if c.what != created {
		return nil
	}
	err := d.mark(ctx, p, flows.Mark{Post: flows.PostID(c.post.Id), Sign: flows.SignFailed})
	if failure, ok := errors.AsType[*engine.Failure](err); ok && failure.Final {
		return nil
	}
	return err
}
