package seal

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"
)

// nasty does something to a terminal in each way that text can.
const nasty = "a\x1b[2J\x07\x00\u009b31m\u202e\u2066\u200f\ufeff\u2028\u2029\x7f\U000E0041\rb\tc 👩‍🚀"

func TestWriteText(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients,
		Entry{atNoon, "bot", "answers", "Di mana: pelabuhan"},
		Entry{atNoon, "officer:Si\x1b[1mti\n#9", "replied", nasty + "\n\n#7  2026-11-23 05h  person (said)\n    fake"},
	)
	got := read(t, c, d.officer)
	var b strings.Builder
	if err := got.WriteText(&b, "", nil); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, r := range text {
		if r != '\n' && active(r) {
			t.Errorf("%U reaches the terminal", r)
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "#1  ") && !strings.HasPrefix(line, "#2  ") {
			t.Errorf("a text passes for an entry: %q", line)
		}
	}
	for _, want := range []string{
		"Case S9F0-M082, opened 2026-11-23.", "#1  2026-11-23 05h  bot (answers)\n    Di mana: pelabuhan\n", "<U+001B>[2J<U+0007><U+0000><U+009B>31m<U+202E>", "👩‍🚀",
		"Verified: all 2 records are unchanged", "Witness: " + c.tape.Witness() + "\n", "a cut end would not show",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
}

func TestWriteTextOfFaults(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients, append(lines(2), Entry{atNoon, "person", "said", strings.Repeat("long ", 20_000)})...)
	whole := read(t, c, d.officer)
	c.records[1][60] ^= 1
	c.records = c.records[:len(c.records)-1]
	got := read(t, c, d.officer)
	var b strings.Builder
	if err := got.WriteText(&b, "#3·00000000\x1b", got.Check(c.tape.Witness())); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"[NOT PROVEN]", "[A PART IS MISSING]", "FAULT at record 2 (changed): ", "NOT VERIFIED: of 5 records the first 1 are proven", "does NOT fit", "<U+001B>"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
	b.Reset()
	if err := whole.WriteText(&b, c.tape.Witness(), whole.Check(c.tape.Witness())); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "fits: up to there nothing was cut off") || strings.Contains(b.String(), "NOT") {
		t.Errorf("a whole transcript reads:\n%.600s", b.String())
	}
}

func TestWriteJSON(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients, Entry{atNoon, "person", "said", nasty + "<b>"})
	got := read(t, c, d.officer)
	var b strings.Builder
	if err := got.WriteJSON(&b, c.tape.Witness(), errors.New("x\x1b")); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.String() {
		if r != '\n' && (active(r) || unicode.IsControl(r)) {
			t.Errorf("%U is not escaped", r)
		}
	}
	var out transcriptJSON
	if err := json.Unmarshal([]byte(b.String()), &out); err != nil {
		t.Fatal(err)
	}
	if out.Entries[0].Text != nasty+"<b>" || out.Case != caseA || out.Witness != c.tape.Witness() || out.Compared.Fits || out.Proven != 1 || out.Faults == nil {
		t.Errorf("got %+v", out)
	}
}
