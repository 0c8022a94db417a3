package flows

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// longestSentence is how many words a sentence may have that is said to a person:
// what is read in fear, on a small screen, by somebody who may not read much.
const longestSentence = 14

// sentenceEnd is where a sentence ends. A semicolon or a colon ends none.
var sentenceEnd = regexp.MustCompile(`[.!?…]+["”»)]*(\s|$)|\n`)

// checkReading finds what is hard to read in a complete catalogue, and in every
// catalogue the words that it says are never to be said. The officers' texts are
// theirs to read.
func (c catalogue) checkReading(faults *faults) {
	if c.texts != nil && len(c.never) == 0 {
		faults.add(place{c.file, 1}, "the catalogue has no list never; list the words that the bot must not say to a person, such as this language's for trafficking, victim and rescue")
	}
	for _, key := range slices.Sorted(maps.Keys(c.texts)) {
		if forOfficers(key) {
			continue
		}
		at := place{c.file, c.lines[key]}
		for _, s := range sentenceEnd.Split(c.texts[key], -1) {
			if n := len(strings.Fields(s)); n > longestSentence && !c.short {
				faults.add(at, "the text %q has a sentence of %d words; %d are read with ease: %q", key, n, longestSentence, strings.TrimSpace(s))
			}
		}
		text := strings.ToLower(c.texts[key])
		for _, word := range c.never {
			if word != "" && strings.Contains(text, strings.ToLower(word)) {
				faults.add(at, "the text %q says %q, which the catalogue lists as never said", key, word)
			}
		}
	}
}

// forOfficers reports whether a text is for the officers alone.
func forOfficers(key string) bool {
	return strings.HasPrefix(key, "card.") || strings.HasPrefix(key, "desk.") || strings.HasPrefix(key, "work.")
}
