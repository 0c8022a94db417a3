package seal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"github.com/google/go-cmp/cmp"
)

// forge makes the record with number seq as somebody does who holds what the
// server holds after it has written: the tape, and so the case key's public
// half and the present chain key.
func forge(t *testing.T, tape Tape, seq uint64, text string) []byte {
	t.Helper()
	l, to, err := tape.open()
	if err != nil {
		t.Fatal(err)
	}
	return forgeAt(t, l, to, seq, text)
}

func forgeAt(t *testing.T, l link, to age.Recipient, seq uint64, text string) []byte {
	t.Helper()
	f := framed{seq: seq}
	var err error
	if f.entry, err = (entryJSON{N: seq, T: atNoon.UTC(), From: "person", Kind: "said", Text: text}).seal(to); err != nil {
		t.Fatal(err)
	}
	f.tag = l.tag(f.untagged())
	return f.bytes()
}

// G9: what is done to six records, and what the officer is told.
func TestTampering(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients, lines(6)...)
	witness := c.tape.Witness()
	flip := func(record, at int) func([][]byte) [][]byte {
		return func(r [][]byte) [][]byte {
			if at < 0 {
				at += len(r[record-1])
			}
			r[record-1][at] ^= 0x10
			return r
		}
	}
	kinds := func(faults []Fault) (out []string) {
		for _, f := range faults {
			out = append(out, fmt.Sprintf("%d %s", f.Position, f.Kind))
		}
		return out
	}
	for _, try := range []struct {
		name   string
		do     func([][]byte) [][]byte
		want   []string // position and kind
		proven int
		open   int       // entries that are still read
		check  FaultKind // against the last witness
	}{
		{"nothing", func(r [][]byte) [][]byte { return r }, nil, 6, 6, ""},
		{"a bit of the text", flip(3, -50), []string{"3 changed"}, 2, 5, FaultChanged},
		{"a bit of age's header", flip(3, 40), []string{"3 changed"}, 2, 5, FaultChanged},
		{"a bit of the magic", flip(3, 0), []string{"3 changed"}, 2, 5, FaultChanged},
		{"a bit of the number", flip(3, 11), []string{"3 changed"}, 2, 5, FaultChanged},
		{"a high bit of the number", flip(3, 4), []string{"3 changed"}, 2, 5, FaultChanged},
		{"a bit of the length", flip(3, 15), []string{"3 changed"}, 2, 5, FaultChanged},
		{"a bit of the tag", flip(3, -1), []string{"3 forged"}, 2, 6, FaultForged},
		{"a bit of the first", flip(1, -50), []string{"1 changed"}, 0, 5, FaultChanged},
		{"a bit of the last", flip(6, -50), []string{"6 changed"}, 5, 5, FaultChanged},
		{"cut short", func(r [][]byte) [][]byte { r[2] = r[2][:len(r[2])-1]; return r }, []string{"3 changed"}, 2, 5, FaultChanged},
		{"emptied", func(r [][]byte) [][]byte { r[2] = nil; return r }, []string{"3 changed"}, 2, 5, FaultChanged},
		{"two flipped", func(r [][]byte) [][]byte { return flip(5, -50)(flip(2, -50)(r)) }, []string{"2 changed", "5 changed"}, 1, 4, FaultChanged},
		{"two swapped", func(r [][]byte) [][]byte { r[2], r[3] = r[3], r[2]; return r }, []string{"3 moved", "4 moved"}, 2, 6, FaultMoved},
		{"reversed", func(r [][]byte) [][]byte { slices.Reverse(r); return r }, []string{"1 moved", "2 moved", "3 moved", "4 moved", "5 moved", "6 moved"}, 0, 6, FaultMoved},
		{"one twice", func(r [][]byte) [][]byte { return slices.Insert(r, 3, bytes.Clone(r[2])) }, []string{"4 moved"}, 3, 7, FaultMoved},
		{"the middle dropped", func(r [][]byte) [][]byte { return slices.Delete(r, 2, 3) }, []string{"3 missing"}, 2, 5, FaultMissing},
		{"two dropped", func(r [][]byte) [][]byte { return slices.Delete(r, 2, 4) }, []string{"3 missing"}, 2, 4, FaultMissing},
		{"the first dropped", func(r [][]byte) [][]byte { return r[1:] }, []string{"1 missing"}, 0, 5, FaultMissing},
		{"dropped and flipped", func(r [][]byte) [][]byte { return flip(4, -50)(slices.Delete(r, 1, 2)) }, []string{"2 missing", "4 changed"}, 1, 4, FaultMissing},
		{"forged over the past", func(r [][]byte) [][]byte { r[2] = forge(t, c.tape, 3, "I am fine"); return r }, []string{"3 forged"}, 2, 6, FaultForged},
		{"forged with the header's place", func(r [][]byte) [][]byte { r[0] = forge(t, c.tape, 1, "I am fine"); return r }, []string{"1 forged"}, 0, 6, FaultForged},
		{"inserted", func(r [][]byte) [][]byte { return slices.Insert(r, 2, forge(t, c.tape, 3, "I am fine")) }, []string{"3 forged", "4 moved"}, 2, 7, FaultForged},
		{"a huge number", func(r [][]byte) [][]byte { r[2] = forge(t, c.tape, 1<<64-1, "I am fine"); return r }, []string{"3 missing", "3 moved", "4 moved", "5 moved", "6 missing", "6 moved"}, 2, 6, FaultMissing},
		{"another case's record", func(r [][]byte) [][]byte {
			r[2] = writeCase(t, caseA, d.Recipients, lines(3)...).records[2]
			return r
		}, []string{"3 changed"}, 2, 5, FaultChanged},
		{"the tail cut", func(r [][]byte) [][]byte { return r[:4] }, nil, 4, 4, FaultCut},
		{"all cut", func(r [][]byte) [][]byte { return nil }, nil, 0, 0, FaultCut},
	} {
		got, err := ReadTranscript(caseA, c.header, try.do(clone(c.records)), d.officer)
		if err != nil {
			t.Errorf("%s: %v", try.name, err)
			continue
		}
		if diff := cmp.Diff(try.want, kinds(got.Faults)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", try.name, diff)
		}
		if got.Proven != try.proven || len(got.Entries) != try.open {
			t.Errorf("%s: %d proven and %d open, want %d and %d", try.name, got.Proven, len(got.Entries), try.proven, try.open)
		}
		for i, e := range got.Entries {
			if e.Proven != (i < try.proven) {
				t.Errorf("%s: entry %d is proven: %t", try.name, i+1, e.Proven)
			}
			if e.Proven && e.Text != fmt.Sprintf("%s %d", canary, i+1) {
				t.Errorf("%s: entry %d is proven and is not what was said", try.name, i+1)
			}
		}
		var fault *Fault
		switch err := got.Check(witness); {
		case try.check == "" && err != nil:
			t.Errorf("%s: the witness does not fit: %v", try.name, err)
		case try.check != "" && (!errors.As(err, &fault) || fault.Kind != try.check):
			t.Errorf("%s: the check gives %v, want %s", try.name, err, try.check)
		}
		for _, f := range got.Faults {
			if strings.Contains(f.Error(), "CANARY") || strings.Contains(f.Error(), "I am fine") {
				t.Errorf("%s: a fault holds what was said", try.name)
			}
		}
	}
}

