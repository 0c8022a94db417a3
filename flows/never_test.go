package flows

import (
	"bufio"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// neverCase is a sentence of an officer; rule is the one that it breaks, "" for none.
type neverCase struct{ rule, words string }

func neverCases(t *testing.T, name string) []neverCase {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out []neverCase
	for lines := bufio.NewScanner(file); lines.Scan(); {
		switch line := lines.Text(); {
		case strings.HasPrefix(line, "+ "):
			rule, words, ok := strings.Cut(line[2:], ": ")
			if !ok {
				t.Fatalf("no rule: %s", line)
			}
			out = append(out, neverCase{rule, words})
		case strings.HasPrefix(line, "- "):
			out = append(out, neverCase{words: line[2:]})
		}
	}
	return out
}

// TestNever: the rules find what they are for, and nothing in what officers write
// every day. The sentences are invented.
func TestNever(t *testing.T) {
	b, err := Load(Shipped(), Directory{})
	if err != nil {
		t.Fatal(err)
	}
	cases := neverCases(t, "testdata/never.txt")
	if len(cases) < 250 {
		t.Errorf("%d sentences, want 250", len(cases))
	}
	for _, c := range cases {
		switch got := b.breaks(c.words); {
		case c.rule == "" && len(got) > 0:
			t.Errorf("%q is asked about for %q", c.words, got)
		case c.rule != "" && !slices.Contains(got, c.rule):
			t.Errorf("%q is asked about for %q, want %q", c.words, got, c.rule)
		}
	}
}

// FuzzNever: what breaks a rule breaks it whatever is written after it, and however
// many signs are in it that nobody sees.
func FuzzNever(f *testing.F) {
	b, err := Load(Shipped(), Directory{})
	if err != nil {
		f.Fatal(err)
	}
	for _, words := range []string{"We will rescue you", "kamu aman?", "Rp. 500.000", "1.", "'", "...", "\u0301", "你", "a\nb", "we will we will we will"} {
		f.Add(words)
	}
	f.Fuzz(func(t *testing.T, words string) {
		found := b.breaks(words)
		after := b.breaks(words + "\nSelamat pagi.")
		hidden := b.breaks("\u200b" + strings.Join(strings.Split(words, ""), "\u200b"))
		for _, rule := range found {
			if !slices.Contains(after, rule) {
				t.Errorf("%q breaks %q, and with a greeting behind it %q", words, found, after)
			}
		}
		if utf8.ValidString(words) && !slices.Equal(found, hidden) {
			t.Errorf("%q breaks %q, and with what nobody sees in it %q", words, found, hidden)
		}
	})
}

// TestNeverFolds: how a word is written does not matter.
func TestNeverFolds(t *testing.T) {
	b, err := Load(Shipped(), Directory{})
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{
		"YOU ARE SAFE", "you are sáfe", "you are sa\u0301fe", "you are s\u200bafe", "ｙｏｕ ａｒｅ ｓａｆｅ", "you're safe", "you’re safe",
		"You   are\tsafe", "**You** are _safe_", "Hello, you are safe", "Jangan khawatir. Anda aman",
	} {
		if !slices.Contains(b.breaks(words), "safety") {
			t.Errorf("%q is not asked about", words)
		}
	}
	for _, words := range []string{"", " ", "...", "you are unsafe", "safer", "youare safe"} {
		if got := b.breaks(words); got != nil {
			t.Errorf("%q is asked about for %q", words, got)
		}
	}
}

// TestNeverFaults: a file that does not fit says where and why.
func TestNeverFaults(t *testing.T) {
	const rule = "rules:\n  - {id: a, name: n, better: b, patterns: [%s]}\n"
	for _, c := range []struct{ text, want string }{
		{"reviewed: maybe", "cannot unmarshal"},
		{"rules:\n  - {id: a}\n", "needs a name"},
		{"rules:\n  - {name: a}\n", "an id of its own"},
		{strings.Replace(rule, "%s", `"~ a"`, 1), "begin with a word"},
		{strings.Replace(rule, "%s", `"a ~ b ~ c ~ d ~ e"`, 1), "three ~"},
		{strings.Replace(rule, "%s", `a/`, 1), "a word is missing"},
		{strings.Replace(rule, "%s", `a*`, 1), "shorter than two"},
		{"extra: 1", "field extra not found"},
	} {
		var f faults
		parseNever("never/xx.yaml", []byte(c.text), &f)
		if err := f.join(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}
