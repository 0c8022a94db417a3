package bot

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"suar/flows"
	"suar/internal/engine"
)

const (
	// neutral is what a message says that should be gone and cannot be.
	neutral = "·"
	// maxErase is how many messages one call deletes: Telegram's maximum.
	maxErase = 100
)

// Deliver performs an effect in the person's chat. It waits until the chat may
// get another message, so give it a deadline. It returns what was made, or an
// *engine.Failure.
//
// Telegram knows no key by which it would see that a message was sent already:
// after a Failure with Perhaps a new message may be there twice. An edit and a
// deletion may be repeated freely.
func (b *Bot) Deliver(ctx context.Context, d engine.Delivery) (flows.Delivered, error) {
	chat, err := strconv.ParseInt(d.Caller, 10, 64)
	if err != nil || chat <= 0 {
		return flows.Delivered{}, b.failure(0, &refusal{kind: malformed})
	}
	c := conversation{b: b, id: chat, turn: turnOf(d)}
	var done flows.Delivered
	var failed error
	switch e := d.Effect.(type) {
	case flows.Show:
		done.Message, failed = c.show(ctx, d, e.Quiet)
	case flows.Say:
		done.Message, failed = c.say(ctx, d.ID, e)
	case flows.Amend:
		failed = c.amend(ctx, e)
		done.Message = e.Message
	case flows.Erase:
		done.Kept, failed = c.erase(ctx, e.Messages)
	case flows.Fetch:
		done.Held, failed = c.fetch(ctx, d, e)
	default:
		failed = &refusal{kind: malformed}
	}
	if f, ok := errors.AsType[*engine.Failure](failed); ok {
		b.log.Warn("not fetched", "reason", string(f.Reason))
		return flows.Delivered{}, f
	}
	if failed != nil {
		f := b.failure(chat, refuse(failed))
		if f.Status == 429 {
			b.pace.pause(ctx, c.turn, f.After, f.All)
		}
		b.log.Warn("not delivered", "status", f.Status, "class", string(refuse(failed).kind))
		return flows.Delivered{}, f
	}
	return done, nil
}

// A conversation is one chat for the time of one delivery. Its methods return a
// *refusal or a *lost.
type conversation struct {
	b    *Bot
	id   int64
	turn turn
}

// show brings the bubble to the view: in place if it can, so that nothing new
// appears in the chat. If the person did not ask for it, it is in place or not
// at all. An empty view shows nothing. Where the bubble is placed anew the old
// one stays: the flow has it erased, and so it is tried until it is gone.
func (c conversation) show(ctx context.Context, d engine.Delivery, quiet bool) (flows.MessageID, error) {
	text := fit(clean(d.View.Text))
	old := parseIDs(d.Bubble)
	if blank(text) || (quiet && len(old) == 0) {
		return d.Bubble, nil
	}
	keys := d.View.Rows
	if len(old) > 0 && (quiet || !d.Buried) {
		switch err := c.edit(ctx, old[0], text, keys); {
		case err == nil:
			return d.Bubble, nil
		default:
			if k := refuse(err).kind; k != missing && k != fixed {
				return "", err
			}
			if quiet {
				return d.Bubble, nil
			}
		}
	}
	// If this very delivery made a bubble before and that was not recorded, it
	// is the one.
	if made := c.b.made.of(d.ID); len(made) > 0 {
		err := c.edit(ctx, made[0], text, keys)
		if err == nil {
			return joinIDs(made), nil
		}
		if k := refuse(err).kind; k != missing && k != fixed {
			return "", err
		}
	}
	id, err := c.send(ctx, text, keys, false)
	if err != nil {
		return "", err
	}
	c.b.made.keep(d.ID, []int{id})
	return joinIDs([]int{id}), nil
}

// say sends an officer's words, in as many messages as they need.
func (c conversation) say(ctx context.Context, delivery string, e flows.Say) (flows.MessageID, error) {
	parts := pieces(clean(e.Text))
	if len(parts) == 0 {
		return "", &refusal{kind: malformed}
	}
	// A delivery that broke off is taken up where it did, and one that was
	// performed and not recorded is not performed again.
	ids := slices.Clone(c.b.made.of(delivery))
	for i := len(ids); i < len(parts); i++ {
		var keys [][]flows.Button
		if i == len(parts)-1 {
			keys = e.Rows
		}
		id, err := c.send(ctx, parts[i], keys, true)
		if err != nil {
			r := refuse(err)
			if len(ids) > 0 && (r.kind == closed || r.kind == malformed) {
				// Nobody will know these messages any more.
				for _, id := range ids {
					_, _ = c.remove(ctx, id)
				}
				return "", &refusal{status: r.status, kind: r.kind, perhaps: true}
			}
			return "", err
		}
		ids = append(ids, id)
		c.b.made.keep(delivery, slices.Clone(ids))
	}
	return joinIDs(ids), nil
}