// Each byte of a record counts: all of what is around age's file, and of that a
// sample that reaches each of its parts.
func TestEveryByteCounts(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients, lines(2)...)
	size := len(c.records[0])
	for at := range size {
		if at > recordPrefix+64 && at < size-tagSize-64 && at%29 != 0 {
			continue
		}
		records := clone(c.records)
		records[0][at] ^= 1
		got, err := ReadTranscript(caseA, c.header, records, d.officer)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Faults) == 0 || got.Proven != 0 {
			t.Fatalf("a change of byte %d is not seen", at)
		}
	}
}

// Whoever takes the server can write on: that is not hidden, and does not reach
// back.
func TestWritingOnWithTheTape(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients, lines(3)...)
	_, records, err := c.tape.Append(Entry{atNoon, "officer:Siti", "replied", "of a thief"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadTranscript(caseA, c.header, append(clone(c.records), records...), d.officer)
	if err != nil || len(got.Faults) != 0 || got.Proven != 4 {
		t.Errorf("got %v, %v", got.Faults, err)
	}
	// From an older tape he would have to go back to, the branch is seen.
	branch := forge(t, c.tapes[1], 2, "of a thief")
	got, err = ReadTranscript(caseA, c.header, [][]byte{c.records[0], branch, c.records[2]}, d.officer)
	if err != nil || len(got.Faults) == 0 || got.Proven != 2 {
		t.Errorf("a branch from a stolen old tape: %d proven, %v, %v", got.Proven, got.Faults, err)
	}
}

// A case that is replaced as a whole, header and all, shows only by a witness.
func TestReplacedCase(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients, lines(3)...)
	other := writeCase(t, caseA, d.Recipients, lines(3)...)
	got, err := ReadTranscript(caseA, other.header, other.records, d.officer)
	if err != nil || len(got.Faults) != 0 {
		t.Fatalf("got %v, %v", got.Faults, err)
	}
	for i, tape := range c.tapes {
		var fault *Fault
		if err := got.Check(tape.Witness()); !errors.As(err, &fault) || fault.Kind != FaultReplaced {
			t.Errorf("the witness of %d records: got %v", i, err)
		}
	}
}

