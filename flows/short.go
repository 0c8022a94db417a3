package flows

import (
	"slices"
	"strings"
)

// A short catalogue has the texts of the short way only: the cover, the question
// whether it is OK to chat, danger, the person's own embassy, and a human. Each
// screen says what becomes of it there: it is shown ("here"), shown although the
// catalogue may lack its texts ("anyway"), or passed over to one that is shown. What else the program says, a short catalogue may have; what it lacks is
// said in every complete language.

// What a screen says that short catalogues show.
const (
	shortHere   = "here"
	shortAnyway = "anyway"
)

// shown reports whether short catalogues show the screen.
func (s *screen) shown() bool { return s.Short == shortHere || s.Short == shortAnyway }

// shortTexts are the texts that a short catalogue needs of those that the program
// asks for.
func shortTexts() []string {
	return []string{
		"profile.name", "profile.description", "profile.short", "profile.commands.start",
		"profile.commands.privacy", "profile.commands.delete", "profile.commands.language",
		"case.held.withdraw",
		"ui.again", "ui.back", "ui.check", "ui.close", "ui.erase", "ui.news", "ui.next", "ui.open", "ui.garbled", "ui.leave", "ui.lost", "ui.media",
		"ui.no_numbers", "ui.no_pages", "ui.no_reply", "ui.notice_short", "ui.person", "ui.privacy",
		"ui.status.alerting", "ui.status.claimed", "ui.status.closed", "ui.status.late",
		"ui.status.opening", "ui.status.sending", "ui.status.stuck",
	}
}

// leadsTo is the screen that somebody who speaks a language comes to who is sent
// to another.
func (b *Book) leadsTo(language, name string) string {
	if s := b.screens[name]; s != nil && b.text[language].short && !s.shown() {
		return s.Short
	}
	return name
}

// offered reports whether an option leads anywhere for somebody who speaks a
// language.
func (b *Book) offered(language string, here *screen, o option) bool {
	return !b.text[language].short || b.shortWay(here, o)
}

// shortWay reports whether an option is on the short way: it goes on from the
// screen that it is on, or it calls somebody.
func (b *Book) shortWay(here *screen, o option) bool {
	to := b.screens[o.Next]
	if o.ends() || o.Alert || to == nil {
		return o.ends() || o.Alert
	}
	if !to.shown() {
		to = b.screens[to.Short]
	}
	return to != nil && to != here
}

// wantedShort returns every text key that a short catalogue needs, with where the
// book needs it.
func (b *Book) wantedShort() map[string]place {
	want := map[string]place{}
	for _, key := range shortTexts() {
		want[key] = place{}
	}
	for _, name := range b.order {
		s := b.screens[name]
		if s.Short != shortHere {
			continue
		}
		want[name] = s.at
		for _, o := range s.Options {
			if b.shortWay(s, o) {
				want[s.label(o)] = o.at
			}
		}
	}
	return want
}

// checkShort reports what is not right about the short way. A book without a short
// catalogue needs none.
func (b *Book) checkShort(faults *faults) {
	short := ""
	for language, c := range b.catalogues {
		if c.short && (short == "" || language < short) {
			short = language
		}
	}
	for _, l := range append(slices.Clone(b.languages[:min(1, len(b.languages))]), b.policy.Officers) {
		if c, ok := b.catalogues[l]; ok && c.short {
			faults.add(place{c.file, 1}, "the catalogue is short; the officers' language and the first one must be complete")
		}
	}
	if short == "" {
		return
	}
	for _, name := range b.order {
		s := b.screens[name]
		switch to := b.screens[s.Short]; {
		case s.Short == shortAnyway:
		case s.Short == shortHere:
			if s.Fact != "" || s.Many || s.Text {
				faults.add(s.at, "short: the screen %q asks for something that is kept; a short catalogue leaves that to a human", name)
			}
		case s.Short == "":
			faults.add(s.at, "short: say what becomes of the screen %q in a short catalogue such as %s: here, anyway, or the screen that is shown instead", name, short)
		case to == nil:
			faults.add(s.at, "short: there is no screen %q", s.Short)
		case !to.shown():
			faults.add(s.at, "short: the screen %q is not shown in short catalogues either", s.Short)
		}
	}
	for _, name := range []string{b.policy.First, b.policy.Gate, b.policy.Talk, b.policy.Gone, b.policy.Language} {
		if s := b.screens[name]; s != nil && !s.shown() {
			faults.add(s.at, "short: the policy names the screen %q, so that short catalogues need it, too: here", name)
		}
	}
}

// Complete returns the languages that are on and whose catalogues are not short.
func (b *Book) Complete() []string {
	return slices.DeleteFunc(slices.Clone(b.languages), func(l string) bool { return b.text[l].short })
}

// A Pack is a catalogue of a book.
type Pack struct {
	// Language is its code, Name what the language calls itself.
	Language, Name string
	// Short says that it has the texts of the short way only, On that people can
	// choose it.
	Short, On bool
	// ReviewedBy names who, speaking it natively, has read every text; empty
	// means that nobody has.
	ReviewedBy string
}

// Packs returns all catalogues of the book: those that are on, in their order, and
// then the others.
func (b *Book) Packs() []Pack {
	var packs []Pack
	for l, c := range b.catalogues {
		packs = append(packs, Pack{Language: l, Name: c.name, Short: c.short, On: slices.Contains(b.languages, l), ReviewedBy: c.reviewedBy})
	}
	rank := func(p Pack) int {
		if i := slices.Index(b.languages, p.Language); i >= 0 {
			return i
		}
		return len(b.languages)
	}
	slices.SortFunc(packs, func(x, y Pack) int {
		if d := rank(x) - rank(y); d != 0 {
			return d
		}
		return strings.Compare(x.Language, y.Language)
	})
	return packs
}

// languageName is what officers read of a person's language: its own name, and the
// code for who cannot read that.
func (b *Book) languageName(language string) string {
	c, ok := b.catalogues[language]
	switch {
	case !ok:
		return language // The deployer has taken it away.
	case c.short:
		return c.name + " (" + language + ")"
	}
	return c.name
}
