package engine

import (
	"fmt"
	"slices"
	"time"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
)

// A draft is a commit with what it was sealed from.
type draft struct {
	storage.Commit
	// events counts those that the commit is of: as many of the step's as fit.
	events int
	// rode says that the commit records the step's ride as well.
	rode bool
	// after is the conversation as the commit leaves it, found whether there is
	// one then.
	after conversation
	found bool
	// made are the items, in the order of Items.
	made []item
	// left is how many items are left in its lane behind the one that Ack is the
	// lease of, or unknown.
	left int
}

// concerns reports whether the commit may change what a lane's next item is.
func (d *draft) concerns(lane storage.Lane) bool {
	return d.Ack != nil && d.Ack.Lane == lane ||
		slices.ContainsFunc(d.Items, func(it storage.Item) bool { return it.Lane == lane })
}

// job is what to do about an item that was leased with the commit.
func (d *draft) job(by *dispatcher, l storage.Leased) job {
	j := job{Leased: l, by: by, draft: d, behind: unknown}
	after := 0 // items of the commit in this lane
	for i := range d.Items {
		switch {
		case d.Items[i].Lane != l.Lane:
		case d.Items[i].ID == l.Item:
			j.item, after = &d.made[i], 0
		default:
			after++
		}
	}
	switch {
	case j.item != nil:
		j.behind = after // What was before it in the lane is done.
	case d.left > 0 && d.Ack.Lane == l.Lane:
		j.behind = d.left - 1 + after // It was committed earlier.
	}
	return j
}

// A turn is what one event makes of a conversation.
type turn struct {
	event event
	// before is the case that the conversation had, nil for none, and beforeThread
	// its thread.
	before       *seal.CaseID
	beforeThread flows.PostID
	after        conversation
	// effects are numbered: with the event the number names the effect, also
	// when those before it were merged into others.
	effects []numbered
}

type numbered struct {
	flows.Effect
	n int
}

// happen steps one event.
func (e *Engine) happen(id string, c conversation, ev event, at time.Time) *turn {
	t := &turn{event: ev, before: presentCase(&c.State), beforeThread: c.State.Thread(), after: c}
	m := flows.Moment{At: at, Fresh: e.fresh(id, ev.identity)}
	state, effects := e.flow.Step(c.State, m, ev.Event)
	t.after.succeed(state)
	for n, ef := range effects {
		t.effects = append(t.effects, numbered{ef, n})
	}
	return t
}

// merge takes out of the turns of one commit what a later one of them does as
// well: what brings something up to date is done once, and messages are erased
// together. A repeated delivery of it would change nothing.
func merge(turns []*turn) {
	for i, late := range turns {
		for j := range late.effects {
			for _, early := range turns[:i] {
				early.effects = slices.DeleteFunc(early.effects, func(ef numbered) bool {
					return absorb(&late.effects[j].Effect, ef.Effect, early, late)
				})
			}
		}
	}
}

// absorb makes the later effect do what the earlier one does, if it can.
func absorb(late *flows.Effect, early flows.Effect, before, after *turn) bool {
	switch early := early.(type) {
	case flows.Show:
		show, ok := (*late).(flows.Show)
		if ok {
			*late = flows.Show{Quiet: show.Quiet && early.Quiet}
		}
		return ok
	case flows.Erase:
		erase, ok := (*late).(flows.Erase)
		if ok {
			*late = flows.Erase{Messages: slices.Concat(early.Messages, erase.Messages)}
		}
		return ok
	case flows.Update:
		update, ok := (*late).(flows.Update)
		return ok && early.Last == nil && update.Last == nil &&
			sameCase(presentCase(&before.after.State), presentCase(&after.after.State))
	}
	return false
}

// seal seals what is to be done after the turns.
func (d *draft) seal(e *Engine, turns []*turn) error {
	for _, t := range turns {
		for _, ef := range t.effects {
			if ef.To() == flows.Archive {
				continue
			}
			it, sealed, err := e.newItem(d.ID, t, ef, d.At)
			if err != nil {
				return fmt.Errorf("event %q: %w", flows.EventKind(t.event.Event), err)
			}
			d.made, d.Items = append(d.made, it), append(d.Items, sealed)
		}
	}
	return nil
}
