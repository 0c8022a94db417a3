package bot

import (
	"context"
	"errors"

	"suar/flows"
	"suar/internal/engine"
)

// take hands one update on: to the engine, or to the quarantine. When it
// returns nil the update counts as received and may be confirmed; on an error
// it has to be taken again.
func (b *Bot) take(ctx context.Context, r received) error {
	if r.broken {
		b.log.Warn("update put aside", "kind", r.kind)
		if err := b.putAside(ctx, r); err != nil {
			return err
		}
		if r.mute {
			return nil
		}
		if err := b.handle(ctx, r.in); !errors.Is(err, errHopeless) {
			return err
		}
		// Not even that something was said can be told to the conversation.
		b.log.Error("update only put aside", "kind", r.kind)
		return nil
	}
	if r.mute {
		return nil
	}
	err := b.handle(ctx, r.in)
	if !errors.Is(err, errHopeless) {
		return err
	}
	// The engine cannot take this event and could not the next time either. It
	// is kept, the person learns of it if that is possible, and the rest goes on.
	b.log.Error("update cannot be taken", "kind", r.kind)
	r.broken = true
	r.in.Event = flows.Garbled{Message: messageOf(r.in.Event)}
	return b.take(ctx, r)
}

// errHopeless says that what failed would fail again for ever.
var errHopeless = errors.New("bot: hopeless")

// handle calls the engine. Neither a panic's value nor an error's text leaves
// it: both may hold a person's words. [engine.ErrStep] is the same as a panic:
// the event would fail again, and hold up everybody's behind it.
func (b *Bot) handle(ctx context.Context, in engine.Inbound) (err error) {
	defer func() {
		if recover() != nil {
			err = errHopeless
		}
	}()
	switch err := b.cfg.Handler.Handle(ctx, in); {
	case errors.Is(err, engine.ErrStep):
		return errHopeless
	case errors.Is(err, engine.ErrUnknown):
		return nil
	default:
		return err
	}
}

// handleAll calls the engine for updates of one chat that came together.
func (b *Bot) handleAll(ctx context.Context, ins []engine.Inbound) (err error) {
	defer func() {
		if recover() != nil {
			err = errHopeless
		}
	}()
	return b.together.HandleAll(ctx, ins)
}

func (b *Bot) putAside(ctx context.Context, r received) (err error) {
	if b.cfg.Quarantine == nil {
		return nil
	}
	defer func() {
		if recover() != nil {
			err = errHopeless
		}
	}()
	return b.cfg.Quarantine(ctx, r.id, r.raw)
}

// class names an error for a log without its text.
func class(err error) string { return engine.Class(err) }

func messageOf(ev flows.Event) flows.MessageID {
	switch e := ev.(type) {
	case flows.Started:
		return e.Message
	case flows.Asked:
		return e.Message
	case flows.Said:
		return e.Message
	case flows.Attached:
		return e.Message
	case flows.Edited:
		return e.Message
	case flows.Garbled:
		return e.Message
	}
	return ""
}
