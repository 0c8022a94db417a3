package main

import (
	"bytes"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestThreatsNameTests: the tests that the threat model names are there.
func TestThreatsNameTests(t *testing.T) {
	doc, err := os.ReadFile("../../docs/threats.md")
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]bool{}
	for _, name := range regexp.MustCompile(`\b(?:Test|Benchmark)[A-Z]\w+`).FindAllString(string(doc), -1) {
		wanted[name] = true
	}
	if len(wanted) < 20 {
		t.Fatalf("it names %d tests", len(wanted))
	}
	err = fs.WalkDir(os.DirFS("../.."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != "." {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile("../../" + path)
		for name := range wanted {
			if bytes.Contains(source, []byte("\nfunc "+name+"(")) {
				delete(wanted, name)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range wanted {
		t.Errorf("there is no %s", name)
	}
}
