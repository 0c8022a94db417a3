package flows

import (
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
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	f := s.facts()
	card := Card{
		Code:    c.ID.Code(),
		Urgent:  s.Urgent() && c.Phase != Ended,
		Mention: true,
		Tone:    ToneWaiting,
	}
	title := []string{say("card.kind." + f.Kind), card.Code}
	if f.Danger {
		title = append([]string{say("card.danger")}, title...)
	}
	if f.Minor {
		title = append([]string{say("card.minor")}, title...)
	}
	card.Title = strings.Join(title, " · ")

	add := func(key, value string) { card.Lines = append(card.Lines, Line{Label: say(key), Value: value}) }
	clock := func(t time.Time) string {
		return t.UTC().Add(time.Duration(b.policy.UTCOffset)).Format("2006-01-02 15:04")
	}
	switch c.Phase {
	case Opening, Alerting:
		add("card.status", say("card.status.waiting", "time", clock(c.waits())))
		card.Actions = []Action{{Name: ActionClaim, Label: say("card.claim")}}
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
	if c.Phase != Ended {
		card.Actions = append(card.Actions, Action{Name: ActionClose, Label: say("card.close"), Confirm: say("card.close.confirm", "code", card.Code)})
	}
	yes := map[bool]string{true: say("card.yes"), false: say("card.no_sign")}
	add("card.flag.danger", yes[f.Danger])
	add("card.flag.minor", yes[f.Minor])
	language := say("card.unknown")
	if f.Language != "" {
		language = b.text[f.Language].name
	}
	add("card.language", language)
	add("card.contact", b.contactLine(s))
	notice := say("card.notice.not")
	if f.Notice != "" {
		notice = say("card.notice.yes", "version", f.Notice)
	}
	add("card.notice", notice)
	if s.Earlier != "" {
		add("card.earlier", s.Earlier)
	}
	for _, a := range f.Answers {
		if a.Fact != factContact {
			card.Lines = append(card.Lines, Line{Label: say("fact." + a.Fact), Value: b.answerLine(a)})
		}
	}
	if rest := b.notAsked(f); len(rest) > 0 {
		add("card.not_asked", strings.Join(rest, ", "))
	}
	return card
}

// contactLine is the person's contact rule, and how many replies wait for it.
func (b *Book) contactLine(s State) string {
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	line := say("card.contact.none")
	if a, ok := s.facts().answer(factContact); ok {
		line = say("card.contact.default")
		if len(a.Options) > 0 {
			line = b.answerLine(a)
		}
	}
	switch {
	case s.Shut:
		line = say("card.contact.shut")
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

// answerLine is an answer in the officers' language.
func (b *Book) answerLine(a Answer) string {
	say := func(key string) string { return b.say(b.policy.Officers, key) }
	if a.Text != "" {
		return say("card.in_thread")
	}
	if len(a.Options) == 0 {
		return say("card.skipped")
	}
	var labels []string
	for _, o := range a.Options {
		label := say(a.Screen + "." + o)
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
