package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
)

// A receipt code leads from any chat to a case. What can be tried is bounded for
// each chat and for all of them together; a danger tap, and the words of people
// who are compared with a check word, never wait behind codes: they have other
// lanes and a higher priority.
const (
	// triesOfChat is how many codes one chat may try in triesFor. Beyond it they
	// come to nothing, with the same words and no work.
	triesOfChat = 5
	triesFor    = 24 * time.Hour
	// lookEvery is how often a code is looked up, on all processes together;
	// looksAtOnce may come without a wait. The others queue in the outbox.
	lookEvery   = 500 * time.Millisecond
	looksAtOnce = 10 * time.Second
)

// look computes what a code is looked up by, if its chat may still try.
func (e *Engine) look(ctx context.Context, del Delivery, look flows.Look) (flows.Event, error) {
	may, err := e.mayTry(ctx, del)
	if err != nil || !may {
		return look.Outcome(""), err
	}
	if del.Tries == 1 { // Later it has had its place in the queue.
		now := e.now()
		turn, err := e.store.Pace(ctx, "codes", now, lookEvery, looksAtOnce)
		if err != nil {
			return nil, fmt.Errorf("engine: queue for a code: %w", err)
		}
		if turn.After(now) {
			return nil, &Failure{After: turn.Sub(now)}
		}
	}
	if err := e.turns.take(ctx, turnCodes); err != nil {
		return nil, &Failure{Err: err}
	}
	defer e.turns.giveBack()
	return look.Outcome(e.indexOf(look.Code)), nil
}

// mayTry takes one of the chat's tries for the delivery, the same one again if
// the delivery comes again. They survive that the person deletes the chat.
func (e *Engine) mayTry(ctx context.Context, del Delivery) (bool, error) {
	now := e.now()
	for i := range triesOfChat {
		err := e.store.Hold(ctx, "code:"+del.Conversation+":"+strconv.Itoa(i), del.ID, now, now.Add(triesFor))
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, storage.ErrHeld) {
			return false, fmt.Errorf("engine: count the codes of a chat: %w", err)
		}
	}
	return false, nil
}

// seek tells the case that a code leads to, if there is one. The asker's side does
// the same work for a right code, a wrong one, and one of a case that is over or
// erased.
func (e *Engine) seek(ctx context.Context, del Delivery, seek flows.Seek) (flows.Event, error) {
	done := flows.Delivered{Effect: flows.Seek{}}
	if seek.Sum == "" {
		return done, nil
	}
	if err := e.turns.take(ctx, turnCodes); err != nil {
		return nil, &Failure{Err: err}
	}
	seal.Stretch(e.cost, [16]byte(e.vault.Derive("engine code salt")), flows.FoldWord(seek.Text))
	e.turns.giveBack()
	id, err := e.store.Resolve(ctx, e.vault.Blind("name", codeName(seek.Sum)))
	if errors.Is(err, storage.ErrNotFound) {
		return done, nil
	}
	sought := flows.Sought{From: del.Conversation, Here: id == del.Conversation, Sum: seek.Sum, Text: seek.Text}
	if err == nil {
		_, err = e.apply(ctx, step{conversation: id, events: []event{{sought, "seek:" + del.ID}}})
	}
	switch {
	case errors.Is(err, errNobody):
	case errors.Is(err, ErrStep):
		// It is the other conversation's trouble: somebody must look at it, and
		// this one must not wait for that.
		_ = e.unstepped(ctx, sought, err)
	case err != nil:
		return nil, fmt.Errorf("engine: seek: %w", err)
	}
	return done, nil
}

// codeName is what the case of a receipt code is called.
func codeName(sum string) string { return "code:" + sum }

