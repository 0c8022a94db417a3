package roster

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// A watcher stands before a clock on the wall and looks at it each minute. It is
// told nothing of offsets and jumps: a time has come when the clock has shown it
// or something later.
type watcher struct {
	zone *time.Location
	seen time.Time // the latest that the clock has shown, as if it were UTC
}

func (w *watcher) look(t time.Time) {
	y, m, d := t.In(w.zone).Date()
	hour, minute, second := t.In(w.zone).Clock()
	if shows := time.Date(y, m, d, hour, minute, second, 0, time.UTC); shows.After(w.seen) {
		w.seen = shows
	}
}

func (w *watcher) came(wall time.Time) bool { return !w.seen.Before(wall) }

// A night is everybody who watches.
type night struct {
	r        *Roster
	watchers map[string]*watcher
}

func newNight(t testing.TB, r *Roster) *night {
	n := &night{r: r, watchers: map[string]*watcher{}}
	add := func(name string) {
		if name == "" {
			name = r.Zone
		}
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		n.watchers[name] = &watcher{zone: zone}
	}
	add(r.Zone)
	for _, s := range r.Shifts {
		add(s.Zone)
	}
	for _, h := range r.Holidays {
		for _, s := range h.Shifts {
			add(s.Zone)
		}
	}
	for _, o := range r.Overrides {
		add(o.Zone)
	}
	for _, s := range r.Swaps {
		add(s.Zone)
	}
	return n
}

func (n *night) look(t time.Time) {
	for _, w := range n.watchers {
		w.look(t)
	}
}

func (n *night) watcher(zone string) *watcher {
	if zone == "" {
		zone = n.r.Zone
	}
	return n.watchers[zone]
}

// duty is who is on duty at the minute that was looked at last, said slowly.
func (n *night) duty(t time.Time) Posts {
	var p Posts
	on := func(s Shift, begun Date) {
		w := n.watcher(s.Zone)
		to := begun.wall(s.To)
		if s.To <= s.From {
			to = to.AddDate(0, 0, 1)
		}
		if w.came(begun.wall(s.From)) && !w.came(to) {
			p = Posts{s.First, s.Second}
		}
	}
	for _, back := range []int{2, 1, 0, -1} {
		for _, s := range n.r.Shifts {
			begun := dateOf(n.watcher(s.Zone).seen).add(-back)
			if slices.ContainsFunc(n.r.Holidays, func(h Holiday) bool { return h.Date == begun }) {
				continue
			}
			if slices.Contains(s.Days, begun.weekday()) {
				on(s, begun)
			}
		}
	}
	for _, h := range n.r.Holidays {
		for _, s := range h.Shifts {
			on(s, h.Date)
		}
	}
	during := func(from, to Moment, zone string) bool {
		came := func(m Moment) bool {
			if m.local {
				return n.watcher(zone).came(m.time)
			}
			return !t.Before(m.time)
		}
		return came(from) && !came(to)
	}
	for _, s := range n.r.Swaps {
		give, take := during(s.Give.From, s.Give.To, s.Zone), during(s.Take.From, s.Take.To, s.Zone)
		stands := func(who string) string {
			switch {
			case who == s.Give.Who && give:
				return s.Take.Who
			case who == s.Take.Who && take:
				return s.Give.Who
			}
			return who
		}
		p = Posts{stands(p.First), stands(p.Second)}
	}
	for _, o := range n.r.Overrides {
		if !during(o.From, o.To, o.Zone) {
			continue
		}
		switch {
		case o.Who != "" && p.First == o.InsteadOf && p.Second == o.InsteadOf:
			p = Posts{o.Who, o.Who}
		case o.Who != "" && p.First == o.InsteadOf:
			p.First = o.Who
		case o.Who != "" && p.Second == o.InsteadOf:
			p.Second = o.Who
		}
		if o.First != "" {
			p.First = o.First
		}
		if o.Second != "" {
			p.Second = o.Second
		}
	}
	if p.First == "" {
		p.First, p.Second = p.Second, ""
	}
	if p.First == p.Second {
		p.Second = ""
	}
	return p
}

