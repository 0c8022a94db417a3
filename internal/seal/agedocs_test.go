package seal

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
)

// TestAgeToolByTheDocs runs the commands that docs/formats.md and the README.txt of
// an exported case give, word for word, with age's own command at the version of
// go.mod and nothing of ours.
func TestAgeToolByTheDocs(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the age tool; not in short mode")
	}
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(bin, "age"), "filippo.io/age/cmd/age")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the age tool does not build: %v\n%s", err, out)
	}
	newcomer, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	for _, doc := range []struct{ path, after string }{
		{"../../docs/formats.md", "## An exported case"},
		{filepath.Join(goldenDir, "case", folderReadme), "Case "},
	} {
		raw, err := os.ReadFile(doc.path)
		if err != nil {
			t.Fatal(err)
		}
		_, text, ok := strings.Cut(string(raw), doc.after)
		if !ok {
			t.Fatalf("%s: no %q", doc.path, doc.after)
		}
		text, _, _ = strings.Cut(text, "\n## ")
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(goldenDir, "case"))); err != nil {
			t.Fatal(err)
		}
		officer, err := os.ReadFile(filepath.Join(goldenDir, "officer-plain.key"))
		if err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string]string{
			"officer.key": string(officer), "newcomer.txt": newcomer.Recipient().String() + "\n", "newcomer.key": newcomer.String() + "\n",
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		shell := func(script string) string {
			c := exec.CommandContext(t.Context(), "sh", "-e", "-c", script)
			c.Dir = dir
			c.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			out, err := c.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %s: %v\n%s", doc.path, script, err, out)
			}
			return string(out)
		}
		// Each block of indented lines is one script.
		ran, said := 0, ""
		for block := range strings.SplitSeq(text, "\n\n") {
			if !strings.HasPrefix(block, "    age ") && !strings.HasPrefix(block, "  age ") {
				continue
			}
			ran++
			said += shell(block)
		}
		if ran < 2 || !strings.Contains(said, `"kind":"answers"`) {
			t.Errorf("%s: %d scripts say %.300q", doc.path, ran, said)
		}
		if got := shell("age -d -i newcomer.key header2.age | age -d -i - 00000002.age"); !strings.Contains(got, "paspor saya diambil") {
			t.Errorf("%s: the newcomer reads %q", doc.path, got)
		}
	}
}
