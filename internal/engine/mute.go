package engine

import (
	"context"
	"errors"

	"suar/flows"
)

// GiveUp tells a conversation that a muted effect will not be performed and
// that it may have been: the officers learn that their words perhaps did not
// arrive. It may be repeated.
func (e *Engine) GiveUp(ctx context.Context, m Muted) error {
	it, err := openBody(e.vault, m.item)
	if err != nil {
		return err
	}
	_, err = e.apply(ctx, step{
		conversation: m.Conversation,
		events: []event{{
			flows.Undelivered{Effect: it.Effect.Effect, Reason: flows.ReasonGivenUp, Perhaps: true},
			"effect:" + m.item.ID,
		}},
		caller: it.Caller,
		begins: true,
	})
	if errors.Is(err, ErrStep) {
		// It was taken out for good; there is only nobody to tell.
		return e.unstepped(ctx, flows.Undelivered{}, err)
	}
	return err
}
