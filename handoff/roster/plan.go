package roster

import (
	"cmp"
	"slices"
	"time"
)

// A plan is the shifts that are meant in one zone.
type plan struct {
	zone *time.Location
	// weekly are the shifts by the day on which they begin, and special those of
	// the holidays: a day that is in it has no others.
	weekly  [7][]planned
	special map[Date][]planned
}

// A planned is a shift with its place in the file.
type planned struct {
	*Shift
	order int
}

// plan sorts the shifts by zones and days, and makes the changes ready.
func (r *Roster) plan(f *faults) {
	r.plans, r.changes = nil, nil
	order, zones := 0, map[string]int{}
	in := func(name string) *plan {
		zone := r.location(name)
		i, ok := zones[zone.String()]
		if !ok {
			i = len(r.plans)
			zones[zone.String()] = i
			p := plan{zone: zone, special: map[Date][]planned{}}
			for _, h := range r.Holidays {
				p.special[h.Date] = nil
			}
			r.plans = append(r.plans, p)
		}
		order++
		return &r.plans[i]
	}
	for i := range r.Shifts {
		s := &r.Shifts[i]
		p := in(s.Zone)
		for _, d := range s.Days {
			p.weekly[d] = append(p.weekly[d], planned{s, order})
		}
	}
	for _, h := range r.Holidays {
		for i := range h.Shifts {
			s := &h.Shifts[i]
			p := in(s.Zone)
			p.special[h.Date] = append(p.special[h.Date], planned{s, order})
		}
	}
	if len(r.plans) > mostZones {
		f.add(0, "the shifts are meant in %d zones; %d can be read", len(r.plans), mostZones)
	}
	for _, s := range r.Swaps {
		r.changes = append(r.changes, s.change(r.location(s.Zone), f))
	}
	for _, o := range r.Overrides {
		r.changes = append(r.changes, o.change(r.location(o.Zone), f))
	}
}

// location is the zone of a name that was checked, the roster's own for "".
func (r *Roster) location(name string) *time.Location {
	if name == "" {
		return r.home
	}
	zone, err := loadZone(name)
	if err != nil { // It was there when the roster was read.
		return r.home
	}
	return zone
}

// An occurrence is a shift on one day.
type occurrence struct {
	from, to time.Time
	planned
}

// occurrences returns the shifts between two instants, those that only touch it
// included, in the order in which they begin. Without holidays it is as if there
// were none.
func (r *Roster) occurrences(from, to time.Time, holidays bool) []occurrence {
	var out []occurrence
	for _, p := range r.plans {
		// What began the day before may go on, and where the clock is set back
		// over midnight the day after has begun already.
		last := dateOf(to.In(p.zone)).add(1)
		for d := dateOf(from.In(p.zone)).add(-1); ; d = d.add(1) {
			list, special := p.special[d]
			if !special || !holidays {
				list = p.weekly[d.weekday()]
			}
			for _, s := range list {
				end := d
				if s.To <= s.From {
					end = d.add(1)
				}
				o := occurrence{from: d.at(s.From, p.zone), to: end.at(s.To, p.zone), planned: s}
				// Where the clock jumps over all of it there is none.
				if o.from.Before(o.to) && o.to.After(from) && o.from.Before(to) {
					out = append(out, o)
				}
			}
			if d == last {
				break
			}
		}
	}
	slices.SortFunc(out, func(a, b occurrence) int { return cmp.Or(a.from.Compare(b.from), cmp.Compare(a.order, b.order)) })
	return out
}

// A change is an override, or one direction of a swap at once with the other.
type change struct {
	stands []stand
}

// A stand is what happens to the posts for some time.
type stand struct {
	from, to time.Time
	// who stands instead of whom; otherwise posts are set where they are not "".
	who, instead string
	posts        Posts
}

func (o Override) change(zone *time.Location, f *faults) change {
	s := stand{from: o.From.in(zone), to: o.To.in(zone), who: o.Who, instead: o.InsteadOf, posts: Posts{o.First, o.Second}}
	if !s.from.Before(s.to) {
		f.add(o.line, "the override does not end after it begins")
	}
	return change{[]stand{s}}
}

func (s Swap) change(zone *time.Location, f *faults) change {
	var c change
	for _, side := range [][2]Hours{{s.Give, s.Take}, {s.Take, s.Give}} {
		h := side[0]
		one := stand{from: h.From.in(zone), to: h.To.in(zone), instead: h.Who, who: side[1].Who}
		if !one.from.Before(one.to) {
			f.add(s.line, "the hours of the swap do not end after they begin")
		}
		c.stands = append(c.stands, one)
	}
	return c
}

// meets says whether the change is about anything between two instants.
func (c change) meets(from, to time.Time) bool {
	return slices.ContainsFunc(c.stands, func(s stand) bool { return s.from.Before(to) && s.to.After(from) })
}

// apply returns the posts as they are at an instant with the change. Both
// directions of a swap are applied at once.
func (c change) apply(p Posts, at time.Time) Posts {
	out := p
	for _, s := range c.stands {
		if at.Before(s.from) || !at.Before(s.to) {
			continue
		}
		if s.instead == "" {
			out = Posts{cmp.Or(s.posts.First, out.First), cmp.Or(s.posts.Second, out.Second)}
			continue
		}
		if p.First == s.instead {
			out.First = s.who
		}
		if p.Second == s.instead {
			out.Second = s.who
		}
	}
	return out
}
