package flows

import (
	"strings"
	"time"
)

// Cover is what the first screen shows: what a stranger sees who opens the chat,
// and whoever picks up a telephone on which the bubble has folded back. It depends
// on the book, the language ("" before one was chosen) and the time alone, so that
// nothing of a conversation can show in it; the token only begins the buttons'
// data.
func (b *Book) Cover(language, token string, at time.Time) View {
	here := b.screens[b.policy.First]
	s := State{Facts: Facts{Language: language}, Screen: here.name, Token: token}
	v := View{Text: b.words(language, here, at)}
	b.choices(&v, s, here, at)
	b.controls(&v, s, here, false)
	return v
}

// words is what a screen says, and what stands in it from the directory.
func (b *Book) words(language string, here *screen, at time.Time) string {
	text := b.say(language, here.name)
	if strings.Contains(text, "{numbers}") {
		numbers := b.numbers(language, at)
		if numbers == "" {
			numbers = b.say(language, "ui.no_numbers")
		}
		text = b.say(language, here.name, "numbers", numbers)
	}
	if (here.Shows == "pages" || here.Shows == "cover") && len(b.pages(at)) == 0 {
		text = strings.Join([]string{text, b.say(language, "ui.no_pages")}, "\n\n")
	}
	if here.Shows == "embassies" {
		if list := b.embassies(language, at); list != "" {
			text += "\n\n" + list
		}
	}
	return text
}

// outside reports whether a screen is one that comes before anything is asked: the
// first screen, its neighbours and those about the gate.
func (b *Book) outside(here *screen) bool {
	return here.flow == b.screens[b.policy.First].flow || here.flow == b.screens[b.policy.Gate].flow
}
