package flows

import (
	"strings"
	"testing"
)

// TestWithheld: what looks like a receipt code is left out wherever it stands, and
// nothing else is.
func TestWithheld(t *testing.T) {
	t.Parallel()
	book, err := Load(Shipped(), Directory{})
	if err != nil {
		t.Fatal(err)
	}
	const mark = "(tidak diteruskan: tampak seperti kode kembali)"
	code := strings.Join(book.codes["id"][100:106], " ")
	english := strings.Join(book.codes["en"][7:13], " ")
	cases := map[string]struct {
		text, want string
		all        bool
	}{
		"words":            {code, mark, true},
		"other list":       {english, mark, true},
		"capitals, signs":  {" " + strings.ToUpper(strings.ReplaceAll(code, " ", ", ")) + ".", " " + mark + ".", true},
		"lines":            {strings.ReplaceAll(code, " ", "\n"), mark, true},
		"wide letters":     {strings.Map(wide, code), mark, true},
		"unseen signs":     {strings.ReplaceAll(code, "a", "a\u200b"), mark, true},
		"in the middle":    {"kode saya " + code + " ya", "kode saya " + mark + " ya", false},
		"on a line":        {"halo\n" + code + "\nya", "halo\n" + mark + "\nya", false},
		"after a colon":    {"ini: " + code, "ini: " + mark, false},
		"as in a sentence": {"dan " + code + " ya", "", false},
		"begins a line":    {code + " ya", "", false},
		"twice":            {code + "\n" + english, mark + "\n" + mark, false},
		"five words":       {strings.Join(strings.Fields(code)[:5], " "), strings.Join(strings.Fields(code)[:5], " "), false},
		"of two lists":     {strings.Join(append(strings.Fields(code)[:3], strings.Fields(english)[:3]...), " "), "", false},
		"digits":           {"0234 5678 9012 3456", mark, true},
		"digits together":  {"0234567890123456", mark, true},
		"digits, dashes":   {"no 0234-5678-9012-3456!", "no " + mark + "!", false},
		"digits apart":     {"0234,  5678,  9012,  3456", mark, true},
		"other digits":     {"٠٢٣٤ ٥٦٧٨ ٩٠١٢ ٣٤٥٦", mark, true},
		"after a letter":   {"nomor:\n0234 5678 9012 3456", "nomor:\n" + mark, false},
		"one digit more":   {"02345678901234567", "02345678901234567", false},
		"identity number":  {"nik 3171 0145 0790 0004", "", false},
		"telephone":        {"+62 812-3456-7890", "+62 812-3456-7890", false},
		"two telephones":   {"081234567890, 081298765432", "081234567890, 081298765432", false},
		"sentence":         {"mereka ambil paspor saya dan kunci pintu", "mereka ambil paspor saya dan kunci pintu", false},
		"empty":            {"", "", false},
		"broken":           {"a\xffb:" + code, "a\xffb:" + mark, false},
		"digits and words": {"1234: " + code, "1234: " + mark, false},
	}
	for name, c := range cases {
		if c.want == "" {
			c.want = c.text
		}
		rest, some, all := book.withhold(c.text)
		if rest != c.want || some != (c.want != c.text) || all != c.all {
			t.Errorf("%s: %q becomes %q, %t, %t; want %q, all %t", name, c.text, rest, some, all, c.want, c.all)
		}
	}
}

// wide is a letter as some keyboards write it.
func wide(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r - 'a' + 'ａ'
	}
	return r
}

// FuzzWithhold: nothing of a new code stays, whatever stands around it, and what
// holds none is as it was.
func FuzzWithhold(f *testing.F) {
	book, err := Load(Shipped(), Directory{})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("please:", " thank you", []byte("0123456789abcdef"))
	f.Add("1234 ", "\u202e", []byte("................"))
	f.Fuzz(func(t *testing.T, before, after string, fresh []byte) {
		turn := &turn{book: book}
		copy(turn.m.Fresh[:], fresh)
		code := turn.newCode(codeAsWords)
		rest, some, _ := book.withhold(before + "\n" + code + "\n" + after)
		if !some || strings.Contains(FoldCode(rest), code) {
			t.Fatalf("%q is not left out: %q", code, rest)
		}
		if rest, some, _ := book.withhold(before); !some && rest != before {
			t.Fatalf("%q becomes %q", before, rest)
		}
	})
}
