package roster

import (
	"cmp"
	"slices"
	"time"
)

// Posts are who stands where: First is on call and Second behind. Second alone is
// never filled: who stands behind nobody is on call.
type Posts struct {
	First, Second string
}

// Nobody says that no officer is on duty.
func (p Posts) Nobody() bool { return p.First == "" }

// A Duty is who is on duty at an instant.
type Duty struct {
	Posts
	// Leads are who is called when those on duty do not answer.
	Leads []string
	// Until is when other posts begin, Next; zero if they stay the same for the
	// next 400 days.
	Until time.Time
	Next  Posts
}

// A Span is who is on duty from From until To, To excluded.
type Span struct {
	From, To time.Time
	Posts
}

// horizon is how far ahead a change of the duty is looked for.
const horizon = 400 * 24 * time.Hour

// Duty returns who is on duty at an instant. It depends on the roster and the
// instant only.
func (r *Roster) Duty(t time.Time) Duty {
	d := Duty{Leads: r.Leads()}
	end := t.Add(horizon)
	for ahead := 2 * time.Hour; ; ahead *= 4 {
		to := t.Add(ahead)
		if to.After(end) {
			to = end
		}
		spans := r.Coverage(t, to)
		d.Posts = spans[0].Posts
		if len(spans) > 1 {
			d.Until, d.Next = spans[1].From, spans[1].Posts
			return d
		}
		if to.Equal(end) {
			return d
		}
	}
}

// Coverage returns who is on duty between two instants: spans that follow each
// other without a hole, each with other posts than the one before it; those with
// Nobody are the gaps. It is nil if to is not after from.
func (r *Roster) Coverage(from, to time.Time) []Span {
	if !from.Before(to) {
		return nil
	}
	shifts := r.occurrences(from, to, true)
	changes := slices.DeleteFunc(slices.Clone(r.changes), func(c change) bool { return !c.meets(from, to) })
	var spans []Span
	var now []occurrence // those that may go on at the instant
	cuts := cutsOf(from, to, shifts, changes)
	for i, at := range cuts[:len(cuts)-1] {
		for len(shifts) > 0 && !shifts[0].from.After(at) {
			now = append(now, shifts[0])
			shifts = shifts[1:]
		}
		now = slices.DeleteFunc(now, func(o occurrence) bool { return !o.to.After(at) })
		posts := standing(now)
		for _, c := range changes {
			posts = c.apply(posts, at)
		}
		posts = posts.settled()
		if n := len(spans); n > 0 && spans[n-1].Posts == posts {
			spans[n-1].To = cuts[i+1]
			continue
		}
		spans = append(spans, Span{From: at, To: cuts[i+1], Posts: posts})
	}
	return spans
}

// cutsOf are the instants from from to to at which the posts may change, from and
// to included.
func cutsOf(from, to time.Time, shifts []occurrence, changes []change) []time.Time {
	cuts := []time.Time{from, to}
	cut := func(at time.Time) {
		if at.After(from) && at.Before(to) {
			cuts = append(cuts, at)
		}
	}
	for _, o := range shifts {
		cut(o.from)
		cut(o.to)
	}
	for _, c := range changes {
		for _, s := range c.stands {
			cut(s.from)
			cut(s.to)
		}
	}
	sortTimes(cuts)
	return slices.CompactFunc(cuts, time.Time.Equal)
}

// standing are the posts of the shift that goes on. Shifts overlap only if the
// zones' clocks were changed since the roster was checked: the one that stands
// first in the file counts then.
func standing(now []occurrence) Posts {
	if len(now) == 0 {
		return Posts{}
	}
	s := slices.MinFunc(now, func(a, b occurrence) int { return cmp.Compare(a.order, b.order) })
	return Posts{s.First, s.Second}
}

// settled leaves nobody in two posts, and nobody behind nobody.
func (p Posts) settled() Posts {
	switch {
	case p.First == "":
		return Posts{First: p.Second}
	case p.First == p.Second:
		return Posts{First: p.First}
	}
	return p
}

func sortTimes(list []time.Time) { slices.SortFunc(list, time.Time.Compare) }
