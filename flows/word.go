package flows

import (
	"strings"
	"unicode"
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
