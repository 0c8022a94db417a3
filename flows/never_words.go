package flows

import (
	"errors"
	"slices"
	"strings"
	"unicode"
)

// The pattern of a never rule is a list of words, apart by spaces, that stand one
// after the other in a sentence:
//
//	send          this word, however it is written: folded as cutSentences does
//	send/share    one of these
//	passport*     a word that begins so
//	?a/the        one of these or nothing
//	#             a number
//	~             up to four words of any kind, but none that takes the match back
//	?             the sentence is a question
//
// It takes a time in proportion to the text: there are at most three ~ in a pattern,
// and no match begins at one.

// A wordPattern is a parsed pattern.
type wordPattern []wordItem

type wordItem struct {
	kind wordKind
	any  []string
	// begins are beginnings of words.
	begins   []string
	optional bool
}

type wordKind uint8

const (
	wordOf wordKind = iota
	numberWord
	gapWords
	questionMark
)

// longestGap is how many words a ~ stands for, farthest how many before a match
// can take it back.
const (
	longestGap = 4
	farthest   = 4
	mostGaps   = 3
)

func parsePattern(text string) (wordPattern, error) {
	var p wordPattern
	gaps := 0
	for field := range strings.FieldsSeq(text) {
		switch field {
		case "~":
			gaps++
			p = append(p, wordItem{kind: gapWords})
			continue
		case "#":
			p = append(p, wordItem{kind: numberWord})
			continue
		case "?":
			p = append(p, wordItem{kind: questionMark})
			continue
		}
		rest, optional := strings.CutPrefix(field, "?")
		item := wordItem{optional: optional}
		for word := range strings.SplitSeq(rest, "/") {
			switch begin, is := strings.CutSuffix(word, "*"); {
			case word == "" || is && len(begin) < 2:
				return nil, errors.New("a word is missing, or the beginning of one is shorter than two letters")
			case is:
				item.begins = append(item.begins, begin)
			default:
				item.any = append(item.any, word)
			}
		}
		p = append(p, item)
	}
	switch {
	case len(p) == 0 || p[0].kind == gapWords || p[0].kind == questionMark || p[0].optional:
		return nil, errors.New("it must begin with a word")
	case gaps > mostGaps:
		return nil, errors.New("it has more than three ~")
	}
	return p, nil
}

// A sentence is its words, folded.
type sentence struct {
	words []string
	// clause counts, for each word, the commas before it.
	clause []int
	// question says that the last clause asks something.
	question bool
}

// broken reports whether a sentence breaks the rule.
func (r neverRule) broken(s sentence, not map[string]bool) bool {
	if slices.ContainsFunc(s.words, func(w string) bool { return r.anywhere[w] }) {
		return false
	}
	back := func(w string) bool { return r.unless[w] || not[w] && !r.Always }
	for _, p := range r.patterns {
		for i := range s.words {
			end, ok := p.match(s, i, back)
			if !ok {
				continue
			}
			if s.question && !r.Asked && s.clause[end-1] == s.clause[len(s.words)-1] {
				continue
			}
			taken := false
			for j := i - 1; j >= max(0, i-farthest) && s.clause[j] == s.clause[i]; j-- {
				taken = taken || back(s.words[j])
			}
			if !taken {
				return true
			}
		}
	}
	return false
}

// match reports whether the pattern matches at the word i, and behind which it ends.
func (p wordPattern) match(s sentence, i int, back func(string) bool) (end int, ok bool) {
	if len(p) == 0 {
		return i, true
	}
	item, rest := p[0], p[1:]
	switch item.kind {
	case questionMark:
		if !s.question {
			return 0, false
		}
		return rest.match(s, i, back)
	case gapWords:
		for n := 0; n <= longestGap; n++ {
			if end, ok := rest.match(s, i+n, back); ok {
				return end, true
			}
			if i+n >= len(s.words) || back(s.words[i+n]) {
				return 0, false
			}
		}
		return 0, false
	}
	if i < len(s.words) && item.is(s.words[i]) {
		if end, ok := rest.match(s, i+1, back); ok {
			return end, true
		}
	}
	if item.optional {
		return rest.match(s, i, back)
	}
	return 0, false
}

func (item wordItem) is(word string) bool {
	if item.kind == numberWord {
		return word[0] >= '0' && word[0] <= '9'
	}
	return slices.Contains(item.any, word) ||
		slices.ContainsFunc(item.begins, func(b string) bool { return strings.HasPrefix(word, b) })
}