// zones have clocks that jump by an hour, by half an hour, over midnight, and never.
func zones() []string {
	return []string{"Asia/Vientiane", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Asuncion", "Africa/Cairo", "Asia/Beirut", "UTC"}
}

// drawRoster draws a roster that is right, around an instant.
func drawRoster(t *rapid.T, around time.Time) *Roster {
	names := []string{"ani", "budi", "citra", "dewi"}
	name := rapid.SampledFrom(names)
	zone := rapid.SampledFrom(zones())
	clock := rapid.Map(rapid.IntRange(0, 95), func(i int) string { return Clock(15 * i).String() })
	days := rapid.SliceOfNDistinct(rapid.SampledFrom(dayNames()), 1, 7, rapid.ID)
	maybe := func(b *strings.Builder, key, value string) {
		if value != "" && rapid.Bool().Draw(t, key+"?") {
			fmt.Fprintf(b, ", %s: %s", key, value)
		}
	}
	other := func(not, label string) string {
		return rapid.SampledFrom(slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == not })).Draw(t, label)
	}
	shift := func(b *strings.Builder, several bool) {
		from := clock.Draw(t, "from")
		to := rapid.SampledFrom([]string{clock.Draw(t, "to"), "24:00"}).Draw(t, "end")
		if from == to {
			to = Clock((map[bool]int{true: 15, false: 0}[from == "00:00"])).String()
		}
		first := name.Draw(t, "first")
		fmt.Fprintf(b, "from: '%s', to: '%s', first: %s", from, to, first)
		maybe(b, "second", other(first, "second"))
		if several {
			maybe(b, "zone", zone.Draw(t, "zone"))
		}
		b.WriteString("}\n")
	}
	moment := func(label string, after int) string {
		m := around.Add(time.Duration(rapid.IntRange(after, after+40*4).Draw(t, label)) * 15 * time.Minute)
		if rapid.Bool().Draw(t, label+" as an instant") {
			return m.UTC().Format(time.RFC3339)
		}
		return m.UTC().Format("2006-01-02T15:04")
	}
	text := func() string {
		var b strings.Builder
		fmt.Fprintf(&b, "version: 1\nzone: %s\nofficers: [{name: ani, role: lead}, {name: budi}, {name: citra}, {name: dewi}]\nshifts:\n", zone.Draw(t, "home"))
		several := rapid.IntRange(0, 3).Draw(t, "several zones") == 0
		for range rapid.IntRange(1, 5).Draw(t, "shifts") {
			fmt.Fprintf(&b, "  - {days: [%s], ", strings.Join(days.Draw(t, "days"), ", "))
			shift(&b, several)
		}
		if n := rapid.IntRange(0, 2).Draw(t, "holidays"); n > 0 {
			b.WriteString("holidays:\n")
			for i := range n {
				fmt.Fprintf(&b, "  - date: %v\n    shifts:\n", dateOf(around).add(3*i-1))
				for range rapid.IntRange(1, 2).Draw(t, "its shifts") {
					b.WriteString("      - {")
					shift(&b, several)
				}
			}
		}
		if n := rapid.IntRange(0, 3).Draw(t, "overrides"); n > 0 {
			b.WriteString("overrides:\n")
			for range n {
				fmt.Fprintf(&b, "  - {from: %s, to: %s", moment("from", -200), moment("to", 100))
				maybe(&b, "zone", zone.Draw(t, "zone"))
				if who := name.Draw(t, "who"); rapid.Bool().Draw(t, "stands in") {
					fmt.Fprintf(&b, ", who: %s, instead_of: %s}\n", who, other(who, "instead of"))
				} else if rapid.Bool().Draw(t, "only second") {
					fmt.Fprintf(&b, ", second: %s}\n", who)
				} else {
					fmt.Fprintf(&b, ", first: %s", who)
					maybe(&b, "second", other(who, "second"))
					b.WriteString("}\n")
				}
			}
		}
		if rapid.Bool().Draw(t, "swap") {
			give := name.Draw(t, "give")
			b.WriteString("swaps:\n")
			fmt.Fprintf(&b, "  - give: {who: %s, from: %s, to: %s}\n", give, moment("from", -200), moment("to", 100))
			fmt.Fprintf(&b, "    take: {who: %s, from: %s, to: %s}\n", other(give, "take"), moment("from", -200), moment("to", 100))
		}
		return b.String()
	}()
	r, err := Parse([]byte(text))
	if err == nil {
		return r
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if !strings.Contains(line, "overlaps") {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	t.Skip("shifts overlap")
	return nil
}

// drawNight draws an instant at which some clock jumps, or any.
func drawNight(t *rapid.T) time.Time {
	return rapid.SampledFrom([]time.Time{
		time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC),   // Berlin, Beirut at midnight
		time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC),  // Berlin
		time.Date(2026, 10, 24, 21, 0, 0, 0, time.UTC), // Beirut: 00:00 to 23:00
		time.Date(2026, 3, 8, 7, 0, 0, 0, time.UTC),    // New York
		time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC),
		time.Date(2026, 4, 4, 15, 0, 0, 0, time.UTC), // Lord Howe: half an hour
		time.Date(2026, 10, 3, 15, 30, 0, 0, time.UTC),
		time.Date(2026, 10, 29, 21, 0, 0, 0, time.UTC), // Cairo
		time.Date(2024, 3, 24, 3, 0, 0, 0, time.UTC),   // Asunción: 00:00 to 23:00
		time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC),
	}).Draw(t, "night")
}

