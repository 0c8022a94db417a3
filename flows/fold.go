package flows

import (
	"slices"
	"time"
)

// factFold is the fact that holds how long after the person's last sign the
// chat folds back to the cover.
const factFold = "fold"

// foldTimes are what the options of that fact mean.
func foldTime(f Facts) time.Duration {
	a, ok := f.answer(factFold)
	switch {
	case !ok || len(a.Options) == 0:
	case a.Options[0] == "m1":
		return time.Minute
	case a.Options[0] == "h1":
		return time.Hour
	}
	return 10 * time.Minute
}

// A Rest is where the person was when the chat folded back to the cover. As
// long as there is one the bubble shows what a stranger sees, whatever happens.
type Rest struct {
	Screen string   `json:"screen"`
	Trail  []string `json:"trail,omitempty"`
	Picks  []string `json:"picks,omitempty"`
	// Since is the person's last sign before.
	Since time.Time `json:"since"`
	// Open is the reply that the person wants to read when back.
	Open PostID `json:"open,omitempty"`
}

// cover is the state of a stranger who is where the person is.
func (s State) cover() State {
	return State{
		Facts:  Facts{Language: s.Language},
		Screen: s.Screen, Page: s.Page, Trail: s.Trail, Token: s.Token, Note: s.Note,
	}
}

// lobby reports whether a screen comes before anything is asked.
func (b *Book) lobby(name string) bool {
	s := b.screens[name]
	return s == nil || b.outside(s)
}

// onCover reports whether a screen is of the cover itself.
func (b *Book) onCover(name string) bool {
	s := b.screens[name]
	return s != nil && s.flow == b.screens[b.policy.First].flow
}

// front reports whether a stranger comes to a screen on the way from the cover.
func (b *Book) front(name string) bool {
	return b.onCover(name) || name == b.policy.Gate || b.screens[name] != nil && b.screens[name].Shows == "languages"
}

// folds reports whether there is something in the chat that must not stay to be
// seen.
func (b *Book) folds(s State) bool {
	if slices.ContainsFunc(s.Replies, func(r Reply) bool { return r.Part > 0 && r.Message != "" }) {
		return true
	}
	return s.Screen != "" && (s.Screen != b.policy.First || s.Page != "" || s.Note != "" ||
		s.Rest == nil && s.Case != nil && !s.Left)
}

// foldAt is when the chat folds back to the cover, zero if it looks like that.
func (b *Book) foldAt(s State) time.Time {
	if s.Shut || s.Mask != nil || !b.folds(s) {
		return time.Time{}
	}
	return s.Seen.Add(foldTime(s.Facts))
}

// rest folds the chat back to the cover, and takes away what the person wrote.
func (t *turn) rest() {
	if t.s.Screen == t.book.policy.Gone {
		t.expire() // It was read or will not be.
		return
	}
	for i, r := range t.s.Replies {
		if r.Part > 0 && r.Message != "" {
			t.turnTo(i, 0)
		}
	}
	if t.s.Screen == "" {
		return
	}
	t.fold(t.s.Seen)
	t.do(Show{Quiet: true})
	t.eraseOwn()
}

// eraseOwn takes away what the person wrote.
func (t *turn) eraseOwn() {
	var own []MessageID
	for _, m := range t.s.Messages {
		// Beneath a reply whose sending is not recorded yet the person has asked
		// for its words: it is not the person's message.
		reply := func(r Reply) bool { return r.Message == m.ID || r.Wish == m.ID }
		if !m.ID.covers(t.s.Shown) && !slices.ContainsFunc(t.s.Replies, reply) {
			own = append(own, m.ID)
		}
	}
	t.erase(own...)
}

// fold puts the state at rest.
func (t *turn) fold(since time.Time) {
	if t.s.Rest == nil && (t.s.Screen != t.book.policy.First || t.s.Case != nil) {
		t.s.Rest = &Rest{Screen: t.s.Screen, Trail: t.s.Trail, Picks: t.s.Picks, Since: since}
		if t.with() && (t.book.onCover(t.s.Screen) || t.atSecrets()) {
			t.s.Rest.Screen, t.s.Rest.Trail = t.book.policy.Talk, nil
		}
	}
	t.s.Note = ""
	t.enter(t.book.policy.First)
	t.s.Trail = nil
}

// overdue reports whether the person gives a sign after so long a time that who
// it is must be asked first, and the chat has not folded since.
func (t *turn) overdue() bool {
	return t.s.Rest == nil && t.s.Screen != t.book.policy.Gone && t.book.folds(t.s) && t.long(t.before)
}

// long reports whether the person was away for long.
func (t *turn) long(since time.Time) bool {
	return t.m.At.Sub(since) > time.Duration(t.book.policy.Resume)
}

// resume leads a person at rest back and returns "", or returns the screen to go
// to instead of the one asked for: whoever was away for long comes the way of a
// stranger, and is asked first whether it is OK to chat.
func (t *turn) resume(name string) string {
	switch {
	case t.s.Screen == t.book.policy.Gate || !t.long(t.s.Rest.Since):
		t.wake()
		return ""
	case t.book.front(name):
		return name
	}
	return t.book.policy.Gate
}

// wake leads a person at rest back to where they were.
func (t *turn) wake() {
	r := t.s.Rest
	t.s.Rest = nil
	t.enter(r.Screen)
	if t.s.Screen == r.Screen {
		t.s.Trail = r.Trail
		if here := t.book.screens[r.Screen]; here.Many {
			t.s.Picks = r.Picks
		}
	}
	if t.question() {
		return
	}
	t.release(bySign)
	if i := t.reply(r.Open); i >= 0 && r.Open != "" {
		t.turnTo(i, 1)
	}
}

// words answers words of the person's own that came while the chat was at rest.
func (t *turn) words() {
	if t.book.lobby(t.s.Rest.Screen) {
		t.s.Rest.Screen, t.s.Rest.Trail = t.book.policy.Talk, nil
	}
	if t.s.Screen != t.book.policy.Gate { // There only a press is an answer.
		t.advance(t.book.policy.Gate)
	}
}
