package bot

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	telegram "github.com/go-telegram/bot"
)

const (
	// pollTimeout is how long Telegram waits for an update before it answers
	// that there is none: its maximum.
	pollTimeout = 50 * time.Second
	// pollLimit is how long we wait for that answer.
	pollLimit = 65 * time.Second
	// pollSize is how many updates come at once: Telegram's maximum.
	pollSize = 100
	// repeat is how soon the same offset may be asked for again. Telegram slows
	// a bot down that asks sooner.
	repeat = 3 * time.Second
	// forget is after how long without an update the offset is dropped. Update
	// ids begin anew at random after a week without one, and Telegram keeps
	// updates for a day: after it nothing can come that was confirmed before.
	forget = 25 * time.Hour
	// grace is how long what is being handled may take when Run ends.
	grace = 5 * time.Second
)

// runPolling is Run in the mode Polling.
func (b *Bot) runPolling(ctx context.Context) error {
	if err := b.dropWebhook(ctx); err != nil {
		return err
	}
	w := newWindow(ctx, b)
	last := b.cfg.Now()
	failed := 0
	var offset int64 // what the last poll confirmed
	for ctx.Err() == nil {
		offset = w.next()
		if offset != 0 && w.idle() && b.cfg.Now().Sub(last) > forget {
			w.reset()
			offset = 0
		}
		began := time.Now()
		batch, err := b.poll(ctx, offset, pollSize, pollTimeout)
		if ctx.Err() != nil {
			break
		}
		b.health.asked(err)
		if err != nil {
			pause, err := b.pollFailed(err, failed, time.Since(began))
			if err != nil {
				w.drain(0)
				return err
			}
			failed++
			sleep(ctx, pause)
			continue
		}
		failed = 0
		if len(batch) > 0 {
			last = b.cfg.Now()
			w.accept(batch, offset)
		}
		w.settle(ctx, offset, began)
	}
	w.drain(grace)
	if next := w.next(); next != offset {
		b.confirm(next)
	}
	return nil
}

// dropWebhook makes sure that updates can be polled: Telegram gives them to a
// webhook or to a poller, never to both.
func (b *Bot) dropWebhook(ctx context.Context) error {
	for n := 0; ; n++ {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		err := b.api.DeleteWebhook(call, &telegram.DeleteWebhookParams{})
		cancel()
		if err == nil || ctx.Err() != nil {
			b.health.receiving.Store(err == nil) // The first poll may take a while.
			return nil                           //nolint:nilerr // The end of ctx is the end of Run, and no fault.
		}
		r := refuse(err)
		if r.kind == unknown {
			return ErrToken
		}
		b.log.Warn("telegram is out of reach", "status", r.status, "class", string(r.kind))
		if !sleep(ctx, max(b.backoff(n), r.after)) {
			return nil
		}
	}
}

type pollParams struct {
	Offset         int64    `json:"offset,omitempty"`
	Limit          int      `json:"limit"`
	Timeout        int      `json:"timeout"`
	AllowedUpdates []string `json:"allowed_updates"`
}

// poll asks for updates from the offset on, which confirms those before it.
func (b *Bot) poll(ctx context.Context, offset int64, limit int, timeout time.Duration) ([]received, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout+pollLimit-pollTimeout)
	defer cancel()
	params, err := json.Marshal(pollParams{
		Offset: offset, Limit: limit, Timeout: int(timeout / time.Second), AllowedUpdates: allowed[:],
	})
	if err != nil {
		return nil, &refusal{kind: malformed}
	}
	got, err := b.api.slow.post(ctx, "getUpdates", params)
	if err != nil {
		return nil, err
	}
	switch ok := string(member(got.body, "ok")); {
	case ok == "false":
		return nil, refused(got)
	case ok != "true" || got.status >= 300:
		return nil, lostAnswer(got)
	}
	whole, rest := elements(memberOn(got.body, "result"))
	if len(whole) == 0 && rest != nil {
		if len(got.body) < maxBody {
			return nil, lostAnswer(got) // cut off on its way
		}
		// One update larger than anything that we read. Its beginning tells
		// its number, and so it can be put aside.
		whole = append(whole, rest)
	}
	batch := make([]received, len(whole))
	for i, raw := range whole {
		batch[i] = read(raw)
	}
	return batch, nil
}

// pollFailed says how long to pause after a poll that took so long and failed,
// or returns the error that ends Run.
func (b *Bot) pollFailed(err error, failed int, took time.Duration) (time.Duration, error) {
	r := refuse(err)
	pause := max(b.backoff(failed), r.after)
	if r.status != 0 || r.perhaps {
		// Telegram saw the offset.
		pause = max(pause, repeat-took)
	}
	switch r.kind {
	case unknown:
		b.log.Error("telegram does not accept the token", "status", r.status)
		return 0, ErrToken
	case taken:
		// Another program holds the token: a second instance, or a thief.
		b.log.Error("another program receives this bot's updates", "status", r.status)
		pause = max(pause, repeat)
	default:
		b.log.Warn("no updates", "status", r.status, "class", string(r.kind))
	}
	return pause, nil
}

// confirm tells Telegram at the end what was handled, so that the next start
// does not get it again. If it fails, the next start does, and knows it.
func (b *Bot) confirm(offset int64) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if _, err := b.poll(ctx, offset, 1, 0); err != nil {
		var r *refusal
		if !errors.As(err, &r) {
			r = refuse(err)
		}
		b.log.Debug("last updates not confirmed", "status", r.status, "class", string(r.kind))
	}
}
