// Package engine is the loop between the edges, flows and storage: load, step,
// seal, commit; lease, deliver, commit what came of it; alarms.
package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"suar/flows"
)

// ErrUnknown says that an officers' event names no conversation of ours. The
// edge ignores it, or tells the officer that the case is no more.
var ErrUnknown = errors.New("engine: no such conversation")

// An Inbound is an event as an edge hands it over.
type Inbound struct {
	// Name is who it is about: "tg:" and the chat, or "mm:" and the case's root
	// post. It is blinded before it is stored.
	Name string
	// ID is the event's identity at its source, such as "tg:" and the update
	// or "mm:" and the post and its edit time. The same ID is the same event,
	// however often it comes.
	ID string
	// Caller is the address to answer to, the chat, for an event from the
	// person; empty for an officers' event, which never begins a conversation.
	Caller string
	// Conversation, if not empty, is the blind name of the conversation that an
	// officers' event says it is of, as its Delivery had it: Handle returns
	// ErrUnknown if Name leads to another.
	Conversation string
	Event        flows.Event
}

// A Handler takes events from the edges. When it returns nil the event is
// durable and may be confirmed to its source. On ErrUnknown the event is of no
// use. On ErrStep it would fail again: the edge puts it aside and goes on. On
// any other error the edge keeps the event and hands it over again.
type Handler interface {
	Handle(ctx context.Context, in Inbound) error
}

// A Delivery is an effect to perform, with what the performer needs to know of
// the state as it is now.
type Delivery struct {
	// ID is the same whenever the same effect is delivered again, unique for
	// ever and unguessable: 32 hexadecimal characters.
	ID string
	// Conversation is the conversation's blind name.
	Conversation string
	// Caller is the person's address; Thread the case's root post, empty
	// before there is one.
	Caller string
	Thread flows.PostID
	Effect flows.Effect
	// View is what Show shows. Bubble is the message to edit, empty if there is
	// none; Buried says that messages came after it, so that it must be placed
	// anew. The old one is left: the flow has it erased.
	View   flows.View
	Bubble flows.MessageID
	Buried bool
	// Card is what Open and Update show. Witness is the transcript's count and
	// the beginning of its head hash, "#12·0a1b2c3d4e5f6071".
	Card    flows.Card
	Witness string
	// Urgent says that the conversation goes before others.
	Urgent bool
	// Tries counts the deliveries of this effect so far, this one included: at
	// 2 or more an earlier one may have succeeded unnoticed.
	Tries int
	// at is when the effect was committed.
	at time.Time
	// joins is what a Hand brings along.
	joins joins
}

// A Deliverer performs effects of one side. It may be called again with the
// same ID, at any later time and by another process. What it returns is a
// flows.Delivered whose Effect the engine fills in, or a *Failure, or any other
// error, which is tried again.
type Deliverer interface {
	Deliver(ctx context.Context, d Delivery) (flows.Delivered, error)
}

// A Failure is why a delivery did not succeed. Its Error names the reason and
// the status only, never a body, so that it can be logged.
type Failure struct {
	Reason flows.Reason
	// Status is the other side's code, 0 if it did not answer.
	Status int
	// Final says that trying again is of no use.
	Final bool
	// Perhaps says that the effect may have been performed all the same.
	Perhaps bool
	// After is how long the other side asks to wait, zero if it does not say.
	After time.Duration
	// All says that After holds for every delivery to that side, not only for
	// this conversation's.
	All bool
	// Err is the cause, for errors.Is and errors.As only.
	Err error
}

func (f *Failure) Error() string {
	if f.Reason == "" {
		return fmt.Sprintf("delivery failed (status %d)", f.Status)
	}
	return fmt.Sprintf("delivery failed: %s (status %d)", f.Reason, f.Status)
}

func (f *Failure) Unwrap() error { return f.Err }
