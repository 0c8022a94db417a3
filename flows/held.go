package flows

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// showsHeld is the Shows of the screen that lists what is kept of the person.
const showsHeld = "held"

// held is what is kept of the person, in the person's language, a line each:
// what was chosen, never what was typed. Where somebody else may hold the
// telephone, in a chat that was left, it knows nothing of the time before.
func (b *Book) held(s State, at time.Time) string {
	say := func(key string, pairs ...string) string { return b.say(s.Language, key, pairs...) }
	var lines []string
	add := func(key string, pairs ...string) { lines = append(lines, say(key, pairs...)) }
	if s.Language != "" {
		add("ui.held.language", "language", b.text[s.Language].name)
	}
	if s.Kind != "" {
		add("ui.held.kind", "kind", say("card.kind."+s.Kind))
	}
	if s.Notice != "" {
		add("ui.held.agreed", "version", s.Notice, "date", b.date(s.NoticeAt))
	} else {
		add("ui.held.agreed_not")
	}
	if s.Danger {
		add("ui.held.danger")
	}
	if s.Minor {
		add("ui.held.minor")
	}
	if s.Case != nil && !s.Left {
		add("ui.held.case", "date", b.date(s.Case.Opened))
	}
	if s.Lookup() != "" && !s.Left {
		add("ui.held.code")
	}
	if c := s.Case; c != nil && !s.Left && c.Phase != Ended {
		if n := len(c.Media); n > 0 {
			add("ui.held.media", "count", strconv.Itoa(n))
		}
		for _, key := range s.heldSecrets(at, time.Duration(b.policy.Resume)) {
			add(key)
		}
	}
	if len(s.Answers) > 0 {
		lines = append(lines, "")
	}
	for i, a := range s.Answers {
		lines = append(lines, strconv.Itoa(i+1)+". "+say("fact."+a.Fact)+": "+b.heldAnswer(s.Language, a))
	}
	if len(s.Answers) > 0 && s.mayCorrect() {
		lines = append(lines, "", say("ui.held.correct"))
	}
	return strings.Join(lines, "\n")
}

// heldSecrets are the text keys of what is held of the check word and the danger
// phrase. Whether there are any is told only to who has just said the word: somebody
// else who has the telephone must not learn that there is a phrase.
func (s State) heldSecrets(at time.Time, lately time.Duration) []string {
	c := s.Case
	if c.Word.Sum == "" || c.Word.Right.IsZero() || at.Sub(c.Word.Right) > lately {
		return []string{"ui.held.secrets"}
	}
	if c.Phrase.Sum == "" {
		return []string{"ui.held.word", "ui.held.no_phrase"}
	}
	return []string{"ui.held.word", "ui.held.phrase"}
}

// heldAnswer is an answer in a person's language.
func (b *Book) heldAnswer(language string, a Answer) string {
	say := func(key string) string { return b.say(language, key) }
	if a.Typed || a.Text != "" {
		return say("ui.held.typed")
	}
	options := a.Options
	if len(options) == 0 {
		here := b.screens[a.Screen]
		if here == nil || here.Default == "" {
			return say("card.skipped")
		}
		options = []string{here.Default}
	}
	var labels []string
	for _, o := range options {
		label := b.say(language, a.Screen+"."+o, "from", clockTime(b.policy.Day.From), "to", clockTime(b.policy.Day.To))
		if label == "" {
			label = o // The book has changed since.
		}
		labels = append(labels, label)
	}
	return strings.Join(labels, ", ")
}

// date is the day of an instant on the policy's clock.
func (b *Book) date(at time.Time) string {
	return at.UTC().Add(time.Duration(b.policy.UTCOffset)).Format(time.DateOnly)
}

// mayCorrect reports whether answers can still be corrected: a closed case has
// nobody who would see it, and writing again begins a new one.
func (s State) mayCorrect() bool { return s.Case == nil || s.Left || s.Case.Phase != Ended }

// perRow is how many numbers stand in a row.
const perRow = 6

// corrections are the buttons of the answers that can be corrected.
func (b *Book) corrections(s State) [][]Button {
	if !s.mayCorrect() {
		return nil
	}
	var list []Button
	for i, a := range s.Answers {
		if b.screens[a.Screen] != nil {
			list = append(list, Button{Label: strconv.Itoa(i + 1), Data: s.Token + "." + pressCorrect + strconv.Itoa(i)})
		}
	}
	return slices.Collect(slices.Chunk(list, perRow))
}

// privacyRows are the buttons beneath the privacy text. At the check
// question they are a stranger's.
func (b *Book) privacyRows(s State) [][]Button {
	rows := [][]Button{{{Label: b.say(s.Language, "ui.back"), Data: s.Token + "." + pressReturn}}}
	if s.Before == "" && (s.Notice != "" || s.Kind != "" || len(s.Answers) > 0) {
		key := "ui.held"
		if b.text[s.Language].short {
			key = "case.held.withdraw" // That is where it leads there.
		}
		rows = append(rows, []Button{{Label: b.say(s.Language, key), Data: s.Token + "." + pressHeld}})
	}
	return append(rows, []Button{
		{Label: b.say(s.Language, "ui.person"), Data: s.Token + "." + pressHuman},
		{Label: b.say(s.Language, "ui.leave"), Data: s.Token + "." + pressLeave},
	})
}

// leadsBack reports whether a screen has a way back wherever one came from.
func (s *screen) leadsBack() bool {
	return s.Shows == showsHeld || s.Shows == "languages" || slices.ContainsFunc(s.Options, func(o option) bool { return o.Back || o.Withdraw })
}

// correct goes to the question of an answer, from where the next step leads back
// to what is kept. It reports whether there is such an answer.
func (t *turn) correct(here *screen, i int) bool {
	if here.Shows != showsHeld || i >= len(t.s.Answers) || !t.s.mayCorrect() || t.book.screens[t.s.Answers[i].Screen] == nil {
		return false
	}
	t.advance(t.s.Answers[i].Screen)
	t.show(false)
	return true
}

// correcting reports whether a question was come to in order to correct it.
func (t *turn) correcting(here *screen) bool {
	return here.Fact != "" && t.s.from() == t.book.policy.Held
}

// goOn leaves a question that was answered or skipped. One that was corrected
// leads back to what is kept, unless its answer brings a human: then that comes
// first.
func (t *turn) goOn(here *screen, next string, alert bool) {
	if !t.correcting(here) {
		t.advance(next)
		return
	}
	t.s.Trail = t.s.Trail[:len(t.s.Trail)-1]
	if alert && !t.with() {
		t.enter(next)
	} else {
		t.enter(t.book.policy.Held)
	}
	t.release(byRule)
}

// tellCorrected tells the officers of an answer that was corrected: the card
// shows only what holds now. A flag that the old answer raised stays.
func (t *turn) tellCorrected(here *screen, old, now Answer) {
	before, after := t.book.answerLine(old), t.book.answerLine(now)
	if old.Fact != "" && t.correcting(here) && before != after {
		t.do(Tell{Text: t.officers("card.corrected", "fact", t.officers("fact."+now.Fact), "before", before, "now", after)})
	}
}
