package flows_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"suar/flows"
)

// filled fills an action's form in, now and then as no dialog would.
func (w *world) filled(t *rapid.T, acted flows.Acted) flows.Acted {
	form, ok := w.book.Form(w.s, w.now, acted.Officer, acted.Action, acted.Choice)
	if !ok {
		return acted
	}
	acted.Stamp = rapid.SampledFrom([]string{form.Stamp, form.Stamp, form.Stamp, "", "x"}).Draw(t, "stamp")
	acted.Values = map[string]string{}
	for _, f := range form.Fields {
		values := []string{f.Default, f.Default, "", "true", "x", "2026-03-04", "2999-12-31", "0001-01-01", strings.Repeat("x", 16384)}
		for _, o := range f.Options {
			values = append(values, o.Value, o.Value, o.Value)
		}
		v := rapid.SampledFrom(values).Draw(t, f.Name)
		if form.Faults(map[string]string{f.Name: v})[f.Name] != "" && rapid.IntRange(0, 9).Draw(t, "mend") > 0 {
			v = f.Default
		}
		acted.Values[f.Name] = v
	}
	if form.Preview {
		w.book.Preview(w.s, w.now, acted.Officer, acted.Action, acted.Choice, form.Clean(acted.Values))
	}
	return acted
}

// A desk is a case that siti has, for tests of what officers record.
type desk struct {
	t    *testing.T
	book *flows.Book
	s    flows.State
	now  time.Time
	n    byte
	said []string // what the thread was told, and the transcript, of the last step
}

var (
	siti = flows.Officer{ID: "1", Name: "siti"}
	budi = flows.Officer{ID: "2", Name: "budi"}
)

func newDesk(t *testing.T, book *flows.Book) *desk {
	d := &desk{t: t, book: book, now: monday}
	d.step(flows.Started{Message: "1"})
	d.step(flows.Said{Message: "2", Text: "help"})
	d.step(flows.Delivered{Effect: flows.Open{}, Post: "card"})
	d.step(flows.Claimed{Officer: siti})
	return d
}

// step steps, with the state written down and read again.
func (d *desk) step(ev flows.Event) []flows.Effect {
	d.t.Helper()
	d.n++
	raw, err := json.Marshal(d.s)
	if err != nil {
		d.t.Fatal(err)
	}
	var s flows.State
	if err := json.Unmarshal(raw, &s); err != nil {
		d.t.Fatal(err)
	}
	var effects []flows.Effect
	d.s, effects = d.book.Step(s, flows.Moment{At: d.now, Fresh: [16]byte{d.n}}, ev)
	d.said = nil
	for _, e := range effects {
		switch e := e.(type) {
		case flows.Tell:
			d.said = append(d.said, "thread: "+e.Text)
		case flows.Record:
			d.said = append(d.said, e.From+" "+e.Kind+": "+e.Text)
		}
	}
	return effects
}

// fill fills in a form of casework, as pairs of field and value; the other fields
// stay as they are.
func (d *desk) fill(o flows.Officer, what string, pairs ...string) []flows.Effect {
	d.t.Helper()
	return d.step(d.filled(o, what, pairs...))
}

func (d *desk) filled(o flows.Officer, what string, pairs ...string) flows.Acted {
	d.t.Helper()
	form, ok := d.book.Form(d.s, d.now, o, flows.ActionWork, what)
	if !ok {
		d.t.Fatalf("there is no form %q", what)
	}
	values := map[string]string{}
	for _, f := range form.Fields {
		values[f.Name] = f.Default
	}
	for i := 0; i < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	return flows.Acted{Officer: o, Action: flows.ActionWork, Choice: what, Values: form.Clean(values), Stamp: form.Stamp}
}

// line returns a line of the card, "" without one.
func (d *desk) line(label string) string {
	for _, l := range d.book.Card(d.s, d.now).Lines {
		if l.Label == label {
			return l.Value
		}
	}
	return ""
}

// heard reports whether the last step said something that holds a text.
func (d *desk) heard(text string) bool {
	return slices.ContainsFunc(d.said, func(s string) bool { return strings.Contains(s, text) })
}

