package flows

import (
	"slices"
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

	at place
}

// A DirectoryTab is a page of consular information: opening hours, passports.
type DirectoryTab struct {
	ID         string            `yaml:"id"`
	Title      map[string]string `yaml:"title"`
	Text       map[string]string `yaml:"text"`
	VerifiedOn string            `yaml:"verified_on"`
	VerifiedBy string            `yaml:"verified_by"`

	at place
}

// ParseDirectory reads a directory strictly and returns every fault at once,
// joined, each a [Fault]. name is for the faults. What depends on the day and on
// the book is for [Directory.Check].
func ParseDirectory(name string, raw []byte) (Directory, error) {
	var d Directory
	var faults faults
	root, ok := faults.parse(name, raw, &d)
	if !ok {
		return Directory{}, faults.join()
	}
	for i, n := range d.Numbers {
		at := place{name, line(child(root, "numbers", i))}
		d.Numbers[i].at = at
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
		d.Pages[i].at = at
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

// farthestEast is how far ahead of UTC a clock can be: there it may be
// tomorrow already.
const farthestEast = 14 * time.Hour

// Check reports what only shows on a day and beside a book: an entry verified
// after the instant, and a label, a title or a text that lacks one of the
// languages. It returns every fault at once, joined, each a [Fault], nil if
// there is none. Without languages none is missed.
func (d Directory) Check(at time.Time, languages ...string) error {
	var faults faults
	future := func(where place, on string) {
		if day, err := time.Parse(time.DateOnly, on); err == nil && day.After(at.Add(farthestEast)) {
			faults.add(where, "verified_on %s is still to come; write the day on which it was verified", on)
		}
	}
	lacks := func(where place, what string, texts map[string]string) {
		var missing []string
		for _, l := range languages {
			if texts[l] == "" {
				missing = append(missing, l)
			}
		}
		if len(missing) > 0 {
			faults.add(where, "the %s is missing in: %s", what, strings.Join(missing, ", "))
		}
	}
	for _, n := range d.Numbers {
		future(n.at, n.VerifiedOn)
		lacks(n.at, "label", n.Label)
	}
	for _, p := range d.Pages {
		future(p.at, p.VerifiedOn)
		lacks(p.at, "title", p.Title)
		lacks(p.at, "text", p.Text)
	}
	return faults.join()
}

// StaleNumbers returns since when each number is hidden that nobody may be shown
// at the instant, oldest first.
func (d Directory) StaleNumbers(at time.Time) []time.Time {
	var days []string
	for _, n := range d.Numbers {
		days = append(days, n.VerifiedOn)
	}
	return d.stale(days, at)
}

// StalePages is StaleNumbers for the pages.
func (d Directory) StalePages(at time.Time) []time.Time {
	var days []string
	for _, p := range d.Pages {
		days = append(days, p.VerifiedOn)
	}
	return d.stale(days, at)
}

func (d Directory) stale(days []string, at time.Time) []time.Time {
	var since []time.Time
	for _, on := range days {
		if !d.fresh(on, at) {
			since = append(since, d.expiry(on))
		}
	}
	slices.SortFunc(since, time.Time.Compare)
	return since
}

// fresh reports whether an entry verified on a day may still be shown.
func (d Directory) fresh(on string, at time.Time) bool { return at.Before(d.expiry(on)) }

// expiry is when an entry verified on a day is hidden; the zero time, and so
// always, if that is no day.
func (d Directory) expiry(on string) time.Time {
	day, err := time.Parse(time.DateOnly, on)
	if err != nil {
		return time.Time{}
	}
	stale := time.Duration(d.Stale)
	if stale == 0 {
		stale = 90 * 24 * time.Hour
	}
	return day.Add(stale)
}

// Directory returns the directory that the book was loaded with.
func (b *Book) Directory() Directory { return b.directory }

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
