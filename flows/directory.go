package flows

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A Directory is what only the deployer knows: telephone numbers and consular
// information. Nothing of it ships with the program.
type Directory struct {
	// Stale is how long an entry is shown after it was verified; 90 days if it
	// is zero.
	Stale   Duration       `yaml:"stale_after"`
	Numbers []Number       `yaml:"numbers"`
	Pages   []DirectoryTab `yaml:"pages"`
	// Embassies are those of other countries, for people of theirs.
	Embassies []Embassy `yaml:"embassies"`
	// Partners are to whom cases can be referred.
	Partners []Partner `yaml:"partners"`
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

// An Embassy is how people of another country reach their own embassy.
type Embassy struct {
	// Country is the country's name, by language.
	Country map[string]string `yaml:"country"`
	// Contact is one line: a telephone number, an address.
	Contact    string `yaml:"contact"`
	VerifiedOn string `yaml:"verified_on"`
	VerifiedBy string `yaml:"verified_by"`

	at place
}

// How much of the directory fits into the bubble beside what else is said there, in
// characters: a page, and all numbers or all embassies together.
const (
	longestPage = 3000
	longestList = 1500
)

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
		for _, l := range slices.Sorted(maps.Keys(p.Title)) {
			if utf8.RuneCountInString(p.Title[l]) > longestLabel {
				faults.add(at, "the title in %s is longer than %d characters; it would be cut off on a telephone", l, longestLabel)
			}
		}
		for _, l := range slices.Sorted(maps.Keys(p.Text)) {
			if n := utf8.RuneCountInString(p.Text[l]); n > longestPage {
				faults.add(at, "the text in %s has %d characters; %d fit", l, n, longestPage)
			}
		}
	}
	for i, e := range d.Embassies {
		at := place{name, line(child(root, "embassies", i))}
		d.Embassies[i].at = at
		checkEntry(&faults, at, e.VerifiedOn, e.VerifiedBy)
		if len(e.Country) == 0 {
			faults.add(at, "the embassy has no country; name it, in each language")
		}
		if e.Contact == "" || strings.ContainsAny(e.Contact, "\n\r") {
			faults.add(at, "the embassy needs a contact of one line, such as a telephone number")
		}
	}
	checkPartners(&faults, name, func(i int) int { return line(child(root, "partners", i)) }, d.Partners)
	var numbers, embassies int
	for _, n := range d.Numbers {
		numbers += longest(n.Label) + utf8.RuneCountInString(n.Number) + len(": \n")
	}
	for _, e := range d.Embassies {
		embassies += longest(e.Country) + utf8.RuneCountInString(e.Contact) + len(":  (2006-01-02)\n")
	}
	for what, n := range map[string]int{"numbers": numbers, "embassies": embassies} {
		if n > longestList {
			faults.add(place{file: name}, "the %s have %d characters together; %d fit", what, n, longestList)
		}
	}
	return d, faults.join()
}

// longest is how many characters the longest of the texts has.
func longest(texts map[string]string) int {
	n := 0
	for _, t := range texts {
		n = max(n, utf8.RuneCountInString(t))
	}
	return n
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
	for _, e := range d.Embassies {
		future(e.at, e.VerifiedOn)
		lacks(e.at, "country", e.Country)
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

// StaleEmbassies is StaleNumbers for the embassies.
func (d Directory) StaleEmbassies(at time.Time) []time.Time {
	var days []string
	for _, e := range d.Embassies {
		days = append(days, e.VerifiedOn)
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

// embassies returns the other embassies that may be shown, a line each, with the
// day on which each was verified.
func (b *Book) embassies(language string, at time.Time) string {
	var lines []string
	for _, e := range b.directory.Embassies {
		if b.directory.fresh(e.VerifiedOn, at) {
			lines = append(lines, in(e.Country, language, b.languages)+": "+e.Contact+" ("+e.VerifiedOn+")")
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
