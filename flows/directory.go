package flows

import (
	"strings"
	"time"
)

// A Directory is what only the deployer knows: telephone numbers and consular
// information. Nothing of it ships with the program.
type Directory struct {
	// Stale is how long an entry is shown after it was verified; 90 days if it
	// is zero.
	Stale   Duration       `yaml:"stale_after"`
	Numbers []Number       `yaml:"numbers"`
	Pages   []DirectoryTab `yaml:"pages"`
}

// A Number is a telephone number to show to people in danger.
type Number struct {
	// Label says whose it is, by language.
	Label  map[string]string `yaml:"label"`
	Number string            `yaml:"number"`
	// VerifiedOn is the day (2006-01-02) on which VerifiedBy called it.
	VerifiedOn string `yaml:"verified_on"`
	VerifiedBy string `yaml:"verified_by"`
}

// A DirectoryTab is a page of consular information: opening hours, passports.
type DirectoryTab struct {
	ID         string            `yaml:"id"`
	Title      map[string]string `yaml:"title"`
	Text       map[string]string `yaml:"text"`
	VerifiedOn string            `yaml:"verified_on"`
	VerifiedBy string            `yaml:"verified_by"`
}

// ParseDirectory reads a directory strictly and returns every fault at once,
// joined, each a [Fault]. name is for the faults.
func ParseDirectory(name string, raw []byte) (Directory, error) {
	var d Directory
	var faults faults
	root, ok := faults.parse(name, raw, &d)
	if !ok {
		return Directory{}, faults.join()
	}
	for i, n := range d.Numbers {
		at := place{name, line(child(root, "numbers", i))}
		checkEntry(&faults, at, n.VerifiedOn, n.VerifiedBy)
		if n.Number == "" || strings.Trim(n.Number, "+0123456789 ()-") != "" {
			faults.add(at, "a number has digits, spaces, dashes, brackets and a plus sign only")
		}
		if len(n.Label) == 0 {
			faults.add(at, "the number has no label; say whose it is, in each language")
		}
	}
	seen := map[string]bool{}
	for i, p := range d.Pages {
		at := place{name, line(child(root, "pages", i))}
		checkEntry(&faults, at, p.VerifiedOn, p.VerifiedBy)
		if p.ID == "" || seen[p.ID] {
			faults.add(at, "each page needs an id of its own")
		}
		seen[p.ID] = true
		if len(p.Title) == 0 || len(p.Text) == 0 {
			faults.add(at, "the page needs a title and a text, in each language")
		}
	}
	return d, faults.join()
}

func checkEntry(faults *faults, at place, on, by string) {
	if _, err := time.Parse(time.DateOnly, on); err != nil {
		faults.add(at, "verified_on %q is no date; write the day it was verified like 2026-01-31", on)
	}
	if by == "" {
		faults.add(at, "verified_by is empty; say who verified the entry")
	}
}

// fresh reports whether an entry verified on a day may still be shown.
func (d Directory) fresh(on string, at time.Time) bool {
	day, err := time.Parse(time.DateOnly, on)
	if err != nil {
		return false
	}
	stale := time.Duration(d.Stale)
	if stale == 0 {
		stale = 90 * 24 * time.Hour
	}
	return at.Before(day.Add(stale))
}

// in returns a text in a language, or in the first of the others that has it.
func in(texts map[string]string, language string, others []string) string {
	if t := texts[language]; t != "" {
		return t
	}
	for _, l := range others {
		if t := texts[l]; t != "" {
			return t
		}
	}
	return ""
}

// numbers returns the numbers that may be shown, a line each.
func (b *Book) numbers(language string, at time.Time) string {
	var lines []string
	for _, n := range b.directory.Numbers {
		if b.directory.fresh(n.VerifiedOn, at) {
			lines = append(lines, in(n.Label, language, b.languages)+": "+n.Number)
		}
	}
	return strings.Join(lines, "\n")
}

// pages returns the pages that may be shown.
func (b *Book) pages(at time.Time) []DirectoryTab {
	var out []DirectoryTab
	for _, p := range b.directory.Pages {
		if b.directory.fresh(p.VerifiedOn, at) {
			out = append(out, p)
		}
	}
	return out
}
