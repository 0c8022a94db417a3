package flows

import (
	"embed"
	"encoding/binary"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// A receipt code lets a person ask to go on with a case from another account: six
// words of our own list, or sixteen digits that look like a queue number. It is
// shown once. What stays is what the keeper looks it up by.

//go:embed words/*.txt
var wordFiles embed.FS

const (
	// codeWords are the words of a code: 72 bits, with wordCount words.
	codeWords = 6
	wordCount = 1 << wordBits
	wordBits  = 12
	// codeDigits are the digits of a code: 49 bits, and a 0 in front, which tells
	// it from an identity number or a bank card.
	codeDigits = 16
	// codeShown is for how long a code stays in the bubble at most.
	codeShown = 10 * time.Minute
	// longestCode is how much of what is typed for a code is looked at.
	longestCode = 200
)

// How a code is written: the options of the screen that asks for it.
const (
	codeAsWords  = "words"
	codeAsDigits = "digits"
)

// readWords returns the word lists by language. Where there is none a code is
// of English words, whose letters every telephone has.
func readWords() map[string][]string {
	lists := map[string][]string{}
	for _, language := range []string{"id", "en"} {
		raw, err := wordFiles.ReadFile("words/" + language + ".txt")
		if err != nil {
			panic("flows: the embedded words are not there: " + err.Error())
		}
		lists[language] = strings.Fields(string(raw))
	}
	return lists
}

// newCode draws a code.
func (t *turn) newCode(how string) string {
	if how == codeAsDigits {
		// 2^64 is so much more than 10^15 that what is left over favours no
		// number by more than one part in ten thousand.
		n := binary.BigEndian.Uint64(t.m.draw("code digits", 8)) % 1e15
		s := fmt.Sprintf("%0*d", codeDigits, n)
		return s[:4] + " " + s[4:8] + " " + s[8:12] + " " + s[12:]
	}
	list := t.book.codes[t.s.Language]
	if list == nil {
		list = t.book.codes["en"]
	}
	raw := t.m.draw("code words", 2*codeWords)
	var words []string
	for i := range codeWords {
		words = append(words, list[binary.BigEndian.Uint16(raw[2*i:])%wordCount])
	}
	return strings.Join(words, " ")
}

// FoldCode returns what was typed for a code as the keeper looks it up: ASCII
// letters and digits of whatever script or width, in lower case, and one space
// for whatever is between words. Digits alone are written without spaces.
func FoldCode(text string) string {
	var b strings.Builder
	letters, n := false, 0
	for _, r := range text {
		if n++; n > longestCode {
			break
		}
		switch r = foldRune(r); r {
		case unseen:
		case ' ':
			b.WriteByte(' ')
		default:
			letters = letters || r >= 'a'
			b.WriteByte(byte(r))
		}
	}
	words := strings.Fields(b.String())
	if !letters {
		return strings.Join(words, "")
	}
	return strings.Join(words, " ")
}

// unseen is what foldRune makes of a sign that nobody sees.
const unseen = -1

// foldRune returns a sign of a code as FoldCode does: an ASCII digit, a lower case
// ASCII letter, a space for what is between words, or unseen.
func foldRune(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
		return r // As nearly all are.
	case r >= 'Ａ' && r <= 'Ｚ', r >= 'ａ' && r <= 'ｚ':
		r -= 'Ａ' - 'A'
	case r > unicode.MaxASCII && unicode.Is(unicode.Nd, r):
		r = '0' + digitValue(r)
	}
	switch r = unicode.ToLower(r); {
	case r >= '0' && r <= '9', r >= 'a' && r <= 'z':
		return r
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
		return unseen
	}
	return ' '
}

// digitValue is the value of a decimal digit of any script: they stand in tens.
func digitValue(r rune) rune {
	for _, x := range unicode.Nd.R16 {
		if r >= rune(x.Lo) && r <= rune(x.Hi) {
			return (r - rune(x.Lo)) % 10
		}
	}
	for _, x := range unicode.Nd.R32 {
		if r >= rune(x.Lo) && r <= rune(x.Hi) {
			return (r - rune(x.Lo)) % 10
		}
	}
	return 0
}

// issue asks for a new code in the place of the one before. It is shown when it
// can be used.
func (t *turn) issue(how string) {
	if !t.with() {
		return
	}
	t.s.Code = ""
	code := t.newCode(how)
	t.do(Hash{For: forNewCode, Note: code, Text: FoldCode(code), Index: true})
}

// What the keeper computes for: a code that a person is given, one that somebody
// types, and the answer to the question that is asked with it.
const (
	forNewCode = "code new"
	forCode    = "code"
	forReturn  = "code answer"
)

// issued shows a code and keeps what it is looked up by, in the same commit. One
// for which the person did not wait is never of use.
func (t *turn) issued(ev Hashed) {
	if here := t.book.screens[t.s.Screen]; !t.with() || here == nil || here.Shows != showsCode {
		return
	}
	t.s.Code, t.s.CodeAt = ev.Note, t.m.At
	t.s.Case.Code, t.s.Case.CodeMade, t.s.Case.CodeAsks = ev.Sum, t.m.At, 0
	t.tell("card.code.made")
	t.record("bot", "code", "")
	t.update()
	t.show(false)
}

// showsCode is the Shows of the screen on which the code stands.
const showsCode = "code"

// hideCode sees to it that a code stays nowhere but on its screen, and that none
// leads to a case that has ended.
func (t *turn) hideCode() {
	if here := t.book.screens[t.s.Screen]; here == nil || here.Shows != showsCode || t.s.Left {
		t.s.Code, t.s.CodeAt = "", time.Time{}
	}
	if here := t.book.screens[t.s.Screen]; here == nil || here.Secret == "" && t.s.Rest == nil && t.s.Return != nil && !t.s.Return.Answered {
		t.s.Return = nil
	}
	if c := t.s.Case; c != nil && !t.active() {
		c.Code, c.Ask = "", nil
	}
}

// codeAt is when a code goes from the screen.
func (s State) codeAt() time.Time {
	if s.Code == "" {
		return time.Time{}
	}
	return s.CodeAt.Add(codeShown)
}

// Lookup returns what the present case's receipt code is looked up by, "" if
// there is none.
func (s State) Lookup() string {
	if s.Case == nil {
		return ""
	}
	return s.Case.Code
}
