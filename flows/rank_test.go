package flows_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"suar/flows"
)

// ranked is a case that waits since an instant.
func ranked(t *testing.T, book *flows.Book, n int, since time.Time, change func(s *flows.State)) flows.State {
	t.Helper()
	m := flows.Moment{At: since}
	m.Fresh[0] = byte(n)
	s, _ := book.Step(flows.State{}, m, flows.Said{Message: "1", Text: "please"})
	s, _ = book.Step(s, m, flows.Delivered{Effect: flows.Open{}, Post: "root"})
	change(&s)
	return s
}

// queue orders cases as the officers see them, by what they are called here.
func queue(book *flows.Book, at time.Time, cases map[string]flows.State) []string {
	places := map[string]flows.Place{}
	var names []string
	for name, s := range cases {
		points, _ := book.Rank(s, at)
		places[name] = flows.Place{Points: points, Since: s.Case.Opened, Code: s.Case.ID.Code()}
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return places[a].Compare(places[b]) })
	return names
}

// TestTheRuleOfThePolicyOrdersTheQueue: danger, under 18, about to be moved and the
// wait count as the policy says; another policy is another order; no case is left out
// by any.
func TestTheRuleOfThePolicyOrdersTheQueue(t *testing.T) {
	book := shippedBook(t)
	old := monday.Add(-3 * time.Hour)
	cases := map[string]flows.State{
		"danger": ranked(t, book, 1, monday, func(s *flows.State) { s.Danger = true }),
		"minor":  ranked(t, book, 2, monday, func(s *flows.State) { s.Minor = true }),
		"moved": ranked(t, book, 3, monday, func(s *flows.State) {
			s.Answers = []flows.Answer{{Screen: "emergency.what", Fact: "urgent", Options: []string{"moved"}}}
		}),
		"pressing": ranked(t, book, 4, monday, func(s *flows.State) { s.Pressing = true }),
		"old":      ranked(t, book, 5, old, func(*flows.State) {}),
		"new":      ranked(t, book, 6, monday, func(*flows.State) {}),
		"owned": ranked(t, book, 7, old, func(s *flows.State) {
			*s, _ = book.Step(*s, flows.Moment{At: old}, flows.Claimed{Officer: flows.Officer{ID: "a", Name: "ani"}})
		}),
	}
	now := monday
	const shippedRule = "  - {when: danger, points: 100}\n"
	for name, c := range map[string]struct {
		old, new string
		want     string
	}{
		"as shipped":     {shippedRule, shippedRule, "danger old minor moved pressing owned new"},
		"the wait first": {"most: 90", "most: 900", "old danger minor moved pressing owned new"},
		"without danger": {shippedRule, "", "old minor moved pressing owned new danger"},
		"moved first":    {"when: moved, points: 60", "when: moved, points: 600", "moved danger old minor pressing owned new"},
	} {
		files := shipped(t)
		policy := files["policy.yaml"]
		if !strings.Contains(string(policy.Data), c.old) {
			t.Fatalf("%s: the shipped policy has no %q", name, c.old)
		}
		policy.Data = []byte(strings.Replace(string(policy.Data), c.old, c.new, 1))
		book, err := flows.Load(files, flows.Directory{})
		if err != nil {
			t.Fatal(err)
		}
		if got := queue(book, now, cases); strings.Join(got, " ") != c.want {
			t.Errorf("%s: the queue is %q, want %q", name, got, c.want)
		}
	}
}

// TestNoRuleHidesACase: whatever the rule, an open case has a place, a line that
// says why, and never less than another to which less applies; and the order is the
// same from wherever it is begun.
func TestNoRuleHidesACase(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, rule := range []string{"", "  - {when: minor, points: 1}\n", "  - {when: waiting, points: 1000000, every: 1m}\n  - {when: danger, points: 1}\n"} {
		files := shipped(t)
		policy := files["policy.yaml"]
		before, rest, ok := strings.Cut(string(policy.Data), "rank:\n")
		_, after, ends := strings.Cut(rest, "\n\n")
		if !ok || !ends {
			t.Fatal("the shipped policy has no rule")
		}
		policy.Data = []byte(before + "rank:\n" + rule + "\n" + after)
		book, err := flows.Load(files, flows.Directory{})
		if err != nil {
			t.Fatal(err)
		}
		cases := map[string]flows.State{}
		for n := range 40 {
			at := monday.Add(-time.Duration(rng.IntN(100_000)) * time.Hour) // Up to eleven years.
			cases[string(rune('a'+n))] = ranked(t, book, n, at, func(s *flows.State) {
				s.Danger, s.Minor = rng.IntN(3) == 0, rng.IntN(3) == 0
			})
		}
		want := queue(book, monday, cases)
		if again := queue(book, monday, cases); len(want) != len(cases) || !slices.Equal(want, again) {
			t.Errorf("the queue has %d of %d cases, and again it is %q", len(want), len(cases), again)
		}
		for name, s := range cases {
			points, why := book.Rank(s, monday)
			s.Danger = true
			more, _ := book.Rank(s, monday)
			if points < 0 || why == "" || more < points {
				t.Errorf("%s has %d points for %q, with danger %d", name, points, why, more)
			}
			if card := book.Card(s, monday); card.Rank != more || card.Why == "" {
				t.Errorf("the card of %s has %d points for %q", name, card.Rank, card.Why)
			}
		}
	}
}

// TestBadRules: a rule that says nothing, or would set somebody back, is refused.
func TestBadRules(t *testing.T) {
	for rule, want := range map[string]string{
		"{when: nice, points: 1}":                                `rank: when: "nice" is not known`,
		"{when: danger, points: -1}":                             "a rule never sets a case back",
		"{when: danger, points: 1, every: 1m}":                   "every: is for waiting",
		"{when: danger, points: 1, most: 5}":                     "most: is for waiting only",
		"{when: waiting, points: 1}":                             "which needs it: a minute or more",
		"{when: minor, points: 1}\n  - {when: minor, points: 2}": `"minor" is listed twice`,
		"{when: danger, points: 1000001}":                        "between 1 and 1000000",
	} {
		files := shipped(t)
		policy := files["policy.yaml"]
		before, _, _ := strings.Cut(string(policy.Data), "  - {when: danger")
		_, after, _ := strings.Cut(string(policy.Data), "most: 90}\n")
		policy.Data = []byte(before + "  - " + rule + "\n" + after)
		if _, err := flows.Load(files, flows.Directory{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", rule, err, want)
		}
	}
}
