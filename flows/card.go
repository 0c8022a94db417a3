package flows

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Card is what the officers see of the present case at an instant; the zero
// Card if there is none. Its facts say what was asked, answered, skipped and
// not asked: it never sums them up into a score or a verdict.
func (b *Book) Card(s State, at time.Time) Card {
	c := s.Case
	if c == nil {
		return Card{}
	}
	if c.Withdrawn {
		return b.withdrawnCard(*c)
	}
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	f := s.facts()
	card := Card{
		Code:    c.ID.Code(),
		Urgent:  s.Urgent() && c.Phase != Ended,
		Mention: true,
		Tone:    ToneWaiting,
		Index:   b.index(s),
	}
	title := []string{say("card.kind." + f.Kind), card.Code}
	if f.Danger {
		title = append([]string{say("card.danger")}, title...)
	}
	if f.Minor {
		title = append([]string{say("card.minor")}, title...)
	}
	if !c.Duress.IsZero() {
		title = append([]string{say("card.duress")}, title...)
	}
	card.Title = strings.Join(title, " · ")

	add := func(key, value string) { card.Lines = append(card.Lines, Line{Label: say(key), Value: value}) }
	clock := b.officersClock
	switch c.Phase {
	case Opening, Alerting:
		add("card.status", say("card.status.waiting", "time", clock(c.waits())))
		if s.Urgent() {
			card.Tone = ToneDanger
		}
	case Owned:
		card.Tone = ToneActive
		add("card.status", say("card.status.claimed", "officer", "@"+c.Officer.Name, "time", clock(c.Acknowledged)))
	case Ended:
		card.Tone = ToneClosed
		add("card.status", say("card.status.closed", "officer", "@"+c.Officer.Name, "time", clock(c.Closed)))
	}
	card.Actions = b.buttons(s)
	card.Lines = append(card.Lines, b.ownerLines(*c)...)
	if card.Rank, card.Why = b.Rank(s, at); card.Rank > 0 || !waitsSince(s).IsZero() {
		add("card.rank", card.Why)
	}
	if card.Menu = b.menu(s, at); len(card.Menu) > 0 {
		card.More = say("card.more")
	}
	if c.Hostile != "" {
		add("card.hostile", say("card.hostile.since", "officer", "@"+c.Hostile, "time", clock(c.HostileAt)))
	}
	if line := b.mediaLine(s); line != "" {
		add("card.media", line)
	}
	if !c.Asking.IsZero() {
		add("card.found", say("card.found.open", "time", clock(c.Asking)))
	}
	if r := c.Release; r.Sentence != "" {
		add("card.release", say("card.release.open", "officer", "@"+r.By.Name, "time", clock(r.At), "sentence", say("ui.release."+r.Sentence)))
	}
	card.Lines = append(card.Lines, b.overrideLines(*c)...)
	card.Lines = append(card.Lines, b.wordLines(s, clock)...)
	card.Lines = append(card.Lines, b.flagLines(*c)...)
	b.facts(&card, f, b.contactLine(s))
	language := say("card.unknown")
	if f.Language != "" {
		language = b.languageName(f.Language)
	}
	add("card.language", language)
	notice := say("card.notice.not")
	if f.Notice != "" {
		notice = say("card.notice.yes", "version", f.Notice)
		if f.Notice != b.policy.Notice {
			notice = say("card.notice.renew", "version", f.Notice)
		}
	}
	add("card.notice", notice)
	if s.Earlier != "" {
		add("card.earlier", s.Earlier)
	}
	if c.Code != "" {
		add("card.code", say("card.code.set"))
	}
	if !c.Moved.IsZero() {
		add("card.moved", clock(c.Moved))
	}
	if ask := c.Ask; ask != nil && ask.Word != "" {
		add("card.return", say("card.return.line", "time", clock(ask.At), "word", say("card.return."+ask.Word)))
	}
	card.Lines = append(card.Lines, b.workLines(*c)...)
	return card
}

// officersClock is an instant on the officers' clock.
func (b *Book) officersClock(at time.Time) string {
	return at.UTC().Add(time.Duration(b.policy.UTCOffset)).Format("2006-01-02 15:04") + " " + b.zone()
}

