package seal

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func ledger(t testing.TB, text string) Ledger {
	t.Helper()
	l, err := ParseLedger([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// added adds a key and has two people confirm it.
func added(t testing.TB, l Ledger, r Recipient) Ledger {
	t.Helper()
	l, err := l.Add(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []string{"tuti", "joko"} {
		if l, _, err = l.Confirm(r.Name, by, r.Fingerprint()); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// A key counts when two people have compared its fingerprint, not before.
func TestLedger(t *testing.T) {
	siti := Recipient{"siti", RoleOfficer, newHybrid(t)}
	l, err := ledger(t, "# The desk.\n\n").Add(siti)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseRecipients([]byte(l.String())); err == nil || !strings.Contains(err.Error(), "nobody counts yet") {
		t.Errorf("nobody has confirmed it: %v", err)
	}
	spoken := strings.ToUpper(strings.ReplaceAll(siti.Fingerprint(), "-", " "))
	l, line, err := l.Confirm("Siti", "budi", spoken)
	if err != nil || line.Standing != Waits {
		t.Fatalf("%+v, %v", line, err)
	}
	if _, err := ParseRecipients([]byte(l.String())); err == nil {
		t.Error("it counts with one confirmation")
	}
	for by, want := range map[string]string{"Budi": "confirmed it already", "SITI": "their own key", "a b": "who confirms"} {
		if _, _, err := l.Confirm("siti", by, spoken); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", by, err, want)
		}
	}
	if _, _, err := l.Confirm("siti", "rani", strings.Replace(spoken, spoken[:4], "0000", 1)); !errors.Is(err, ErrHeard) {
		t.Errorf("another fingerprint was heard: %v", err)
	}
	if _, _, err := l.Confirm("rina", "rani", spoken); err == nil || !strings.Contains(err.Error(), "no rina") {
		t.Errorf("nobody of that name: %v", err)
	}
	before := l.String()
	l2, line, err := l.Confirm("siti", "rani", siti.Fingerprint())
	if err != nil || line.Standing != Counts || l.String() != before {
		t.Fatalf("%+v, %v", line, err)
	}
	got, err := ParseRecipients([]byte(l2.String()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Recipient{siti}, got.All()); diff != "" {
		t.Error(diff)
	}
	if want := "# The desk.\n\n" + siti.String() + "  confirmed:budi,rani\n"; l2.String() != want {
		t.Errorf("the file is\n%s", l2)
	}
	if by := l2.Unconfirmed(); len(by) != 0 {
		t.Errorf("unconfirmed: %q", by)
	}
	if by := ledger(t, siti.String()).Unconfirmed(); !cmp.Equal(by, []string{"siti"}) {
		t.Errorf("a line that was written by hand: unconfirmed %q", by)
	}
}

// What must not come in, or not go, is named.
func TestLedgerRefuses(t *testing.T) {
	siti, budi := Recipient{"siti", RoleOfficer, newHybrid(t)}, Recipient{"budi", RoleOfficer, newHybrid(t)}
	l := added(t, ledger(t, ""), siti)
	if _, err := l.Remove("siti"); err == nil || !strings.Contains(err.Error(), "without siti the file would be refused") {
		t.Errorf("the last officer: %v", err)
	}
	l = added(t, l, budi)
	gone, err := l.Remove("budi")
	if err != nil {
		t.Fatal(err)
	}
	list, err := ParseRecipients([]byte(gone.String()))
	if err != nil || len(list.All()) != 1 || !strings.Contains(gone.String(), "\n- budi") {
		t.Errorf("removed: %v\n%s", err, gone)
	}
	if _, err := gone.Remove("budi"); err == nil || !strings.Contains(err.Error(), "there is no budi") {
		t.Errorf("removed twice: %v", err)
	}
	for want, r := range map[string]Recipient{
		"the key was revoked in line 2":     {"rina", RoleOfficer, budi.Key},
		"the name is already in line 1":     {"Siti", RoleOfficer, newHybrid(t)},
		"the key is already in line 1":      {"rina", RoleOfficer, siti.Key},
		"the key is classic":                {"rina", RoleOfficer, newClassic(t)},
		"unknown role":                      {"rina", "boss", newHybrid(t)},
		"malformed":                         {"rina", RoleOfficer, siti.Key[:60]},
		"the name must be letters, digits,": {"ri;na", RoleOfficer, newHybrid(t)},
	} {
		if _, err := gone.Add(r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	// Whoever lost a key gets another one under the same name.
	again := added(t, gone, Recipient{"budi", RoleOfficer, newHybrid(t)})
	if list, err := ParseRecipients([]byte(again.String())); err != nil || len(list.All()) != 2 {
		t.Errorf("a new key: %v", err)
	}
	// A line that comes back by hand is refused.
	if _, err := ParseRecipients([]byte(again.String() + Recipient{"x", RoleOfficer, budi.Key}.String())); err == nil || !strings.Contains(err.Error(), "line 4: x: the key was revoked in line 2") {
		t.Errorf("by hand: %v", err)
	}
	for _, bad := range []string{siti.String() + " confirmed:a,A", siti.String() + " confirmed:", siti.String() + " x", "?", "- -", "? ? " + siti.String()} {
		if _, err := ParseLedger([]byte(bad)); err == nil || strings.Contains(err.Error(), siti.Key) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}

// A file reads back as it is written, and what counts is what ParseRecipients
// takes, whatever it is made of.
func FuzzParseLedger(f *testing.F) {
	siti, budi := Recipient{"siti", RoleOfficer, newHybrid(f)}, Recipient{"budi", RoleOfficer, newHybrid(f)}
	l := added(f, added(f, ledger(f, "# note"), siti), budi)
	gone, err := l.Remove("budi")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(gone.String())
	f.Add("? " + siti.String() + " confirmed:x")
	f.Add("- - -")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ParseLedger([]byte(text))
		if err != nil {
			if f := new(LineFault); !errors.As(err, &f) {
				t.Fatalf("%T", err)
			}
			return
		}
		back, err := ParseLedger([]byte(l.String()))
		if err != nil {
			t.Fatalf("written back: %v", err)
		}
		if diff := cmp.Diff(l.All(), back.All()); diff != "" {
			t.Error(diff)
		}
		var counts []Recipient
		for _, one := range l.All() {
			if one.Standing == Counts {
				counts = append(counts, one.Recipient)
			}
		}
		if list, err := ParseRecipients([]byte(text)); err == nil && !cmp.Equal(list.All(), counts) {
			t.Error("what counts is another in ParseRecipients")
		}
	})
}
