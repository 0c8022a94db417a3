package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"

	"suar/internal/seal"
)

const golden = "../seal/testdata/golden"

// joined makes whole texts of records, as the page says.
func joined(lines []Line) (texts []string) {
	for _, l := range lines {
		if l.Part > 1 {
			texts[len(texts)-1] += l.Text
			continue
		}
		texts = append(texts, l.Text)
	}
	return texts
}

// The committed case reads as its vectors say, with either key.
func TestVectors(t *testing.T) {
	var v struct {
		Witness string
		Records []struct{ Head string }
	}
	raw, err := os.ReadFile(filepath.Join(golden, "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	var want struct{ Entries []struct{ Text string } }
	if raw, err = os.ReadFile(filepath.Join(golden, "transcript.json")); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, e := range want.Entries {
		texts = append(texts, e.Text)
	}
	for _, key := range []string{"officer-plain.key", "recovery-plain.key"} {
		lines, err := Read(filepath.Join(golden, "case"), filepath.Join(golden, key), v.Witness)
		if err != nil || len(lines) != len(v.Records) {
			t.Fatalf("%s: %d of %d records: %v", key, len(lines), len(v.Records), err)
		}
		if diff := cmp.Diff(texts, joined(lines)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
}

// random returns n random bytes as text, so that no two runs read the same case.
func random(t *testing.T, n int) string {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(b)
}

// A case that nobody has seen before reads the same by both readers, and what was
// done to it shows to both.
func TestRandomCase(t *testing.T) {
	officer, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "officer.key")
	if err := os.WriteFile(key, []byte(officer.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	line := seal.Recipient{Name: "siti", Role: seal.RoleOfficer, Key: officer.Recipient().String()}
	desk, err := seal.ParseRecipients([]byte(line.String()))
	if err != nil {
		t.Fatal(err)
	}
	var id seal.CaseID
	if _, err := rand.Read(id[:]); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2027, 2, 3, 4, 59, 0, 0, time.UTC)
	tape, header, err := seal.NewTape(id, desk, at, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var records [][]byte
	for _, n := range []int{0, 3, 200, 40_000, 10} {
		next, more, err := tape.Append(seal.Entry{At: at, From: "person", Kind: "said", Text: random(t, n)})
		if err != nil {
			t.Fatal(err)
		}
		tape, records = next, append(records, more...)
	}
	first, err := seal.ReadTranscript(id, header, records, officer)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, e := range first.Entries {
		want = append(want, e.Text)
	}
	export := func(records [][]byte) string {
		folder := filepath.Join(t.TempDir(), "case")
		if err := seal.Export(folder, id, header, records); err != nil {
			t.Fatal(err)
		}
		return folder
	}
	lines, err := Read(export(records), key, tape.Witness())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, joined(lines)); diff != "" {
		t.Errorf("the two readers differ (-first +second):\n%s", diff)
	}
	if lines[0].Hour != "2027-02-03T04:00:00Z" {
		t.Errorf("the hour is %s", lines[0].Hour)
	}

	swapped := append([][]byte{records[1], records[0]}, records[2:]...)
	flipped := append([][]byte{append([]byte(nil), records[0]...)}, records[1:]...)
	flipped[0][len(flipped[0])-1] ^= 1
	for name, c := range map[string]struct {
		records [][]byte
		want    string
	}{
		"swapped": {swapped, "after 0 records"},
		"dropped": {append([][]byte{records[0]}, records[2:]...), "after 1 records"},
		"twice":   {append([][]byte{records[0]}, records...), "after 1 records"},
		"a tag":   {flipped, "after 0 records nothing is proven: a tag"},
		"cut":     {records[:2], "the end is missing"},
	} {
		if _, err := Read(export(c.records), key, tape.Witness()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		got, err := seal.ReadTranscript(id, header, c.records, officer)
		if err != nil || got.Check(tape.Witness()) == nil {
			t.Errorf("%s: the program's own reader sees nothing: %v", name, err)
		}
	}
	if _, err := Read(export(records), key, tape.Witness()[:8]+"0000000000000000"); err == nil {
		t.Error("another transcript's witness fits")
	}
	stranger, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte(stranger.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if lines, err := Read(export(records), key, ""); err == nil || len(lines) > 0 {
		t.Errorf("a stranger reads %d records, %v", len(lines), err)
	}
}