// A case moves to another conversation in three commits, each of them whole, so
// that a crash between two of them leaves the next to be made by whoever leases
// the item:
//
//  1. The old conversation, at an officer's press: the case leaves the state, with
//     all that was for the old chat, and stands in the item of Hand, with the tape
//     of its transcript. The envelope remembers that the thread's name is held for
//     a case that is on its way (Handing): what officers write or press meanwhile
//     is refused for now, and the edge comes again with it.
//  2. The new conversation, when the item is performed: all effects to the
//     officers before it, which are in the same lane, have arrived by then. The
//     identity of the event is the item's, so the repetition is [storage.ErrDuplicate].
//     The thread has two names, of which the old conversation still holds one: the
//     new one takes the other.
//  3. The old conversation, with the ack of the item: it lets the name go.
//
// After the first commit nothing that is said in the old chat can reach the case,
// and nothing of the case the old chat: its state, by which every effect to a
// person is judged when it is performed, does not know the replies any more. What
// is being sent at that instant is erased when its outcome is recorded, and goes to
// the new chat as well.

// joins is what a case brings to another conversation beside what the flow knows.
type joins struct {
	of   seal.CaseID
	tape *seal.Tape
	// second says that the thread gets its second name.
	second bool
}

// errHanding says that the case of a thread is on its way to another conversation.
// The edge hands the event over again.
var errHanding = errors.New("engine: the case is being handed to another conversation")

// errJoined says that a case is where it goes already: an earlier try of which
// nobody learnt the outcome succeeded.
var errJoined = errors.New("engine: the case is here")

// errBusy says that a conversation cannot take a case yet.
var errBusy = errors.New("engine: the conversation has a case that is not over")

// handOver brings a case to its new conversation.
func (e *Engine) handOver(ctx context.Context, del Delivery, hand flows.Hand) (flows.Event, error) {
	_, err := e.apply(ctx, step{conversation: hand.Into, events: []event{{flows.Ceded{To: hand.Case.ID}, "cede:" + del.ID}}})
	if err != nil && !errors.Is(err, errNobody) {
		return nil, fmt.Errorf("engine: hand over: %w", err)
	}
	del.joins.of = hand.Case.ID
	_, err = e.apply(ctx, step{
		conversation: hand.Into,
		events:       []event{{flows.Joined{Hand: hand}, "hand:" + del.ID}},
		begins:       true,
		joins:        &del.joins,
	})
	if err != nil && !errors.Is(err, errJoined) {
		return nil, fmt.Errorf("engine: hand over: %w", err)
	}
	return flows.Delivered{Effect: flows.Hand{}}, nil
}

// handed remembers that a case has left the conversation with one of the turns.
func (c *conversation) handed(turns []*turn) {
	for _, t := range turns {
		for _, ef := range t.effects {
			if hand, ok := ef.Effect.(flows.Hand); ok {
				c.Tape = nil // Only one conversation may write on.
				c.Handing = &former{Case: hand.Case.ID, Thread: hand.Case.Thread}
			}
		}
	}
}

// names are what a conversation is found by beside its ID.
func (e *Engine) names(c conversation) []string {
	var names []string
	add := func(name string) { names = append(names, e.vault.Blind("name", name)) }
	thread := func(thread flows.PostID) {
		switch {
		case thread == "":
		case thread == c.Second:
			add(secondName(threadName(thread)))
		default:
			add(threadName(thread))
		}
	}
	thread(c.State.Thread())
	if c.Handing != nil {
		thread(c.Handing.Thread)
	}
	if sum := c.State.Lookup(); sum != "" {
		add(codeName(sum))
	}
	return names
}

// secondName is another name for the same thread.
func secondName(name string) string { return "second:" + name }

// resolve returns the conversation that an edge calls by the name.
func (e *Engine) resolve(ctx context.Context, name string) (string, error) {
	id, err := e.store.Resolve(ctx, e.vault.Blind("name", name))
	if errors.Is(err, storage.ErrNotFound) {
		id, err = e.store.Resolve(ctx, e.vault.Blind("name", secondName(name)))
	}
	return id, err
}
