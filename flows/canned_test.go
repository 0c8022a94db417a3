package flows

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// bookWith is the shipped book with further files.
func bookWith(t *testing.T, more map[string]string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(Shipped(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(Shipped(), name)
		files[name] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range more {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

// TestCannedReplies: the shipped ones are there in each language that officers write,
// and break no never rule; a deployer's own stand beside them, and are looked at.
func TestCannedReplies(t *testing.T) {
	b, err := Load(bookWith(t, map[string]string{"replies/id-vientiane.yaml": "reviewed: true\nreplies:\n  - {id: hours, label: Jam kantor, text: Kantor buka jam 8 sampai 16.}\n"}), Directory{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(b.canned["en"]); n < 8 || len(b.canned["id"]) != n+1 {
		t.Errorf("%d replies in English, %d in Indonesian", n, len(b.canned["id"]))
	}
	for _, r := range b.canned["en"] {
		if _, ok := b.cannedIn("id", r.ID); !ok || len(b.breaks(r.Text)) > 0 {
			t.Errorf("the reply %q is not there in Indonesian, or breaks %q", r.ID, b.breaks(r.Text))
		}
	}
	for text, want := range map[string]string{
		"replies:\n  - {id: bad, label: l, text: We will rescue you.}\n":                               `breaks the never rule "rescue"`,
		"replies:\n  - {id: bad, label: l, text: Kirim foto paspor.}\n":                                `breaks the never rule "papers"`,
		"replies:\n  - {id: first, label: l, text: hello}\n":                                           "an id of its own",
		"replies:\n  - {id: x, text: hello}\n":                                                         "needs a label",
		"replies:\n  - {id: long, label: l, text: \"" + strings.Repeat("a", longestCanned+1) + "\"}\n": "600 fit",
		"replys: []\n": "field replys not found",
	} {
		_, err := Load(bookWith(t, map[string]string{"replies/en-more.yaml": text}), Directory{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "replies/en") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestCannedLanguages: the words are in the person's language, or the preview says
// that they are not; and the officers have them in their own.
func TestCannedLanguages(t *testing.T) {
	b, err := Load(Shipped(), Directory{}, "id", "en", "lo")
	if err != nil {
		t.Fatal(err)
	}
	of := func(language string) State {
		return State{Facts: Facts{Language: language}, Case: &Case{ID: Moment{}.caseID(), Phase: Owned, Officer: Officer{ID: "u"}}}
	}
	values := map[string]string{cannedField: "waiting"}
	en, _ := b.cannedIn("en", "waiting")
	id, _ := b.cannedIn("id", "waiting")
	for language, want := range map[string][]string{
		"en": {en.Text, id.Text}, "id": {id.Text}, "lo": {id.Text, b.languageName("lo")}, "": {id.Text},
	} {
		form, ok := b.Form(of(language), time.Time{}, Officer{ID: "u"}, ActionCanned, "")
		if !ok || form.Faults(values) != nil || !form.Preview {
			t.Fatalf("%q: %+v, %v", language, form, ok)
		}
		seen := b.Preview(of(language), time.Time{}, Officer{ID: "u"}, ActionCanned, "", values)
		for _, w := range want {
			if !strings.Contains(seen, w) {
				t.Errorf("%q: %q does not say %q", language, seen, w)
			}
		}
		if strings.Contains(seen, en.Text) != (language == "en") {
			t.Errorf("%q: %q", language, seen)
		}
	}
}
