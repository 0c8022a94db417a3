package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, c sealedCase, key age.Identity) Transcript {
	t.Helper()
	got, err := ReadTranscript(caseA, c.header, c.records, key)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTranscriptRoundTrip(t *testing.T) {
	d := newDesk(t)
	entries := []Entry{
		{atNoon, "bot", "answers", "Di mana?\nGedung biru <b>&amp;"},
		{atNoon.Add(time.Hour), "person", "said", "tolong 🆘 \u0000 \u202e \u2028 end "},
		{atNoon.Add(26 * time.Hour), "officer:Siti", "replied", ""},
	}
	c := writeCase(t, caseA, d.Recipients, entries...)
	for name, key := range map[string]age.Identity{"officer": d.officer, "second officer": d.second, "recovery": d.recovery} {
		got := read(t, c, key)
		want := Transcript{
			Case: caseA, Epoch: 1, Opened: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), Roster: d.sum(), Count: 3, Proven: 3,
		}
		for i, e := range entries {
			e.At = e.At.UTC().Truncate(time.Hour)
			want.Entries = append(want.Entries, OpenEntry{Entry: e, Seq: uint64(i + 1), Parts: 1, Whole: true, Proven: true})
		}
		if diff := cmp.Diff(want, got, cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "heads" }, cmp.Ignore())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if got.Witness() != c.tape.Witness() || !bytes.Equal(got.Head(), c.tape.Head) {
			t.Errorf("%s: witness %s, the tape's is %s", name, got.Witness(), c.tape.Witness())
		}
	}
}

func TestTranscriptOfNothing(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients)
	got := read(t, c, d.officer)
	if len(got.Faults) != 0 || got.Count != 0 || got.Witness() != c.tape.Witness() {
		t.Errorf("got %v, witness %s", got.Faults, got.Witness())
	}
}