// facts adds what was asked: first what decides what to do, then what else was
// answered, and in a line each what was skipped and what was not asked.
func (b *Book) facts(card *Card, f Facts, contact string) {
	say := func(key string) string { return b.say(b.policy.Officers, key) }
	var first, rest []Line
	var skipped []string
	for _, a := range f.Answers {
		line := Line{Label: say("fact." + a.Fact), Value: b.answerLine(a)}
		switch {
		case slices.Contains([]string{factContact, factClock, factFold}, a.Fact):
		case a.skipped() && b.screens[a.Screen] != nil && b.screens[a.Screen].Default == "":
			skipped = append(skipped, line.Label)
		case slices.Contains([]string{"urgent", "wish", "area"}, a.Fact):
			first = append(first, line)
		default:
			rest = append(rest, line)
		}
	}
	card.Lines = append(card.Lines, first...)
	card.Lines = append(card.Lines, Line{Label: say("card.contact"), Value: contact})
	card.Lines = append(card.Lines, rest...)
	if len(skipped) > 0 {
		card.Lines = append(card.Lines, Line{Label: say("card.skipped"), Value: strings.Join(skipped, ", ")})
	}
	if list := b.notAsked(f); len(list) > 0 {
		card.Lines = append(card.Lines, Line{Label: say("card.not_asked"), Value: strings.Join(list, ", ")})
	}
}

// skipped reports whether the question was asked and passed over.
func (a Answer) skipped() bool { return len(a.Options) == 0 && a.Text == "" && !a.Typed }

// contactLine is the person's contact rule, and how many replies wait for it.
func (b *Book) contactLine(s State) string {
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	line := say("card.contact.none")
	if a, ok := s.facts().answer(factContact); ok {
		line = b.answerLine(a)
	}
	if a, ok := s.facts().answer(factClock); ok && len(a.Options) > 0 {
		line += " (" + b.answerLine(a) + ")"
	}
	switch {
	case s.Shut:
		line = say("card.contact.shut")
	case s.unsure():
		line = say("card.contact.unsure")
	case s.Left:
		line = say("card.contact.left")
	}
	var since time.Time
	for _, r := range s.Replies {
		if r.Held && (since.IsZero() || r.At.Before(since)) {
			since = r.At
		}
	}
	if !since.IsZero() {
		line += " " + say("card.contact.waiting", "time", since.UTC().Add(time.Duration(b.policy.UTCOffset)).Format("15:04"))
	}
	return line
}

// zone names the policy's clock.
func (b *Book) zone() string {
	return fmt.Sprintf("UTC%+d", int(time.Duration(b.policy.UTCOffset).Hours()))
}

// answerLine is an answer in the officers' language.
func (b *Book) answerLine(a Answer) string {
	say := func(key string) string { return b.say(b.policy.Officers, key) }
	if a.Typed || a.Text != "" {
		return say("card.in_thread")
	}
	if a.skipped() {
		if here := b.screens[a.Screen]; here != nil && here.Default != "" {
			return say(a.Screen+"."+here.Default) + " (" + say("card.skipped") + ")"
		}
		return say("card.skipped")
	}
	var labels []string
	for _, o := range a.Options {
		label := b.say(b.policy.Officers, a.Screen+"."+o, "from", clockTime(b.policy.Day.From), "to", clockTime(b.policy.Day.To))
		if label == "" {
			label = o // The book has changed since.
		}
		labels = append(labels, label)
	}
	return strings.Join(labels, ", ")
}

// plain is an answer as a line of the transcript.
func (b *Book) plain(a Answer) string {
	text := a.Text
	if text == "" {
		text = b.answerLine(a)
	}
	return b.say(b.policy.Officers, "fact."+a.Fact) + ": " + text
}

// notAsked returns the labels of the facts that the person's flow asks for and
// has not asked.
func (b *Book) notAsked(f Facts) []string {
	var out []string
	for _, name := range b.order {
		here := b.screens[name]
		if here.flow != f.Kind || here.Fact == "" {
			continue
		}
		label := b.say(b.policy.Officers, "fact."+here.Fact)
		if _, asked := f.answer(here.Fact); !asked && !slices.Contains(out, label) {
			out = append(out, label)
		}
	}
	return out
}
