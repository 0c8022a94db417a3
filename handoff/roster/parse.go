package roster

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// largest is the most bytes of a roster: 10,000 shifts have a tenth of it.
const largest = 8 << 20

// Parse reads a roster strictly and returns every fault at once, joined, each a
// [Fault]; whether the shifts fit together is only looked at when each of them can
// be read.
func Parse(raw []byte) (*Roster, error) {
	var f faults
	r := f.roster(raw)
	if len(f.list) == 0 {
		r.check(&f)
	}
	if err := f.join(); err != nil {
		return nil, err
	}
	return r, nil
}

func (f *faults) roster(raw []byte) *Roster {
	r := &Roster{}
	if len(raw) > largest {
		f.add(0, "the roster has more than %d MiB", largest>>20)
		return r
	}
	var document yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		f.add(0, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return r
	}
	if len(document.Content) == 0 {
		f.add(0, "the roster is empty: name a version, a zone, the officers and their shifts")
		return r
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		f.add(0, "the file holds more than one document")
	}
	m := f.mapping(document.Content[0], "version", "zone", "officers", "shifts", "holidays", "overrides", "swaps")
	r.Version = parsed(m, "version", "7, a number that only grows", parseVersion)
	r.Zone = m.must("zone")
	r.home = f.zone(m, r.Zone, nil)
	for _, n := range m.list("officers") {
		r.Officers = append(r.Officers, f.officer(n))
	}
	for _, n := range m.list("shifts") {
		r.Shifts = append(r.Shifts, f.shift(n, true))
	}
	for _, n := range m.list("holidays") {
		r.Holidays = append(r.Holidays, f.holiday(n))
	}
	for _, n := range m.list("overrides") {
		r.Overrides = append(r.Overrides, f.override(n))
	}
	for _, n := range m.list("swaps") {
		r.Swaps = append(r.Swaps, f.swap(n))
	}
	return r
}

func parseVersion(text string) (uint64, bool) {
	v, err := strconv.ParseUint(text, 10, 63)
	return v, err == nil && v > 0
}

func (f *faults) officer(n *yaml.Node) Officer {
	m := f.mapping(n, "name", "role", "languages", "zone")
	o := Officer{line: m.line, Name: m.must("name"), Role: RoleOfficer, Languages: m.texts("languages"), Zone: m.text("zone")}
	if o.Name != "" && !isUserName(o.Name) {
		f.add(m.lineOf("name"), "name: want a Mattermost user name in lower case and without @, like siti")
	}
	if text := m.text("role"); text != "" {
		o.Role = Role(text)
	}
	if !slices.Contains([]Role{RoleOfficer, RoleLead, RoleSupervisor}, o.Role) {
		f.add(m.lineOf("role"), "role: want %s, %s or %s", RoleOfficer, RoleLead, RoleSupervisor)
	}
	for _, l := range o.Languages {
		if len(l) < 2 || len(l) > 3 || strings.Trim(l, lowerCase) != "" {
			f.add(m.lineOf("languages"), "languages: want codes of two or three letters, like [id, en]")
			break
		}
	}
	f.zone(m, o.Zone, time.UTC)
	return o
}

const lowerCase = "abcdefghijklmnopqrstuvwxyz"

// isUserName reports whether Mattermost could have an account of that name. What
// would call a whole channel is none.
func isUserName(name string) bool {
	return len(name) <= 64 && name != "" && strings.Trim(name[:1], lowerCase) == "" &&
		strings.Trim(name, lowerCase+"0123456789.-_") == "" &&
		!slices.Contains([]string{"all", "channel", "here", "system", "matterbot"}, name)
}

func (f *faults) shift(n *yaml.Node, weekly bool) Shift {
	known := []string{"from", "to", "zone", "first", "second"}
	if weekly {
		known = append([]string{"days"}, known...)
	}
	m := f.mapping(n, known...)
	s := Shift{
		line: m.line,
		From: parsed(m, "from", "06:00", parseClock),
		To:   parsed(m, "to", "14:00, or 24:00 for the end of the day", parseClock),
		Zone: m.text("zone"), First: m.must("first"), Second: m.text("second"),
	}
	f.zone(m, s.Zone, time.UTC)
	if weekly {
		s.Days = f.days(m)
	}
	switch {
	case s.From == endOfDay:
		f.add(m.lineOf("from"), "from: a shift begins at 23:59 at the latest; 24:00 is 00:00 of the next day")
	case s.From == s.To && m.text("from") != "" && m.text("from") == m.text("to"):
		f.add(m.lineOf("to"), "the shift ends when it begins; for a whole day write 00:00 to 24:00")
	}
	return s
}