// At every minute of some days the duty is what somebody says who looks at the
// clocks each minute and reads the roster slowly; every instant belongs to one
// span, and Until is when the next begins.
func TestDutyIsWhatAWatcherSays(t *testing.T) {
	nights, overlapping := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		overlapping++
		jump := drawNight(rt)
		r := drawRoster(rt, jump)
		nights++
		from := jump.Add(-time.Duration(rapid.IntRange(0, 30*60).Draw(rt, "minutes before")) * time.Minute)
		to := jump.Add(time.Duration(rapid.IntRange(1, 30*60).Draw(rt, "minutes after")) * time.Minute)
		spans := r.Coverage(from, to)
		for i, s := range spans {
			switch {
			case !s.From.Before(s.To):
				rt.Fatalf("an empty span: %v", s)
			case i == 0 && !s.From.Equal(from), i > 0 && !s.From.Equal(spans[i-1].To):
				rt.Fatalf("a hole or an overlap before %v", s)
			case i > 0 && s.Posts == spans[i-1].Posts:
				rt.Fatalf("no change at %v", s.From)
			}
		}
		if last := spans[len(spans)-1]; !last.To.Equal(to) {
			rt.Fatalf("the spans end at %v, not %v", last.To, to)
		}
		n, i := newNight(t, r), 0
		for at := from.Add(-72 * time.Hour); at.Before(to); at = at.Add(time.Minute) {
			n.look(at)
			if at.Before(from) {
				continue
			}
			if !at.Before(spans[i].To) {
				i++
			}
			if want := n.duty(at); spans[i].Posts != want {
				rt.Fatalf("at %v: %v, the watcher says %v\n%s", at, spans[i].Posts, want, r.YAML())
			}
		}
		for i, s := range spans {
			at := s.From.Add(time.Duration(rapid.Int64Range(0, int64(s.To.Sub(s.From))-1).Draw(rt, "into the span")))
			d := r.Duty(at)
			if d.Posts != s.Posts {
				rt.Fatalf("Duty at %v is %v, in the coverage %v", at, d.Posts, s.Posts)
			}
			if i+1 < len(spans) && (!d.Until.Equal(s.To) || d.Next != spans[i+1].Posts) {
				rt.Fatalf("Duty at %v ends at %v with %v, in the coverage %v", at, d.Until, d.Next, spans[i+1])
			}
		}
	})
	t.Logf("%d rosters of %d drawn", nights, overlapping)
}

// What is written reads as the same.
func TestYAMLReadsAsTheSame(t *testing.T) {
	same := func(t interface{ Fatalf(string, ...any) }, r *Roster) {
		back, err := Parse(r.YAML())
		if err != nil {
			t.Fatalf("what was written is refused: %v\n%s", err, r.YAML())
		}
		if diff := cmp.Diff(r, back, plain()...); diff != "" {
			t.Fatalf("%s", diff)
		}
		if diff := cmp.Diff(string(r.YAML()), string(back.YAML())); diff != "" {
			t.Fatalf("%s", diff)
		}
	}
	same(t, parse(t, embassy))
	rapid.Check(t, func(t *rapid.T) { same(t, drawRoster(t, drawNight(t))) })
}

// plain compares what is in the file.
func plain() []cmp.Option {
	return []cmp.Option{
		cmpopts.IgnoreUnexported(Roster{}, Officer{}, Shift{}, Holiday{}, Override{}, Swap{}),
		cmp.Comparer(func(a, b Moment) bool { return a.local == b.local && a.time.Equal(b.time) }),
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(embassy))
	f.Add([]byte("version: 1\nzone: UTC\nofficers: [{name: a, role: lead}]\nshifts: [{days: [daily], from: 00:00, to: 24:00, first: a}]\nswaps: [{give: ~, take: &a [*a]}]\n"))
	f.Add([]byte("a: &a [*a,*a]\n<<: *a\n--- \n"))
	f.Add([]byte("\xff\xfe{"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := Parse(raw)
		if err != nil {
			if err.Error() == "" {
				t.Error("a refusal without a word")
			}
			return
		}
		now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
		d := r.Duty(now)
		if spans := r.Coverage(now, now.Add(time.Hour)); spans[0].Posts != d.Posts {
			t.Errorf("Duty is %v, in the coverage %v", d.Posts, spans[0].Posts)
		}
		back, err := Parse(r.YAML())
		if err != nil {
			t.Fatalf("what was written is refused: %v\n%s", err, r.YAML())
		}
		if diff := cmp.Diff(r, back, plain()...); diff != "" {
			t.Error(diff)
		}
	})
}
