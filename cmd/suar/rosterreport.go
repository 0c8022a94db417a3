package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"suar/handoff/roster"
)

// A rosterReport is what "suar roster check" found.
type rosterReport struct {
	// Faults are what is wrong with the file; then there is nothing else.
	Faults  []string    `json:"faults,omitempty"`
	Version uint64      `json:"version,omitempty"`
	Zone    string      `json:"zone,omitempty"`
	Days    []rosterDay `json:"days,omitempty"`
	Gaps    []rosterGap `json:"gaps,omitempty"`
	// Uncalled are the officers who have no account that can be called.
	Uncalled []string `json:"uncalled,omitempty"`

	leads []string
	asked bool
}

// A rosterDay is a day on the roster's clock.
type rosterDay struct {
	Date    string       `json:"date"`
	Holiday string       `json:"holiday,omitempty"`
	Duties  []rosterDuty `json:"duties"`

	// shift is how the clock changes on the day, as in "+01:00 to +02:00".
	title, shift string
}

// A rosterDuty is who is on duty for a part of a day; without a First nobody is.
type rosterDuty struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	First  string    `json:"first,omitempty"`
	Second string    `json:"second,omitempty"`

	hours string
}

// A rosterGap is a time in which nobody is on duty.
type rosterGap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// newRosterReport says who is on duty on some days, the one of begin first and
// from its midnight on.
func newRosterReport(r *roster.Roster, begin time.Time, days int) rosterReport {
	report := rosterReport{Version: r.Version, Zone: r.Zone, leads: r.Leads()}
	holidays := map[string]string{}
	for _, h := range r.Holidays {
		holidays[h.Date.String()] = h.Name
		if h.Name == "" {
			holidays[h.Date.String()] = "holiday"
		}
	}
	year, month, first := begin.Date()
	midnight := func(i int) time.Time { return r.Midnight(year, month, first+i) }
	for i := range days {
		from, to := midnight(i), midnight(i+1)
		noon := time.Date(year, month, first+i, 12, 0, 0, 0, time.UTC)
		day := rosterDay{Date: noon.Format(time.DateOnly), title: noon.Format("Mon _2 Jan")}
		day.Holiday = holidays[day.Date]
		if a, b := from.Format("-07:00"), to.Format("-07:00"); a != b {
			day.shift = a + " to " + b
		}
		for _, s := range r.Coverage(from, to) {
			d := rosterDuty{From: s.From.In(r.Location()), To: s.To.In(r.Location()), First: s.First, Second: s.Second}
			d.hours = d.From.Format("15:04") + "–" + d.To.Format("15:04")
			if s.To.Equal(to) {
				d.hours = d.From.Format("15:04") + "–24:00"
			}
			day.Duties = append(day.Duties, d)
		}
		report.Days = append(report.Days, day)
	}
	for _, s := range r.Coverage(midnight(0), midnight(days)) {
		if s.Nobody() {
			report.Gaps = append(report.Gaps, rosterGap{s.From.In(r.Location()), s.To.In(r.Location())})
		}
	}
	return report
}

// ask looks for the officers' accounts.
func (p *rosterReport) ask(ctx context.Context, r *roster.Roster, file string, env lookup) error {
	ctx, stop := context.WithTimeout(ctx, checkTimeout)
	defer stop()
	desk, err := newCheckingDesk(file, env)
	if err != nil {
		return refuse(plain(err))
	}
	if p.Uncalled, err = desk.Uncallable(ctx, r.Everybody()); err != nil {
		return plain(err)
	}
	p.asked = true
	return nil
}

// verdict is why the roster is refused although it can be read, nil if it is not.
func (p rosterReport) verdict(noGaps bool) error {
	var why []error
	if n := len(p.Uncalled); n > 0 {
		why = append(why, fmt.Errorf("%s of the roster cannot be called: add the account to the officers' channel, or take it off the roster", plural(n, "officer")))
	}
	if noGaps && len(p.Gaps) > 0 {
		why = append(why, fmt.Errorf("at %s nobody is on duty: add a shift or an override", plural(len(p.Gaps), "time")))
	}
	return errors.Join(why...)
}

func (p rosterReport) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(p)
}

// nobody is what stands in the calendar where no officer does.
const nobody = "NOBODY ON DUTY"

// text writes the calendar.
func (p rosterReport) text(w io.Writer, colour bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "The roster is right: version %d, on the clock of %s.\n\n", p.Version, p.Zone)
	for _, day := range p.Days {
		title := day.title
		for _, d := range day.Duties {
			who := d.First
			switch {
			case d.First == "" && colour:
				who = "\x1b[1;31m" + nobody + "\x1b[0m"
			case d.First == "":
				who = nobody
			case d.Second != "":
				who += ", behind: " + d.Second
			}
			fmt.Fprintf(&b, "%-10s  %s  %s\n", title, d.hours, who)
			title = ""
		}
		if day.Holiday != "" {
			fmt.Fprintf(&b, "%-10s  (%s)\n", "", day.Holiday)
		}
		if day.shift != "" {
			fmt.Fprintf(&b, "%-10s  (the clock changes, from UTC%s)\n", "", day.shift)
		}
	}
	b.WriteString("\n")
	if len(p.Gaps) == 0 {
		b.WriteString("Somebody is on duty all the time.\n")
	} else {
		var all time.Duration
		for _, g := range p.Gaps {
			all += g.To.Sub(g.From)
		}
		fmt.Fprintf(&b, "At %s nobody is on duty, %s in all, first from %s. A case then calls at once: %s.\n",
			plural(len(p.Gaps), "time"), hoursOf(all), p.Gaps[0].From.Format("Mon 2 January 15:04"), strings.Join(p.leads, ", "))
	}
	switch {
	case len(p.Uncalled) > 0:
		fmt.Fprintf(&b, "No account that can be called: %s.\n", strings.Join(p.Uncalled, ", "))
	case p.asked:
		b.WriteString("Every officer has an account that can be called.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// hoursOf is a duration in hours and minutes.
func hoursOf(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}

// colourful reports whether colours may be written: to a terminal, unless it or
// the person does not want them (https://no-color.org).
func colourful(w io.Writer, env lookup) bool {
	f, ok := w.(*os.File)
	if no, set := env("NO_COLOR"); set && no != "" {
		return false
	}
	if kind, _ := env("TERM"); kind == "dumb" {
		return false
	}
	return ok && term.IsTerminal(int(f.Fd()))
}
