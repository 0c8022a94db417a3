package flows_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
)

// noDuty has somebody on duty for an hour each day, from eight o'clock on.
func noDuty(now time.Time) time.Time {
	begins := now.UTC().Truncate(24 * time.Hour).Add(8 * time.Hour)
	switch {
	case now.Before(begins):
		return begins
	case now.Before(begins.Add(time.Hour)):
		return time.Time{}
	}
	return begins.Add(24 * time.Hour)
}

// calls are the levels and minutes of the calls in the first three hours.
func (l *life) calls() []string {
	l.t.Helper()
	begun := l.now
	var out []string
	for range 3 * 60 {
		for _, e := range l.officers {
			if p, ok := e.(flows.Page); ok {
				out = append(out, fmt.Sprintf("%v:%d", l.now.Sub(begun), p.Level))
				if p.Code != l.s.Case.ID.Code() {
					l.t.Errorf("the call names the case %q", p.Code)
				}
			}
		}
		l.officers = nil
		l.passes(time.Minute)
	}
	return out
}

// How often the officers are called depends on what the case is: danger and somebody
// under 18 rise to the lead in ten minutes.
func TestCallsByKind(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct {
		mark func(*flows.State)
		want string
	}{
		"ordinary": {func(*flows.State) {}, "10m0s:2 40m0s:3 2h40m0s:4"},
		"pressing": {func(s *flows.State) { s.Pressing = true }, "2m0s:2 10m0s:3 20m0s:4 30m0s:5"},
		"danger":   {func(s *flows.State) { s.Danger = true }, "1m0s:2 2m0s:3 10m0s:4 20m0s:5 30m0s:6"},
		"minor":    {func(s *flows.State) { s.Minor = true }, "1m0s:2 2m0s:3 10m0s:4 20m0s:5 30m0s:6"},
		"phrase":   {func(s *flows.State) { s.Case.Duress = s.Seen }, "1m0s:2 2m0s:3 10m0s:4 20m0s:5 30m0s:6"},
	} {
		t.Run(kind, func(t *testing.T) {
			l := newLife(t)
			l.says("tolong")
			l.officers = nil
			c.mark(&l.s)
			l.happen(flows.TimedOut{}) // It looks at the state anew.
			got := l.calls()
			if text := strings.Join(got, " "); !strings.HasPrefix(text, c.want) {
				t.Errorf("calls at %s, want %s", text, c.want)
			}
		})
	}
}

// While nobody is on duty the person is told so and until when, in both languages;
// when the duty begins it is called at once.
func TestNobodyOnDuty(t *testing.T) {
	t.Parallel()
	l := newLife(t)
	l.now = time.Date(2026, 11, 23, 7, 56, 0, 0, time.UTC)
	l.night = noDuty
	l.says("tolong")
	read := func(want string) {
		t.Helper()
		v := l.book.View(l.s, l.now)
		if !strings.Contains(v.Text, want) {
			t.Errorf("the person reads %q, want %q", v.Text, want)
		}
	}
	read("No officer is on duty now. The next duty is planned for 2026-11-23 15:00 UTC+7.")
	read("Tugas berikutnya dijadwalkan mulai 2026-11-23 15:00 UTC+7.")
	l.officers = nil
	begun := l.now
	l.passes(4 * time.Minute)
	var calls []string
	for _, e := range l.officers {
		if p, ok := e.(flows.Page); ok {
			calls = append(calls, fmt.Sprintf("%v:%d", l.now.Sub(begun), p.Level))
		}
	}
	if diff := cmp.Diff([]string{"4m0s:1"}, calls); diff != "" {
		t.Errorf("calls when the duty begins: %s", diff)
	}
	read("A person has been alerted.")
	// The roster knows of no other duty.
	l = newLife(t)
	l.night = func(now time.Time) time.Time { return now }
	l.says("tolong")
	read("No officer is on duty now. We are calling the officers in charge.")
	l.happen(flows.Claimed{Officer: flows.Officer{ID: "1", Name: "siti"}})
	read("An officer has read your message.")
}
