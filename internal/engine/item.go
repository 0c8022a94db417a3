package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
)

// An item is an outbox item's sealed body: all that is needed to deliver the
// effect, also when its conversation was erased before.
type item struct {
	Caller string     `json:"caller"`
	Effect effectJSON `json:"effect"`
	// At is when the effect was committed.
	At time.Time `json:"at"`
	// Case is the case that the effect is of, nil for none: the present one, or
	// the one that the same event ended. Thread is that case's thread as far as
	// it was known.
	Case   *seal.CaseID `json:"case,omitempty"`
	Thread flows.PostID `json:"thread,omitempty"`
	Card   *flows.Card  `json:"card,omitempty"`
	// Witness is the transcript's at the commit, for when another case has
	// begun since.
	Witness string `json:"witness,omitempty"`
	// Tape is that of a case which is handed to another conversation, Second that
	// its thread gets its second name there.
	Tape   *seal.Tape `json:"tape,omitempty"`
	Second bool       `json:"second,omitempty"`
	// Again says that it may have been performed before, whatever the store
	// counts: the item comes from a backup.
	Again bool `json:"again,omitempty"`
}

// newItem returns an effect as an item of the outbox, before and after it is
// sealed. The card is kept for the day when the state that it comes from is no
// more; as long as it is there, the state is asked.
func (e *Engine) newItem(id string, t *turn, ef numbered, at time.Time) (item, storage.Item, error) {
	c := &t.after
	it := item{
		Caller: c.Caller,
		Effect: newEffectJSON(ef.Effect),
		At:     at,
		Case:   presentCase(&c.State),
		Thread: c.State.Thread(),
	}
	if it.Case == nil {
		it.Case, it.Thread = t.before, t.beforeThread
	}
	switch ef := ef.Effect.(type) {
	case flows.Open:
		card := e.flow.Card(c.State, at)
		it.Card = &card
	case flows.Update:
		if it.Card = ef.Last; it.Card == nil {
			card := e.flow.Card(c.State, at)
			it.Card = &card
		}
	}
	if hand, ok := ef.Effect.(flows.Hand); ok {
		it.Tape, it.Second = c.Tape, c.Second != hand.Case.Thread
	}
	if it.Card != nil && c.taped(it.Case) {
		it.Witness = c.Tape.Witness()
	}
	plain, err := json.Marshal(it)
	if err != nil {
		return it, storage.Item{}, fmt.Errorf("%w: an effect of kind %q cannot be written", ErrStep, flows.EffectKind(ef.Effect))
	}
	out := storage.Item{ID: e.itemID(id, t.event.identity, ef.n), Priority: priority(c.State, ef.Effect)}
	switch ef.To() {
	case flows.Caller:
		out.Lane = storage.LaneCaller
	case flows.Officers:
		out.Lane = storage.LaneOfficers
	case flows.Keeper:
		out.Lane = storage.LaneKeeper
	case flows.Pager:
		out.Lane = storage.LanePager
	default:
		return it, storage.Item{}, fmt.Errorf("%w: an effect of kind %q goes nowhere", ErrStep, flows.EffectKind(ef.Effect))
	}
	out.Body = e.vault.Seal("item", out.ID, plain)
	return it, out, nil
}

// openItem opens a leased item.
func (e *Engine) openItem(ctx context.Context, l storage.Leased) (item, error) {
	plain, err := e.vault.Open("item", l.Item, l.Body)
	if err != nil {
		return item{}, e.sealed(ctx, err)
	}
	var it item
	if err := json.Unmarshal(plain, &it); err != nil {
		return item{}, errDamaged // The cause may quote the item.
	}
	return it, nil
}

// priority puts urgent conversations before others. Among equals, what calls an
// officer or erases what somebody else must not see goes first, then what an
// officer answers, then the other words, then the housekeeping. At the keeper
// nobody is before others for being urgent: there a press of danger could be used
// to hold up everybody else's words, and no card and no call waits there.
func priority(s flows.State, ef flows.Effect) uint8 {
	switch ef := ef.(type) {
	case flows.Look, flows.Seek, flows.Hash, flows.Check:
		// Words that wait for a time only must be there when it is over. Of the
		// others the only one of a conversation goes before those of whom more
		// wait, so that a word of each is first; and whoever guesses codes holds up
		// no word.
		switch class, _ := turnOf(ef); {
		case class == turnWords:
			return 3
		case class == turnTries && s.Crowds():
			return 0
		case class == turnTries:
			return 2
		}
		return 1
	}
	var p uint8
	if s.Urgent() {
		p = 4
	}
	switch ef.(type) {
	case flows.Open, flows.Page, flows.Summon, flows.Erase:
		return p + 3
	case flows.Say, flows.Amend:
		return p + 2
	case flows.Update, flows.Mark, flows.Restate, flows.Retract, flows.Drop:
		return p
	}
	return p + 1
}
