package seal

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden vectors anew")

// The golden case is a case of format HL1 as the first version wrote it. Every
// later version reads it. Its keys are known to everybody.
//
//	officer.key        siti's key, encrypted with goldenPassphrase
//	officer-plain.key  the same, in the clear
//	recovery-plain.key the recovery key, in the clear
//	recipients         the file that the case was sealed to
//	case/              the case as Export writes it
//	vectors.json       what the chain is made of
//	transcript.json    what is read
//	transcript.txt     the same for people
const (
	goldenDir        = "testdata/golden"
	goldenPassphrase = "lima kata yang mudah diingat"
	goldenCost       = 10
)

// goldenVectors is everything that the chain is made of, for another program
// that implements the format.
type goldenVectors struct {
	Case      CaseID       `json:"case"`
	Epoch     uint32       `json:"epoch"`
	CaseKey   string       `json:"case_key"`
	Recipient string       `json:"recipient"`
	MAC0      string       `json:"mac0"`
	Head0     string       `json:"head_0"`
	Records   []goldenLink `json:"records"`
	Witness   string       `json:"witness"`
}

type goldenLink struct {
	Seq    uint64 `json:"seq"`
	SHA256 string `json:"sha256"` // of the record
	TagKey string `json:"tag_key"`
	Tag    string `json:"tag"`
	MAC    string `json:"mac"`  // a after it
	Head   string `json:"head"` // head after it
}

func goldenEntries() []Entry {
	at := time.Date(2026, 11, 23, 5, 47, 31, 0, time.UTC)
	return []Entry{
		{at, "bot", "answers", "Bahasa: Indonesia\nBahaya sekarang: ya\nDi mana: gedung biru dekat pelabuhan"},
		{at.Add(2 * time.Minute), "person", "said", "tolong, paspor saya diambil 🆘"},
		{at.Add(15 * time.Minute), "officer:Siti", "claimed", ""},
		{at.Add(16 * time.Minute), "officer:Siti", "replied", "Kami membaca pesan Anda. <b>Jangan</b> \"menelepon\"\u2028dulu & tunggu."},
		{at.Add(time.Hour), "person", "said", "dari \x1b[31mlayar\x1b[0m \u202eterbalik\u202c"},
		{at.Add(2 * time.Hour), "officer:Siti", "note", strings.Repeat("catatan panjang, ", 2_500)},
		{at.Add(30 * time.Hour), "officer:Siti", "closed", ""},
	}
}

