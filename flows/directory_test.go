package flows_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"suar/flows"
)

const twoEntries = `stale_after: 240h
numbers:
  - {label: {id: Contoh, en: Example}, number: "000 0000", verified_on: 2026-03-10, verified_by: A}
  - {label: {id: Contoh}, number: "000 0001", verified_on: 2026-03-01, verified_by: A}
pages:
  - {id: a, title: {id: Jam}, text: {en: Hours}, verified_on: 2026-03-05, verified_by: A}
`

func parsedDirectory(t *testing.T) flows.Directory {
	t.Helper()
	d, err := flows.ParseDirectory("d.yaml", []byte(twoEntries))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func day(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.DateTime, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestCheckDirectory(t *testing.T) {
	d := parsedDirectory(t)
	for _, tt := range []struct {
		name, at  string
		languages []string
		want      []string
	}{
		{"right", "2026-03-10 00:00:00", nil, nil},
		{"where it is tomorrow already", "2026-03-09 10:00:00", nil, nil},
		{"verified on a day to come", "2026-03-09 09:59:59", nil, []string{"d.yaml:3: verified_on 2026-03-10 is still to come"}},
		{"all at once", "2026-03-01 12:00:00", []string{"en", "id"}, []string{
			"d.yaml:3: verified_on 2026-03-10 is still to come", "d.yaml:4: the label is missing in: en",
			"d.yaml:6: verified_on 2026-03-05 is still to come", "d.yaml:6: the title is missing in: en", "d.yaml:6: the text is missing in: id",
		}},
		{"a language that nobody wrote", "2026-03-10 00:00:00", []string{"ms"}, []string{
			"d.yaml:3: the label is missing in: ms", "d.yaml:4: the label is missing in: ms",
			"d.yaml:6: the title is missing in: ms", "d.yaml:6: the text is missing in: ms",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			if err := d.Check(day(t, tt.at), tt.languages...); err != nil {
				got = strings.Split(err.Error(), "\n")
			}
			if !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
				t.Errorf("faults:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

func TestStaleEntries(t *testing.T) {
	d := parsedDirectory(t)
	first, second := day(t, "2026-03-11 00:00:00"), day(t, "2026-03-20 00:00:00")
	for _, tt := range []struct {
		at             time.Time
		numbers, pages []time.Time
	}{
		{first.Add(-1), nil, nil},
		{first, []time.Time{first}, nil},
		{second.Add(-1), []time.Time{first}, []time.Time{day(t, "2026-03-15 00:00:00")}},
		{second, []time.Time{first, second}, []time.Time{day(t, "2026-03-15 00:00:00")}},
	} {
		if got := d.StaleNumbers(tt.at); !slices.EqualFunc(got, tt.numbers, time.Time.Equal) {
			t.Errorf("at %v the numbers are stale since %v, want %v", tt.at, got, tt.numbers)
		}
		if got := d.StalePages(tt.at); !slices.EqualFunc(got, tt.pages, time.Time.Equal) {
			t.Errorf("at %v the pages are stale since %v, want %v", tt.at, got, tt.pages)
		}
	}
	if got := (flows.Directory{Numbers: []flows.Number{{}}}).StaleNumbers(first); len(got) != 1 {
		t.Errorf("a number without a day is stale since %v, want always", got)
	}
}
