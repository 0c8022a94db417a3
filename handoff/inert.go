package handoff

import (
	"slices"
	"strings"
	"unicode"
)

// joiner is U+2060, which is drawn as nothing and keeps Mattermost from seeing
// a mention, a link, a hashtag or a block of Markdown.
const joiner = '\u2060'

// Limits of what reaches the channel.
const (
	// partRunes is the length of a post; the server takes 16,383 runes.
	partRunes = 16_000
	// maxMarks is how many combining marks a letter keeps. Burmese needs five.
	maxMarks = 6
)

// quote begins each line of a person's words. The joiner after it keeps the
// line from being read as a heading, a list, a table, a rule, a fence or a
// further quote: Markdown knows all of these only at the beginning of a line.
const quote = "> " + string(joiner)

// Inert returns a person's text so that an officer reads what was written and
// Mattermost does nothing with it: no mention, no fetch, no link, no markup. It
// is a quotation, and at most four runes for each of the text and three more.
func Inert(text string) string {
	return strings.Join(inert(text, 4*len(text)+len(quote)), "\n")
}

// inert is Inert in parts of at most limit runes, each a quotation of its own.
// It cuts at the end of a line where there is one in the second half of a part.
func inert(text string, limit int) []string {
	runes := clean(text)
	var parts []string
	part := []rune(quote)
	line := 0 // where in part the last line break is, 0 if there is none
	for i, r := range runes {
		unit := unit(runes, i, r)
		if len(part)+len(unit) > limit {
			rest := []rune(quote)
			if line > limit/2 {
				rest, part = append(rest, part[line+1+len([]rune(quote)):]...), part[:line]
			}
			parts = append(parts, string(part))
			part, line = rest, 0
			if r == '\n' && len(rest) == len([]rune(quote)) {
				continue // the cut is the line break
			}
		}
		if r == '\n' {
			line = len(part)
		}
		part = append(part, unit...)
	}
	return append(parts, string(part))
}

// unit is what stands for the rune at i.
func unit(runes []rune, i int, r rune) []rune {
	next := ' '
	if i+1 < len(runes) {
		next = runes[i+1]
	}
	switch {
	case r == '\n':
		return []rune("\n" + quote)
	case r == ']':
		return []rune{'\\', r, joiner}
	case strings.ContainsRune("\\`*_[", r):
		return []rune{'\\', r}
	case r == '@' || r == '~':
		return []rune{r, joiner}
	case strings.ContainsRune(":#<&", r) && !unicode.IsSpace(next):
		return []rune{r, joiner}
	case r == '$': // a formula can hide words, and no escape is sure
		return []rune{'＄'}
	case r == '.' && endsInWWW(runes[:i]):
		return []rune{joiner, r}
	}
	return []rune{r}
}

// endsInWWW says whether a dot after the runes would begin a link: www, or
// www and up to three digits.
func endsInWWW(runes []rune) bool {
	end := len(runes)
	for end > 0 && len(runes)-end < 3 && runes[end-1] >= '0' && runes[end-1] <= '9' {
		end--
	}
	return end >= 3 && strings.EqualFold(string(runes[end-3:end]), "www")
}

// clean drops what cannot be seen or turns the reading direction, and bounds
// what grows over its neighbours. NUL among it would make Mattermost refuse the
// post for ever.
func clean(text string) []rune {
	var out []rune
	marks := 0
	for _, r := range strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n") {
		switch r {
		case '\r', '\v', '\f', '\u0085', '\u2028', '\u2029':
			r = '\n'
		case '\t':
			r = ' '
		}
		switch {
		case r == '\n':
		case unicode.IsControl(r), invisible(r, out):
			continue
		}
		if unicode.In(r, unicode.Mn, unicode.Me) {
			if marks++; marks > maxMarks {
				continue
			}
		} else {
			marks = 0
		}
		out = append(out, r)
	}
	return fewBreaks(out)
}

// invisible says whether to drop a rune that is drawn as nothing. The two
// joiners that scripts and emoji need are kept once between letters of theirs.
func invisible(r rune, before []rune) bool {
	switch {
	case r == '\u200c' || r == '\u200d':
		return len(before) == 0 || before[len(before)-1] < 0x300 || unicode.Is(unicode.Cf, before[len(before)-1])
	case unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return false
	case r >= 0xE0100 && r <= 0xE01EF: // variation selectors that no text needs
		return true
	}
	return unicode.Is(unicode.Cf, r)
}

// fewBreaks trims the lines and keeps one empty line of several.
func fewBreaks(runes []rune) []rune {
	var out []rune
	breaks := 2 // as if an empty line came before, so that none begins the text
	for line := range strings.SplitSeq(string(runes), "\n") {
		line = strings.TrimRightFunc(line, unicode.IsSpace)
		if line == "" {
			if breaks++; breaks > 2 {
				continue
			}
		} else {
			breaks = 1
		}
		out = append(append(out, []rune(line)...), '\n')
	}
	for len(out) > 0 && out[len(out)-1] == '\n' {
		out = out[:len(out)-1]
	}
	return out
}

// Shown returns what an officer sees of a post that Inert made: the text
// without the quotation, the escapes and the joiners.
func Shown(message string) string {
	var out []rune
	escaped := false
	for i, line := range strings.Split(message, "\n") {
		if i > 0 {
			out = append(out, '\n')
		}
		for _, r := range strings.TrimPrefix(strings.TrimPrefix(line, ">"), " ") {
			switch {
			case r == joiner:
			case r == '\\' && !escaped:
				escaped = true
				continue
			default:
				out = append(out, r)
			}
			escaped = false
		}
	}
	return string(out)
}

// ours returns text of ours for a place where Markdown is wanted. It mentions
// nobody and holds nothing that the server refuses.
func ours(text string) string {
	return strings.ReplaceAll(string(clean(text)), "@", "@"+string(joiner))
}

// mentions returns the mention of each user name.
func mentions(names []string) string {
	at := make([]string, 0, len(names))
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		at = append(at, "@"+name)
	}
	return strings.Join(at, " ")
}
