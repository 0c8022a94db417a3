package flows

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The queue is ordered by a rule that anybody can read and the deployer can change,
// never by a verdict about a person. It orders, and does nothing else: a case without
// any point stands last, and stands there.

// A Weight is one line of the rule: so many points when something holds.
type Weight struct {
	// When is danger, minor, duress, moved, pressing or waiting.
	When   string `yaml:"when"`
	Points int    `yaml:"points"`
	// Every, for waiting only, is for how long a wait the points are given each
	// time; Most is how many there can be by it, 0 for any number.
	Every Duration `yaml:"every"`
	Most  int      `yaml:"most"`
}

// rankWaiting is the Weight that grows.
const rankWaiting = "waiting"

// rankedBy reports whether a line of the rule holds, by its name.
func rankedBy(s State) map[string]bool {
	f := s.facts()
	urgent, _ := f.answer("urgent")
	return map[string]bool{
		"danger":    f.Danger,
		"minor":     f.Minor,
		"duress":    s.Case != nil && !s.Case.Duress.IsZero(),
		"moved":     slices.Contains(urgent.Options, "moved"),
		"pressing":  f.Pressing,
		rankWaiting: !waitsSince(s).IsZero(),
	}
}

// waitsSince is since when the person waits for an officer: for one to come, or for
// an answer; zero if for nothing.
func waitsSince(s State) time.Time {
	c := s.Case
	switch {
	case c == nil || c.Phase == Ended:
	case c.Phase == Owned:
		return c.Owed
	default:
		return c.waits()
	}
	return time.Time{}
}

// Rank is where an open case stands in the queue at an instant: the more points the
// further ahead. Why is the sum as a line for the card, which stays true while the
// case waits: the points that grow are named with since when they do. Rank is total,
// and 0 for a case to which nothing of the rule applies.
func (b *Book) Rank(s State, at time.Time) (points int, why string) {
	if s.Case == nil || s.Case.Phase == Ended {
		return 0, ""
	}
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	holds, since := rankedBy(s), waitsSince(s)
	var parts []string
	for _, w := range b.policy.Rank {
		if !holds[w.When] {
			continue
		}
		if w.When != rankWaiting {
			points += w.Points
			parts = append(parts, say("card.rank."+w.When)+" "+strconv.Itoa(w.Points))
			continue
		}
		points += w.grown(at.Sub(since))
		key := "card.rank.waiting"
		if w.Most > 0 {
			key = "card.rank.waiting.most"
		}
		parts = append(parts, say(key, "points", strconv.Itoa(w.Points), "minutes", minutes(w.Every),
			"time", b.officersClock(since), "most", strconv.Itoa(w.Most)))
	}
	if len(parts) == 0 {
		return points, say("card.rank.none")
	}
	return points, strings.Join(parts, " + ")
}

// grown is what a wait is worth. It is nothing before its time and never overflows.
func (w Weight) grown(wait time.Duration) int {
	if wait <= 0 || w.Every <= 0 || w.Points <= 0 {
		return 0
	}
	times := int64(wait / time.Duration(w.Every))
	most := int64(w.Most)
	if most == 0 {
		most = mostGrown
	}
	if times > most/int64(w.Points) {
		return int(most)
	}
	return int(times) * w.Points
}

// mostGrown bounds the points of a wait where the rule does not: no wait reaches it.
const mostGrown = 1 << 30

// minutes is a duration in minutes, at least 1.
func minutes(d Duration) string { return strconv.Itoa(max(1, int(time.Duration(d).Minutes()))) }

// A Place is where a case stands in the queue.
type Place struct {
	Points int
	// Since is since when it waits, or was opened; Code is the case's.
	Since time.Time
	Code  string
}

// Compare orders places as the queue stands: by points, then by who waits longest,
// then by code, so that two cases never change places by themselves. It is for
// slices.SortFunc.
func (p Place) Compare(q Place) int {
	return cmp.Or(-cmp.Compare(p.Points, q.Points), p.Since.Compare(q.Since), cmp.Compare(p.Code, q.Code))
}

// checkRank reports what is wrong with the rule.
func (b *Book) checkRank(faults *faults) {
	at := place{file: "policy.yaml"}
	known := []string{"danger", "minor", "duress", "moved", "pressing", rankWaiting}
	var seen []string
	for _, w := range b.policy.Rank {
		switch {
		case !slices.Contains(known, w.When):
			faults.add(at, "rank: when: %q is not known; %s are", w.When, strings.Join(known, ", "))
		case slices.Contains(seen, w.When):
			faults.add(at, "rank: when: %q is listed twice", w.When)
		case w.Points < 1 || w.Points > mostPoints || w.Most < 0 || w.Most > mostPoints:
			faults.add(at, "rank: %s: give between 1 and %d points; a rule never sets a case back", w.When, mostPoints)
		case (w.Every >= Duration(time.Minute)) != (w.When == rankWaiting):
			faults.add(at, "rank: %s: every: is for waiting, which needs it: a minute or more", w.When)
		case w.Most > 0 && w.When != rankWaiting:
			faults.add(at, "rank: %s: most: is for waiting only", w.When)
		}
		seen = append(seen, w.When)
	}
}

// mostPoints keeps sums within an int on every machine.
const mostPoints = 1_000_000
