package flows

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCodeWords: what the word lists promise, so that a code that was written
// down or spelled out over a bad line is read as it was meant: as many words as
// fill twelve bits; short words of ASCII letters, sorted; none that begins another
// one; and none that a single wrong, missing or added letter makes another.
func TestCodeWords(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[a-z]{4,8}$`)
	for language, list := range readWords() {
		if len(list) != wordCount || !slices.IsSorted(list) {
			t.Errorf("%s: %d words, sorted %t, want %d sorted ones", language, len(list), slices.IsSorted(list), wordCount)
		}
		words, near := map[string]bool{}, map[string]string{}
		for _, w := range list {
			if !form.MatchString(w) {
				t.Errorf("%s: %q is not of four to eight letters", language, w)
			}
			words[w] = true
		}
		for _, w := range list {
			for i := 1; i < len(w); i++ {
				if words[w[:i]] {
					t.Errorf("%s: %q begins %q", language, w[:i], w)
				}
			}
			for i := range w {
				without := w[:i] + w[i+1:]
				if words[without] {
					t.Errorf("%s: %q is %q with one letter more", language, w, without)
				}
				hole := w[:i] + "_" + w[i+1:]
				if other := near[hole]; other != "" && other != w {
					t.Errorf("%s: %q and %q differ in one letter", language, other, w)
				}
				near[hole] = w
			}
		}
	}
}

// TestCodeWordsAreHarmless: a code lies about on paper. It must not insult, and
// must not tell why somebody has it.
func TestCodeWordsAreHarmless(t *testing.T) {
	t.Parallel()
	never := map[string]string{
		"id": `bunuh mati mayat darah siksa paksa sekap culik perkosa budak jual judi penjara polisi tahan borgol
			sandera rampas ancam tembak senjata bahaya darurat korban majikan imigran paspor babi anjing bangsat
			jancuk kontol memek bugil telanjang cabul lacur sundal pelacur setan iblis kafir tolol goblok monyet`,
		"en": `kill murder dead death corpse torture rape slave prison police victim danger rescue hostage ransom
			kidnap captive weapon bomb smuggle smuggler passport migrant refugee whore slut bitch bastard shit fuck
			cunt nigger faggot retard nazi devil satan penis vagina nude naked porn suicide escape debt`,
	}
	lists := readWords()
	for language, words := range never {
		for w := range strings.FieldsSeq(words) {
			if _, found := slices.BinarySearch(lists[language], w); found {
				t.Errorf("%s: %q must not be in the list", language, w)
			}
		}
	}
}

// TestNewCodes: every bit of a code comes from the moment, all words come up, and
// what is shown is looked up as it is typed.
func TestNewCodes(t *testing.T) {
	t.Parallel()
	book, err := Load(Shipped(), Directory{})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	codes, words := map[string]bool{}, map[string]bool{}
	const n = 20_000
	for range n {
		var fresh [16]byte
		for i := range fresh {
			fresh[i] = byte(random.Uint32())
		}
		turn := &turn{book: book, m: Moment{At: time.Unix(0, 0), Fresh: fresh}, s: State{Facts: Facts{Language: "id"}}}
		w, d := turn.newCode(codeAsWords), turn.newCode(codeAsDigits)
		if !regexp.MustCompile(`^\d{4} \d{4} \d{4} \d{4}$`).MatchString(d) || FoldCode(d) != strings.ReplaceAll(d, " ", "") {
			t.Fatalf("digits %q, folded %q", d, FoldCode(d))
		}
		if FoldCode(w) != w || len(strings.Fields(w)) != codeWords {
			t.Fatalf("words %q, folded %q", w, FoldCode(w))
		}
		codes[w], codes[d] = true, true
		for word := range strings.FieldsSeq(w) {
			words[word] = true
		}
	}
	if len(codes) != 2*n || len(words) != wordCount {
		t.Errorf("%d codes of %d words, want %d of %d", len(codes), len(words), 2*n, wordCount)
	}
}

// TestFoldCode: the ways in which people and keyboards write the same code.
func TestFoldCode(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"1234 5678 9012 3456":   "1234567890123456",
		"1234567890123456":      "1234567890123456",
		"1234-5678.9012/3456\n": "1234567890123456",
		"１２３４　５６７８　９０１２　３４５６":                    "1234567890123456",
		"١٢٣٤ ٥٦٧٨ ٩٠١٢ ٣٤٥٦":                    "1234567890123456",
		"๑๒๓๔ ໕໖໗໘ ၉၀၁၂ ៣៤៥៦":                    "1234567890123456",
		"  Padi,  SAWAH. kebun;\nlaut angin api": "padi sawah kebun laut angin api",
		"ｐａｄｉ ＳＡＷＡＨ":                             "padi sawah",
		"\u202epadi\u200b sawah\ufe0f":           "padi sawah",
		"padi\u00a0sawah":                        "padi sawah",
		"🥭":                                      "",
		"":                                       "",
	} {
		if got := FoldCode(typed); got != want {
			t.Errorf("%q is looked up as %q, want %q", typed, got, want)
		}
	}
	if got := FoldCode(strings.Repeat("a", 4096)); len(got) != longestCode {
		t.Errorf("%d letters are looked up, want %d", len(got), longestCode)
	}
}

// TestCodeGoesAsTheChatFolds: the code goes from the screen at the same instant as
// the chat folds back. Nothing stays due then, and whoever comes back comes to the
// case.
func TestCodeGoesAsTheChatFolds(t *testing.T) {
	t.Parallel()
	book, err := Load(Shipped(), Directory{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)
	s := State{
		Facts: Facts{Language: "id"}, Screen: "case.ticket", Token: "t", Shown: "1",
		Messages: []Message{{ID: "1", At: at}}, Seen: at, Code: "1234", CodeAt: at,
		Case: &Case{Phase: Owned, Opened: at, Placed: at, Acknowledged: at, Stirred: at, Thread: "root", Code: "sum"},
	}
	now := at.Add(10 * time.Minute)
	s, _ = book.Step(s, Moment{At: now}, TimedOut{})
	if !s.Alarm().After(now) {
		t.Errorf("the alarm is still due: %v", s.Alarm())
	}
	if s.Rest == nil || s.Rest.Screen != "case.talk" || s.Code != "" {
		t.Errorf("at %q, rest %+v, code %q; want the cover, behind it the case, and no code", s.Screen, s.Rest, s.Code)
	}
}
