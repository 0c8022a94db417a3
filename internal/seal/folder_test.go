package seal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func exportCase(t *testing.T, c sealedCase) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "case")
	if err := Export(dir, caseA, c.header, c.records); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestFolderRoundTrip(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients, lines(3)...)
	c.records = append(c.records, []byte("not a record"), nil)
	dir := exportCase(t, c)
	id, header, records, err := ReadFolder(dir)
	if err != nil || id != caseA {
		t.Fatalf("got case %s, %v", id, err)
	}
	if diff := cmp.Diff(sealedCase{header: c.header, records: [][]byte{c.records[0], c.records[1], c.records[2], c.records[3], {}}},
		sealedCase{header: header, records: records}, cmp.AllowUnexported(sealedCase{})); diff != "" {
		t.Error(diff)
	}
	for _, f := range []string{folderHeader, folderChain, folderReadme, "00000001.age", "00000004.damaged"} {
		info, err := os.Stat(filepath.Join(dir, f))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, info, err)
		}
	}
}

func TestExportNeverOverwrites(t *testing.T) {
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients, lines(1)...)
	dir := exportCase(t, c)
	if err := Export(dir, caseA, c.header, c.records); !errors.Is(err, fs.ErrExist) {
		t.Errorf("got %v", err)
	}
}

func TestFolderTampering(t *testing.T) {
	d := newDesk(t)
	edit := func(name string, change func(string) string) func(string) error {
		return func(dir string) error {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, name), []byte(change(string(b))), 0o600)
		}
	}
	for name, try := range map[string]struct {
		do     func(dir string) error
		folder bool // ReadFolder refuses
		proven int
	}{
		"a file is gone":       {func(dir string) error { return os.Remove(filepath.Join(dir, "00000002.age")) }, false, 1},
		"two files swapped":    {edit(folderChain, strings.NewReplacer("00000002", "00000003", "00000003", "00000002").Replace), false, 1},
		"a line is gone":       {edit(folderChain, func(s string) string { return strings.Join(strings.Split(s, "\n")[:3], "\n") }), false, 2},
		"a file is changed":    {edit("00000002.age", func(s string) string { return s[:len(s)-1] + "x" }), false, 1},
		"no chain":             {func(dir string) error { return os.Remove(filepath.Join(dir, folderChain)) }, true, 0},
		"no header":            {func(dir string) error { return os.Remove(filepath.Join(dir, folderHeader)) }, true, 0},
		"an empty chain":       {edit(folderChain, func(string) string { return "" }), true, 0},
		"another format":       {edit(folderChain, func(s string) string { return "HL9" + s[3:] }), true, 0},
		"no case":              {edit(folderChain, func(s string) string { return "HL1\n" + s }), true, 0},
		"a path out of it":     {edit(folderChain, func(s string) string { return strings.Replace(s, "00000002.age", "../x/00000002.age", 1) }), true, 0},
		"another kind of file": {edit(folderChain, func(s string) string { return strings.Replace(s, "00000002.age", "README.txt", 1) }), true, 0},
		"no tag":               {edit(folderChain, func(s string) string { return s + "00000001.age 1\n" }), true, 0},
		"a bad tag":            {edit(folderChain, func(s string) string { return s + "00000001.age 1 zz\n" }), true, 0},
		"a bad number":         {edit(folderChain, func(s string) string { return s + "00000001.age -1 zz\n" }), true, 0},
		"an empty line":        {edit(folderChain, func(s string) string { return s + "\n\n" }), true, 0},
	} {
		c := writeCase(t, caseA, d.Recipients, lines(3)...)
		dir := exportCase(t, c)
		if err := os.Mkdir(filepath.Join(dir, "..", "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "..", "x", "00000002.age"), []byte("outside"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := try.do(dir); err != nil {
			t.Fatal(err)
		}
		id, header, records, err := ReadFolder(dir)
		if try.folder != (err != nil) {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil {
			continue
		}
		got, err := ReadTranscript(id, header, records, d.officer)
		if err != nil || got.Proven != try.proven || got.Check(c.tape.Witness()) == nil {
			t.Errorf("%s: %d proven, %v", name, got.Proven, err)
		}
	}
}