// days reads the days of a shift, each one or "daily".
func (f *faults) days(m mapping) []time.Weekday {
	names := m.texts("days")
	if n := m.values["days"]; n == nil || len(n.Content) == 0 {
		f.add(m.lineOf("days"), "days: name at least one, like [mon, tue], or [daily]")
	}
	var out []time.Weekday
	add := func(d time.Weekday) {
		if slices.Contains(out, d) {
			f.add(m.lineOf("days"), "days: %s is here twice", dayName(d))
			return
		}
		out = append(out, d)
	}
	for _, name := range names {
		switch i := slices.Index(dayNames(), name); {
		case name == "daily":
			for d := range time.Weekday(7) {
				add((d + 1) % 7) // From Monday on, as they are written.
			}
		case i < 0:
			f.add(m.lineOf("days"), "days: want some of %s, or daily", strings.Join(dayNames(), ", "))
		default:
			add(time.Weekday(i))
		}
	}
	return out
}

// dayNames are the days in the order of time.Weekday.
func dayNames() []string { return []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} }

func dayName(d time.Weekday) string { return dayNames()[d] }

func (f *faults) holiday(n *yaml.Node) Holiday {
	m := f.mapping(n, "date", "name", "shifts")
	h := Holiday{line: m.line, Date: parsed(m, "date", "2026-08-17", parseDate), Name: f.words(m, "name")}
	for _, n := range m.list("shifts") {
		h.Shifts = append(h.Shifts, f.shift(n, false))
	}
	return h
}

const likeMoment = "2026-11-24T18:00, or with a distance to UTC 2026-11-24T18:00+07:00"

func (f *faults) override(n *yaml.Node) Override {
	m := f.mapping(n, "from", "to", "zone", "first", "second", "who", "instead_of", "reason", "by")
	o := Override{
		line: m.line,
		From: parsed(m, "from", likeMoment, parseMoment), To: parsed(m, "to", likeMoment, parseMoment),
		Zone: m.text("zone"), First: m.text("first"), Second: m.text("second"),
		Who: m.text("who"), InsteadOf: m.text("instead_of"),
		Reason: f.words(m, "reason"), By: f.words(m, "by"),
	}
	f.zone(m, o.Zone, time.UTC)
	posts, stand := o.First != "" || o.Second != "", o.Who != "" || o.InsteadOf != ""
	switch {
	case posts == stand:
		f.add(m.line, "an override names first or second or both, or else who stands in and instead_of whom")
	case stand && (o.Who == "" || o.InsteadOf == ""):
		f.add(m.line, "who and instead_of go together")
	}
	return o
}

func (f *faults) swap(n *yaml.Node) Swap {
	m := f.mapping(n, "give", "take", "zone", "reason", "by")
	s := Swap{line: m.line, Zone: m.text("zone"), Reason: f.words(m, "reason"), By: f.words(m, "by")}
	f.zone(m, s.Zone, time.UTC)
	hours := func(key string) (h Hours) {
		n := m.values[key]
		if n == nil {
			f.add(m.line, "%s is missing: who gives or takes which hours, like {who: siti, from: …, to: …}", key)
			return h
		}
		hm := f.mapping(n, "who", "from", "to")
		return Hours{Who: hm.must("who"), From: parsed(hm, "from", likeMoment, parseMoment), To: parsed(hm, "to", likeMoment, parseMoment)}
	}
	s.Give, s.Take = hours("give"), hours("take")
	return s
}

// zone loads the zone that a mapping names, or returns the other one if it names
// none.
func (f *faults) zone(m mapping, name string, other *time.Location) *time.Location {
	if name == "" {
		return other
	}
	zone, err := loadZone(name)
	if err != nil {
		f.add(m.lineOf("zone"), "zone: this zone is not known; want an IANA name like Asia/Vientiane")
		return time.UTC
	}
	return zone
}

// loadZone is time.LoadLocation without the machine's own zone, which would be
// another one elsewhere.
func loadZone(name string) (*time.Location, error) {
	if name == "Local" {
		return nil, errors.New("roster: the machine's own zone is no zone of a roster")
	}
	return time.LoadLocation(name)
}
