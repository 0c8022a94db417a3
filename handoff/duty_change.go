package handoff

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"suar/flows"
	"suar/handoff/roster"
)

const (
	// mostChanges is how many changes of the duty can stand at once.
	mostChanges = 50
	// changeID is how many hexadecimal digits name one.
	changeID = 6
)

// What of the duty is noted in the trail.
const (
	auditSwap     = "duty swap"
	auditOverride = "duty override"
	auditRemove   = "duty remove"
)

// A dutyFault is why a change of the duty was not made: the end of its text's key.
type dutyFault string

func (f dutyFault) Error() string { return "handoff: the duty was not changed: " + string(f) }

// answerDuty shows the duty, or changes it.
func (d *Desk) answerDuty(ctx context.Context, a asking, fields []string) (string, error) {
	v := verb("")
	if len(fields) > 0 {
		v, fields = verbOf(fields[0]), fields[1:]
	}
	var said string
	var err error
	switch {
	case v != verbSwap && v != verbOverride && v != verbRemove:
		return d.dutyText(d.Now()) + d.changesText(d.Now()), nil
	case d.Roster == nil || d.ChangeDuty == nil:
		return d.say("desk.cmd.status.rosterless"), nil
	case !d.leads(a.officer):
		return d.say("desk.duty.leads_only"), nil
	case v == verbRemove:
		said, err = d.removeChange(ctx, a, fields)
	case len(fields) == 0 && a.trigger != "":
		return d.askDuty(ctx, a, v)
	default:
		c, understood := d.readChange(v, fields)
		if !understood {
			return d.say("desk.duty.fault.words") + "\n" + d.sayDays("desk.duty.how"), nil
		}
		said, err = d.addChange(ctx, a.officer, a.id, c)
	}
	if fault, is := errors.AsType[dutyFault](err); is {
		return d.say("desk.duty.fault." + string(fault)), nil
	}
	return said, err
}

// sayDays is a text that shows how a time is written, with days to come.
func (d *Desk) sayDays(key string) string {
	day := func(n int) string { return d.Now().In(d.Roster().Location()).AddDate(0, 0, n).Format(time.DateOnly) }
	return d.say(key, "day", day(1), "next", day(2), "later", day(3), "last", day(4))
}

// leads reports whether an officer is a lead of the roster at this moment.
func (d *Desk) leads(o flows.Officer) bool {
	role, listed := d.role(o.Name)
	return listed && role == roster.RoleLead
}

// readChange reads a change as words: an override as WHO INSTEAD FROM TO, where
// INSTEAD can be left out, a swap as A FROM TO B FROM TO, where B stands in A's hours
// and A in B's.
func (d *Desk) readChange(v verb, fields []string) (c roster.Change, understood bool) {
	var names []string
	var times []time.Time
	r := d.Roster()
	for i := 0; i < len(fields); i++ {
		word := strings.ToLower(strings.Trim(fields[i], "`,;"))
		if slices.Contains([]string{"for", "instead", "of", "with", "and", "from", "to", "until", "-", "untuk", "menggantikan", "dengan", "dan", "dari", "sampai"}, word) {
			continue
		}
		if i+1 < len(fields) {
			if at, ok := r.Time(strings.ToUpper(word) + " " + strings.Trim(fields[i+1], "`,;")); ok {
				times, i = append(times, at), i+1
				continue
			}
		}
		if at, ok := r.Time(strings.ToUpper(word)); ok {
			times = append(times, at)
			continue
		}
		names = append(names, strings.TrimPrefix(word, "@"))
	}
	switch {
	case v == verbSwap && len(names) == 2 && len(times) == 4:
		return roster.Change{Who: names[1], Instead: names[0], From: times[0], To: times[1], BackFrom: times[2], BackTo: times[3]}, true
	case v == verbOverride && len(names) == 2 && len(times) == 2:
		return roster.Change{Who: names[0], Instead: names[1], From: times[0], To: times[1]}, true
	case v == verbOverride && len(names) == 1 && len(times) == 2:
		return roster.Change{Who: names[0], From: times[0], To: times[1]}, true
	}
	return roster.Change{}, false
}