func TestHeaderOfAnotherCase(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients, lines(2)...)
	other := writeCase(t, CaseID{9}, d.Recipients, lines(2)...)
	for name, records := range map[string][][]byte{"its own records": other.records, "this case's records": c.records} {
		got, err := ReadTranscript(caseA, other.header, records, d.officer)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Faults) == 0 || got.Faults[0].Kind != FaultHeader || got.Proven != 0 {
			t.Errorf("%s: %d proven, %v", name, got.Proven, got.Faults)
		}
	}
}

func TestCheck(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients, lines(4)...)
	got := read(t, c, d.officer)
	for i, tape := range c.tapes {
		if err := got.Check(tape.Witness()); err != nil {
			t.Errorf("the witness of %d records: %v", i, err)
		}
	}
	h := fmt.Sprintf("%x", c.tape.Head)
	for _, s := range []string{"#4·" + h, "4." + h[:16], " #4-" + strings.ToUpper(h[:20]) + "\n", "#4 · " + h[:16], "4:" + h[:17]} {
		if err := got.Check(s); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	}
	for _, s := range []string{"", "#", "#4", "#4·", "#4·" + h[:8], "#4·" + h[:15], "#·" + h, "#-1·" + h, "#4·" + h + "0", "#4·zzzzzzzz", "#99999999999999999999·" + h, "#4·" + h[:16] + " x", "#4·zzzzzzzzzzzzzzzz"} {
		if err := got.Check(s); !errors.Is(err, ErrWitness) {
			t.Errorf("%q: got %v", s, err)
		}
	}
	// Too short a witness is refused with the reason, not taken for mistyped.
	if err := CheckWitness("#4·" + h[:15]); err == nil || !strings.Contains(err.Error(), "15 digits") {
		t.Errorf("15 digits: got %v", err)
	}
	if w := c.tape.Witness(); w != "#4·"+h[:16] {
		t.Errorf("witness %s, want 16 digits of %s", w, h)
	}
	// A witness from before the fault still holds.
	c.records[2][60] ^= 1
	if got := read(t, c, d.officer); got.Check(c.tapes[2].Witness()) != nil || got.Check(c.tapes[3].Witness()) == nil {
		t.Error("a witness is not judged by what precedes it")
	}
}

