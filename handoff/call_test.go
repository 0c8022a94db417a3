package handoff

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/handoff/roster"
	"suar/internal/engine"
	"suar/internal/mattermosttest"
)

// The officers of the tests' servers, with a gap on Saturday and nobody behind by
// night.
const hours = `
version: 1
zone: Asia/Vientiane
officers: [{name: siti}, {name: budi}, {name: rina, role: lead}]
shifts:
  - {days: [mon, tue, wed, thu, fri], from: 06:00, to: 22:00, first: siti, second: budi}
  - {days: [mon, tue, wed, thu, fri], from: 22:00, to: 06:00, first: budi}
`

func newRoster(t *testing.T, text string) func() *roster.Roster {
	t.Helper()
	r, err := roster.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return func() *roster.Roster { return r }
}

func TestCallByLevel(t *testing.T) {
	r := newRoster(t, hours)()
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, r.Location()) }
	for _, c := range []struct {
		name   string
		at     time.Time
		levels []string // from 0 on
		next   time.Time
	}{
		{"by day", at(23, 12), []string{"siti", "siti", "siti", "budi", "rina", "siti budi rina", "siti budi rina"}, time.Time{}},
		{"by night, with nobody behind", at(23, 23), []string{"budi", "budi", "budi", "rina", "rina", "siti budi rina"}, time.Time{}},
		{"with nobody on duty", at(28, 12), []string{"rina", "rina", "rina", "rina", "rina", "siti budi rina"}, at(30, 6)},
	} {
		for level, want := range c.levels {
			got := callOf(r, r.Duty(c.at), level)
			if strings.Join(got.names, " ") != want || got.unattended != !c.next.IsZero() || !got.next.Equal(c.next) {
				t.Errorf("%s, level %d: %+v, want %s until %v", c.name, level, got, want, c.next)
			}
		}
	}
}

// A call is for whom the roster says at the moment of the delivery: in the thread, and
// with the case's code by a direct message, which a repeated delivery does not
// repeat.
func TestCallsByTheRoster(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		now := time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC) // Monday noon in Vientiane
		r := newRig(t, w, func(c *Config) {
			c.Roster, c.OnCall, c.Now = newRoster(t, hours), nil, func() time.Time { return now }
		})
		open := engine.Delivery{ID: id(1), Effect: flows.Open{}, Tries: 1, Urgent: true, Card: flows.Card{Code: "K7QM-2RTX", Title: "Danger · K7QM-2RTX", Mention: true, Urgent: true}}
		opened := r.deliver(open)
		root := string(opened.Post)
		if got, want := w.Thread(root)[0].Message, "**Danger · K7QM-2RTX** @siti"; got != want || opened.Unattended {
			t.Errorf("card %q, want %q; unattended %v", got, want, opened.Unattended)
		}
		open.Tries = 2
		if again := r.deliver(open); again.Post != opened.Post {
			t.Errorf("the repeated card is %q, want %q", again.Post, opened.Post)
		}
		page := func(n, level, tries int) flows.Delivered {
			return r.deliver(engine.Delivery{ID: id(n), Thread: opened.Post, Tries: tries, Effect: flows.Page{Level: level, Code: "K7QM-2RTX", Text: "It waits."}})
		}
		page(2, 2, 1)
		page(3, 3, 1)
		page(3, 3, 2)
		page(4, 4, 1)
		now = now.Add(5 * 24 * time.Hour) // Saturday noon
		if d := page(5, 2, 1); !d.Unattended || !d.Duty.Equal(time.Date(2026, 11, 29, 23, 0, 0, 0, time.UTC)) {
			t.Errorf("nobody is on duty: %+v", d)
		}
		page(6, 5, 1)
		var thread []string
		for _, p := range w.Thread(root)[1:] {
			thread = append(thread, p.Message)
		}
		want := []string{"@siti It waits.", "@budi It waits.", "@rina It waits.", "@rina It waits.", "@budi @rina @siti It waits."}
		if diff := cmp.Diff(want, thread); diff != "" {
			t.Error(diff)
		}
		for i, n := range []int{3, 2, 3} { // siti: card, level 2, all; budi: level 3, all; rina: level 4, Saturday, all
			direct := w.Direct(w.Officers[i], w.Bot)
			direct = slices.DeleteFunc(direct, func(p *model.Post) bool { return p.Type != "" })
			if len(direct) != n {
				t.Errorf("%s has %d direct messages, want %d", w.Officers[i].Username, len(direct), n)
			}
			for _, p := range direct {
				if p.Message != "You are called to a case. Open the officers' channel: **K7QM-2RTX**" || p.GetProp("unsafe_links") != "true" {
					t.Errorf("direct message %q", p.Message)
				}
			}
		}
		if p := w.Direct(w.Officers[0], w.Bot); len(p) > 0 && !slices.ContainsFunc(p, func(p *model.Post) bool {
			return p.Metadata != nil && p.Metadata.Priority != nil && *p.Metadata.Priority.Priority == model.PostPriorityUrgent
		}) {
			t.Error("no direct message is urgent")
		}
	})
}

// Whoever has no account, or was taken out of the channel, is not called directly, and
// that holds up nothing.
func TestCallWithoutAccount(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		text := strings.ReplaceAll(strings.ReplaceAll(hours, "siti", w.Outsider.Username), "budi", "left-last-year")
		r := newRig(t, w, func(c *Config) { c.Roster, c.OnCall = newRoster(t, text), nil })
		root := r.open(1)
		r.deliver(engine.Delivery{ID: id(2), Thread: root, Effect: flows.Page{Level: 5, Code: "K7QM-2RTX", Text: "It waits."}})
		if n := len(w.Direct(w.Officers[2], w.Bot)); n == 0 {
			t.Error("who has an account was not called")
		}
		if n := len(w.Direct(w.Outsider, w.Bot)); n != 0 {
			t.Errorf("who is no member has %d messages", n)
		}
		if !strings.Contains(r.log.String(), "failed=2 called=3") {
			t.Errorf("log %s", r.log)
		}
		faults := r.Check(t.Context())
		if !slices.ContainsFunc(faults, func(f Fault) bool {
			return strings.HasPrefix(f.What, "2 of the 3 officers of the roster") && f.Grave
		}) {
			t.Errorf("faults %v", faults)
		}
	})
}