func TestStrangersOpenNothing(t *testing.T) {
	d, other := newDesk(t), newDesk(t)
	c := writeCase(t, caseA, d.Recipients, lines(1)...)
	if _, err := ReadTranscript(caseA, c.header, c.records, other.officer); !errors.Is(err, ErrNotRecipient) {
		t.Errorf("another desk's officer: got %v", err)
	}
	if _, err := ReadTranscript(caseA, c.header, c.records); err == nil {
		t.Error("no identity opens the case")
	}
	// The officers' key opens the header only; entries are the case key's.
	for i, r := range c.records {
		f, err := parseRecord(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := openEntry(f.entry, d.officer); err == nil {
			t.Errorf("record %d is sealed to the officer", i+1)
		}
	}
}

func TestDamagedHeader(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients, lines(1)...)
	for name, header := range map[string][]byte{
		"nothing": nil, "garbage": []byte("garbage"), "cut": c.header[:len(c.header)-1], "cut early": c.header[:100],
		"changed": append(bytes.Clone(c.header[:len(c.header)-1]), c.header[len(c.header)-1]^1),
		"longer":  append(bytes.Clone(c.header), 0),
	} {
		if _, err := ReadTranscript(caseA, header, c.records, d.officer); !errors.Is(err, ErrHeader) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	to, err := d.keys()
	if err != nil {
		t.Fatal(err)
	}
	key, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	good := string(header{caseID: caseA, epoch: 1, opened: atNoon, identity: key}.marshal())
	for name, text := range map[string]string{
		"no case key":     good[:strings.Index(good, "AGE-SECRET")],
		"another version": strings.Replace(good, "HL1", "HL2", 1),
		"epoch 0":         strings.Replace(good, "epoch: 1", "epoch: 0", 1),
		"no date":         strings.Replace(good, "opened: 2026-11-23", "opened: today", 1),
		"short mac":       strings.Replace(good, "mac0: 00", "mac0: ", 1),
		"no case":         strings.Replace(good, "# case: ", "# etui: ", 1),
		"two cases":       good + "# case: " + caseA.String() + "\n",
		"two keys":        good + key.String() + "\n",
		"enormous":        strings.Repeat("#\n", maxHeader),
	} {
		sealed, err := sealTo([]byte(text), to...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ReadTranscript(caseA, sealed, c.records, d.officer); !errors.Is(err, ErrHeader) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// An entry may be of any length, and nothing of it is lost.
func TestLongTexts(t *testing.T) {
	d := newDesk(t)
	for name, try := range map[string]struct {
		text  string
		parts int
	}{
		"just fits":      {strings.Repeat("x", maxEntry-200), 1},
		"just does not":  {strings.Repeat("x", maxEntry), 2},
		"marks":          {strings.Repeat("e\u0301", 16_000), 2},
		"emoji":          {strings.Repeat("🆘", 20_000), 4},
		"control":        {strings.Repeat("\x01", 16_000), 4},
		"separators":     {strings.Repeat("\u2028", 30_000), 8},
		"a megabyte":     {strings.Repeat("tolong ", 150_000), 64},
		"not UTF-8":      {strings.Repeat("\x80", 40_000), 4},
		"html and quote": {strings.Repeat(`<"&>`, 10_000), 2},
	} {
		before := Entry{atNoon, "person", "said", "before"}
		after := Entry{atNoon, "officer:Budi", "replied", "after"}
		c := writeCase(t, caseA, d.Recipients, before, Entry{atNoon, "officer:Siti", "replied", try.text}, after)
		got := read(t, c, d.officer)
		if len(got.Faults) != 0 || len(got.Entries) != 3 {
			t.Errorf("%s: %d entries, faults %v", name, len(got.Entries), got.Faults)
			continue
		}
		e := got.Entries[1]
		if e.Text != string([]rune(try.text)) || !e.Whole || !e.Proven || e.Seq != 2 {
			t.Errorf("%s: %d bytes of %d, whole %t", name, len(e.Text), len(try.text), e.Whole)
		}
		if e.Parts != try.parts || c.tape.Seq != uint64(try.parts+2) {
			t.Errorf("%s: %d parts, want %d", name, e.Parts, try.parts)
		}
		// A part that is gone is said, and the others are still there.
		if try.parts > 2 {
			c.records = append(c.records[:2:2], c.records[3:]...)
			got := read(t, c, d.officer)
			if len(got.Faults) == 0 || got.Entries[1].Whole || got.Entries[len(got.Entries)-1].Text != "after" {
				t.Errorf("%s: a missing part is not noticed", name)
			}
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	c := writeCase(t, caseA, newDesk(t).Recipients)
	for name, try := range map[string]struct {
		tape  Tape
		entry Entry
	}{
		"a sender without end": {c.tape, Entry{atNoon, strings.Repeat("x", maxEntry), "said", "y"}},
		"a year of five":       {c.tape, Entry{time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), "person", "said", "y"}},
		"no tape":              {Tape{}, lines(1)[0]},
		"half a tape":          {Tape{Case: caseA, Epoch: 1, Recipient: c.tape.Recipient, Chain: c.tape.Chain}, lines(1)[0]},
		"another's recipient":  {Tape{Case: caseA, Epoch: 1, Recipient: "age1pq1x", Chain: c.tape.Chain, Head: c.tape.Head}, lines(1)[0]},
	} {
		next, records, err := try.tape.Append(try.entry)
		if err == nil || records != nil || !cmp.Equal(next, try.tape) {
			t.Errorf("%s: got %d records, %v", name, len(records), err)
		}
	}
}

func TestNewTapeRefuses(t *testing.T) {
	if _, _, err := NewTape(caseA, Recipients{}, atNoon, rand.Reader); err == nil {
		t.Error("a case that nobody can open was begun")
	}
	if _, _, err := NewTape(caseA, newDesk(t).Recipients, atNoon, bytes.NewReader(make([]byte, 31))); err == nil {
		t.Error("a case was begun without its randomness")
	}
}

// A tape is a value: what is made of it does not change it, and it survives
// being stored between any two entries.
func TestTapeIsAValue(t *testing.T) {
	d := newDesk(t)
	tape, header, err := NewTape(caseA, d.Recipients, atNoon, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	before, err := json.Marshal(tape)
	if err != nil {
		t.Fatal(err)
	}
	c := sealedCase{header: header}
	for _, e := range lines(4) {
		stored, err := json.Marshal(tape)
		if err != nil {
			t.Fatal(err)
		}
		var back Tape
		if err := json.Unmarshal(stored, &back); err != nil {
			t.Fatal(err)
		}
		if _, _, err := back.Append(Entry{Text: "of a commit that failed"}); err != nil {
			t.Fatal(err)
		}
		next, records, err := back.Append(e)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := json.Marshal(back); !bytes.Equal(again, stored) {
			t.Fatal("Append changed the tape that it was given")
		}
		tape, c.records = next, append(c.records, records...)
	}
	if got := read(t, c, d.officer); len(got.Faults) != 0 || len(got.Entries) != 4 {
		t.Errorf("got %d entries, %v", len(got.Entries), got.Faults)
	}
	var first Tape
	if err := json.Unmarshal(before, &first); err != nil || first.Seq != 0 {
		t.Errorf("the first tape is at %d, %v", first.Seq, err)
	}
}

// Sizes say little, and times only the hour.
func TestEntriesArePadded(t *testing.T) {
	d := newDesk(t)
	sizes := map[int]bool{}
	for _, text := range []string{"", "ya", "tidak", strings.Repeat("x", 80)} {
		c := writeCase(t, caseA, d.Recipients, Entry{atNoon, "person", "said", text})
		sizes[len(c.records[0])] = true
	}
	if len(sizes) != 1 {
		t.Errorf("short texts have %d sizes", len(sizes))
	}
	for n, want := range map[int]int{1: 256, 300: 512, 600: 1024, 5000: 8192, 20_000: 32_768} {
		id, err := age.GenerateHybridIdentity()
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := entryJSON{Text: strings.Repeat("x", n)}.seal(id.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		empty, err := sealTo(nil, id.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		if got := len(sealed) - len(empty); got != want {
			t.Errorf("%d characters are padded to %d, want %d", n, got, want)
		}
	}
}

// G7: the server's image, that is the last tape and all before it, the vault
// key and what it derives, opens no record and no header.
func TestServerCannotReadBack(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients, lines(3)...)
	v := newVault(t, 1)

	// Every 32 bytes that the server keeps or can make, as a private key of
	// either kind, as a file key, and as text in age's own form.
	var material [][]byte
	for _, tape := range c.tapes {
		material = append(material, tape.Chain, tape.Head, mustHex(fmt.Sprintf("%x", expand([32]byte(tape.Chain), "hl1 mac tag"))))
		stored, err := json.Marshal(tape)
		if err != nil {
			t.Fatal(err)
		}
		if tape.Seq == c.tape.Seq {
			material = append(material, stored)
		}
		for _, word := range []string{"AGE-SECRET-KEY", canary} {
			if bytes.Contains(stored, []byte(word)) {
				t.Errorf("the stored tape holds %q", word)
			}
		}
	}
	material = append(material, v.keys().index, v.keys().derive, v.Derive("buttons"), []byte(v.Blind("a", "b")), caseA[:])
	for _, r := range append(clone(c.records), c.header) {
		if bytes.Contains(r, []byte(canary)) {
			t.Error("a record holds the plain text")
		}
	}
	var identities []age.Identity
	for _, m := range material {
		if ids, err := Identities(m, func() (string, error) { return string(m), nil }); err == nil {
			identities = append(identities, ids...)
		}
		for at := 0; at+16 <= len(m); at++ {
			identities = append(identities, age.NewInjectedFileKeyIdentity(m[at:at+16]))
			if at+32 > len(m) || at%32 != 0 {
				continue
			}
			for _, hrp := range []string{"AGE-SECRET-KEY-", "AGE-SECRET-KEY-PQ-"} {
				if ids, err := age.ParseIdentities(strings.NewReader(bech32(hrp, m[at:at+32]))); err == nil {
					identities = append(identities, ids...)
				} else {
					t.Fatalf("the test's own bech32 is wrong: %v", err)
				}
			}
		}
	}
	t.Logf("%d keys tried", len(identities))
	tryAll := func(what string, sealed []byte) {
		opened := 0
		for _, id := range identities {
			if r, err := age.Decrypt(bytes.NewReader(sealed), id); err == nil {
				if _, err := r.Read(make([]byte, 1)); err == nil {
					opened++
				}
			}
		}
		if opened > 0 {
			t.Errorf("%s: %d of the server's keys open it", what, opened)
		}
	}
	tryAll("header", c.header)
	f, err := parseRecord(c.records[len(c.records)-1])
	if err != nil {
		t.Fatal(err)
	}
	tryAll("the last record", f.entry)

	// The control: the same search with the case key in the image finds it.
	h, err := openHeader(c.header, []age.Identity{d.officer})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := age.Decrypt(bytes.NewReader(f.entry), h.identity); err != nil {
		t.Errorf("the case key itself does not open a record: %v", err)
	}
}

func TestRecordFraming(t *testing.T) {
	f := framed{seq: 7, entry: []byte("entry")}
	b := f.bytes()
	got, err := parseRecord(b)
	if err != nil || got.seq != 7 || string(got.entry) != "entry" {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "short": b[:len(b)-1], "long": append(bytes.Clone(b), 0), "magic": append([]byte("HLE2"), b[4:]...),
		"enormous": append([]byte("HLE1"), make([]byte, maxRecord)...),
	} {
		if _, err := parseRecord(b); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	c := writeCase(b, caseA, newDesk(b).Recipients)
	for _, n := range []int{80, 4000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e := Entry{atNoon, "person", "said", strings.Repeat("x", n)}
			tape, size := c.tape, 0
			b.ReportAllocs()
			for b.Loop() {
				next, records, err := tape.Append(e)
				if err != nil {
					b.Fatal(err)
				}
				tape, size = next, len(records[0])
			}
			b.ReportMetric(float64(size), "bytes/record")
		})
	}
}

func BenchmarkNewTape(b *testing.B) {
	d := newDesk(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := NewTape(caseA, d.Recipients, atNoon, rand.Reader); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadTranscript(b *testing.B) {
	d := newDesk(b)
	c := writeCase(b, caseA, d.Recipients, lines(100)...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadTranscript(caseA, c.header, c.records, d.officer); err != nil {
			b.Fatal(err)
		}
	}
}
