package seal

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
)

func newHybrid(t testing.TB) string {
	t.Helper()
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id.Recipient().String()
}

func newClassic(t testing.TB) string {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id.Recipient().String()
}

func TestFingerprint(t *testing.T) {
	key := newHybrid(t)
	want := fmt.Sprintf("%x", sha256.Sum256([]byte(key)))[:20]
	got := Fingerprint(key)
	if strings.ReplaceAll(got, "-", "") != want || len(got) != 24 {
		t.Errorf("got %s, want the groups of %s", got, want)
	}
}

func TestParseRecipients(t *testing.T) {
	siti, budi, vault := newHybrid(t), newHybrid(t), newHybrid(t)
	text := "\ufeff# Officers on duty\r\n\n" +
		"siti officer " + siti + " " + Fingerprint(siti) + "\r\n" +
		"  budi.2\tofficer\t" + budi + "\t" + strings.ToUpper(Fingerprint(budi)) + "\n" +
		"#" + "\n" +
		"brankas recovery " + vault + " " + Fingerprint(vault)
	got, err := ParseRecipients([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []Recipient{{"siti", RoleOfficer, siti}, {"budi.2", RoleOfficer, budi}, {"brankas", RoleRecovery, vault}}
	if diff := cmp.Diff(want, got.All()); diff != "" {
		t.Error(diff)
	}
	if !got.Hybrid() {
		t.Error("hybrid keys are not seen as such")
	}
	back, err := ParseRecipients([]byte(got.String()))
	if err != nil || back.sum() != got.sum() {
		t.Errorf("what String gives does not read back: %v", err)
	}
	classic := newClassic(t)
	if got, err := ParseRecipients([]byte(Recipient{"siti", RoleOfficer, classic}.String())); err != nil || got.Hybrid() {
		t.Errorf("a file of classic keys: %v", err)
	}
}

func TestParseRecipientsFaults(t *testing.T) {
	siti, budi := newHybrid(t), newHybrid(t)
	classic, classic2 := newClassic(t), newClassic(t)
	key, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	secret := key.String()
	line := func(name, role, key string) string { return Recipient{name, Role(role), key}.String() }
	ok := line("siti", "officer", siti)
	for name, try := range map[string]struct {
		text string
		want []string // "line: words", in order
	}{
		"empty":           {"", []string{"0: empty"}},
		"comments only":   {"# siti\n\n", []string{"0: empty"}},
		"no officer":      {line("v", "recovery", siti), []string{"0: no officer"}},
		"unknown role":    {line("siti", "boss", siti), []string{"1: unknown role"}},
		"role in capital": {line("siti", "Officer", siti), []string{"1: unknown role"}},
		"few fields":      {"siti officer " + siti, []string{"1: found 3"}},
		"many fields":     {ok + " x", []string{"1: found 5"}},
		"cut key":         {line("siti", "officer", siti[:len(siti)-1]), []string{"1: malformed"}},
		"capital key":     {line("siti", "officer", strings.ToUpper(siti)), []string{"1: malformed"}},
		"ssh key":         {line("siti", "officer", "ssh-ed25519"), []string{"1: malformed"}},
		"mistyped key":    {line("siti", "officer", strings.Replace(siti, siti[20:21], string(siti[20]^1), 1)), []string{"1: malformed"}},
		"fingerprint":     {strings.Replace(ok, Fingerprint(siti), Fingerprint(budi), 1), []string{"1: fingerprint"}},
		"cut fingerprint": {ok[:len(ok)-1], []string{"1: fingerprint"}},
		"same name":       {ok + "\n" + line("Siti", "officer", budi), []string{"2: already in line 1"}},
		"same key":        {ok + "\n" + line("budi", "officer", siti), []string{"2: already in line 1"}},
		"name":            {line("si/ti", "officer", siti), []string{"1: the name"}},
		"flag as name":    {line("-siti", "officer", siti), []string{"1: the name"}},
		"long name":       {line(strings.Repeat("s", 65), "officer", siti), []string{"1: the name"}},
		"reserved":        {ok + "\n@signed by key abc", []string{"2: the name"}},
		"not UTF-8":       {ok + "\n\xff officer x y", []string{"2: not valid UTF-8"}},
		"NUL":             {ok + "\na\x00b officer " + budi + " x", []string{"2: the name"}},
		"one classic":     {ok + "\n" + line("budi", "officer", budi) + "\n" + line("tono", "recovery", classic), []string{"3: tono: the key is classic"}},
		"one hybrid":      {line("tono", "officer", classic) + "\n" + ok + "\n" + line("rina", "officer", classic2), []string{"2: siti: the key is hybrid"}},
		"one of each":     {line("tono", "officer", classic) + "\n" + ok, []string{"1: tono: the key is classic"}},
		"private key":     {ok + "\n" + secret, []string{"2: private key"}},
		"as a recipient":  {ok + "\nbudi officer " + secret + " x", []string{"2: private key"}},
		"in a comment":    {ok + "\n# " + secret, []string{"2: private key"}},
		"in small":        {ok + "\n" + strings.ToLower(secret), []string{"2: private key"}},
		"plugin":          {ok + "\nAGE-PLUGIN-YUBIKEY-1QQQQ", []string{"2: private key"}},
		"all at once": {"x\n" + line("siti", "boss", "age1x") + "\n" + secret + "\n" + ok + "\n" + ok, []string{
			"1: found 1", "2: unknown role", "2: malformed", "3: private key", "4: already in line 2", "5: already in line 2", "5: already in line 4",
		}},
	} {
		_, err := ParseRecipients([]byte(try.text))
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		var got []string
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range joined.Unwrap() {
				var f *LineFault
				if !errors.As(e, &f) {
					t.Fatalf("%s: %T", name, e)
				}
				got = append(got, fmt.Sprintf("%d: %s", f.Line, f.Problem))
			}
		}
		if len(got) != len(try.want) {
			t.Errorf("%s: got %q, want %q", name, got, try.want)
			continue
		}
		for i, want := range try.want {
			n, words, _ := strings.Cut(want, ": ")
			if !strings.HasPrefix(got[i], n+": ") || !strings.Contains(got[i], words) {
				t.Errorf("%s: got %q, want %q", name, got[i], want)
			}
		}
		if strings.Contains(strings.ToUpper(err.Error()), secret[25:60]) {
			t.Errorf("%s: the error holds the private key", name)
		}
	}
	var many strings.Builder
	for i := range maxRecipients + 1 {
		fmt.Fprintln(&many, Recipient{fmt.Sprintf("o%d", i), RoleOfficer, newClassic(t)})
	}
	if _, err := ParseRecipients([]byte(many.String())); err == nil {
		t.Error("more recipients than a header can bear are accepted")
	}
}

// What is accepted is written back to what is read as the same, and age seals
// to it; what is refused says so by line.
func FuzzParseRecipients(f *testing.F) {
	siti, budi := newHybrid(f), newClassic(f)
	f.Add(Recipient{"siti", RoleOfficer, siti}.String())
	f.Add(Recipient{"budi", RoleOfficer, budi}.String() + "\n# x\n" + Recipient{"rina", RoleRecovery, budi}.String())
	f.Add("# only a comment")
	f.Add("AGE-SECRET-KEY-1QQQ")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseRecipients([]byte(text))
		if err != nil {
			if f := new(LineFault); !errors.As(err, &f) {
				t.Fatalf("%T", err)
			}
			return
		}
		back, err := ParseRecipients([]byte(got.String()))
		if err != nil {
			t.Fatalf("written back: %v", err)
		}
		if diff := cmp.Diff(got.All(), back.All()); diff != "" {
			t.Error(diff)
		}
		keys, err := got.keys()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sealTo(nil, keys...); err != nil {
			t.Errorf("age refuses the accepted keys: %v", err)
		}
	})
}
