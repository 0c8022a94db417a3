package flows

import (
	"errors"
	"io/fs"
	"slices"
	"unicode/utf8"
)

// fileCasework says what officers can record of a case.
const fileCasework = "casework.yaml"

// A casework is the file casework.yaml of a book.
type casework struct {
	Sheets []sheet `yaml:"sheets"`
	Flags  struct {
		MostDays int      `yaml:"most_days"`
		Kinds    []string `yaml:"kinds"`
	} `yaml:"flags"`
	// Tags are the kinds of what cases can have in common.
	Tags []string `yaml:"tags"`
}

// A sheet is a list of things of which each has one of a few values, or none.
type sheet struct {
	at place

	ID     string   `yaml:"id"`
	Values []string `yaml:"values"`
	Items  []string `yaml:"items"`
	// Dated says that each value has a day.
	Dated bool `yaml:"dated"`
	// Gaps says that the card lists the items that have none.
	Gaps bool `yaml:"gaps"`
}

// unset is the choice of an item that nobody was asked about.
const unset = "-"

// fromShipped reads a file of a book, or the shipped one if the book has none.
func fromShipped(files fs.FS, name string) ([]byte, error) {
	raw, err := fs.ReadFile(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return fs.ReadFile(Shipped(), name)
	}
	return raw, err
}

// readCasework reads what officers can record.
func (b *Book) readCasework(raw []byte, faults *faults) {
	root, ok := faults.parse(fileCasework, raw, &b.work)
	if !ok {
		return
	}
	seen := map[string]bool{workFlag: true, workConsent: true, workRefer: true, workLink: true, workTag: true}
	for i := range b.work.Sheets {
		s := &b.work.Sheets[i]
		s.at = place{fileCasework, line(child(root, "sheets", i))}
		checkNames(faults, s.at, "item", s.Items)
		checkNames(faults, s.at, "value", s.Values)
		switch {
		case !isName(s.ID) || seen[s.ID]:
			faults.add(s.at, "each sheet needs an id of its own, of small letters")
		case len(s.Items) == 0 || len(s.Items) > mostItems:
			faults.add(s.at, "a sheet has 1 to %d items", mostItems)
		case len(s.Values) == 0 || len(s.Values) > mostItems:
			faults.add(s.at, "a sheet has 1 to %d values", mostItems)
		}
		seen[s.ID] = true
	}
	at := place{fileCasework, 1}
	checkNames(faults, at, "flag", b.work.Flags.Kinds)
	checkNames(faults, at, "tag", b.work.Tags)
	if n := b.work.Flags.MostDays; n < 1 || n > 366 {
		faults.add(at, "flags: most_days: want 1 to 366")
	}
}

// mostItems is how long a form may be on a telephone.
const mostItems = 20

// checkNames finds what is no name, or there twice.
func checkNames(faults *faults, at place, what string, names []string) {
	for i, name := range names {
		if !isName(name) {
			faults.add(at, "the %s %q must be of small letters", what, name)
		}
		if slices.Contains(names[:i], name) {
			faults.add(at, "the %s %q is here twice", what, name)
		}
	}
}

// isName reports whether a text is a name in casework.yaml.
func isName(name string) bool {
	for _, r := range name {
		if r < 'a' || r > 'z' {
			return false
		}
	}
	return name != "" && len(name) <= 20 && name != "is" && name != "intro" && name != "day" && name != "note"
}

// wantedByWork adds the texts that casework needs.
func (b *Book) wantedByWork(want map[string]place) {
	for _, s := range b.work.Sheets {
		at := s.at
		want["work."+s.ID], want["work."+s.ID+".intro"] = at, at
		for _, item := range s.Items {
			want["work."+s.ID+"."+item] = at
		}
		for _, v := range s.Values {
			want["work."+s.ID+".is."+v] = at
		}
	}
	for _, f := range b.packets.Fields {
		want["work.consent."+f.ID] = f.at
	}
	for _, kind := range b.work.Tags {
		want["work.tag."+kind] = place{fileCasework, 1}
	}
	for _, kind := range b.work.Flags.Kinds {
		want["work.flag."+kind] = place{fileCasework, 1}
	}
}

// checkWorkTexts finds what a dialog would cut off.
func (b *Book) checkWorkTexts(faults *faults) {
	c := b.catalogues[b.policy.Officers]
	short := func(key string) {
		if n := utf8.RuneCountInString(c.texts[key]); n > mostLabel {
			faults.add(place{c.file, c.lines[key]}, "the text %q has %d characters; a dialog shows %d", key, n, mostLabel)
		}
	}
	for _, s := range b.work.Sheets {
		short("work." + s.ID)
		for _, item := range s.Items {
			short("work." + s.ID + "." + item)
		}
	}
	for _, f := range b.packets.Fields {
		short("work.consent." + f.ID)
	}
}

// mostLabel is how long a dialog's title and labels are.
const mostLabel = 24

// sheet returns a sheet by its id.
func (b *Book) sheet(id string) (sheet, bool) {
	i := slices.IndexFunc(b.work.Sheets, func(s sheet) bool { return s.ID == id })
	if i < 0 {
		return sheet{}, false
	}
	return b.work.Sheets[i], true
}
