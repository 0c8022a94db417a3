package flows

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A receipt code opens the way to a case, and what is relayed lies in the
// officers' channel to be read by whoever comes there. So what looks like a code
// goes nowhere but to the screen that asks for one: in words that are relayed or
// recorded something stands in its place, and its message leaves the chat.
//
// Words that are no code must reach the officers whatever it costs. Sixteen digits
// are a code only with a 0 in front, which no identity number and no bank card has;
// and as a code is made of everyday words, six of them count only where they stand
// alone, in the message or on a line or behind a colon, or where something near
// them says that a code comes. A code elsewhere in a sentence is passed on: it lets
// its finder ask the officers, and nothing else.

// namesCode reports whether the piece is what people call a code, in the languages
// of its words.
func namesCode(p piece) bool {
	return slices.Contains([]string{"code", "kode", "nomor", "number"}, p.folded)
}

// A piece is a run of letters and digits of a text, as FoldCode reads it.
type piece struct {
	folded     string
	from, to   int  // bytes of the text
	digits     bool // nothing but digits
	near, same bool // one sign, or at most three, are between it and the one before
}

// nearest is how many signs can be between two words of a code.
const nearest = 3

// pieces cuts a text.
func pieces(text string) []piece {
	var out []piece
	gap, open := nearest+1, false
	for i, r := range text {
		switch r = foldRune(r); {
		case r == unseen:
			continue
		case r == ' ':
			open = false
			gap++
			continue
		case !open:
			out = append(out, piece{from: i, digits: true, near: gap == 1, same: gap <= nearest})
			open, gap = true, 0
		}
		p := &out[len(out)-1]
		p.folded += string(r)
		p.to = i + 1
		p.digits = p.digits && r <= '9'
	}
	for i := range out { // A sign of another script is longer than a byte.
		_, width := utf8.DecodeRuneInString(text[out[i].to-1:])
		out[i].to += width - 1
	}
	return out
}

// looksLikeCode returns how many pieces from the first on look like a code, 0 if they do
// not: six words of one list, or sixteen digits.
func (b *Book) looksLikeCode(list []piece) int {
	for _, words := range b.codes {
		n := 0
		for n < len(list) && n < codeWords && (n == 0 || list[n].same) {
			if _, ok := slices.BinarySearch(words, list[n].folded); !ok {
				break
			}
			n++
		}
		if n == codeWords {
			return n
		}
	}
	digits := 0
	for n, p := range list {
		if !p.digits || n > 0 && !p.near || p.folded[0] != '0' && n == 0 {
			return 0
		}
		if digits += len(p.folded); digits == codeDigits {
			return n + 1
		} else if digits > codeDigits {
			return 0
		}
	}
	return 0
}

// withhold returns a text with something in the place of whatever looks like a
// receipt code, and whether there was anything. All says that it is the whole text.
func (b *Book) withhold(text string) (rest string, some, all bool) {
	list := pieces(text)
	digits := ""
	for _, p := range list {
		if !p.digits {
			digits = ""
			break
		}
		digits += p.folded
	}
	if len(digits) == codeDigits && digits[0] == '0' { // However they are set apart.
		return b.say(b.policy.Officers, "card.code.withheld"), true, true
	}
	named := slices.ContainsFunc(list, namesCode)
	var out strings.Builder
	last := 0
	for i := 0; i < len(list); i++ {
		n := b.looksLikeCode(list[i:])
		if n == 0 || !list[i].digits && !named && n < len(list) && !standsAlone(text, list, i, i+n) {
			continue
		}
		out.WriteString(text[last:list[i].from])
		out.WriteString(b.say(b.policy.Officers, "card.code.withheld"))
		last = list[i+n-1].to
		all = n == len(list)
		i += n - 1
		some = true
	}
	if !some {
		return text, false, false
	}
	out.WriteString(text[last:])
	return out.String(), true, all
}

// standsAlone reports whether nothing else is on the line of the pieces, unless
// what is before them ends with a colon.
func standsAlone(text string, list []piece, from, to int) bool {
	before, after := text[:list[from].from], text[list[to-1].to:]
	if from > 0 {
		before = before[list[from-1].to:]
	}
	if to < len(list) {
		after = after[:list[to].from-list[to-1].to]
	}
	return (from == 0 || strings.ContainsAny(before, ":\n")) && (to == len(list) || strings.Contains(after, "\n"))
}

// withheld returns words as they are relayed and recorded.
func (t *turn) withheld(text string) string {
	text, _, _ = t.book.withhold(text)
	return text
}

// astray does with words of the person's that hold a receipt code, anywhere but
// where one is asked for, what must be done before anything else: their message
// leaves the chat, and the person is told where codes go. It reports whether there
// is nothing else in them: then they open no case, and are passed on to nobody.
func (t *turn) astray(ev Said) bool {
	if t.takesSecret() {
		return false
	}
	_, some, all := t.book.withhold(ev.Text)
	if !some {
		return false
	}
	t.erase(ev.Message)
	if t.s.Before != "" {
		return false // It is a wrong answer to the question.
	}
	if t.s.Mask == nil {
		t.s.Note = noteAstray
	}
	switch {
	case !all:
		return false
	case t.s.Mask != nil:
		t.maskStep(ev)
	default:
		if t.with() && !t.unknown() {
			t.tell("card.code.astray")
		}
		t.start()
	}
	return true
}

// noteAstray says where codes go.
const noteAstray = "ui.code_astray"

// takesSecret reports whether what is typed now stays nowhere.
func (t *turn) takesSecret() bool {
	at := t.s.Screen
	if t.s.Mask != nil {
		at = t.s.Mask.Screen
	}
	here := t.book.screens[at]
	switch {
	case here == nil || here.Secret == "" || here.Secret == secretCheck || t.s.Mask == nil && t.overdue():
		return false
	case here.Secret == secretCode, here.Secret == secretAnswer:
		return true
	}
	return t.s.Mask != nil || !t.unknown()
}
