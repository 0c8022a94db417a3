package handoff

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
)

// An asking is a command of an officer, who was checked to be one just now.
type asking struct {
	officer flows.Officer
	words   string
	// id is the command's identity at its source: what it does is done once.
	id string
	// trigger is what a dialog can be opened with, "" for what was written.
	trigger string
}

// answer does what an officer asks for and returns what is said to them. It holds
// codes, ages, names of officers and fixed words, and nothing of what was typed.
func (d *Desk) answer(ctx context.Context, p place, a asking) string {
	fields := strings.Fields(a.words)
	v := verbHelp
	if len(fields) > 0 {
		v, fields = verbOf(fields[0]), fields[1:]
	}
	text, err := "", error(nil)
	switch v {
	case verbMine, verbWaiting, verbFind:
		text, err = d.answerCases(ctx, p, a, v, strings.Join(fields, " "))
	case verbDuty:
		text, err = d.answerDuty(ctx, a, fields)
	case verbStatus:
		text, err = d.answerStatus(ctx, p)
	case verbHandover:
		text, err = d.handOverAll(ctx, p, a, fields)
	case verbAccept, verbDecline:
		text, err = d.takeUpAll(ctx, p, a, v == verbAccept)
	case verbHelp:
		text = d.say("desk.cmd.help")
	default:
		text = d.say("desk.cmd.unknown") + "\n\n" + d.say("desk.cmd.help")
	}
	if err != nil {
		return d.again(err)
	}
	return ours(strings.TrimSpace(text))
}

// answerCases lists cases, or finds one.
func (d *Desk) answerCases(ctx context.Context, p place, a asking, v verb, words string) (string, error) {
	code, isCode := flows.FindCode(words)
	if v == verbFind && !isCode {
		return d.say("desk.cmd.find.how"), nil
	}
	cards, err := d.cards(ctx, p)
	if err != nil {
		return "", err
	}
	b, now := &strings.Builder{}, d.Now()
	switch v {
	case verbMine:
		mine := only(cards, func(e entry) bool { return e.Phase == flows.Owned && e.Owner.ID == a.officer.ID })
		_, mine = d.queues(mine, now)
		d.listed(b, "desk.cmd.mine", mine, now)
		if offered := only(cards, func(e entry) bool { return e.Phase == flows.Owned && e.Offered.ID == a.officer.ID }); len(offered) > 0 {
			d.listed(b, "desk.cmd.offered", offered, now)
		}
	case verbWaiting:
		waiting, open := d.queues(only(cards, func(e entry) bool { return e.Open() }), now)
		d.listed(b, "desk.board.waiting", waiting, now)
		d.listed(b, "desk.board.open", open, now)
	default:
		found := only(cards, func(e entry) bool { return e.Code == code })
		if len(found) == 0 {
			return d.say("desk.cmd.find.none"), nil
		}
		b.WriteString(d.caseLine(found[0], now))
	}
	return b.String(), nil
}

// answerStatus is how the hotline does.
func (d *Desk) answerStatus(ctx context.Context, p place) (string, error) {
	cards, err := d.cards(ctx, p)
	if err != nil {
		return "", err
	}
	now := d.Now()
	waiting, open := d.queues(only(cards, func(e entry) bool { return e.Open() }), now)
	lines := []string{d.say("desk.cmd.status.cases", "waiting", fmt.Sprint(len(waiting)), "open", fmt.Sprint(len(open)))}
	if d.Fault() == nil {
		lines = append(lines, d.say("desk.cmd.status.hears"))
	} else {
		lines = append(lines, d.say("desk.cmd.status.deaf"))
	}
	if d.Status != nil {
		s, err := d.Status(ctx)
		if err != nil {
			return "", err
		}
		lines = append(lines, d.say("desk.cmd.status.deliveries",
			"persons", fmt.Sprint(s.Waiting[flows.Caller]), "officers", fmt.Sprint(s.Waiting[flows.Officers])))
	}
	if d.Roster == nil {
		lines = append(lines, d.say("desk.cmd.status.rosterless"))
	} else {
		gaps := 0
		for _, s := range d.Roster().Coverage(now, now.Add(14*24*time.Hour)) {
			if s.Nobody() {
				gaps++
			}
		}
		lines = append(lines, d.say("desk.cmd.status.roster", "version", fmt.Sprint(d.Roster().Version), "gaps", fmt.Sprint(gaps)))
	}
	return strings.Join(lines, "\n") + "\n" + d.dutyText(now), nil
}

