package flows_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"suar/flows"
)

// TestWhatIsHeldTellsOfSecrets: the person's own summary says whether a check word
// and a danger phrase are set, but only to who has just said the word: whoever else
// has the telephone sees the same whether there is one or not.
func TestWhatIsHeldTellsOfSecrets(t *testing.T) {
	held := func(l *life) string {
		l.presses("More")
		l.presses("What we hold")
		return l.book.View(l.s, l.now).Text
	}
	none := held(inCase(t, "", ""))
	for name, l := range map[string]*life{
		"a word": inCase(t, testWord, ""), "a phrase": inCase(t, "", testPhrase), "both": inCase(t, testWord, testPhrase),
	} {
		if got := held(l); got != none {
			t.Errorf("with %s it says %q, without %q", name, got, none)
		}
	}
	for phrase, want := range map[string]string{testPhrase: "Danger phrase: yes", "": "Danger phrase: no"} {
		l := asked(t, testWord, phrase)
		l.says(testWord)
		if got := held(l); !strings.Contains(got, "Check word: yes") || !strings.Contains(got, want) {
			t.Errorf("after the word it says %q, want %q", got, want)
		}
		l.now = l.now.Add(time.Hour)
		if got := l.book.View(l.s, l.now).Text; strings.Contains(got, "phrase: ") {
			t.Errorf("an hour later it says %q", got)
		}
	}
}

// TestTheNoticeHasAVersion: domain.md 8, consent versioned. Whoever changes the
// notice's words raises its version in policy.yaml, and writes both here; people who
// agreed to the one before are asked again.
func TestTheNoticeHasAVersion(t *testing.T) {
	raw, err := fs.ReadFile(flows.Shipped(), "policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	for _, language := range []string{"id", "en"} {
		text, err := fs.ReadFile(flows.Shipped(), "text/"+language+".yaml")
		if err != nil {
			t.Fatal(err)
		}
		_, after, ok := strings.Cut(string(text), "\n  opening.notice:")
		notice, _, end := strings.Cut(after, "\n  opening.notice.agree:")
		if !ok || !end {
			t.Fatalf("no notice in %s", language)
		}
		fmt.Fprintln(sum, strings.Join(strings.Fields(notice), " "))
	}
	const version, words = `notice: "2026-11"`, "8e625d13776c12c9"
	if got := hex.EncodeToString(sum.Sum(nil))[:16]; !strings.Contains(string(raw), version) || got != words {
		t.Errorf("the notice's words are %s, want %s with %s: raise the version", got, words, version)
	}
}