// TestSheetIsOfItsMoment: what was filled in while somebody else changed the same
// is not recorded, and said so.
func TestSheetIsOfItsMoment(t *testing.T) {
	d := newDesk(t, shippedBook(t))
	first := d.filled(siti, "screening", "deception", "present")
	second := d.filled(budi, "screening", "deception", "absent")
	d.step(first)
	d.step(second)
	if got := d.line("Penapisan: ada"); got != "Penipuan" {
		t.Errorf("present: %q, want what was recorded first", got)
	}
	if !d.heard("thread: Kasus ini sudah berubah") {
		t.Errorf("the second is told %q", d.said)
	}
	d.step(first) // Once more, as a dialog that is submitted twice.
	if !d.heard("sudah berubah") || d.heard("casework") {
		t.Errorf("the first again: %q", d.said)
	}
	forged := d.filled(budi, "screening", "deception", "absent")
	forged.Values["deception"] = "guilty"
	d.step(forged)
	if got := d.line("Penapisan: ada"); got != "Penipuan" || len(d.said) != 0 {
		t.Errorf("a value that was never offered: %q, said %q", got, d.said)
	}
}

// TestWorkNeedsItsCase: nothing is recorded of a case that nobody has, or that is
// over, and all of it goes with the case.
func TestWorkNeedsItsCase(t *testing.T) {
	d := &desk{t: t, book: shippedBook(t), now: monday}
	offered := func() bool {
		_, ok := d.book.Form(d.s, d.now, siti, flows.ActionWork, "screening")
		return ok
	}
	d.step(flows.Started{Message: "1"})
	if offered() {
		t.Error("there is a form before there is a case")
	}
	d.step(flows.Said{Message: "2", Text: "help"})
	d.step(flows.Delivered{Effect: flows.Open{}, Post: "card"})
	if offered() {
		t.Error("there is a form before an officer has the case")
	}
	d.step(flows.Claimed{Officer: siti})
	stale := d.filled(siti, "needs", "medical", "needed")
	d.fill(siti, "screening", "deception", "present")
	d.fill(siti, "flag", "kind", "watched")
	d.step(flows.Closed{Officer: siti})
	if offered() {
		t.Error("there is a form after the case")
	}
	if d.step(stale); len(d.said) != 0 || d.line("Kebutuhan: dibutuhkan") != "" {
		t.Errorf("a form of before the end: %q", d.said)
	}
	d.now = d.now.Add(8 * 24 * time.Hour)
	d.step(flows.TimedOut{})
	raw, err := json.Marshal(d.s)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"deception", "watched", "siti"} {
		if strings.Contains(string(raw), word) {
			t.Errorf("%q outlives the case: %s", word, raw)
		}
	}
}

// TestFlagLapses: a flag ends at the end of its last day on the officers' clock,
// by itself, and not before.
func TestFlagLapses(t *testing.T) {
	d := newDesk(t, shippedBook(t))
	d.fill(siti, "flag", "kind", "watched", "day", "2026-03-03")
	end := time.Date(2026, 3, 3, 17, 0, 0, 0, time.UTC) // Midnight at UTC+7.
	if due := d.s.Alarm(); due.After(end) {
		t.Fatalf("the alarm is at %v, after the flag's end", due)
	}
	d.now = end.Add(-time.Second)
	d.step(flows.TimedOut{})
	if d.line("RISIKO") == "" {
		t.Error("the flag has lapsed before its time")
	}
	d.now = end
	d.step(flows.TimedOut{})
	if d.line("RISIKO") != "" || !d.heard("thread: Tanda risiko") || !d.heard("bot casework") {
		t.Errorf("the flag has not lapsed: card %q, said %q", d.line("RISIKO"), d.said)
	}
	d.fill(budi, "flag", "kind", "watched", "day", "2999-01-01")
	if got, want := d.line("RISIKO"), "2026-06-"; !strings.Contains(got, want) {
		t.Errorf("a flag for ever reads %q, want 90 days at most", got)
	}
}