// TestGoldenWriting makes the golden case again from the same randomness and
// wants the same bytes. It fails when this program, age or Go's use of
// randomness changes; only in the last two cases may the vectors be written
// anew, and TestGoldenReading must pass before.
func TestGoldenWriting(t *testing.T) {
	cryptotest.SetGlobalRandom(t, 1)
	out := t.TempDir()
	files := map[string][]byte{}

	officerKey, officer, err := NewOfficerKey(goldenPassphrase, goldenCost)
	if err != nil {
		t.Fatal(err)
	}
	identities, err := Identities(officerKey, knows(goldenPassphrase))
	if err != nil {
		t.Fatal(err)
	}
	files["officer.key"] = officerKey
	files["officer-plain.key"] = []byte("# A test key, known to everybody.\n" + identities[0].(*age.HybridIdentity).String() + "\n")
	recovery, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	files["recovery-plain.key"] = []byte("# A test key, known to everybody.\n" + recovery.String() + "\n")
	files["recipients"] = []byte("# The desk of the golden case.\n" +
		Recipient{"siti", RoleOfficer, officer}.String() + "\n" + Recipient{"brankas", RoleRecovery, recovery.Recipient().String()}.String() + "\n")
	desk, err := ParseRecipients(files["recipients"])
	if err != nil {
		t.Fatal(err)
	}

	id := CaseID{0x3c, 0x04, 0xd5, 0xf6, 0x7d, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a}
	tape, header, err := NewTape(id, desk, time.Date(2026, 11, 23, 5, 47, 31, 0, time.UTC), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var records [][]byte
	for _, e := range goldenEntries() {
		next, more, err := tape.Append(e)
		if err != nil {
			t.Fatal(err)
		}
		tape, records = next, append(records, more...)
	}
	if err := Export(filepath.Join(out, "case"), id, header, records); err != nil {
		t.Fatal(err)
	}
	got, err := ReadTranscript(id, header, records, recovery)
	if err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(w *bytes.Buffer) error{
		"transcript.json": func(w *bytes.Buffer) error { return got.WriteJSON(w, tape.Witness(), got.Check(tape.Witness())) },
		"transcript.txt":  func(w *bytes.Buffer) error { return got.WriteText(w, "", nil) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		files[name] = b.Bytes()
	}
	files["vectors.json"] = vectors(t, header, records, recovery, tape.Witness())

	for name, data := range files {
		if err := os.WriteFile(filepath.Join(out, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if *update {
		if err := os.RemoveAll(goldenDir); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(goldenDir, os.DirFS(out)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(tree(t, goldenDir), tree(t, out)); diff != "" {
		t.Errorf("(-golden +written):\n%.3000s", diff)
	}
}

// vectors takes the chain apart.
func vectors(t *testing.T, sealedHeader []byte, records [][]byte, key age.Identity, witness string) []byte {
	t.Helper()
	h, err := openHeader(sealedHeader, []age.Identity{key})
	if err != nil {
		t.Fatal(err)
	}
	v := goldenVectors{
		Case: h.caseID, Epoch: h.epoch, CaseKey: h.identity.String(), Recipient: h.identity.Recipient().String(),
		MAC0: hex.EncodeToString(h.mac0[:]), Witness: witness,
	}
	l := firstLink(h.caseID, h.epoch, h.mac0, h.prevHead, v.Recipient)
	v.Head0 = hex.EncodeToString(l.head[:])
	for _, b := range records {
		f, err := parseRecord(b)
		if err != nil {
			t.Fatal(err)
		}
		var r goldenLink
		r.Seq, r.SHA256, r.Tag = f.seq, hex.EncodeToString(sha256Bytes(b)), hex.EncodeToString(f.tag[:])
		r.TagKey = hex.EncodeToString(expand(l.mac, "hl1 mac tag"))
		l = l.next(b)
		r.MAC, r.Head = hex.EncodeToString(l.mac[:]), hex.EncodeToString(l.head[:])
		v.Records = append(v.Records, r)
	}
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

// TestGoldenReading is the promise to every case that was ever sealed.
func TestGoldenReading(t *testing.T) {
	id, header, records, err := ReadFolder(filepath.Join(goldenDir, "case"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"officer.key", "officer-plain.key", "recovery-plain.key"} {
		file, err := os.ReadFile(filepath.Join(goldenDir, name))
		if err != nil {
			t.Fatal(err)
		}
		keys, err := Identities(file, knows(goldenPassphrase))
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadTranscript(id, header, records, keys...)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Faults) != 0 || got.Proven != len(records) {
			t.Errorf("%s: %d of %d proven, %v", name, got.Proven, len(records), got.Faults)
		}
		var entries []Entry
		for _, e := range got.Entries {
			entries = append(entries, e.Entry)
		}
		want := goldenEntries()
		for i := range want {
			want[i].At = want[i].At.Truncate(time.Hour)
		}
		if diff := cmp.Diff(want, entries); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestGoldenVectors computes the chain with nothing but the standard library's
// hashes, as another program would from the description.
func TestGoldenVectors(t *testing.T) {
	var v goldenVectors
	file, err := os.ReadFile(filepath.Join(goldenDir, "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file, &v); err != nil {
		t.Fatal(err)
	}
	_, _, records, err := ReadFolder(filepath.Join(goldenDir, "case"))
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Records) != len(records) || len(records) < 8 {
		t.Fatalf("%d vectors for %d records", len(v.Records), len(records))
	}
	caseEpoch := append(v.Case[:], 0, 0, 0, 1)
	head := sha256Bytes([]byte("hl1 head"), caseEpoch, make([]byte, 32), []byte(v.Recipient))
	equal(t, "head_0", head, v.Head0)
	a := mustHex(v.MAC0)
	for i, b := range records {
		w := v.Records[i]
		// HKDF-Expand of one block is HMAC(key, info ‖ 1).
		tagKey := hmacBytes(a, []byte("hl1 mac tag\x01"))
		equal(t, "tag key", tagKey, w.TagKey)
		equal(t, "tag", hmacBytes(tagKey, caseEpoch, head, b[:len(b)-32]), w.Tag)
		equal(t, "tag in the record", b[len(b)-32:], w.Tag)
		a = hmacBytes(a, []byte("hl1 mac next\x01"))
		head = sha256Bytes(head, b)
		equal(t, "next key", a, w.MAC)
		equal(t, "head", head, w.Head)
	}
	if want := "#8·" + hex.EncodeToString(head)[:16]; v.Witness != want {
		t.Errorf("witness %s, want %s", v.Witness, want)
	}
}

func sha256Bytes(parts ...[]byte) []byte {
	sum := sha256.Sum256(bytes.Join(parts, nil))
	return sum[:]
}

func hmacBytes(key []byte, parts ...[]byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(bytes.Join(parts, nil))
	return m.Sum(nil)
}

func equal(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if hex.EncodeToString(got) != want {
		t.Errorf("%s: got %x, want %s", what, got, want)
	}
}

func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(name)] = string(b)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return out
}
