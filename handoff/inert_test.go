package handoff

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestInert(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"plain", "halo", "> \u2060halo"},
		{"two lines", "satu\ndua", "> \u2060satu\n> \u2060dua"},
		{"line ends", "a\r\nb\rc\u2028d", "> \u2060a\n> \u2060b\n> \u2060c\n> \u2060d"},
		{"many breaks", "\n\na\n\n \n\n\nb\n\n", "> \u2060a\n> \u2060\n> \u2060b"},
		{"mention", "@channel @here", "> \u2060@\u2060channel @\u2060here"},
		{"control", "a\x00b\x1b[31mc\x7f\u0081d", `> ` + "\u2060ab" + `\[31mcd`},
		{"bidi", "a\u202eb\u2066c\u200fd", "> \u2060abcd"},
		{"zero width", "a\u200bb\ufeffc\u2060d\u00ade\U000E0041", "> \u2060abcde"},
		{"joiners of scripts", "می\u200cخواهم 👩\u200d🚀 a\u200db", "> \u2060می\u200cخواهم 👩\u200d🚀 ab"},
		{"zalgo", "a" + strings.Repeat("\u0301", 100) + "b", "> \u2060a" + strings.Repeat("\u0301", maxMarks) + "b"},
		{"image", "![x](http://a.test/b)", "> \u2060!\\[x\\]\u2060(http:\u2060//a.test/b)"},
		{"www", "www.a.test WWW2.a.test wwww", "> \u2060www\u2060.a.test WWW2\u2060.a.test wwww"},
		{"other links", "mailto:a tel:1 9: 10", "> \u2060mailto:\u2060a tel:\u20601 9: 10"},
		{"fence", "```tex\nx\n```", "> \u2060\\`\\`\\`tex\n> \u2060x\n> \u2060\\`\\`\\`"},
		{"formula", "$$\\phantom{x}$$", "> \u2060＄＄\\\\phantom{x}＄＄"},
		{"table", "a|b\n-|-\nc|d|e", "> \u2060a|b\n> \u2060-|-\n> \u2060c|d|e"},
		{"nothing to see", "\u200b\u200b", "> \u2060"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Inert(tt.text)); diff != "" {
				t.Errorf("Inert (-want +got):\n%s", diff)
			}
		})
	}
}

// FuzzInert states what holds for any text at all.
func FuzzInert(f *testing.F) {
	for _, seed := range []string{
		"", "@channel", "\\@all", "![a](http://x)", "a\x00b", "\xff\xfe", "> ```\n\\", "\n\n\n", "www.www.", "$x$",
		"a\u202e\u0301\u0301", strings.Repeat("a\n", 40), "\u0645\u200c\u200c\u200d", "<http://a>&#64;here", "~town", "#tag",
	} {
		f.Add(seed)
	}
	mention := regexp.MustCompile(`@[^\x{2060}]|@$`)
	f.Fuzz(func(t *testing.T, text string) {
		got := Inert(text)
		if n, most := utf8.RuneCountInString(got), 4*utf8.RuneCountInString(text)+3; n > most {
			t.Errorf("%d runes, want at most %d", n, most)
		}
		for line := range strings.SplitSeq(got, "\n") {
			if !strings.HasPrefix(line, quote) {
				t.Fatalf("a line outside of the quotation: %q", line)
			}
			for _, r := range line {
				if unicode.IsControl(r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 || r >= 0xE0000 && r <= 0xE007F {
					t.Errorf("%U is in it", r)
				}
			}
		}
		if mention.MatchString(got) {
			t.Errorf("a bare @ in %q", got)
		}
		for _, live := range []string{"://", "![", "](", "```", "~~", "$", "\n\n\n", "mailto:a", "&#", "</"} {
			if strings.Contains(got, live) {
				t.Errorf("%q in %q", live, got)
			}
		}
		// An officer reads every visible character.
		if want := strings.ReplaceAll(string(clean(text)), "$", "＄"); Shown(got) != want {
			t.Errorf("an officer reads %q, want %q", Shown(got), want)
		}
		// In parts it is the same text, but for breaks at the cuts.
		parts := inert(text, 20)
		read := ""
		for _, part := range parts {
			if n := utf8.RuneCountInString(part); n > 20 {
				t.Errorf("a part of %d runes", n)
			}
			read += Shown(part)
		}
		flat := func(s string) string { return strings.ReplaceAll(s, "\n", "") }
		if flat(read) != flat(Shown(got)) {
			t.Errorf("in parts an officer reads %q, want %q", read, Shown(got))
		}
	})
}
