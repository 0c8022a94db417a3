package roster

import (
	"fmt"
	"time"
)

// A Clock is a time of day as a clock on the wall shows it, in minutes after
// midnight; 24:00 is the midnight that ends a day.
type Clock int

const endOfDay Clock = 24 * 60

// parseClock reads "06:00".
func parseClock(text string) (Clock, bool) {
	if text == "24:00" {
		return endOfDay, true
	}
	t, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, false
	}
	return Clock(t.Hour()*60 + t.Minute()), true
}

// String is as in the file.
func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

// A Date is a day of a calendar on the wall.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// The years that a roster may speak of: beyond them it is a slip of the pen.
const firstYear, lastYear = 2000, 2100

// parseDate reads "2026-08-17".
func parseDate(text string) (Date, bool) {
	t, err := time.Parse(time.DateOnly, text)
	return dateOf(t), err == nil && t.Year() >= firstYear && t.Year() <= lastYear
}

// dateOf is the day of an instant on its own clock.
func dateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// String is as in the file.
func (d Date) String() string { return d.wall(0).Format(time.DateOnly) }

// wall is what a clock shows on the day, as if it were UTC.
func (d Date) wall(c Clock) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, int(c), 0, 0, time.UTC)
}

func (d Date) add(days int) Date { return dateOf(d.wall(0).AddDate(0, 0, days)) }

func (d Date) weekday() time.Weekday { return d.wall(0).Weekday() }

// at is when a clock shows a time of the day.
func (d Date) at(c Clock, zone *time.Location) time.Time { return comes(d.wall(c), zone) }

// Midnight is when a day begins on the roster's clock; the day may lie beyond the
// month's end, as for time.Date.
func (r *Roster) Midnight(year int, month time.Month, day int) time.Time {
	return comes(time.Date(year, month, day, 0, 0, 0, 0, time.UTC), r.home)
}

// widest is more than any clock is apart from UTC.
const widest = 26 * time.Hour

// comes returns the first instant at which a clock of the zone shows wall, a time
// that is given as if it were UTC, or something later. So it grows with wall, and
// there is one for every wall.
func comes(wall time.Time, zone *time.Location) time.Time {
	for t := wall.Add(-widest).In(zone); ; {
		begins, ends := t.ZoneBounds()
		_, offset := t.Zone()
		at := wall.Add(-time.Duration(offset) * time.Second)
		if at.Before(begins) { // The clock jumped over it.
			at = begins
		}
		if ends.IsZero() || at.Before(ends) {
			return at.In(zone)
		}
		t = ends
	}
}

// A Moment is a point in time as a roster gives it: an instant, or what a clock
// on the wall shows.
type Moment struct {
	time time.Time
	// local says that time is a wall's, as if it were UTC.
	local bool
}

// Instant makes a Moment of an instant, to the second.
func Instant(t time.Time) Moment { return Moment{time: t.UTC().Truncate(time.Second)} }

// Local makes a Moment of a time of day.
func Local(d Date, c Clock) Moment { return Moment{time: d.wall(c), local: true} }

// parseMoment reads "2026-11-24T18:00", or an instant with its distance to UTC as
// in RFC 3339.
func parseMoment(text string) (Moment, bool) {
	m := Moment{}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02 15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			m = Moment{time: t, local: true}
		}
	}
	for _, layout := range []string{"2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02 15:04Z07:00", "2006-01-02 15:04:05Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			m = Instant(t)
		}
	}
	return m, m.time.Year() >= firstYear && m.time.Year() <= lastYear
}

// String is as in the file.
func (m Moment) String() string {
	if m.local {
		return m.time.Format("2006-01-02T15:04")
	}
	return m.time.Format(time.RFC3339)
}

// in is the instant, on the clock of the zone where the moment is local.
func (m Moment) in(zone *time.Location) time.Time {
	if m.local {
		return comes(m.time, zone)
	}
	return m.time
}
