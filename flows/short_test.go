package flows_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"suar/flows"
)

// tenLanguages are all that the shipped book has.
var tenLanguages = []string{"id", "en", "lo", "th", "zh", "vi", "my", "km", "tl", "hi"}

const anEmbassy = `embassies:
  - {country: {id: Thailand, en: Thailand, th: ประเทศไทย}, contact: "000 0000", verified_on: 2026-02-01, verified_by: A. Example}
  - {country: {id: Vietnam, en: Vietnam}, contact: "000 9999", verified_on: 2025-02-01, verified_by: A. Example}
`

func embassies(t *testing.T, yaml string) flows.Directory {
	t.Helper()
	d, err := flows.ParseDirectory("d.yaml", []byte(yaml))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestShortPacks walks the short way in each language that has no more: the cover,
// the gate, the person's own embassy, a human; and danger from the gate.
func TestShortPacks(t *testing.T) {
	walked := 0
	for _, pack := range ring(t, flows.Directory{}, tenLanguages...).book.Packs() {
		if !pack.Short {
			continue
		}
		walked++
		t.Run(pack.Language, func(t *testing.T) {
			if pack.ReviewedBy != "" {
				t.Error("somebody has reviewed it; name them in this test, too")
			}
			p := ring(t, embassies(t, anEmbassy), tenLanguages...)
			stranger := map[string]bool{}
			for _, row := range p.view().Rows {
				for _, b := range row {
					stranger[b.Label] = true
				}
			}
			// own holds that everything is said in the language.
			own := func(where string) {
				t.Helper()
				v := p.view()
				for _, row := range v.Rows {
					for _, b := range row {
						if stranger[b.Label] || strings.Contains(b.Label, " · ") {
							t.Errorf("%s: the button %q is not in the language", where, b.Label)
						}
					}
				}
				for _, other := range []string{"Anda", "petugas", "officer", "embassy of"} {
					if strings.Contains(v.Text, other) {
						t.Errorf("%s: %q is said in another language", where, v.Text)
					}
				}
				data(t, p, ".h") // A person is one tap away.
			}
			p.press(pack.Name)
			own("cover")
			p.step(flows.Chose{Data: data(t, p, ".o0")})
			own("gate")
			p.step(flows.Chose{Data: data(t, p, ".o0")})
			own("own embassy")
			text := p.view().Text
			if !strings.Contains(text, "000 0000 (2026-02-01)") || strings.Contains(text, "000 9999") {
				t.Errorf("the embassies that are verified, and no others, are to be seen: %q", text)
			}
			if !opened(p.step(flows.Chose{Data: data(t, p, ".o1")})) {
				t.Error("no human follows the embassy")
			}
			own("alert under way")
			p.step(flows.Delivered{Effect: flows.Open{}, Post: "root"})
			own("alerted")
			p.step(flows.Chose{Data: data(t, p, ".o0")})
			if !p.s.Danger {
				t.Error("danger in a case raises nothing")
			}
			for _, l := range p.book.Card(p.s, p.at).Lines {
				if strings.Contains(l.Value, pack.Name) && !strings.Contains(l.Value, "("+pack.Language+")") {
					t.Errorf("an officer may not be able to read %q", l.Value)
				}
			}

			p = ring(t, flows.Directory{}, tenLanguages...)
			p.press(pack.Name)
			p.step(flows.Chose{Data: data(t, p, ".o0")})
			if !opened(p.step(flows.Chose{Data: data(t, p, ".o2")})) || !p.s.Danger {
				t.Error("the danger tap calls nobody")
			}
			own("danger")

			p = ring(t, flows.Directory{}, tenLanguages...)
			p.press(pack.Name)
			p.step(flows.Asked{Message: "9", What: flows.AskPrivacy})
			if n := utf8.RuneCountInString(p.view().Text); n < 200 || !strings.Contains(p.view().Text, "/delete") {
				t.Errorf("the privacy text is %q", p.view().Text)
			}
		})
	}
	if walked != 8 {
		t.Errorf("%d short packs, want 8", walked)
	}
}

// data is what the button sends back that ends in a suffix.
func data(t *testing.T, p *telephone, suffix string) string {
	t.Helper()
	for _, row := range p.view().Rows {
		for _, b := range row {
			if strings.HasSuffix(b.Data, suffix) {
				return b.Data
			}
		}
	}
	t.Fatalf("there is no button %s in %+v", suffix, p.view())
	return ""
}

// TestNoOtherEmbassies: without a verified contact the person still learns that
// there is their own embassy.
func TestNoOtherEmbassies(t *testing.T) {
	p := ring(t, flows.Directory{})
	p.press("English")
	p.press("Contact the embassy")
	p.press("Yes")
	p.press("Agree")
	p.press("Help for me")
	if !opened(p.press("No")) {
		t.Error("no human")
	}
	if text := p.view().Text; !strings.HasSuffix(text, "You can also contact the embassy of your own country.") {
		t.Errorf("the person is told %q", text)
	}
}

// TestWithdrawInAShortPack: the consent can be withdrawn in every language.
func TestWithdrawInAShortPack(t *testing.T) {
	p := ring(t, flows.Directory{}, tenLanguages...)
	p.press("ລາວ")
	p.step(flows.Chose{Data: data(t, p, ".h")})
	p.step(flows.Delivered{Effect: flows.Open{}, Post: "root"})
	p.step(flows.Asked{Message: "9", What: flows.AskPrivacy})
	p.press("ຖອນການຍິນຍອມ")
	data(t, p, ".b") // There is a way back.
	p.press("ແມ່ນ, ຢຸດ ແລະ ລຶບ")
	if p.s.Case != nil && p.s.Case.Phase != flows.Ended || p.view().Text != "" {
		t.Errorf("the case goes on: %+v", p.view())
	}
}

// TestTenLanguages: the languages are to be read in two columns, each by its own
// name, and only those that are on can be chosen.
func TestTenLanguages(t *testing.T) {
	p := ring(t, flows.Directory{}, tenLanguages...)
	p.press("Hubungi KBRI")
	var seen []string
	for _, row := range p.view().Rows[:5] {
		if len(row) != 2 {
			t.Errorf("a row of %d", len(row))
		}
		for _, b := range row {
			seen = append(seen, b.Label)
		}
	}
	want := []string{"Indonesia", "English", "ລາວ", "ไทย", "中文", "Tiếng Việt", "မြန်မာ", "ខ្មែរ", "Tagalog", "हिन्दी"}
	if !slices.Equal(seen, want) {
		t.Errorf("the languages are %q, want %q", seen, want)
	}

	p = ring(t, flows.Directory{})
	p.step(flows.Chose{Data: p.s.Token + ".llo"})
	if p.s.Language != "" {
		t.Errorf("a language that is off was taken: %q", p.s.Language)
	}
	if n := len(p.book.Packs()); n != len(tenLanguages) {
		t.Errorf("%d packs, want %d", n, len(tenLanguages))
	}
}

// TestLanguageInTheMiddle: who changes to a short catalogue in the middle of the
// questions is not asked what nobody has translated, and loses no case.
func TestLanguageInTheMiddle(t *testing.T) {
	p := ring(t, flows.Directory{}, "id", "en", "lo")
	p.press("English")
	p.press("Contact the embassy")
	p.press("Yes")
	p.press("Agree")
	p.press("Help for me")
	p.step(flows.Asked{Message: "8", What: flows.AskLanguage})
	p.press("ລາວ")
	if p.s.Screen != "own.embassy" {
		t.Errorf("the person is at %s", p.s.Screen)
	}
	p.step(flows.Chose{Data: data(t, p, ".h")})
	p.step(flows.Asked{Message: "9", What: flows.AskLanguage})
	p.press("English")
	if p.s.Screen != "case.talk" || p.s.Case == nil {
		t.Errorf("the person is at %s", p.s.Screen)
	}
	// A pack that the deployer takes away leaves nobody without words.
	p.s.Language = "lo"
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	if v := book.View(p.s, p.at); !strings.Contains(v.Text, "A person will read this.") {
		t.Errorf("without the pack the person sees %q", v.Text)
	}
	_ = book.Card(p.s, p.at)
}