// addChange keeps a change, once for each identity, and drops what is over. Officers
// are named by their user names, which are in the roster.
func (d *Desk) addChange(ctx context.Context, by flows.Officer, identity string, c roster.Change) (string, error) {
	now := d.Now()
	c.By, c.At = by.Name, now.UTC().Truncate(time.Second)
	c.ID = hex.EncodeToString(d.mac("duty change", identity))[:changeID]
	if f := d.Roster().Fault(c, now); f != "" {
		return "", dutyFault(f)
	}
	err := d.ChangeDuty(ctx, func(list []roster.Change) ([]roster.Change, error) {
		list = lasting(list, now)
		switch {
		case slices.ContainsFunc(list, func(x roster.Change) bool { return x.ID == c.ID }):
			return list, nil // It was made already.
		case len(list) >= mostChanges:
			return nil, dutyFault("many")
		}
		return append(list, c), nil
	})
	if err != nil {
		return "", err
	}
	what := auditOverride
	if c.Swap() {
		what = auditSwap
	}
	with := []flows.Officer{{Name: c.Who}}
	if c.Instead != "" {
		with = append(with, flows.Officer{Name: c.Instead})
	}
	d.noteDuty(ctx, identity, flows.Audit{What: what, By: by, With: with})
	d.index.wake()
	return d.say("desk.duty.changed") + "\n- " + d.changeLine(c, now), nil
}

// removeChange takes a change back.
func (d *Desk) removeChange(ctx context.Context, a asking, fields []string) (string, error) {
	id := ""
	if len(fields) == 1 {
		id = strings.ToLower(strings.Trim(fields[0], "`#"))
	}
	var gone roster.Change
	err := d.ChangeDuty(ctx, func(list []roster.Change) ([]roster.Change, error) {
		i := slices.IndexFunc(list, func(x roster.Change) bool { return x.ID == id })
		if i < 0 {
			return nil, dutyFault("none")
		}
		gone = list[i]
		return lasting(slices.Delete(slices.Clone(list), i, i+1), d.Now()), nil
	})
	if err != nil {
		return "", err
	}
	d.noteDuty(ctx, a.id, flows.Audit{What: auditRemove, By: a.officer, With: []flows.Officer{{Name: gone.Who}}})
	d.index.wake()
	return d.say("desk.duty.removed") + "\n- " + d.changeLine(gone, d.Now()), nil
}

// noteDuty notes a change in the trail. The change stands by then; that it could not
// be noted is said in the log.
func (d *Desk) noteDuty(ctx context.Context, identity string, a flows.Audit) {
	if d.Audit == nil {
		return
	}
	if err := d.Audit(ctx, "duty:"+identity, a); err != nil {
		d.Log.ErrorContext(ctx, "a change of the duty is not in the trail", "class", fmt.Sprintf("%T", err))
	}
}

// lasting are those changes that are not over.
func lasting(list []roster.Change, now time.Time) []roster.Change {
	return slices.DeleteFunc(slices.Clone(list), func(c roster.Change) bool { return !c.End().After(now) })
}

// changesText lists the changes that are not over.
func (d *Desk) changesText(now time.Time) string {
	if d.Changes == nil {
		return ""
	}
	list := lasting(d.Changes(), now)
	if len(list) == 0 {
		return ""
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, "\n**%s**\n", d.say("desk.duty.changes"))
	for _, c := range list {
		fmt.Fprintf(b, "- `%s` %s\n", c.ID, d.changeLine(c, now))
	}
	return b.String()
}

// changeLine is a change in words.
func (d *Desk) changeLine(c roster.Change, now time.Time) string {
	pairs := []string{"who", c.Who, "instead", c.Instead, "from", d.clock(now, c.From), "to", d.clock(now, c.To), "by", c.By}
	switch {
	case c.Swap():
		return d.say("desk.duty.line.swap", append(pairs, "back_from", d.clock(now, c.BackFrom), "back_to", d.clock(now, c.BackTo))...)
	case c.Instead == "":
		return d.say("desk.duty.line.first", pairs...)
	}
	return d.say("desk.duty.line.override", pairs...)
}
