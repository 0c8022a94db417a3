package flows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
)

// A stranger's telephone: presses by label, as a person does.
type telephone struct {
	t    *testing.T
	book *flows.Book
	at   time.Time
	s    flows.State
	n    byte
}

func ring(t *testing.T, directory flows.Directory, languages ...string) *telephone {
	t.Helper()
	book, err := flows.Load(flows.Shipped(), directory, languages...)
	if err != nil {
		t.Fatal(err)
	}
	p := &telephone{t: t, book: book, at: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
	p.step(flows.Started{Message: "1"})
	return p
}

func (p *telephone) step(ev flows.Event) []flows.Effect {
	p.n++
	next, effects := p.book.Step(p.s, flows.Moment{At: p.at, Fresh: [16]byte{p.n}}, ev)
	p.s = next
	return effects
}

func (p *telephone) view() flows.View { return p.book.View(p.s, p.at) }

// press presses the button whose label has the part, and returns the effects.
func (p *telephone) press(part string) []flows.Effect {
	p.t.Helper()
	for _, row := range p.view().Rows {
		for _, b := range row {
			if strings.Contains(b.Label, part) {
				return p.step(flows.Chose{Data: b.Data})
			}
		}
	}
	p.t.Fatalf("there is no button %q in %+v", part, p.view())
	return nil
}

func opened(effects []flows.Effect) bool {
	for _, e := range effects {
		if _, ok := e.(flows.Open); ok {
			return true
		}
	}
	return false
}

// TestThreeTapsToDanger: somebody who has never chosen a language is three taps
// from an alarm, and one from a person.
func TestThreeTapsToDanger(t *testing.T) {
	p := ring(t, parsedDirectory(t))
	p.press("Hubungi KBRI")
	p.press("English")
	if !opened(p.press("Danger now")) {
		t.Error("the third tap calls nobody")
	}
	if !p.s.Danger {
		t.Error("the case is not urgent")
	}
	p = ring(t, parsedDirectory(t))
	if !opened(p.press("Petugas")) {
		t.Error("the first tap on a person calls nobody")
	}
}

// TestCoverIsHonestAndBoring: nothing on the first screen speaks of danger, of
// cases, of trafficking or of rescue, in any language, with pages and without.
func TestCoverIsHonestAndBoring(t *testing.T) {
	never := []string{
		"danger", "emergency", "case", "traffick", "rescue", "victim", "help", "safe", "police", "report",
		"bahaya", "darurat", "kasus", "perdagangan", "selamat", "korban", "tolong", "bantuan", "aman", "polisi", "lapor",
	}
	for _, d := range []flows.Directory{{}, parsedDirectory(t)} {
		p := ring(t, d)
		for _, language := range append([]string{""}, p.book.Languages()...) {
			v := p.book.Cover(language, "token", p.at)
			seen := []string{v.Text}
			for _, row := range v.Rows {
				for _, b := range row {
					seen = append(seen, b.Label)
					if b.Danger {
						t.Errorf("%q: the button %q has the colour of danger", language, b.Label)
					}
				}
			}
			for _, text := range seen {
				for _, word := range never {
					if strings.Contains(strings.ToLower(text), word) {
						t.Errorf("%q: the cover says %q: %q", language, word, text)
					}
				}
			}
		}
	}
}

// TestCoverHasNoTrace: whatever happened before, the first screen is what a
// stranger sees who speaks the language.
func TestCoverHasNoTrace(t *testing.T) {
	p := ring(t, parsedDirectory(t))
	p.press("English")
	stranger := p.view()
	p.press("Contact the embassy")
	p.press("Yes")
	p.press("Agree")
	p.press("Danger now")
	p.step(flows.Delivered{Effect: flows.Open{}, Post: "root"})
	p.step(flows.Claimed{Officer: flows.Officer{ID: "1", Name: "siti"}})
	p.press("Back")
	p.press("Consular information")
	if diff := cmp.Diff(plainView(stranger), plainView(p.view())); diff != "" {
		t.Errorf("the cover shows that something happened (-stranger +person):\n%s", diff)
	}
}

// plainView is a view without its buttons' data, which nobody can read.
func plainView(v flows.View) flows.View {
	out := flows.View{Text: v.Text}
	for _, row := range v.Rows {
		var plain []flows.Button
		for _, b := range row {
			b.Data = ""
			plain = append(plain, b)
		}
		out.Rows = append(out.Rows, plain)
	}
	return out
}

// TestBackToTheCover: whoever comes to the gate can go back to what is harmless.
func TestBackToTheCover(t *testing.T) {
	p := ring(t, flows.Directory{})
	p.press("Indonesia")
	cover := plainView(p.view())
	p.press("Hubungi KBRI")
	p.press("Kembali")
	if diff := cmp.Diff(cover, plainView(p.view())); diff != "" {
		t.Error(diff)
	}
	p.press("Bahasa / Language")
	p.press("English")
	if !strings.Contains(p.view().Text, "information bot") {
		t.Errorf("after another language the person sees %q", p.view().Text)
	}
}
