package flows_test

import (
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"suar/flows"
)

// shipped returns the shipped book as files that a test may change.
func shipped(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(flows.Shipped(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(flows.Shipped(), name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestShippedBook(t *testing.T) {
	b, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatalf("the shipped book has faults:\n%v", err)
	}
	screens, texts := b.Size()
	if screens < 30 || texts < 200 {
		t.Errorf("the shipped book has %d screens and %d texts, so some of it was not read", screens, texts)
	}
	if got := b.Unreviewed(); !slices.Equal(got, []string{"id", "en"}) {
		t.Errorf("unreviewed: %q; a catalogue may lose this mark only when a native speaker has read it", got)
	}
}

// TestBadBooks breaks the shipped book in one place each. Every fault names its
// file, and its line where it has one.
func TestBadBooks(t *testing.T) {
	for name, c := range map[string]struct {
		file, old, new string
		want           []string
	}{
		"a missing translation": {
			"text/id.yaml", "  opening.now.danger: \"Bahaya sekarang\"\n", "",
			[]string{`text/id.yaml: the text "opening.now.danger" is missing; opening.yaml:19 needs it`},
		},
		"a sentence that is hard to read": {
			"text/en.yaml", `opening.need: "How can we help?"`, `opening.need: "Please tell us in a few words of your own what it is that you need. Thanks."`,
			[]string{`text/en.yaml:`, `the text "opening.need" has a sentence of 16 words; 14 are read with ease: "Please tell us`},
		},
		"words that are never said": {
			"text/id.yaml", `opening.need: "Apa yang Anda perlukan?"`, `opening.need: "Apakah Anda Korban TPPO?"`,
			[]string{`the text "opening.need" says "TPPO", which the catalogue lists as never said`, `says "korban"`},
		},
		"nobody says what is never said": {
			"text/id.yaml", "\nnever: ", "\nnever: []\n# ",
			[]string{"text/id.yaml:1: the catalogue has no list never"},
		},
		"a short catalogue that lacks danger": {
			"text/lo.yaml", "  opening.now.danger: ", "  victim.minor.no: ",
			[]string{`text/lo.yaml: the text "opening.now.danger" is missing; opening.yaml:19 needs it`},
		},
		"a screen that says nothing of short catalogues": {
			"emergency.yaml", "short: case.talk\n", "",
			[]string{`emergency.yaml:3: short: say what becomes of the screen "emergency.what" in a short catalogue such as hi`},
		},
		"a short way that leads nowhere": {
			"emergency.yaml", "short: case.talk\n", "short: victim.minor\n",
			[]string{`short: the screen "victim.minor" is not shown in short catalogues either`},
		},
		"a short catalogue for the officers": {
			"policy.yaml", "officers: id ", "officers: lo ",
			[]string{`the language "lo" is not among those that are on`, `text/lo.yaml:1: the catalogue is short`},
		},
		"a language that nobody wrote": {
			"policy.yaml", "languages: [id, en] ", "languages: [id, en, xx, id] ",
			[]string{`there is no catalogue for the language "xx"; there are en, hi, id, km, lo, my, th, tl, vi, zh`, `"id" is listed twice`},
		},
		"an empty text": {
			"text/en.yaml", `ui.skip: "Skip"`, `ui.skip: ""`,
			[]string{`text/en.yaml:`, `the text "ui.skip" is empty`},
		},
		"a misspelt text": {
			"text/en.yaml", `ui.skip:`, `ui.skipp:`,
			[]string{`the text "ui.skip" is missing; the program needs it`, `the text "ui.skipp" is not used`},
		},
		"a lost placeholder": {
			"text/en.yaml", `Case {code} has waited for {minutes} min`, `Case {code} has waited`,
			[]string{`the text "card.page" has the placeholders [{code}]`, `[{code} {minutes}]`},
		},
		"a label too long for a telephone": {
			"text/en.yaml", `ui.leave: "Delete & leave"`, `ui.leave: "Delete this whole conversation and leave it for good"`,
			[]string{`the label "ui.leave" is longer than 30 characters`},
		},
		"a circle of questions": {
			"victim.yaml", "  - id: wish\n    fact: wish\n", "  - id: wish\n    next: passport\n    fact: wish\n",
			[]string{"victim.yaml:", `the screen "victim.wish" leads back to "victim.passport": a circle of questions`},
		},
		"a question that nobody comes to": {
			"emergency.yaml", "  - id: list\n", "  - id: orphan\n    next: authorities\n    options:\n      - {id: a}\n\n  - id: list\n",
			[]string{`emergency.yaml:30: nobody can come to the screen "emergency.orphan"`},
		},
		"a screen that is not there": {
			"opening.yaml", "next: victim.citizen", "next: victim.nationality",
			[]string{`opening.yaml:32: next: there is no screen "victim.nationality"`},
		},
		"a dead end": {
			"emergency.yaml", "    next: case.talk\n    options:\n      - {id: yes}\n      - {id: no}\n      - {id: ask}\n", "",
			[]string{`emergency.yaml:37: the screen "emergency.authorities" is a dead end`},
		},
		"an unknown word": {
			"victim.yaml", "    many: true\n", "    multi: true\n",
			[]string{"victim.yaml:54: field multi not found"},
		},
		"no YAML": {
			"family.yaml", "screens:", "screens: [",
			[]string{"family.yaml:"},
		},
		"a sweep that Telegram would refuse": {
			"policy.yaml", "sweep: 46h", "sweep: 50h",
			[]string{"policy.yaml: sweep: must be 47h at most"},
		},
		"a duration that is none": {
			"policy.yaml", "idle: 24h", "idle: a day",
			[]string{`policy.yaml:24: "a day" is no duration`},
		},
		"nobody would be called again": {
			"policy.yaml", "urgent: [2m, 8m, 10m]", "urgent: []",
			[]string{"urgent: give at least one interval"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := shipped(t)
			old := string(files[c.file].Data)
			if !strings.Contains(old, c.old) {
				t.Fatalf("%s does not contain %q, so the test breaks nothing", c.file, c.old)
			}
			files[c.file] = &fstest.MapFile{Data: []byte(strings.Replace(old, c.old, c.new, 1))}
			_, err := flows.Load(files, flows.Directory{})
			if err == nil {
				t.Fatal("the book was taken")
			}
			if _, ok := errors.AsType[flows.Fault](err); !ok {
				t.Errorf("the error holds no flows.Fault: %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error does not say %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestEveryFaultAtOnce(t *testing.T) {
	files := shipped(t)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(name, "text/") {
			files[name] = &fstest.MapFile{Data: []byte("name: X\ntexts: {}\n")}
		}
	}
	_, err := flows.Load(files, flows.Directory{})
	if n := strings.Count(err.Error(), "is missing"); n < 400 {
		t.Errorf("two empty catalogues gave %d faults, want one for each text", n)
	}
}

func TestEmptyBook(t *testing.T) {
	_, err := flows.Load(fstest.MapFS{}, flows.Directory{})
	if err == nil || !strings.Contains(err.Error(), "policy.yaml: the book has no such file") {
		t.Errorf("an empty book gave %v", err)
	}
}

func TestBadDirectories(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"a number without a date": {`numbers: [{label: {id: x}, number: "1", verified_by: A}]`, `d.yaml:1: verified_on "" is no date`},
		"nobody verified it":      {`numbers: [{label: {id: x}, number: "1", verified_on: 2026-01-02}]`, "verified_by is empty"},
		"words for a number":      {`numbers: [{label: {id: x}, number: "ask at the gate", verified_on: 2026-01-02, verified_by: A}]`, "digits, spaces"},
		"two pages of one id":     {"pages:\n- {id: a, title: {id: x}, text: {id: x}, verified_on: 2026-01-02, verified_by: A}\n- {id: a, title: {id: x}, text: {id: x}, verified_on: 2026-01-02, verified_by: A}", "d.yaml:3: each page needs an id of its own"},
		"an unknown key":          {"numbrs: []", `field numbrs not found; is "numbers" meant?`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := flows.ParseDirectory("d.yaml", []byte(c.yaml)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestNeverSaid holds the texts to what is never said to a person in danger.
func TestNeverSaid(t *testing.T) {
	never := []string{
		"rescue", "you are safe", "police are coming", "prosecuted", "you are a victim", "not a victim",
		"are anonymous", "is encrypted end",
		"selamatkan", "anda aman", "polisi sedang", "polisi akan", "dituntut", "anda korban", "bukan korban", "perdagangan orang", "trafficking",
	}
	for name, file := range shipped(t) {
		if !strings.HasPrefix(name, "text/") {
			continue
		}
		_, text, _ := strings.Cut(strings.ToLower(string(file.Data)), "\ntexts:")
		for _, words := range never {
			if strings.Contains(text, words) {
				t.Errorf("%s says %q, which is never said", name, words)
			}
		}
	}
}
