package handoff

import (
	"fmt"
	"strings"
	"time"

	"suar/handoff/roster"
)

// dutyText is who is on duty, until when, and who is next. That nobody is cannot be
// overlooked.
func (d *Desk) dutyText(now time.Time) string {
	if d.Roster == nil {
		if len(d.OnCall) == 0 {
			return d.say("desk.duty.nobody") + "\n"
		}
		return d.say("desk.duty.always", "officers", strings.Join(d.OnCall, ", ")) + "\n"
	}
	duty := d.Roster().Duty(now)
	b := &strings.Builder{}
	until := ""
	if !duty.Until.IsZero() {
		until = d.say("desk.duty.until", "time", d.clock(now, duty.Until))
	}
	if duty.Nobody() {
		fmt.Fprintf(b, "%s %s\n", d.say("desk.duty.nobody"), until)
		fmt.Fprintf(b, "%s\n", d.say("desk.duty.leads", "officers", strings.Join(duty.Leads, ", ")))
	} else {
		fmt.Fprintf(b, "%s %s\n", d.say("desk.duty.now", "officers", d.standing(duty.Posts)), until)
	}
	switch {
	case duty.Until.IsZero():
	case duty.Next.Nobody():
		fmt.Fprintf(b, "%s\n", d.say("desk.duty.next.nobody"))
	default:
		fmt.Fprintf(b, "%s\n", d.say("desk.duty.next", "officers", d.standing(duty.Next)))
	}
	return b.String()
}

// standing are the names of who stands where.
func (d *Desk) standing(p roster.Posts) string {
	if p.Second == "" {
		return p.First
	}
	return p.First + ", " + d.say("desk.duty.behind", "officer", p.Second)
}

// clock is an instant on the roster's clock, or in UTC without one; with its day if
// that is not now's.
func (d *Desk) clock(now, at time.Time) string {
	zone := time.UTC
	if d.Roster != nil {
		zone = d.Roster().Location()
	}
	at, now = at.In(zone), now.In(zone)
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format("15:04 MST")
	}
	return at.Format("2006-01-02 15:04 MST")
}
