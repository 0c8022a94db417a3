package roster

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const embassy = `
version: 7
zone: Asia/Vientiane
officers:
  - {name: siti, role: officer, languages: [id, en]}
  - {name: budi, languages: [id]}
  - {name: dewi, role: lead, languages: [id, en]}
  - {name: rani, role: supervisor, zone: Asia/Jakarta}
shifts:
  - {days: [mon, tue, wed, thu, fri], from: "06:00", to: "22:00", first: siti, second: budi}
  - {days: [daily], from: "22:00", to: "06:00", first: budi, second: siti}
  - {days: [sat, sun], from: "06:00", to: "14:00", first: budi}
holidays:
  - date: 2026-08-17
    name: Independence Day
    shifts:
      - {from: "06:00", to: "22:00", first: dewi}
      - {from: "22:00", to: "06:00", first: dewi}
overrides:
  - {from: 2026-11-24T18:00, to: 2026-11-25T06:00, who: dewi, instead_of: siti, reason: ill, by: dewi}
  - {from: 2026-11-28T14:00, to: 2026-11-28T15:00Z, first: rani, reason: the gap of the afternoon}
swaps:
  - give: {who: siti, from: 2026-11-26T06:00, to: 2026-11-26T22:00}
    take: {who: budi, from: 2026-11-26T22:00, to: 2026-11-27T06:00}
`

func parse(t testing.TB, text string) *Roster {
	t.Helper()
	r, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("the roster is refused:\n%v", err)
	}
	return r
}

