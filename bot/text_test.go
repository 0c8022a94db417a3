package bot

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func units(text string) int { return len(utf16.Encode([]rune(text))) }

// TestPieces: every piece fits and is to be seen, and together they are the
// text but for the white space between them.
func TestPieces(t *testing.T) {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.StringOfN(rapid.RuneFrom([]rune("ab \n😀é\u0301\u200d👩🏽")), 0, 40, -1).Draw(t, "part")
		text := strings.Repeat(part, rapid.IntRange(0, 800).Draw(t, "times"))
		got := pieces(text)
		for _, p := range got {
			if units(p) > maxText || blank(p) || !utf8.ValidString(p) {
				t.Fatalf("a piece of %d units", units(p))
			}
		}
		if !blank(text) && squeeze(strings.Join(got, "")) != squeeze(text) && !strings.Contains(text, "\u200d") {
			t.Fatal("something was lost")
		}
		if units(fit(text)) > maxText || (units(text) <= maxText && fit(text) != text) {
			t.Fatalf("fit to %d units", units(fit(text)))
		}
	})
}

func TestACharacterIsNotParted(t *testing.T) {
	family := "👩🏽‍👧" // one character of 7 units
	text := strings.Repeat(family, 1000)
	for _, p := range pieces(text) {
		if !strings.HasPrefix(p, "👩🏽‍👧") || !strings.HasSuffix(p, "👩🏽‍👧") {
			t.Errorf("parted: %q … %q", p[:20], p[len(p)-20:])
		}
	}
	marks := "a" + strings.Repeat("\u0301", 5000)
	if got := pieces(marks); len(got) != 2 {
		t.Errorf("%d pieces of a character that is longer than a message", len(got))
	}
}
