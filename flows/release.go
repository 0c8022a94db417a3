package flows

import (
	"slices"
	"strings"
	"time"
)

// Somebody who looks for a person is told nothing, whatever is known, unless the
// person wants it: then one of a few fixed sentences, which one officer proposes
// and another one confirms. Nothing here knows of the other case: that the person
// wants it the two officers have read there.

// A Release is a fixed sentence that waits for a second officer; the zero Release
// is none.
type Release struct {
	// Sentence is alive, call or message.
	Sentence string    `json:"sentence"`
	By       Officer   `json:"by"`
	At       time.Time `json:"at"`
}

// sentences are the fixed sentences, in the order in which they are offered.
func sentences() []string { return []string{"alive", "call", "message"} }

// confirmed begins the choice of whoever confirms: it names the sentence, so that
// nobody confirms another than the one they saw.
const confirmed = "confirm-"

// releaseMenu offers to propose a sentence, or to confirm or take back the one
// that was proposed. While a report is marked as hostile nothing is offered.
func (b *Book) releaseMenu(c Case, kind string, add adder) {
	if kind != kindFamily && kind != kindMessage || c.Phase != Owned || c.Hostile != "" {
		return
	}
	say := func(sentence string) string { return b.say(b.policy.Officers, "ui.release."+sentence) }
	if r := c.Release; r.Sentence != "" {
		add(ActionRelease, confirmed+r.Sentence, "card.release.second", "card.release.confirm", "sentence", say(r.Sentence), "officer", "@"+r.By.Name)
		add(ActionRelease, choiceUndo, "card.release.undo", "")
		return
	}
	for _, s := range sentences() {
		add(ActionRelease, s, "card.release.propose."+s, "card.release.first", "sentence", say(s))
	}
}

// releases does what an officer chose about a fixed sentence.
func (t *turn) releases(ev Acted) {
	r := &t.s.Case.Release
	tell := func(key string) {
		t.do(Tell{Text: t.officers(key, "officer", "@"+ev.Officer.Name, "first", "@"+r.By.Name,
			"sentence", t.officers("ui.release."+r.Sentence))})
	}
	switch {
	case slices.Contains(sentences(), ev.Choice):
		*r = Release{Sentence: ev.Choice, By: ev.Officer, At: t.m.At}
		tell("card.release.proposed")
	case ev.Choice == choiceUndo:
		tell("card.release.undone")
		*r = Release{}
	case strings.TrimPrefix(ev.Choice, confirmed) != r.Sentence:
	default:
		tell("card.release.done")
		sentence := r.Sentence
		*r = Release{}
		t.write(ownRelease, t.say("ui.release."+sentence))
	}
}
