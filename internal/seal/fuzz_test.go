package seal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What is read as a witness is written back to one that reads the same, and one with
// another digit of the head is another.
func FuzzWitness(f *testing.F) {
	f.Add("#12·0a1b2c3d4e5f6071")
	f.Add(" 7 : 0A1B2C3D4E5F6071FF")
	f.Add("#1·0")
	f.Fuzz(func(t *testing.T, text string) {
		seq, head, err := parseWitness(text)
		if err != nil {
			if !errors.Is(err, ErrWitness) {
				t.Fatalf("%v", err)
			}
			return
		}
		if len(head) < witnessDigits || len(head) > 64 {
			t.Fatalf("%d digits", len(head))
		}
		again, back, err := parseWitness(witness(seq, mustHex(head+strings.Repeat("0", len(head)%2))))
		if err != nil || again != seq || back != head[:witnessDigits] {
			t.Errorf("read %d %q, and written back %d %q, %v", seq, head, again, back, err)
		}
	})
}

// Whatever CHAIN says: nothing outside the folder is read, and a folder that is read
// is one that Export writes back the same.
func FuzzReadFolder(f *testing.F) {
	chain, err := os.ReadFile(filepath.Join(goldenDir, "case", folderChain))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(chain))
	f.Add("HL1 3c04d5f67d101112131415161718191a\n../officer.key 1 00\n")
	f.Add("HL1 3c04d5f67d101112131415161718191a\n00000001.damaged\n")
	const outside = "canary outside"
	f.Fuzz(func(t *testing.T, text string) {
		top := t.TempDir()
		dir := filepath.Join(top, "case")
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(goldenDir, "case"))); err != nil {
			t.Fatal(err)
		}
		for path, data := range map[string]string{
			filepath.Join(top, "00000001.age"): outside, filepath.Join(top, "x.damaged"): outside,
			filepath.Join(dir, "00000001.damaged"): "tolong", filepath.Join(dir, folderChain): text,
		} {
			if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		id, header, records, err := ReadFolder(dir)
		if err != nil {
			return
		}
		for _, r := range records {
			if bytes.Contains(r, []byte(outside)) {
				t.Fatal("a file outside the folder was read")
			}
		}
		back := filepath.Join(top, "back")
		if err := Export(back, id, header, records); err != nil {
			t.Fatal(err)
		}
		id2, header2, records2, err := ReadFolder(back)
		if err != nil || id2 != id || !bytes.Equal(header2, header) || !cmp.Equal(records2, records) {
			t.Errorf("%d records, and written back %d, %v", len(records), len(records2), err)
		}
	})
}

// A sum that is read takes what it says and no more, and a guess at it never fails
// but with ErrPhrase. (No guess is computed: it is dear on purpose.)
func FuzzPhrase(f *testing.F) {
	sum, err := SumPhrase(PhraseCost{1, 8}, bytes.NewReader(make([]byte, 16)), "nasi goreng")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sum)
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=1$AAAA$AAAA")
	f.Fuzz(func(t *testing.T, text string) {
		cost, salt, want, err := parsePhrase(text)
		if err != nil {
			if !errors.Is(err, ErrPhrase) {
				t.Fatalf("%v", err)
			}
			return
		}
		if len(salt) != phraseSalt || len(want) != phraseSum || cost.Passes < 1 || cost.Passes > mostPhrasePasses || cost.Memory > mostPhraseMemory {
			t.Errorf("cost %+v, %d bytes of salt, %d of sum", cost, len(salt), len(want))
		}
	})
}

// A key file that does not read is ErrKeyFile, and the error holds nothing of it; one
// that reads has an identity.
func FuzzIdentities(f *testing.F) {
	for _, name := range []string{"officer.key", "officer-plain.key"} {
		file, err := os.ReadFile(filepath.Join(goldenDir, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(file))
	}
	f.Add("AGE-PLUGIN-X-1\n")
	nobody := errors.New("nobody to ask")
	f.Fuzz(func(t *testing.T, text string) {
		ids, err := Identities([]byte(text), func() (string, error) { return "", nobody })
		switch {
		case err == nil && len(ids) == 0:
			t.Error("no identity and no error")
		case err != nil && !errors.Is(err, ErrKeyFile) && !errors.Is(err, nobody):
			t.Errorf("%T", err)
		}
		if _, err := RosterKey([]byte(text), func() (string, error) { return "", nobody }); err != nil &&
			!errors.Is(err, ErrRosterKey) && !errors.Is(err, ErrKeyFile) && !errors.Is(err, nobody) {
			t.Errorf("as a roster's key: %T", err)
		}
	})
}

// Whatever is said is in the records, once and in order, each within its bounds; and
// an entry reads as it was written.
func FuzzEntry(f *testing.F) {
	f.Add("person", "said", "tolong \u2028<b>", uint16(1))
	f.Add("officer:Siti", "note", "panjang ", uint16(9000))
	f.Add("\xff", "", "\xff\x00", uint16(3))
	f.Fuzz(func(t *testing.T, from, kind, text string, times uint16) {
		e := Entry{time.Date(2026, 11, 23, 5, 47, 0, 0, time.UTC), from, kind, strings.Repeat(text, int(times)%512)}
		parts, err := split(e, 7)
		if err != nil {
			if !errors.Is(err, ErrEntry) || len(from)+len(kind) < 1000 {
				t.Errorf("%d bytes of sender and kind: %v", len(from)+len(kind), err)
			}
			return
		}
		var j joiner
		for i, p := range parts {
			if b := p.marshal(); len(b) > maxEntry || p.N != uint64(i)+7 {
				t.Fatalf("part %d has number %d and %d bytes", i, p.N, len(b))
			}
			j.add(p, true)
		}
		if len(j.out) != 1 || !j.out[0].Whole || j.out[0].Text != string([]rune(e.Text)) {
			t.Errorf("%d entries of %d parts", len(j.out), len(parts))
		}
	})
}
