package flows

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// FoldWord returns a text as the keeper compares it: without the spaces around
// it, in lower case, with one space for each run of them, and without marks that
// a keyboard adds and nobody sees, such as those for the direction of writing.
func FoldWord(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
			return -1
		case unicode.IsControl(r):
			return ' '
		}
		return unicode.ToLower(r)
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// The secrets that a person can agree on with the officers.
const (
	// secretWord is the check word: it says that the person is who they were.
	secretWord = "word"
	// secretPhrase is the duress phrase: it looks like any small talk.
	secretPhrase = "phrase"
	// secretCheck marks the screen that asks for the check word.
	secretCheck = "check"
)

// secrets are what can be typed and is kept nowhere.
func secrets() []string {
	return []string{secretCode, secretAnswer, secretWord, secretPhrase, secretCheck}
}

// The shortest and the longest that a secret may be, in characters once folded.
// A shorter one is said by chance; nothing longer need ever be compared.
const (
	leastSecret = 3
	mostSecret  = 100
)

// A Word is what a case holds of a secret: never the secret itself.
type Word struct {
	// Sum is the keeper's, "" if none is set.
	Sum string `json:"sum,omitempty"`
	// Set is when it was last set, Removed when the person took it away.
	Set     time.Time `json:"set,omitzero"`
	Removed time.Time `json:"removed,omitzero"`
	// Right is when it was last said.
	Right time.Time `json:"right,omitzero"`
}

// secret returns what the case holds of a secret.
func (c *Case) secret(name string) *Word {
	if name == secretPhrase {
		return &c.Phrase
	}
	return &c.Word
}

// What the person's words are at the keeper for, besides forSaid and forRelay.
const forSecret = "secret"

// setSecret takes what was typed where a secret is chosen. The message goes at
// once, and nothing of it stays but what the keeper makes of it.
func (t *turn) setSecret(here *screen, ev Said) {
	t.erase(ev.Message)
	t.show(false)
	n := utf8.RuneCountInString(FoldWord(ev.Text))
	switch {
	case !t.with():
		t.enter(t.book.policy.First)
		return
	case n < leastSecret:
		t.s.Note = "ui.secret_short"
		return
	case n > mostSecret:
		t.s.Note = "ui.secret_long"
		return
	case t.busy():
		t.s.Note = "ui.secret_wait"
		return
	}
	other := secretPhrase
	if here.Secret == secretPhrase {
		other = secretWord
	}
	t.count()
	note := heard{Kind: here.Secret, Case: t.s.Case.ID.Code()}
	if sum := t.s.Case.secret(other).Sum; sum != "" {
		note.Names = []string{other}
		t.do(Check{For: forSecret, Note: note.write(), Sums: []string{sum}, Text: ev.Text})
	} else {
		t.do(Hash{For: forSecret, Note: note.write(), Text: ev.Text})
	}
	t.enter(here.Next)
	t.s.Note = "ui.secret_saving"
}

// comparedSecret goes on with a new secret that was compared with the other one.
func (t *turn) comparedSecret(n heard, ev Checked) {
	switch {
	case !t.ofCase(n):
	case n.name(ev.Match) == secretPhrase && t.parted(n):
		t.afterwards(n, "", secretPhrase)
	case n.name(ev.Match) == secretPhrase:
		// Somebody had to type a word, and typed the phrase.
		t.duress()
	case n.name(ev.Match) != "" && (!t.with() || t.s.Rest != nil || t.s.unsure()):
		// Nobody is there to be told, and what was set stays.
	case n.name(ev.Match) != "":
		t.s.Note = "ui.secret_same"
		t.show(true)
	default:
		t.do(Hash{For: forSecret, Note: ev.Note, Text: ev.Text})
	}
}

// hashedSecret keeps a new secret's sum.
func (t *turn) hashedSecret(ev Hashed) {
	n := readHeard(ev.Note)
	if !t.ofCase(n) || t.s.Case.Phase == Ended || ev.Sum == "" {
		return
	}
	w := t.s.Case.secret(n.Kind)
	changed := w.Sum != ""
	w.Sum, w.Set, w.Removed, w.Right = ev.Sum, t.m.At, time.Time{}, time.Time{}
	t.s.Case.Known = t.m.At
	t.record("person", n.Kind, "set")
	key := "card." + n.Kind + ".told"
	if changed {
		key = "card." + n.Kind + ".changed"
	}
	t.tell(key)
	t.update()
	if t.s.Note == "ui.secret_saving" {
		t.s.Note = "ui.secret_kept"
	}
	t.show(true)
}

// removeSecret forgets a secret. Whoever only tries is not told whether there was
// one.
func (t *turn) removeSecret(name string) {
	if !t.with() {
		return
	}
	t.s.Note = "ui.secret_removed"
	if t.s.Case.secret(name).Sum == "" {
		return
	}
	*t.s.Case.secret(name) = Word{Removed: t.m.At}
	t.record("person", name, "removed")
	t.tell("card." + name + ".removed")
	t.update()
}

// secretive reports whether on a screen the secrets are set and removed.
func (s *screen) secretive() bool {
	return s.Secret == secretWord || s.Secret == secretPhrase ||
		slices.ContainsFunc(s.Options, func(o option) bool { return o.Forget != "" })
}

// atSecrets reports whether the person is there, or a step back leads there.
func (t *turn) atSecrets() bool {
	return slices.ContainsFunc(append(slices.Clone(t.s.Trail), t.s.Screen), func(name string) bool {
		here := t.book.screens[name]
		return here != nil && here.secretive()
	})
}

// prove asks for the check word before its holder, or somebody else who has the
// telephone, comes to where the secrets are set and removed.
func (t *turn) prove(from *screen) {
	if to := t.book.screens[t.s.Screen]; t.with() && to.secretive() && !from.secretive() && t.s.Case.Word.Sum != "" {
		t.s.Case.AskNext = true
		t.question()
	}
}

// ofCase reports whether something at the keeper was of the present case.
func (t *turn) ofCase(n heard) bool { return t.s.Case != nil && t.s.Case.ID.Code() == n.Case }

// wordLines are what the card says of the case's secrets and of who writes.
func (b *Book) wordLines(s State, clock func(time.Time) string) []Line {
	c := s.Case
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	var lines []Line
	add := func(label string, parts ...string) {
		parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
		if len(parts) > 0 {
			lines = append(lines, Line{Label: say(label), Value: strings.Join(parts, " · ")})
		}
	}
	when := func(key string, at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return say(key, "time", clock(at))
	}
	switch {
	case c.Guarded != "":
		add("card.guard", say("card.guard."+c.Guarded, "time", clock(c.GuardedAt)))
	case s.Before != "":
		add("card.guard", say("card.guard.asked", "time", clock(c.AskedAt)))
	}
	add("card.word", when("card.word.set", c.Word.Set), when("card.word.gone", c.Word.Removed),
		when("card.word.right", c.Word.Right), when("card.word.wrong", c.Wrong))
	add("card.phrase", when("card.word.set", c.Phrase.Set), when("card.word.gone", c.Phrase.Removed),
		when("card.phrase.said", c.Duress))
	return lines
}
