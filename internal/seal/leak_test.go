package seal

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
)

// entropy is how many bits somebody learns who is told which class, on average, when
// each of the counted is as likely.
func entropy(classes map[int]int) (bits float64) {
	all := 0
	for _, n := range classes {
		all += n
	}
	for _, n := range classes {
		p := float64(n) / float64(all)
		bits -= p * math.Log2(p)
	}
	return bits
}

// TestWhatLengthsTell measures what somebody who has the disk learns of the length
// of what was said: nothing of an answer or a short message, and at most three bits
// of any length up to the longest, of fifteen.
func TestWhatLengthsTell(t *testing.T) {
	key, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	size := func(text string) int {
		e := entryJSON{N: 12, T: atNoon.Truncate(time.Hour), From: "person", Kind: "said", Text: text}
		sealed, err := e.seal(key.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		return len(sealed)
	}
	// Whoever presses "yes" and whoever writes a line look the same.
	short := map[int]int{}
	for n := range 150 {
		short[size(strings.Repeat("x", n))]++
	}
	if len(short) != 1 {
		t.Errorf("texts of up to 149 bytes have %d sizes: %v", len(short), short)
	}
	exact, seen := map[int]int{}, map[int]int{}
	for n := 0; n < 32_000; n += 25 {
		exact[n]++
		seen[size(strings.Repeat("x", n))]++
	}
	t.Logf("records: %.2f of %.2f bits of the length are told, %d sizes", entropy(seen), entropy(exact), len(seen))
	if len(seen) > 8 || entropy(seen) > 3 {
		t.Errorf("records of 1,280 lengths have %d sizes, which tell %.2f bits", len(seen), entropy(seen))
	}
	v, vault := newVault(t, 1), map[int]int{}
	for n := 0; n < 32_000; n += 25 {
		vault[len(v.Seal("state", "c1", make([]byte, n)))]++
	}
	t.Logf("the vault: %.2f of %.2f bits, %d sizes", entropy(vault), entropy(exact), len(vault))
	if len(vault) > 8 || entropy(vault) > 3 {
		t.Errorf("sealed states of 1,280 lengths have %d sizes, which tell %.2f bits", len(vault), entropy(vault))
	}
}

// TestWhatTimesTell writes the same case at every minute of an hour. What the disk
// has does not differ in size, and what an officer's key opens has the hour, and of
// the opening the day: who pressed when is not in it.
func TestWhatTimesTell(t *testing.T) {
	d := newDesk(t)
	hour := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
	sizes, told := map[string]int{}, map[string]int{}
	for minute := range 60 {
		at := hour.Add(time.Duration(minute)*time.Minute + 31*time.Second + 7*time.Millisecond)
		tape, header, err := NewTape(caseA, d.Recipients, at, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		_, records, err := tape.Append(Entry{at, "person", "said", "tolong"}, Entry{at.Add(time.Second), "officer:Siti", "replied", "ya"})
		if err != nil {
			t.Fatal(err)
		}
		sizes[fmt.Sprint(len(header), len(records[0]), len(records[1]))]++
		got, err := ReadTranscript(caseA, header, records, d.officer)
		if err != nil {
			t.Fatal(err)
		}
		told[fmt.Sprint(got.Opened, got.Entries[0].At)]++
	}
	t.Logf("of 60 minutes %d are told, in %d sizes", len(told), len(sizes))
	if len(told) != 1 || len(sizes) != 1 {
		t.Errorf("60 minutes read as %d times, in %d sizes", len(told), len(sizes))
	}
}

// roster returns n officers' keys.
func roster(tb testing.TB, n int) Recipients {
	tb.Helper()
	var file strings.Builder
	for i := range n {
		fmt.Fprintln(&file, Recipient{fmt.Sprintf("o%d", i), RoleOfficer, newHybrid(tb)})
	}
	list, err := ParseRecipients([]byte(file.String()))
	if err != nil {
		tb.Fatal(err)
	}
	return list
}

// A record is sealed to the case key and to nobody else, so that it is as long, and
// as much work, for twenty officers as for one.
func TestRecordsDoNotKnowTheOfficers(t *testing.T) {
	var sizes []int
	for _, n := range []int{1, 20} {
		c := writeCase(t, caseA, roster(t, n), lines(1)...)
		f, err := parseRecord(c.records[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Count(f.entry, []byte("\n-> ")); got != 1 {
			t.Errorf("%d officers: the entry is wrapped %d times", n, got)
		}
		sizes = append(sizes, len(c.records[0]))
	}
	if sizes[0] != sizes[1] {
		t.Errorf("a record has %d bytes for one officer and %d for twenty", sizes[0], sizes[1])
	}
}

// BenchmarkAppendOfficers seals an entry for one and for twenty officers in turn and
// tells how much dearer the twenty are: 1 is the same.
func BenchmarkAppendOfficers(b *testing.B) {
	tapes := [2]Tape{writeCase(b, caseA, roster(b, 1)).tape, writeCase(b, CaseID{0xbb}, roster(b, 20)).tape}
	e := Entry{atNoon, "person", "said", strings.Repeat("x", 80)}
	var spent [2][]time.Duration
	for b.Loop() {
		for i := range tapes {
			began := time.Now()
			next, _, err := tapes[i].Append(e)
			if err != nil {
				b.Fatal(err)
			}
			spent[i] = append(spent[i], time.Since(began))
			tapes[i] = next
		}
	}
	median := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/2])
	}
	one, twenty := median(spent[0]), median(spent[1])
	b.ReportMetric(one, "ns/one")
	b.ReportMetric(twenty, "ns/twenty")
	b.ReportMetric(twenty/one, "twenty/one")
}
