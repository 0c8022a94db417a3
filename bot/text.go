package bot

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// maxText is what a message may hold, in UTF-16 code units.
const maxText = 4096

// clean makes a text valid UTF-8 without NUL.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\ufffd"), "\x00", "")
}

// blank says that Telegram would take the text for empty.
func blank(text string) bool {
	for _, r := range text {
		if unicode.IsGraphic(r) && !unicode.IsSpace(r) && !unicode.Is(unicode.Cf, r) {
			return false
		}
	}
	return true
}

// fit returns the text cut to what one message holds.
func fit(text string) string {
	if cut := boundary(text, maxText); cut < len(text) {
		return text[:boundary(text, maxText-1)] + "…"
	}
	return text
}

// pieces cuts a text into messages, none of them blank: where a line ends if
// there is one in the latter half, else between words, else between
// characters. No word is lost.
func pieces(text string) []string {
	var out []string
	for text != "" {
		cut := boundary(text, maxText)
		if cut < len(text) {
			if i := strings.LastIndexByte(text[:cut], '\n'); i >= cut/2 {
				cut = i + 1
			} else if i := strings.LastIndexByte(text[:cut], ' '); i >= cut/2 {
				cut = i + 1
			}
		}
		if piece := strings.TrimSpace(text[:cut]); !blank(piece) {
			out = append(out, piece)
		}
		text = text[cut:]
	}
	return out
}

// boundary returns the length in bytes of the longest beginning of text with at
// most limit UTF-16 code units that does not part a character from its marks;
// if there is none, it parts them.
func boundary(text string, limit int) int {
	units, last, joined := 0, 0, false
	for i, r := range text {
		if !joined && !continues(r) {
			last = i
		}
		joined = r == zwj
		units += utf16.RuneLen(r)
		if units > limit {
			if last == 0 {
				return i
			}
			return last
		}
	}
	return len(text)
}

const zwj = '\u200d'

// continues says that the rune belongs to the character before it.
func continues(r rune) bool {
	return r == zwj || unicode.Is(unicode.M, r) || (r >= 0x1f3fb && r <= 0x1f3ff)
}