// Whatever a record's bytes are: no panic, nothing proven that was not written,
// and no fault only if they are the very bytes.
func FuzzReadTranscript(f *testing.F) {
	// The golden case, so that what is found can be tried again.
	id, header, all, err := ReadFolder(filepath.Join(goldenDir, "case"))
	if err != nil {
		f.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(goldenDir, "officer-plain.key"))
	if err != nil {
		f.Fatal(err)
	}
	keys, err := Identities(file, nil)
	if err != nil {
		f.Fatal(err)
	}
	all = all[:3]
	f.Add(all[1], 1)
	f.Add(all[0], 1)
	f.Add(all[2], 3)
	f.Add([]byte("HLE1\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00"), 0)
	f.Add([]byte(nil), 2)
	f.Fuzz(func(t *testing.T, record []byte, at int) {
		if parsed, err := parseRecord(record); err == nil && !bytes.Equal(parsed.bytes(), record) {
			t.Error("a record is not written as it was read")
		}
		records := clone(all)
		if at %= len(records) + 1; at < 0 {
			at = -at
		}
		genuine := at < len(records) && bytes.Equal(record, records[at])
		if at < len(records) {
			records[at] = record
		} else {
			records = append(records, record)
		}
		got, err := ReadTranscript(id, header, records, keys...)
		if err != nil {
			t.Fatal(err)
		}
		if genuine != (len(got.Faults) == 0) {
			t.Errorf("genuine %t, faults %v", genuine, got.Faults)
		}
		if !genuine && got.Proven > at {
			t.Errorf("%d records are proven, the changed one is %d", got.Proven, at+1)
		}
	})
}

// Whatever a header's bytes are: no panic, and it opens only if its plain text
// was sealed to an officer.
func FuzzHeader(f *testing.F) {
	key, err := age.GenerateHybridIdentity()
	if err != nil {
		f.Fatal(err)
	}
	good := header{caseID: caseA, epoch: 1, opened: atNoon.UTC(), identity: key}
	f.Add(good.marshal())
	f.Add([]byte("# version: HL1\n# case: \n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := parseHeader(text)
		if err != nil {
			return
		}
		back, err := parseHeader(h.marshal())
		if err != nil {
			t.Fatalf("written back: %v", err)
		}
		if h.identity.String() != back.identity.String() {
			t.Error("another case key")
		}
		h.identity, back.identity = nil, nil
		if h != back {
			t.Errorf("got %+v, read %+v", back, h)
		}
	})
}

// A record that the server itself wrote unreadable does not break the chain:
// what follows is proven, and the fault is told.
func TestWrittenUnreadable(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients, lines(1)...)
	l, _, err := c.tape.open()
	if err != nil {
		t.Fatal(err)
	}
	bad := framed{seq: 2, entry: []byte("not an age file")}
	bad.tag = l.tag(bad.untagged())
	l = l.next(bad.bytes())
	tape := c.tape
	tape.Chain, tape.Head, tape.Seq = l.mac[:], l.head[:], 2
	tape, records, err := tape.Append(lines(1)[0])
	if err != nil {
		t.Fatal(err)
	}
	c.records = append(append(c.records, bad.bytes()), records...)
	got := read(t, c, d.officer)
	if len(got.Faults) != 1 || got.Faults[0].Position != 2 || got.Proven != 3 || len(got.Entries) != 2 || !got.Entries[1].Proven {
		t.Errorf("%d proven, %v", got.Proven, got.Faults)
	}
	if err := got.Check(tape.Witness()); err != nil {
		t.Errorf("the witness does not fit: %v", err)
	}
	var fault *Fault
	tape.Seq++
	if err := got.Check(tape.Witness()); !errors.As(err, &fault) || fault.Kind != FaultCut {
		t.Errorf("a cut end behind it: got %v", err)
	}
	var b strings.Builder
	if err := got.WriteText(&b, "", nil); err != nil || !strings.Contains(b.String(), "The order of all 3 records is proven, but not all can be read") {
		t.Errorf("%v: %s", err, b.String())
	}
}
