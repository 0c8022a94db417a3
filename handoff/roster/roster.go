// Package roster is who is on duty: the officers, their weekly shifts, holidays,
// overrides and swaps as a YAML file, and a pure function of them and an instant.
//
// Times are wall clocks of a zone. What a wall clock shows is turned into an
// instant by one rule, also where daylight saving skips or repeats an hour: a
// time comes at the first instant at which the clock shows it or something later.
// So 02:30 in a night in which the clock jumps from 02:00 to 03:00 is the jump;
// 01:30 in a night in which 01:30 comes twice is the first of the two; a shift
// from 22:00 to 06:00 has seven hours in the one night and nine in the other;
// shifts that follow each other on the clock follow each other always.
package roster

import (
	"time"
	_ "time/tzdata" // The container's image is empty: the zones come with the program.
)

// A Role is what an officer may do beside standing on duty.
type Role string

// The roles.
const (
	RoleOfficer    Role = "officer"
	RoleLead       Role = "lead"       // is called when nobody else answers
	RoleSupervisor Role = "supervisor" // looks in, and is called last
)

// A Roster is a checked roster. It does not change after Parse and may be used by
// several goroutines.
type Roster struct {
	// Version only grows from one roster to the next of the same hotline.
	Version uint64
	// Zone is the IANA name of the clock that times are of where they name no
	// other.
	Zone      string
	Officers  []Officer
	Shifts    []Shift
	Holidays  []Holiday
	Overrides []Override
	Swaps     []Swap

	home  *time.Location
	plans []plan
	// changes are the swaps and then the overrides, as they are applied.
	changes []change
}

// An Officer is somebody who may stand on duty.
type Officer struct {
	// Name is the Mattermost user name, without the at-sign.
	Name string
	Role Role
	// Languages are those that the officer speaks, as in "id".
	Languages []string
	// Zone is the officer's own clock, "" for the roster's.
	Zone string

	line int
}

// A Shift is hours of duty that come again each week, or those of a holiday.
type Shift struct {
	// Days are the days on which it begins, of the clock of its zone; none for
	// those of a holiday.
	Days []time.Weekday
	// From and To are its hours. It ends on the next day if To is not after From.
	From, To Clock
	// Zone is the clock that it is meant in, "" for the roster's.
	Zone string
	// First is on call and Second, "" for nobody, behind.
	First, Second string

	line int
}

// A Holiday is a day on which other shifts begin than each week. What began on
// the day before runs on to its end. Without shifts nobody's duty begins.
type Holiday struct {
	Date   Date
	Name   string
	Shifts []Shift

	line int
}

// An Override changes who is on duty from From to To: it fills the posts that it
// names, or has Who stand wherever InsteadOf would.
type Override struct {
	From, To       Moment
	Zone           string // of From and To where they are local, "" for the roster's
	First, Second  string
	Who, InsteadOf string
	// Reason is why, in a few words; By who decided it. By need not be listed any
	// more.
	Reason, By string

	line int
}

// A Swap has two officers stand for each other: Take.Who wherever Give.Who would
// in the hours of Give, and the other way round in those of Take.
type Swap struct {
	Give, Take Hours
	Zone       string // of their times where they are local, "" for the roster's
	Reason, By string

	line int
}

// Hours are somebody's from one time to another.
type Hours struct {
	Who      string
	From, To Moment
}

// Officer returns the officer of a name, and whether there is one.
func (r *Roster) Officer(name string) (Officer, bool) {
	for _, o := range r.Officers {
		if o.Name == name {
			return o, true
		}
	}
	return Officer{}, false
}

// Location is the clock of the roster's zone.
func (r *Roster) Location() *time.Location { return r.home }

// Leads returns the names of the leads, in the order of the file.
func (r *Roster) Leads() []string { return r.names(func(o Officer) bool { return o.Role == RoleLead }) }

// Everybody returns the names of all officers, in the order of the file.
func (r *Roster) Everybody() []string { return r.names(func(Officer) bool { return true }) }

func (r *Roster) names(of func(Officer) bool) []string {
	var out []string
	for _, o := range r.Officers {
		if of(o) {
			out = append(out, o.Name)
		}
	}
	return out
}
