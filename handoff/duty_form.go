package handoff

import (
	"context"
	"errors"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/handoff/roster"
)

// The actions of the duty's dialogs, which are of no case.
const (
	actionSwap     flows.ActionName = "duty swap"
	actionOverride flows.ActionName = "duty override"
)

// The fields of those dialogs.
const (
	whoField      = "who"
	insteadField  = "instead"
	fromField     = "from"
	toField       = "to"
	backFromField = "back.from"
	backToField   = "back.to"
)

// isDuty reports whether a question is one of the duty's dialogs.
func isDuty(q question) bool {
	return q.Action == string(actionSwap) || q.Action == string(actionOverride)
}

// dutyForm is the dialog of a change.
func (d *Desk) dutyForm(action flows.ActionName) flows.Form {
	field := func(name string, kind flows.FieldKind, optional bool) flows.Field {
		f := flows.Field{Name: name, Label: d.say("desk.duty.field." + name), Kind: kind, Optional: optional}
		if kind == flows.FieldText {
			f.Max, f.Help = len("2006-01-02T15:04:05-07:00"), d.sayDays("desk.duty.field.time")
		}
		return f
	}
	swap := action == actionSwap
	form := flows.Form{
		Title: d.say("desk.duty.override"), Intro: d.say("desk.duty.override.intro"), Submit: d.say("desk.duty.submit"), Stamp: "1",
		Fields: []flows.Field{
			field(whoField, flows.FieldOfficer, false), field(insteadField, flows.FieldOfficer, !swap),
			field(fromField, flows.FieldText, false), field(toField, flows.FieldText, false),
		},
	}
	if swap {
		form.Title, form.Intro = d.say("desk.duty.swap"), d.say("desk.duty.swap.intro")
		form.Fields = append(form.Fields, field(backFromField, flows.FieldText, false), field(backToField, flows.FieldText, false))
	}
	return form
}

// askDuty opens the dialog, and returns what is said otherwise.
func (d *Desk) askDuty(ctx context.Context, a asking, v verb) (string, error) {
	action := actionOverride
	if v == verbSwap {
		action = actionSwap
	}
	q := question{User: a.officer.ID, Action: string(action), Press: a.id, Expiry: d.Now().Add(questionLife).Unix()}
	dialog, err := d.dialog(q, d.dutyForm(action), nil)
	if err != nil {
		return "", err
	}
	resp, err := d.client.OpenInteractiveDialog(ctx, model.OpenDialogRequest{
		TriggerId: a.trigger, URL: d.CallbackURL + dialogPath, Dialog: dialog,
	})
	if err != nil {
		return "", failed(resp, err)
	}
	return d.say("desk.duty.dialog"), nil
}

// dutyFilledIn takes the answer to the dialog, of an officer who was checked to be
// one. That he is a lead is checked now as well.
func (d *Desk) dutyFilledIn(ctx context.Context, p place, q question, submission map[string]any, officer flows.Officer) *model.SubmitDialogResponse {
	say := func(words string) *model.SubmitDialogResponse { return &model.SubmitDialogResponse{Error: words} }
	raw, ok := readValues(submission)
	switch {
	case !ok:
		return say(d.refuse("values that no dialog sends"))
	case d.Roster == nil || d.ChangeDuty == nil:
		return say(d.say("desk.cmd.status.rosterless"))
	case !d.leads(officer):
		return say(d.say("desk.duty.leads_only"))
	}
	form := d.dutyForm(flows.ActionName(q.Action))
	values := form.Clean(raw)
	faults := form.Faults(values)
	c := roster.Change{}
	for field, name := range map[string]*string{whoField: &c.Who, insteadField: &c.Instead} {
		id := values[field]
		if id == "" || faults[field] != "" {
			continue
		}
		var o flows.Officer
		err := errNotOfficer
		if model.IsValidId(id) {
			o, err = d.officer(ctx, p, id)
		}
		switch {
		case errors.Is(err, errNotOfficer):
			faults = and(faults, field, d.Words.NotOfficer)
		case err != nil:
			return say(d.again(err))
		}
		*name = o.Name
	}
	for _, f := range form.Fields {
		if f.Kind != flows.FieldText || faults[f.Name] != "" {
			continue
		}
		at, ok := d.Roster().Time(values[f.Name])
		if !ok {
			faults = and(faults, f.Name, d.sayDays("desk.duty.field.time"))
			continue
		}
		switch f.Name {
		case fromField:
			c.From = at
		case toField:
			c.To = at
		case backFromField:
			c.BackFrom = at
		default:
			c.BackTo = at
		}
	}
	if len(faults) > 0 {
		return &model.SubmitDialogResponse{Errors: faults}
	}
	if _, err := d.addChange(ctx, officer, q.Press, c); err != nil {
		if fault, is := errors.AsType[dutyFault](err); is {
			return say(d.say("desk.duty.fault." + string(fault)))
		}
		return say(d.again(err))
	}
	return say("")
}