// amend changes the words of messages that say sent. Words that need more
// messages than there are are refused: a message that is not known to whom
// erases could not be erased.
func (c conversation) amend(ctx context.Context, e flows.Amend) error {
	ids, parts := parseIDs(e.Message), pieces(clean(e.Text))
	switch {
	case len(ids) == 0:
		return &refusal{kind: missing}
	case len(parts) == 0, len(parts) > len(ids):
		return &refusal{kind: malformed}
	}
	for i, part := range parts {
		var keys [][]flows.Button
		if i == len(parts)-1 {
			keys = e.Rows
		}
		if err := c.edit(ctx, ids[i], part, keys); err != nil {
			return err
		}
	}
	for _, id := range ids[len(parts):] {
		if _, err := c.remove(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// erase deletes messages of both sides and returns those that stay.
func (c conversation) erase(ctx context.Context, messages []flows.MessageID) (kept []flows.MessageID, err error) {
	var ids []int
	for _, m := range messages {
		parsed := parseIDs(m)
		if len(parsed) == 0 {
			kept = append(kept, m)
		}
		ids = append(ids, parsed...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	stays := map[int]bool{}
	for batch := range slices.Chunk(ids, maxErase) {
		if err := c.removeAll(ctx, batch, stays); err != nil {
			return nil, err
		}
	}
	for _, m := range messages {
		if slices.ContainsFunc(parseIDs(m), func(id int) bool { return stays[id] }) {
			kept = append(kept, m)
		}
	}
	return kept, nil
}

// removeAll deletes messages, at most as many as one call takes, and notes those
// that stay. One that cannot be deleted makes Telegram refuse all of a call, so
// they are halved until it stands alone: seven halvings of a hundred, not a
// hundred calls.
func (c conversation) removeAll(ctx context.Context, ids []int, stays map[int]bool) error {
	if len(ids) == 1 {
		gone, err := c.remove(ctx, ids[0])
		stays[ids[0]] = !gone
		return err
	}
	err := c.call(ctx, func(ctx context.Context) error {
		return c.b.api.removeAll(ctx, c.id, ids)
	})
	if err == nil || refuse(err).status != 400 {
		return err
	}
	half := len(ids) / 2
	if err := c.removeAll(ctx, ids[:half], stays); err != nil {
		return err
	}
	return c.removeAll(ctx, ids[half:], stays)
}

// remove deletes one message and says whether it is gone. One of the bot's own
// that is too old for that is made to say nothing.
func (c conversation) remove(ctx context.Context, id int) (gone bool, err error) {
	err = c.call(ctx, func(ctx context.Context) error {
		return c.b.api.remove(ctx, c.id, id)
	})
	if err == nil {
		return true, nil
	}
	switch r := refuse(err); {
	case r.kind == missing:
		return true, nil
	case r.status != 400:
		return false, err
	}
	if err := c.edit(ctx, id, neutral, nil); err != nil && refuse(err).status != 400 {
		return false, err
	}
	return false, nil
}

// send sends a message without a sound, a preview or formatting, and returns
// its id.
func (c conversation) send(ctx context.Context, text string, keys [][]flows.Button, protect bool) (int, error) {
	if err := c.b.pace.message(ctx, c.turn); err != nil {
		return 0, err
	}
	ctx, cancel := within(ctx, callTimeout)
	defer cancel()
	return c.b.api.send(ctx, message{chat: c.id, text: text, keys: keys, protect: protect})
}

// edit gives a message its text and its buttons; that it has them already is as
// good.
func (c conversation) edit(ctx context.Context, id int, text string, keys [][]flows.Button) error {
	if err := c.b.pace.message(ctx, c.turn); err != nil {
		return err
	}
	ctx, cancel := within(ctx, callTimeout)
	defer cancel()
	err := c.b.api.edit(ctx, message{chat: c.id, id: id, text: text, keys: keys})
	if err != nil && refuse(err).kind == same {
		return nil
	}
	return err
}

// call makes a call that is no message.
func (c conversation) call(ctx context.Context, f func(context.Context) error) error {
	if err := c.b.pace.call(ctx, c.turn); err != nil {
		return err
	}
	ctx, cancel := within(ctx, callTimeout)
	defer cancel()
	return f(ctx)
}

// notYet says that the message's turn is so far away, or that the deadline came
// before it.
func notYet(ctx context.Context, after time.Duration) *refusal {
	return &refusal{kind: down, after: after, cause: errors.Join(context.DeadlineExceeded, ctx.Err())}
}

// within is context.WithTimeout where the context does not end before anyway.
func within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}

// A flows.MessageID of ours is one message id of Telegram's, or several with
// commas for words that needed several messages.
func joinIDs(ids []int) flows.MessageID {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = strconv.Itoa(id)
	}
	return flows.MessageID(strings.Join(texts, ","))
}

// parseIDs returns nil for what is no id of ours.
func parseIDs(m flows.MessageID) []int {
	if m == "" {
		return nil
	}
	var ids []int
	for text := range strings.SplitSeq(string(m), ",") {
		id, err := strconv.Atoi(text)
		if err != nil || id <= 0 {
			return nil
		}
		ids = append(ids, id)
	}
	return ids
}