// canonical reads each word of a sentence as the language does.
func (n never) canonical(s sentence) sentence {
	out := sentence{question: s.question}
	clause := 0
	add := func(at int, words ...string) {
		for _, w := range words {
			out.words, out.clause = append(out.words, w), append(out.clause, at+clause)
		}
	}
	for i, w := range s.words {
		if n.but[w] {
			clause++
		}
		if to, ok := n.same[w]; ok {
			add(s.clause[i], to...)
		} else {
			add(s.clause[i], w)
		}
	}
	for _, phrase := range n.phrase {
		from, to := phrase[0], phrase[1]
		for i := 0; i+len(from) <= len(out.words); i++ {
			if !slices.Equal(out.words[i:i+len(from)], from) {
				continue
			}
			at := slices.Repeat(out.clause[i:i+1], len(to))
			out.words = slices.Replace(out.words, i, i+len(from), to...)
			out.clause = slices.Replace(out.clause, i, i+len(from), at...)
			i += len(to) - 1
		}
	}
	return out
}

// cutSentences cuts a text into sentences of words in lower case, without accents
// and without what nobody sees. A number is a word, and so is the sign of a currency;
// "500rb" is two.
func cutSentences(text string) []sentence {
	var out []sentence
	var s sentence
	var word []rune
	clause := 0
	flush := func() {
		if w := strings.Trim(string(word), "'.,"); w != "" {
			s.words, s.clause = append(s.words, w), append(s.clause, clause)
		}
		word = word[:0]
	}
	end := func() {
		if flush(); len(s.words) > 0 {
			out = append(out, s)
		}
		s, clause = sentence{}, 0
	}
	var runes []rune
	for _, r := range text {
		if r = plainRune(r); r != unseen {
			runes = append(runes, r)
		}
	}
	follows := func(i int, is func(rune) bool) bool { return i+1 < len(runes) && is(runes[i+1]) }
	for i, r := range runes {
		last := rune(0)
		if len(word) > 0 {
			last = word[len(word)-1]
		}
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r):
			if last != 0 && last != '\'' && unicode.IsDigit(r) != (unicode.IsDigit(last) || last == '.' || last == ',') {
				flush()
			}
			word = append(word, r)
		case r == '\'' && unicode.IsLetter(last):
			word = append(word, r)
		case (r == '.' || r == ',') && unicode.IsDigit(last) && follows(i, unicode.IsDigit):
			word = append(word, r)
		case unicode.Is(unicode.Sc, r):
			flush()
			word = append(word, r)
			flush()
		case r == ',':
			flush()
			clause++
		case r == '.' && (abbreviates(string(word)) || follows(i, unicode.IsLetter)):
			flush()
		case strings.ContainsRune(".!?;:…\n", r):
			flush()
			s.question = r == '?'
			end()
		default:
			flush()
		}
	}
	end()
	return out
}

// abbreviates reports whether a full stop behind a word hardly ends a sentence.
func abbreviates(word string) bool {
	return slices.Contains([]string{"rp", "no", "mr", "mrs", "ms", "dr", "jl", "sdr"}, word)
}

// plainRune is a sign in lower case and without its accents, or unseen.
func plainRune(r rune) rune {
	if r < unicode.MaxASCII {
		return unicode.ToLower(r)
	}
	switch {
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Mn, r), unicode.Is(unicode.Variation_Selector, r):
		return unseen
	case unicode.Is(unicode.Nd, r):
		return '0' + digitValue(r)
	case r >= '！' && r <= '～':
		return unicode.ToLower(r - '！' + '!') // They are as wide as a Chinese sign.
	case strings.ContainsRune("’‘ʼ`´", r):
		return '\''
	}
	r = unicode.ToLower(r)
	for plain, list := range map[rune]string{
		'a': "áàâäãåāăąạả", 'c': "çćč", 'e': "éèêëēĕęěẹẻ", 'i': "íìîïīĭịỉı", 'n': "ñńň",
		'o': "óòôöõøōŏọỏ", 's': "śšş", 'u': "úùûüūŭůụủ", 'y': "ýÿ", 'z': "źżž",
	} {
		if strings.ContainsRune(list, r) {
			return plain
		}
	}
	return r
}
