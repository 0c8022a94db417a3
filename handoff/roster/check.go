package roster

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"suar/internal/spelling"
)

// The most that a roster may hold: many times what a hotline needs.
const (
	mostShifts   = 20_000
	mostHolidays = 200
	mostChanges  = 5_000 // overrides and swaps
	mostOfficers = 1_000
	mostZones    = 12 // in shifts
	longestWords = 200
)

// words are a few words that somebody wrote: a reason, a holiday's name.
func (f *faults) words(m mapping, key string) string {
	text := m.text(key)
	if utf8.RuneCountInString(text) > longestWords || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		f.add(m.lineOf(key), "%s: want one line of %d characters at most", key, longestWords)
	}
	return text
}

// check looks at how the parts of the roster fit together, and prepares it.
func (r *Roster) check(f *faults) {
	r.checkSize(f)
	if len(f.list) > 0 {
		return
	}
	r.checkOfficers(f)
	r.checkNames(f)
	r.checkHolidays(f)
	r.plan(f)
	if len(f.list) == 0 {
		r.checkOverlaps(f)
	}
}

func (r *Roster) checkSize(f *faults) {
	shifts := len(r.Shifts)
	for _, h := range r.Holidays {
		shifts += len(h.Shifts)
	}
	if len(r.Officers) == 0 {
		f.add(0, "officers is empty: nobody could be called")
	}
	if len(r.Shifts) == 0 {
		f.add(0, "shifts is empty: nobody is ever on duty")
	}
	for _, n := range []struct {
		what      string
		are, most int
	}{
		{"officers", len(r.Officers), mostOfficers},
		{"shifts", shifts, mostShifts},
		{"holidays", len(r.Holidays), mostHolidays},
		{"overrides and swaps", len(r.Overrides) + len(r.Swaps), mostChanges},
	} {
		if n.are > n.most {
			f.add(0, "there are %d %s; %d can be read: take out those that are over", n.are, n.what, n.most)
		}
	}
}

func (r *Roster) checkOfficers(f *faults) {
	first := map[string]int{}
	for _, o := range r.Officers {
		if line, twice := first[o.Name]; twice {
			f.add(o.line, "this officer is listed twice, also in line %d", line)
			continue
		}
		first[o.Name] = o.line
	}
	if len(r.Leads()) == 0 {
		f.add(0, "no officer is a lead: give at least one role: lead, or nobody is called when nobody is on duty")
	}
}

// checkNames looks for those who stand somewhere and are not listed.
func (r *Roster) checkNames(f *faults) {
	known, lines := r.Everybody(), map[string]int{}
	for _, o := range r.Officers {
		lines[o.Name] = o.line
	}
	listed := func(line int, what, name, mend string) {
		if name == "" || lines[name] != 0 {
			return
		}
		hint := ""
		if best := spelling.Nearest(name, known); best != "" {
			hint = fmt.Sprintf("; is the officer of line %d meant?", lines[best])
		}
		f.add(line, "%s is not among the officers: list the officer, or %s%s", what, mend, hint)
	}
	shift := func(s Shift) {
		listed(s.line, "first", s.First, "name another")
		listed(s.line, "second", s.Second, "name another")
		if s.First == s.Second {
			f.add(s.line, "first and second are the same officer: leave out second if nobody is behind")
		}
	}
	for _, s := range r.Shifts {
		shift(s)
	}
	for _, h := range r.Holidays {
		for _, s := range h.Shifts {
			shift(s)
		}
	}
	for _, o := range r.Overrides {
		for _, n := range []struct{ what, name string }{{"first", o.First}, {"second", o.Second}, {"who", o.Who}, {"instead_of", o.InsteadOf}} {
			listed(o.line, n.what, n.name, "take out the override if the officer has left")
		}
		if o.First != "" && o.First == o.Second || o.Who != "" && o.Who == o.InsteadOf {
			f.add(o.line, "the override names the same officer twice")
		}
	}
	for _, s := range r.Swaps {
		for _, n := range []struct{ what, name string }{{"give", s.Give.Who}, {"take", s.Take.Who}} {
			listed(s.line, n.what, n.name, "take out the swap if the officer has left")
		}
		if s.Give.Who == s.Take.Who {
			f.add(s.line, "the swap names the same officer twice")
		}
	}
}

func (r *Roster) checkHolidays(f *faults) {
	first := map[Date]int{}
	for _, h := range r.Holidays {
		if line, twice := first[h.Date]; twice {
			f.add(h.line, "this day is listed twice, also in line %d", line)
			continue
		}
		first[h.Date] = h.line
	}
}

// The years in which daylight saving is looked at for shifts in several zones.
const firstSaving, lastSaving = 2026, 2032

// checkOverlaps looks for two shifts at the same time: in an ordinary week, around
// the holidays, and, where shifts are meant in several zones, around each change
// of their clocks. In one zone shifts that do not overlap on the clock never do.
func (r *Roster) checkOverlaps(f *faults) {
	const day = 24 * time.Hour
	told := map[*Shift]bool{}
	look := func(from, to time.Time, holidays bool) {
		var last occurrence
		for _, o := range r.occurrences(from, to, holidays) {
			if o.from.Before(last.to) && !told[o.Shift] {
				told[o.Shift] = true
				a, b := last.Shift, o.Shift
				if a.line > b.line {
					a, b = b, a
				}
				f.add(b.line, "the shift %s overlaps %s in line %d, on %s for example", b.hours(), a.hours(), a.line, o.from.Format("2 January 2006 15:04 MST"))
			}
			if o.to.After(last.to) {
				last = o
			}
		}
	}
	monday := time.Date(firstSaving, 1, 5, 0, 0, 0, 0, time.UTC)
	look(monday, monday.Add(9*day), false)
	if len(r.plans) > 1 {
		for _, w := range r.clockChanges() {
			look(w[0], w[1], false)
		}
	}
	for _, h := range r.Holidays {
		noon := h.Date.wall(12 * 60)
		look(noon.Add(-3*day), noon.Add(3*day), true)
	}
}

// clockChanges are the weeks around each change of a clock that shifts are meant
// in, as pairs of from and to that do not overlap.
func (r *Roster) clockChanges() [][2]time.Time {
	const around = 8 * 24 * time.Hour
	var all []time.Time
	for _, p := range r.plans {
		t := time.Date(firstSaving, 1, 1, 0, 0, 0, 0, time.UTC).In(p.zone)
		for {
			_, ends := t.ZoneBounds()
			if ends.IsZero() || ends.Year() > lastSaving {
				break
			}
			all = append(all, ends)
			t = ends
		}
	}
	sortTimes(all)
	var out [][2]time.Time
	for _, t := range all {
		if n := len(out); n > 0 && t.Add(-around).Before(out[n-1][1]) {
			out[n-1][1] = t.Add(around)
			continue
		}
		out = append(out, [2]time.Time{t.Add(-around), t.Add(around)})
	}
	return out
}

// hours are the shift's in words, without the officers'.
func (s *Shift) hours() string {
	text := s.From.String() + "–" + s.To.String()
	if len(s.Days) == 0 {
		return "of the holiday " + text
	}
	var days []string
	for _, d := range s.Days {
		days = append(days, dayName(d))
	}
	return strings.Join(days, ",") + " " + text
}
