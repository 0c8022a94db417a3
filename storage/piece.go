package storage

import (
	"errors"
	"math"
	"time"
)

// A Piece is a part of a store on its way into another one: a conversation,
// with the transcripts that the store knows to be its, or, with an empty ID,
// transcripts alone.
type Piece struct {
	// ID names the conversation.
	ID string
	// Version is 0 if there is no record.
	Version uint64
	State   []byte
	Names   []string
	Alarm   time.Time
	// Events are the identities that are remembered, Handled when each was
	// handled.
	Events []Handled
	// Items are the outbox, each lane in its order.
	Items []Queued
	// Transcripts are by their names.
	Transcripts map[string]Transcript
}

// Handled is an event that was committed.
type Handled struct {
	Event string
	At    time.Time
}

// Queued is an item in the outbox.
type Queued struct {
	Item
	// Age orders the items of all conversations: the older has the smaller one,
	// no two have the same, and none has 0.
	Age uint64
	// Tries counts its leases so far, and Token is the last one's; 0 if there
	// was none. Every later token, of any item, is greater.
	Tries int
	Token uint64
	// Until is when it can be leased again, if it was deferred; zero if not.
	Until time.Time
}

// Validate tells whether the piece keeps to the limits, as a store that is
// filled with it demands. The error names the fault and never the value.
func (p *Piece) Validate() error {
	if p.ID == "" {
		if p.Version != 0 || len(p.Names)+len(p.Events)+len(p.Items) > 0 || !p.Alarm.IsZero() {
			return errors.New("storage: a piece without a conversation has more than transcripts")
		}
	} else if err := p.validateConversation(); err != nil {
		return err
	}
	for name := range p.Transcripts {
		if !named(name) {
			return errors.New("storage: a transcript's name must have 1 to 64 bytes")
		}
	}
	return nil
}

func (p *Piece) validateConversation() error {
	if p.Version == 0 && (len(p.State) > 0 || len(p.Names) > 0 || !p.Alarm.IsZero()) {
		return errors.New("storage: a piece without a record has a state, names or an alarm")
	}
	c := Commit{ID: p.ID, Names: p.Names}
	if err := c.Validate(); err != nil {
		return err
	}
	seen := make(map[string]bool, len(p.Events))
	for _, h := range p.Events {
		if !named(h.Event) {
			return errors.New("storage: an event's identity must have 1 to 64 bytes")
		}
		if seen[h.Event] {
			return errors.New("storage: one event twice in one piece")
		}
		seen[h.Event] = true
	}
	last := make(map[Lane]uint64)
	for _, item := range p.Items {
		if err := item.Item.validate(); err != nil {
			return err
		}
		if item.Age <= last[item.Lane] {
			return errors.New("storage: the items of a lane are not in the order of their ages")
		}
		behind := last[item.Lane] > 0
		last[item.Lane] = item.Age
		if item.Tries < 0 || item.Tries > math.MaxUint32 || (item.Tries == 0) != (item.Token == 0) || item.Token == 0 && !item.Until.IsZero() {
			return errors.New("storage: an item's tries, token and instant do not fit together")
		}
		if behind && item.Token != 0 {
			return errors.New("storage: an item that is not the first of its lane was leased")
		}
	}
	return nil
}
