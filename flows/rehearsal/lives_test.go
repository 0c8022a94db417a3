package rehearsal_test

import (
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"suar/flows"
	"suar/flows/rehearsal"
)

const livesFile = "testdata/lives/lives.txtar"

// TestSeizedPhone plays ten lives and compares what the telephone shows at rest,
// after the sweep and after Delete & leave with the reviewed pictures. Whatever
// was said, nothing but the cover, neutral lines or nothing at all may be there:
// that is required beside the golden file, so that no update of it can change it.
// (domain.md 8: "delete own and incoming messages", "a word left on a seized phone".)
func TestSeizedPhone(t *testing.T) {
	archive, err := txtar.ParseFile(livesFile)
	if err != nil {
		t.Fatal(err)
	}
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	var names []string
	for _, f := range archive.Files {
		want[f.Name] = string(f.Data)
		if name, ok := strings.CutSuffix(f.Name, "/script"); ok {
			names = append(names, name)
		}
	}
	if len(names) < 10 {
		t.Fatalf("%d lives, want ten", len(names))
	}
	endings := []struct{ name, lines string }{
		{"at rest", "after 1h"},
		{"swept", "after 48h"},
		{"left", "person asks delete"},
		{"left, two days later", "person asks delete\nafter 48h"},
	}
	stranger := map[string]string{} // By language and ending: the first life is one.
	got := txtar.Archive{Comment: archive.Comment}
	for _, name := range names {
		script := want[name+"/script"]
		got.Files = append(got.Files, txtar.File{Name: name + "/script", Data: []byte(script)})
		for _, ending := range endings {
			r := live(t, book, script+ending.lines)
			picture := r.Chat()
			file := name + "/" + ending.name
			got.Files = append(got.Files, txtar.File{Name: file, Data: []byte(picture)})
			if !*update {
				if diff := cmp.Diff(want[file], picture); diff != "" {
					t.Errorf("%s: the telephone shows something else (-want +got):\n%s", file, diff)
				}
			}
			language := "id"
			if strings.Contains(script, "presses English") {
				language = "en"
			}
			key := language + "/" + ending.name
			if _, ok := stranger[key]; !ok {
				label := map[string]string{"id": "Indonesia", "en": "English"}[language]
				stranger[key] = live(t, book, "person starts\nperson presses "+label+"\n"+ending.lines).Chat()
			}
			harmless(t, file, picture, stranger[key])
		}
	}
	if *update {
		if err := os.WriteFile(livesFile, txtar.Format(&got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// live plays a life.
func live(t *testing.T, book *flows.Book, script string) *rehearsal.Rehearsal {
	t.Helper()
	r := rehearsal.New(book, io.Discard, time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC))
	for line := range strings.Lines(script) {
		if err := r.Do(line); err != nil {
			t.Fatalf("%s: %v", strings.TrimSpace(line), err)
		}
	}
	return r
}

// harmless requires that a picture is the one of somebody who asked for the
// opening hours, but for lines that say that there is news.
func harmless(t *testing.T, file, picture, stranger string) {
	t.Helper()
	news := []string{
		"bot: Ada kabar baru. [Buka] [Hapus]\n", "bot: There is news. [Open] [Delete]\n",
	}
	for _, line := range news {
		picture = strings.ReplaceAll(picture, line, "")
	}
	if strings.Contains(file, "07 ") && strings.Contains(picture, "bot: ") && strings.Contains(picture, " · ") {
		return // No language was chosen: the cover is in both.
	}
	if diff := cmp.Diff(stranger, picture); diff != "" {
		t.Errorf("%s: not what the opening hours leave (-stranger +this life):\n%s", file, diff)
	}
}
