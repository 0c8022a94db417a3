package flows

import (
	"reflect"
	"slices"
	"time"
)

// Somebody who writes faster than anybody reads, or a program that does, must not
// hold up others: a post in Mattermost costs a hundred times what it costs to keep
// a message. So the first messages of a chat go to the thread one by one, as they
// come; what is beyond relayBurst of them, and one each relayEvery after that, is
// bundled and goes as one post, each message on a line of its own. Nothing is
// dropped, the order stays, and the transcript has every message by itself.
const (
	relayEvery = time.Second
	relayBurst = 10
	// mostBundled is how many bytes are bundled before they go whatever the time:
	// less than a post holds, and not much for a state.
	mostBundled = 8 << 10
)

// A Bundle is what the person said that goes to the thread together, soon.
type Bundle struct {
	Label string `json:"label,omitempty"`
	Text  string `json:"text,omitempty"`
	// Words counts the messages, 0 for no bundle.
	Words int `json:"words,omitempty"`
}

// relayAt is when the next message may go by itself, and what is bundled goes.
func (c *Case) relayAt() time.Time { return c.Ahead.Add(-(relayBurst - 1) * relayEvery) }

// bundleAt is when what is bundled goes, zero if nothing is.
func (c *Case) bundleAt() time.Time {
	if c.Bundle.Words == 0 {
		return time.Time{}
	}
	return c.relayAt()
}

// bundle passes words on at once, or with others soon.
func (t *turn) bundle(label, text string) {
	c := t.s.Case
	if t.depth > 0 || c.Phase == Ended {
		t.do(Relay{Label: label, Text: text}) // The real case's are counted, or there is no later.
		return
	}
	t.limitAhead()
	now := !t.m.At.Before(c.relayAt())
	if b := &c.Bundle; b.Words > 0 && (text == "" || label != b.Label || len(b.Text)+len(text) >= mostBundled) {
		t.unbundle()
	}
	switch b := &c.Bundle; {
	case b.Words > 0:
		b.Text += "\n" + text
		b.Words++
	case now || text == "":
		t.relayed()
		t.do(Relay{Label: label, Text: text})
		return
	default:
		*b = Bundle{Label: label, Text: text, Words: 1}
	}
	if now {
		t.unbundle()
	}
}

// unbundle lets go what is bundled: its time has come, or something else must not
// come before it.
func (t *turn) unbundle() {
	c := t.s.Case
	if c == nil || c.Bundle.Words == 0 {
		return
	}
	b := c.Bundle
	c.Bundle = Bundle{}
	t.relayed()
	t.effects = append(t.effects, Relay(b))
	t.update()
}

// spareUpdate leaves out what would only bring the card's witness up to date for
// each of many messages: that goes with what is bundled. A turn that changes
// anything else of the card updates it at once. The turn began with a state.
func (t *turn) spareUpdate(s State) {
	c := t.s.Case
	i := slices.Index(t.effects, Effect(Update{}))
	if t.depth > 0 || c == nil || c.Bundle.Words == 0 || s.Case == nil || i < 0 {
		return
	}
	if reflect.DeepEqual(t.book.Card(s, t.m.At), t.book.Card(t.s, t.m.At)) {
		t.effects = slices.Delete(t.effects, i, i+1)
	}
}

// relayed counts what goes to the thread now.
func (t *turn) relayed() {
	c := t.s.Case
	if c.Ahead.Before(t.m.At) {
		c.Ahead = t.m.At
	}
	c.Ahead = c.Ahead.Add(relayEvery)
	t.limitAhead()
}

// limitAhead keeps a clock that was put back from holding anything up.
func (t *turn) limitAhead() {
	c := t.s.Case
	if c == nil {
		return
	}
	if most := t.m.At.Add(relayBurst * relayEvery); c.Ahead.After(most) {
		c.Ahead = most
	}
	if c.Bundle.Words == 0 && !c.Ahead.After(t.m.At) {
		c.Ahead = time.Time{} // It says nothing any more.
	}
}

// overtakes reports whether an effect must not come before what is bundled.
func overtakes(e Effect) bool {
	switch e := e.(type) {
	case Tell, Offer, Hand:
		return true
	case Update:
		return e.Last != nil
	}
	return false
}