// handOverAll offers all of an officer's cases to a colleague, with a summary. Each
// stays with its owner until the colleague accepts it.
func (d *Desk) handOverAll(ctx context.Context, p place, a asking, fields []string) (string, error) {
	if len(fields) != 1 || !model.IsValidUsername(strings.ToLower(strings.TrimPrefix(fields[0], "@"))) {
		return d.say("desk.cmd.handover.how"), nil
	}
	to, err := d.officerNamed(ctx, p, strings.ToLower(strings.TrimPrefix(fields[0], "@")))
	switch {
	case errors.Is(err, errNotOfficer):
		return d.say("desk.cmd.handover.nobody"), nil
	case err != nil:
		return "", err
	case to.ID == a.officer.ID:
		return d.say("desk.cmd.handover.self"), nil
	}
	return d.each(ctx, p, a, "desk.cmd.handover.done", to.Name,
		func(e entry) bool { return e.Owner.ID == a.officer.ID },
		flows.HandedOver{By: a.officer, To: to})
}

// takeUpAll answers for all cases that are offered to an officer.
func (d *Desk) takeUpAll(ctx context.Context, p place, a asking, accept bool) (string, error) {
	key := "desk.cmd.declined"
	if accept {
		key = "desk.cmd.accepted"
	}
	return d.each(ctx, p, a, key, "",
		func(e entry) bool { return e.Offered.ID == a.officer.ID },
		flows.TakenUp{Officer: a.officer, Accept: accept})
}

// each hands an event over to each of the cases in hand that are meant, and says to
// which. The case decides whether anything comes of it.
func (d *Desk) each(ctx context.Context, p place, a asking, key, to string, meant func(entry) bool, ev flows.Event) (string, error) {
	cards, err := d.cards(ctx, p)
	if err != nil {
		return "", err
	}
	now := d.Now()
	_, cases := d.queues(only(cards, func(e entry) bool { return e.Phase == flows.Owned && meant(e) }), now)
	if len(cases) == 0 {
		return d.say("desk.cmd.none"), nil
	}
	b := &strings.Builder{}
	var done []entry
	for _, e := range cases {
		err := d.Handler.Handle(ctx, engine.Inbound{Name: "mm:" + e.root, ID: d.commandID(a.id, e.root), Event: ev})
		if err != nil && !errors.Is(err, engine.ErrUnknown) && !errors.Is(err, engine.ErrStep) {
			return "", err // Given again, it goes on where it ended.
		}
		if err == nil {
			done = append(done, e)
		}
	}
	fmt.Fprintf(b, "%s\n", d.say(key, "count", fmt.Sprint(len(done)), "to", to))
	for _, e := range done[:min(len(done), boardMost)] {
		fmt.Fprintf(b, "- %s\n", d.caseLine(e, now))
	}
	return b.String(), nil
}

// commandID is the identity of what a command does to a case.
func (d *Desk) commandID(id, root string) string {
	return "mm:command:" + hex.EncodeToString(d.mac("command", id, root)[:16])
}

// officerNamed returns the officer of a user name, or errNotOfficer.
func (d *Desk) officerNamed(ctx context.Context, p place, name string) (flows.Officer, error) {
	user, resp, err := d.client.GetUserByUsername(ctx, name, "")
	switch {
	case nobody(resp):
		return flows.Officer{}, errNotOfficer
	case err != nil:
		return flows.Officer{}, failed(resp, err)
	}
	return d.officer(ctx, p, user.Id)
}

// only returns those entries that are meant.
func only(all []entry, meant func(entry) bool) []entry {
	var out []entry
	for _, e := range all {
		if meant(e) {
			out = append(out, e)
		}
	}
	return out
}
