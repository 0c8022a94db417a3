package caseid

import (
	"strings"
	"testing"
)

var caseA = ID{0xca, 0x5e, 0x0a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}

func TestCode(t *testing.T) {
	for id, want := range map[ID]string{
		{}:                           "0000-0000",
		{255, 255, 255, 255, 255, 1}: "ZZZZ-ZZZZ",
		caseA:                        "S9F0-M082",
	} {
		if got := id.Code(); got != want {
			t.Errorf("%s: got %s, want %s", id, got, want)
		}
		prefix, err := ParseCode(want)
		if err != nil || !strings.HasPrefix(id.String(), prefix) || len(prefix) != 10 {
			t.Errorf("%s: parsed to %q, %v", want, prefix, err)
		}
	}
}

func TestParseCodeAsPeopleWriteIt(t *testing.T) {
	want, err := ParseCode("S9F0-M082")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"s9f0-m082", "S9F0M082", " s9 f0 m0 82 ", "S9FO-MO82", "s9fO-mo82", "S9F0–M082", "S-9-F-0-M-0-8-2"} {
		if got, err := ParseCode(code); got != want || err != nil {
			t.Errorf("%q: got %q, %v", code, got, err)
		}
	}
	one, err := ParseCode("1111-0000")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"iIlL-oO0o", "1l1i oooo"} {
		if got, err := ParseCode(code); got != one || err != nil {
			t.Errorf("%q: got %q, %v", code, got, err)
		}
	}
	for _, code := range []string{"", "-", "S9F0-M08", "S9F0-M0821", "S9F0-M08U", "S9F0-M08*", "S9F0-M08é", strings.Repeat("-", 1000), "S9F0\x00M082", caseA.String()} {
		if got, err := ParseCode(code); err == nil {
			t.Errorf("%.20q: accepted as %q", code, got)
		}
	}
}

func TestParse(t *testing.T) {
	id, err := Parse(caseA.String())
	if err != nil || id != caseA {
		t.Errorf("got %s, %v", id, err)
	}
	for _, name := range []string{"", "ca5e", strings.ToUpper(caseA.String()), caseA.String() + "00", "../../../../../../../../etc/passwd"} {
		if _, err := Parse(name); err == nil {
			t.Errorf("%q: accepted", name)
		}
	}
}

// What is read as a code is written back as the same code.
func FuzzParseCode(f *testing.F) {
	for _, s := range []string{"S9F0-M082", "oOiI-lL01", "zzzz zzzz", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, code string) {
		prefix, err := ParseCode(code)
		if err != nil {
			return
		}
		id, err := Parse(prefix + strings.Repeat("0", 22))
		if err != nil {
			t.Fatalf("prefix %q: %v", prefix, err)
		}
		again, err := ParseCode(id.Code())
		if err != nil || again != prefix {
			t.Errorf("%q is %q, written %q, read back %q, %v", code, prefix, id.Code(), again, err)
		}
	})
}
