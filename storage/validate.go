package storage

import (
	"errors"
	"fmt"
	"slices"
)

const (
	// MaxName is the greatest length, in bytes, of whatever names something:
	// a conversation, an event, a further name, an item or a transcript.
	MaxName = 64
	// MaxItems is the greatest number of items in one commit.
	MaxItems = 1000
	// MaxEvents is the greatest number of events in one commit.
	MaxEvents = 100
)

// Validate tells whether the commit keeps to the limits, whatever the store
// holds: every Store refuses one that does not and keeps nothing of it. The
// error names the fault and never the value.
func (c *Commit) Validate() error {
	switch {
	case !named(c.ID):
		return errors.New("storage: a conversation's ID must have 1 to 64 bytes")
	case len(c.Events) > MaxEvents:
		return fmt.Errorf("storage: %d events in one commit, more than %d", len(c.Events), MaxEvents)
	case len(c.Transcript) > MaxName:
		return errors.New("storage: a transcript's name must have at most 64 bytes")
	case c.Transcript == "" && (c.Header != nil || len(c.Entries) > 0):
		return errors.New("storage: a header or entries without a transcript's name")
	case len(c.Items) > MaxItems:
		return fmt.Errorf("storage: %d items in one commit, more than %d", len(c.Items), MaxItems)
	case c.Ack != nil && c.Ack.Conversation != c.ID:
		return errors.New("storage: the acknowledged item belongs to another conversation")
	}
	for i, event := range c.Events {
		if !named(event) {
			return errors.New("storage: an event's identity must have 1 to 64 bytes")
		}
		if slices.Contains(c.Events[:i], event) {
			return errors.New("storage: one event twice in one commit")
		}
	}
	for _, name := range c.Names {
		if !named(name) {
			return errors.New("storage: a further name must have 1 to 64 bytes")
		}
	}
	for _, item := range c.Items {
		if err := item.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (i *Item) validate() error {
	if !named(i.ID) {
		return errors.New("storage: an item's ID must have 1 to 64 bytes")
	}
	if !slices.Contains(Lanes(), i.Lane) {
		return fmt.Errorf("storage: unknown lane %d", i.Lane)
	}
	return nil
}

func named(s string) bool { return s != "" && len(s) <= MaxName }
