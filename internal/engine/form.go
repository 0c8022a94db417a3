package engine

import (
	"context"
	"errors"
	"fmt"

	"suar/flows"
	"suar/storage"
)

// ErrNoForm says that an action is not offered any more, or not to this officer,
// or asks for nothing.
var ErrNoForm = errors.New("engine: no such form")

// A FormFor says which form an officer wants to see.
type FormFor struct {
	// Name and Conversation are as in an Inbound: the case's card, and the
	// conversation that the button was signed for.
	Name, Conversation string
	Action             flows.ActionName
	Choice             string
	Officer            flows.Officer
	// Values, if not nil, are values without faults, whose preview is to stand in
	// the place of the form's Intro.
	Values map[string]string
}

// Form returns the form of an action as the case is now: ErrUnknown if there is no
// such case, ErrNoForm if the case offers none. It changes nothing, so what is
// done with its answer is checked again by the step.
func (e *Engine) Form(ctx context.Context, q FormFor) (flows.Form, error) {
	id, err := e.resolve(ctx, q.Name)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return flows.Form{}, ErrUnknown
	case err != nil:
		return flows.Form{}, fmt.Errorf("engine: resolve: %w", err)
	case q.Conversation != "" && q.Conversation != id:
		return flows.Form{}, ErrUnknown
	}
	c, found, err := e.load(ctx, id)
	switch {
	case err != nil:
		return flows.Form{}, err
	case !found || threadName(c.State.Thread()) != q.Name:
		return flows.Form{}, ErrUnknown
	}
	at := e.now()
	form, ok := e.flow.Form(c.State, at, q.Officer, q.Action, q.Choice)
	if !ok {
		return flows.Form{}, ErrNoForm
	}
	if q.Values != nil && form.Preview {
		form.Intro = e.flow.Preview(c.State, at, q.Officer, q.Action, q.Choice, q.Values)
	}
	return form, nil
}