// at reads "2026-11-24 18:00" on the clock of a zone.
func at(t testing.TB, zone, text string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	v, err := time.ParseInLocation("2006-01-02 15:04", text, loc)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestDuty(t *testing.T) {
	r := parse(t, embassy)
	for _, c := range []struct{ at, first, second, until, next string }{
		{"2026-11-23 05:59", "budi", "siti", "2026-11-23 06:00", "siti"},
		{"2026-11-23 06:00", "siti", "budi", "2026-11-23 22:00", "budi"},
		{"2026-11-24 17:59", "siti", "budi", "2026-11-24 18:00", "dewi"},
		{"2026-11-24 18:00", "dewi", "budi", "2026-11-24 22:00", "budi"}, // stands in as the first
		{"2026-11-24 23:00", "budi", "dewi", "2026-11-25 06:00", "siti"}, // and as the second
		{"2026-11-26 12:00", "budi", "", "2026-11-26 22:00", "siti"},     // the swap, and nobody twice
		{"2026-11-26 23:00", "siti", "", "2026-11-27 06:00", "siti"},
		{"2026-11-28 13:59", "budi", "", "2026-11-28 14:00", "rani"},
		{"2026-11-28 14:00", "rani", "", "2026-11-28 22:00", "budi"}, // 15:00Z is 22:00 there
		{"2026-11-29 14:00", "", "", "2026-11-29 22:00", "budi"},     // a gap
		{"2026-08-17 05:00", "budi", "siti", "2026-08-17 06:00", "dewi"},
		{"2026-08-18 05:59", "dewi", "", "2026-08-18 06:00", "siti"}, // the holiday's night
	} {
		d := r.Duty(at(t, "Asia/Vientiane", c.at))
		if d.First != c.first || d.Second != c.second || !d.Until.Equal(at(t, "Asia/Vientiane", c.until)) || d.Next.First != c.next {
			t.Errorf("%s: %+v, want %+v", c.at, d, c)
		}
		if d.Nobody() != (c.first == "") {
			t.Errorf("%s: Nobody is %v", c.at, d.Nobody())
		}
		if diff := cmp.Diff([]string{"dewi"}, d.Leads); diff != "" {
			t.Errorf("leads: %s", diff)
		}
	}
}

// In New York the clock jumps from 02:00 to 03:00 on 8 March 2026 and back from
// 02:00 to 01:00 on 1 November.
func TestDutyOverDaylightSaving(t *testing.T) {
	r := parse(t, `
version: 1
zone: America/New_York
officers: [{name: a, role: lead}, {name: b}, {name: c}, {name: d}]
shifts:
  - {days: [sat], from: "22:00", to: "02:30", first: a}
  - {days: [sun], from: "02:30", to: "06:00", first: b}
  - {days: [sun], from: "06:00", to: "22:00", first: c}
  - {days: [mon], from: "01:30", to: "01:45", first: d}
`)
	utc := func(text string) time.Time { return at(t, "UTC", text) }
	for _, c := range []struct {
		from, to string
		want     []Span
	}{
		{"2026-03-08 03:00", "2026-03-08 10:00", []Span{
			{utc("2026-03-08 03:00"), utc("2026-03-08 07:00"), Posts{First: "a"}}, // 02:30 is the jump at 07:00 UTC
			{utc("2026-03-08 07:00"), utc("2026-03-08 10:00"), Posts{First: "b"}}, // 06:00 summer time is 10:00 UTC
		}},
		{"2026-11-01 02:00", "2026-11-01 11:00", []Span{
			{utc("2026-11-01 02:00"), utc("2026-11-01 07:30"), Posts{First: "a"}}, // five and a half hours
			{utc("2026-11-01 07:30"), utc("2026-11-01 11:00"), Posts{First: "b"}},
		}},
	} {
		if diff := cmp.Diff(c.want, r.Coverage(utc(c.from), utc(c.to))); diff != "" {
			t.Errorf("from %s: %s", c.from, diff)
		}
	}
	// A time that comes twice is the first of the two.
	zone := r.Location()
	if got, want := (Date{2026, 11, 1}).at(90, zone), utc("2026-11-01 05:30"); !got.Equal(want) {
		t.Errorf("01:30 comes at %v, want %v", got.UTC(), want)
	}
	// A whole day that a zone skipped is the jump: Samoa, 30 December 2011.
	apia, err := time.LoadLocation("Pacific/Apia")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []Clock{0, 720, endOfDay} {
		if got, want := (Date{2011, 12, 30}).at(c, apia), utc("2011-12-30 10:00"); !got.Equal(want) {
			t.Errorf("%v comes at %v, want %v", c, got.UTC(), want)
		}
	}
}

// In St. John's the clock was set back from 00:01 to 23:01: the new day had begun.
func TestClockBackIntoTheDayBefore(t *testing.T) {
	r := parse(t, `
version: 1
zone: America/St_Johns
officers: [{name: a, role: lead}, {name: b}]
shifts:
  - {days: [sat], from: "12:00", to: "24:00", first: a}
  - {days: [sun], from: "00:00", to: "12:00", first: b}
`)
	utc := func(text string) time.Time { return at(t, "UTC", text) }
	want := []Span{
		{utc("2010-11-07 02:00"), utc("2010-11-07 02:30"), Posts{First: "a"}},
		{utc("2010-11-07 02:30"), utc("2010-11-07 03:00"), Posts{First: "b"}}, // 23:30 once more at the end
	}
	if diff := cmp.Diff(want, r.Coverage(utc("2010-11-07 02:00"), utc("2010-11-07 03:00"))); diff != "" {
		t.Error(diff)
	}
}

// A shift of a night in which all of it is jumped over does not take place.
func TestShiftWithinTheJump(t *testing.T) {
	r := parse(t, `
version: 1
zone: Europe/Berlin
officers: [{name: a, role: lead}]
shifts: [{days: [daily], from: "02:10", to: "02:50", first: a}]
`)
	spans := r.Coverage(at(t, "UTC", "2026-03-28 00:00"), at(t, "UTC", "2026-03-31 00:00"))
	var begins []string
	for _, s := range spans {
		if !s.Nobody() {
			begins = append(begins, s.From.UTC().Format("02 15:04"))
		}
	}
	if diff := cmp.Diff([]string{"28 01:10", "30 00:10"}, begins); diff != "" {
		t.Error(diff)
	}
}

func TestParseFaults(t *testing.T) {
	head := "version: 1\nzone: Asia/Vientiane\nofficers: [{name: siti, role: lead}, {name: budi}]\n"
	shift := "shifts: [{days: [daily], from: '00:00', to: '24:00', first: siti}]\n"
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"nothing":       {"", []string{"the roster is empty: name a version, a zone, the officers and their shifts"}},
		"null":          {"~", []string{"line 1: want keys with their values: version, zone, officers, shifts, holidays, overrides, swaps", "line 1: version is missing", "line 1: zone is missing"}},
		"nobody":        {"version: 1\nzone: UTC\n", []string{"officers is empty: nobody could be called", "shifts is empty: nobody is ever on duty"}},
		"no shifts":     {head, []string{"shifts is empty: nobody is ever on duty"}},
		"no lead":       {"version: 1\nzone: UTC\nofficers: [{name: siti}]\n" + shift, []string{"no officer is a lead: give at least one role: lead, or nobody is called when nobody is on duty"}},
		"two documents": {head + shift + "---\na: b\n", []string{"the file holds more than one document"}},
		"unknown zones": {
			"version: 1\nzone: Asia/Vientane\nofficers: [{name: siti, role: lead, zone: Local}]\nshifts: [{days: [daily], from: '00:00', to: '24:00', first: siti, zone: ../etc}]\n",
			[]string{
				"line 2: zone: this zone is not known; want an IANA name like Asia/Vientiane",
				"line 3: zone: this zone is not known; want an IANA name like Asia/Vientiane",
				"line 4: zone: this zone is not known; want an IANA name like Asia/Vientiane",
			},
		},
		"keys": {head + "shift: []\nshifts:\n  - {days: [mon], from: 06:00, to: 07:00, fisrt: siti, wxyzwxyz: 1, to: 08:00}\n", []string{
			`line 4: this key is not known; is "shifts" meant?`,
			`line 6: this key is not known; is "first" meant?`,
			`line 6: this key is not known; known here are days, from, to, zone, first, second`,
			`line 6: the key "to" is here twice`,
			`line 6: first is missing`,
		}},
		"forms": {head + "shifts:\n  - {days: [monday], from: 6am, to: 25:00, first: siti}\n  - {days: mon, from: 24:00, to: 6:00, first: [siti]}\n  - siti\n  - &a {days: [mon, mon], from: , to: '', first: siti}\n", []string{
			"line 5: from: write it like 06:00", "line 5: to: write it like 14:00, or 24:00 for the end of the day",
			"line 5: days: want some of sun, mon, tue, wed, thu, fri, sat, or daily",
			"line 6: to: write it like 14:00, or 24:00 for the end of the day", "line 6: first: want one value",
			"line 6: days: want a list", "line 6: days: name at least one, like [mon, tue], or [daily]",
			"line 6: from: a shift begins at 23:59 at the latest; 24:00 is 00:00 of the next day",
			"line 7: want keys with their values: days, from, to, zone, first, second", "line 7: from is missing", "line 7: to is missing",
			"line 7: first is missing", "line 7: days: name at least one, like [mon, tue], or [daily]",
			"line 8: from is missing", "line 8: to: write it like 14:00, or 24:00 for the end of the day", "line 8: days: mon is here twice",
		}},
		"officers": {"version: 0\nzone: UTC\nofficers:\n  - {name: '@siti', role: boss, languages: [indonesian]}\n  - {name: here, role: lead}\n" + shift, []string{
			"line 1: version: write it like 7, a number that only grows",
			"line 4: name: want a Mattermost user name in lower case and without @, like siti",
			"line 4: role: want officer, lead or supervisor",
			"line 4: languages: want codes of two or three letters, like [id, en]",
			"line 5: name: want a Mattermost user name in lower case and without @, like siti",
		}},
		"an officer named twice": {"version: 1\nzone: UTC\nofficers:\n  - {name: siti, role: lead}\n  - {name: siti}\n" + shift, []string{
			"line 5: this officer is listed twice, also in line 4",
		}},
		"from is to": {head + "shifts: [{days: [mon], from: 06:00, to: 06:00, first: siti}]\n", []string{
			"line 4: the shift ends when it begins; for a whole day write 00:00 to 24:00",
		}},
		"a shift of somebody not listed": {head + "shifts:\n  - {days: [mon], from: 06:00, to: 07:00, first: sitti, second: umar}\n  - {days: [tue], from: 06:00, to: 07:00, first: siti, second: siti}\n", []string{
			"line 5: first is not among the officers: list the officer, or name another; is the officer of line 3 meant?",
			"line 5: second is not among the officers: list the officer, or name another",
			"line 6: first and second are the same officer: leave out second if nobody is behind",
		}},
		"an override of somebody who left": {head + shift + "overrides:\n  - {from: 2026-11-24T18:00, to: 2026-11-25T06:00, who: siti, instead_of: somebodyelse}\nswaps:\n  - give: {who: formerofficer, from: 2026-11-24T18:00, to: 2026-11-25T06:00}\n    take: {who: siti, from: 2026-11-24T18:00, to: 2026-11-25T06:00}\n", []string{
			"line 6: instead_of is not among the officers: list the officer, or take out the override if the officer has left",
			"line 8: give is not among the officers: list the officer, or take out the swap if the officer has left",
		}},
		"overrides": {head + shift + "overrides:\n  - {from: 2026-11-24T18:00, to: 2026-11-24T11:00Z, first: budi}\n  - {from: 2026-11-24T18:00, to: tomorrow, who: siti}\n  - {from: 2026-11-24T18:00, to: 1999-11-24T18:00}\n", []string{
			"line 7: to: write it like 2026-11-24T18:00, or with a distance to UTC 2026-11-24T18:00+07:00", "line 7: who and instead_of go together",
			"line 8: to: write it like 2026-11-24T18:00, or with a distance to UTC 2026-11-24T18:00+07:00",
			"line 8: an override names first or second or both, or else who stands in and instead_of whom",
		}},
		"an override without time": {head + shift + "overrides:\n  - {from: 2026-11-24T18:00, to: 2026-11-24T11:00Z, first: budi}\n", []string{
			"line 6: the override does not end after it begins", // 11:00Z is 18:00 there
		}},
		"holidays": {head + shift + "holidays:\n  - {date: 2026-08-17}\n  - {date: 2026-08-17, name: again}\n  - {date: 2026-02-30}\n", []string{
			"line 8: date: write it like 2026-08-17",
		}},
		"a holiday twice": {head + shift + "holidays:\n  - {date: 2026-08-17}\n  - {date: 2026-08-17, name: again}\n", []string{
			"line 7: this day is listed twice, also in line 6",
		}},
		"overlapping shifts": {head + "shifts:\n  - {days: [mon, tue], from: 22:00, to: 06:00, first: siti}\n  - {days: [wed], from: 05:59, to: 12:00, first: budi}\n", []string{
			"line 6: the shift wed 05:59–12:00 overlaps mon,tue 22:00–06:00 in line 5, on 7 January 2026 05:59 +07 for example",
		}},
		"over the week's end": {head + "shifts:\n  - {days: [sun], from: 22:00, to: 06:00, first: siti}\n  - {days: [mon], from: 00:00, to: 01:00, first: budi}\n", []string{
			"line 6: the shift mon 00:00–01:00 overlaps sun 22:00–06:00 in line 5, on 12 January 2026 00:00 +07 for example",
		}},
		"a holiday's shift over the next day's": {head + "shifts:\n  - {days: [daily], from: 06:00, to: 22:00, first: siti}\nholidays:\n  - date: 2026-08-17\n    shifts:\n      - {from: 22:00, to: 07:00, first: budi}\n", []string{
			"line 9: the shift of the holiday 22:00–07:00 overlaps daily", // see below
		}},
		// London and New York are four hours apart for two weeks in March.
		"in two zones": {"version: 1\nzone: Europe/London\nofficers: [{name: siti, role: lead}, {name: budi}]\nshifts:\n  - {days: [daily], from: 06:00, to: 17:00, first: siti}\n  - {days: [daily], zone: America/New_York, from: 12:00, to: 20:00, first: budi}\n", []string{
			"line 6: the shift mon,tue,wed,thu,fri,sat,sun 12:00–20:00 overlaps mon,tue,wed,thu,fri,sat,sun 06:00–17:00 in line 5, on 8 March 2026 12:00 EDT for example",
		}},
		"an alias": {"version: 1\nzone: UTC\nofficers: &o [{name: siti, role: lead}]\nshifts: *o\n", []string{
			"line 4: anchors and aliases are not read: write it out",
		}},
		"a control character": {head + shift + "overrides:\n  - {from: 2026-11-24T18:00, to: 2026-11-25T18:00, first: budi, reason: \"a\\e[31m\"}\n", []string{
			"line 6: reason: want one line of 200 characters at most",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Parse([]byte(c.text))
			if err == nil {
				t.Fatalf("it is taken: %+v", r)
			}
			got := strings.Split(err.Error(), "\n")
			if name == "a holiday's shift over the next day's" {
				if len(got) != 1 || !strings.Contains(got[0], "line 9: the shift of the holiday 22:00–07:00 overlaps mon,tue,wed,thu,fri,sat,sun 06:00–22:00 in line 5, on 18 August 2026 06:00 +07") {
					t.Errorf("%q", got)
				}
				return
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			for _, name := range []string{"umar", "sitti", "formerofficer", "somebodyelse"} {
				if strings.Contains(err.Error(), name) {
					t.Errorf("a fault names an officer: %v", err)
				}
			}
		})
	}
}

// Ten thousand shifts can be read, and asked for; 20,001 cannot.
func TestManyShifts(t *testing.T) {
	list := func(n int) string {
		var b strings.Builder
		b.WriteString("version: 1\nzone: Europe/Berlin\nofficers: [{name: siti, role: lead}, {name: budi}]\nshifts:\n")
		for i := range n {
			day, minute := dayNames()[i%7], i/7
			from, to := Clock(minute%1440), Clock(minute%1440+1)
			fmt.Fprintf(&b, "  - {days: [%s], from: '%v', to: '%v', first: %s}\n", day, from, to, []string{"siti", "budi"}[minute%2])
		}
		return b.String()
	}
	r := parse(t, list(10_000))
	if d := r.Duty(at(t, "Europe/Berlin", "2026-11-23 12:00")); d.First != "siti" || !d.Until.Equal(at(t, "Europe/Berlin", "2026-11-23 12:01")) || d.Next.First != "budi" {
		t.Errorf("%+v", d)
	}
	if _, err := Parse([]byte(list(mostShifts + 1))); err == nil || !strings.Contains(err.Error(), "20000 can be read") {
		t.Errorf("too many shifts: %v", err)
	}
	// Each overlaps: as many faults as are told at once.
	_, err := Parse([]byte(list(10_000) + strings.Repeat("  - {days: [mon], from: 00:00, to: 24:00, first: siti}\n", 200)))
	if err == nil || strings.Count(err.Error(), "\n") != mostFaults {
		t.Errorf("%d lines of faults", strings.Count(fmt.Sprint(err), "\n")+1)
	}
}

// A duty that never changes has no end; a change far ahead is found.
func TestDutyWithoutEnd(t *testing.T) {
	text := "version: 1\nzone: UTC\nofficers: [{name: siti, role: lead}, {name: budi}]\nshifts: [{days: [daily], from: '00:00', to: '24:00', first: siti}]\n"
	now := at(t, "UTC", "2026-11-23 12:00")
	if d := parse(t, text).Duty(now); d.First != "siti" || !d.Until.IsZero() || !d.Next.Nobody() {
		t.Errorf("%+v", d)
	}
	d := parse(t, text+"overrides: [{from: 2027-11-01T00:00, to: 2027-11-02T00:00, first: budi}]\n").Duty(now)
	if !d.Until.Equal(at(t, "UTC", "2027-11-01 00:00")) || d.Next.First != "budi" {
		t.Errorf("%+v", d)
	}
	if spans := parse(t, text).Coverage(now, now); spans != nil {
		t.Errorf("spans of no time: %v", spans)
	}
}

// Both directions of a swap at once exchange first and second; overrides come
// after swaps, in the order of the file.
func TestChangesInOrder(t *testing.T) {
	r := parse(t, `
version: 1
zone: UTC
officers: [{name: a, role: lead}, {name: b}, {name: c}]
shifts: [{days: [mon], from: "06:00", to: "12:00", first: a, second: b}]
swaps:
  - give: {who: a, from: 2026-11-23T06:00, to: 2026-11-23T08:00}
    take: {who: b, from: 2026-11-23T06:00, to: 2026-11-23T08:00}
overrides:
  - {from: 2026-11-23T07:00, to: 2026-11-23T09:00, who: c, instead_of: b}
  - {from: 2026-11-23T12:00, to: 2026-11-23T13:00, second: c}
  - {from: 2026-11-23T08:00, to: 2026-11-23T09:00, second: a}
`)
	hour := func(h int) time.Time { return time.Date(2026, 11, 23, h, 0, 0, 0, time.UTC) }
	want := []Span{
		{hour(5), hour(6), Posts{}},
		{hour(6), hour(7), Posts{"b", "a"}},
		{hour(7), hour(8), Posts{"c", "a"}},
		{hour(8), hour(9), Posts{"a", ""}},   // c behind a, and then a behind a
		{hour(9), hour(12), Posts{"a", "b"}}, //
		{hour(12), hour(13), Posts{"c", ""}}, // who stands behind nobody is on call
		{hour(13), hour(14), Posts{}},
	}
	if diff := cmp.Diff(want, r.Coverage(hour(5), hour(14))); diff != "" {
		t.Error(diff)
	}
}
