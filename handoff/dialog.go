package handoff

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
)

// errNoForms says that the desk was made without forms.
var errNoForms = errors.New("handoff: no forms")

// askForm opens the dialog of an action that has a form, and returns what the
// officer is told otherwise.
func (d *Desk) askForm(ctx context.Context, r model.PostActionIntegrationRequest, b buttonContext, officer flows.Officer, press string) string {
	q := question{
		Post: r.PostId, Conversation: b.Conversation, User: officer.ID, Action: b.Action, Choice: b.Choice, Press: press,
		Expiry: d.Now().Add(questionLife).Unix(),
	}
	form, err := d.form(ctx, q, officer, nil)
	if err != nil {
		return d.formless(err)
	}
	dialog, err := d.dialog(q, form, nil)
	if err != nil {
		return d.again(err)
	}
	resp, err := d.client.OpenInteractiveDialog(ctx, model.OpenDialogRequest{
		TriggerId: r.TriggerId, URL: d.CallbackURL + dialogPath, Dialog: dialog,
	})
	if err != nil {
		return d.again(failed(resp, err))
	}
	return ""
}

// filledIn takes the values of a form. What is wrong with them the dialog says
// beside each field, and stays open; so does what the form previews. Only values
// that have no fault, for what the officer saw, are handed over.
func (d *Desk) filledIn(ctx context.Context, p place, q question, submission map[string]any, officer flows.Officer) *model.SubmitDialogResponse {
	say := func(words string) *model.SubmitDialogResponse { return &model.SubmitDialogResponse{Error: words} }
	answer := "answer:" + q.Press
	if d.spent.known(answer) {
		return say("") // It was recorded; what says so got lost.
	}
	raw, ok := readValues(submission)
	if !ok {
		return say(d.refuse("values that no dialog sends"))
	}
	form, err := d.form(ctx, q, officer, nil)
	switch {
	case err != nil:
		return say(d.formless(err))
	case form.Stamp != q.Stamp:
		return say(d.Words.Changed)
	}
	values := form.Clean(raw)
	faults := form.Faults(values)
	named, err := d.named(ctx, p, form, values)
	switch {
	case errors.Is(err, errNotOfficer):
		faults = and(faults, officerField(form), d.Words.NotOfficer)
	case err != nil:
		return say(d.again(err))
	}
	for name := range faults {
		if !slices.ContainsFunc(form.Fields, func(f flows.Field) bool { return f.Name == name }) {
			return say(d.refuse("a field that was not asked for"))
		}
	}
	if len(faults) > 0 {
		return &model.SubmitDialogResponse{Errors: faults}
	}
	if shown := d.digest(q, values); form.Preview && q.Shown != shown {
		q.Shown = shown
		return d.preview(ctx, q, officer, values)
	}
	words := d.act(ctx, deed{
		post: q.Post, conversation: q.Conversation, id: "mm:answer:" + q.Press, action: q.Action, choice: q.Choice,
		officer: officer, values: values, stamp: q.Stamp, named: named,
	})
	if words == "" {
		d.spent.spend(answer, d.Now())
	}
	return say(words)
}

// preview shows what an answer would do, above the same fields: Mattermost's
// dialogs have one button, so going back is changing what is still there.
func (d *Desk) preview(ctx context.Context, q question, officer flows.Officer, values map[string]string) *model.SubmitDialogResponse {
	form, err := d.form(ctx, q, officer, values)
	if err != nil {
		return &model.SubmitDialogResponse{Error: d.formless(err)}
	}
	form.Submit = form.Send
	dialog, err := d.dialog(q, form, values)
	if err != nil {
		return &model.SubmitDialogResponse{Error: d.again(err)}
	}
	return &model.SubmitDialogResponse{Type: string(model.SubmitDialogResponseTypeForm), Form: &dialog}
}

// form asks for a form as the case is now, with the preview of values if there
// are any.
func (d *Desk) form(ctx context.Context, q question, officer flows.Officer, values map[string]string) (flows.Form, error) {
	if d.Form == nil {
		return flows.Form{}, errNoForms
	}
	return d.Form(ctx, engine.FormFor{
		Name: "mm:" + q.Post, Conversation: q.Conversation, Action: flows.ActionName(q.Action), Choice: q.Choice,
		Officer: officer, Values: values,
	})
}

// formless is what an officer is told who gets no form.
func (d *Desk) formless(err error) string {
	switch {
	case errors.Is(err, engine.ErrUnknown):
		return d.Words.Unknown
	case errors.Is(err, engine.ErrNoForm):
		return d.Words.Changed
	}
	return d.again(err)
}

// named returns the officer who was chosen in a form, the zero one if none was. It
// is errNotOfficer if that is no officer now.
func (d *Desk) named(ctx context.Context, p place, form flows.Form, values map[string]string) (flows.Officer, error) {
	id := values[officerField(form)]
	switch {
	case id == "":
		return flows.Officer{}, nil
	case !model.IsValidId(id):
		return flows.Officer{}, errNotOfficer
	}
	return d.officer(ctx, p, id)
}

// officerField is the name of the field in which an officer is chosen, "" if there
// is none.
func officerField(form flows.Form) string {
	for _, f := range form.Fields {
		if f.Kind == flows.FieldOfficer {
			return f.Name
		}
	}
	return ""
}

// and is a map with one more entry, also of a nil one.
func and(m map[string]string, key, value string) map[string]string {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}

// digest tells values again that were shown in answer to a question.
func (d *Desk) digest(q question, values map[string]string) string {
	fields := []string{q.Press}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fields = append(fields, name, values[name])
	}
	return hex.EncodeToString(d.mac("values", fields...)[:16])
}

// readValues reads what a client says was filled in: texts, and booleans for boxes.
func readValues(submission map[string]any) (map[string]string, bool) {
	values := map[string]string{}
	for name, v := range submission {
		switch v := v.(type) {
		case nil:
		case string:
			values[name] = v
		case bool:
			values[name] = strconv.FormatBool(v)
		default:
			return nil, false
		}
	}
	return values, true
}

// dialog is a form as Mattermost shows it, with values in the fields in the place
// of their defaults if there are any. Its state is q, signed, with the form's stamp.
func (d *Desk) dialog(q question, form flows.Form, values map[string]string) (model.Dialog, error) {
	q.Stamp = form.Stamp
	state, err := d.signQuestion(q)
	if err != nil {
		return model.Dialog{}, err
	}
	dialog := model.Dialog{
		CallbackId: actionID(flows.ActionName(q.Action)), Title: short(form.Title), IntroductionText: ours(form.Intro),
		SubmitLabel: form.Submit, State: state,
	}
	for _, f := range form.Fields {
		if values != nil {
			f.Default = values[f.Name]
		}
		dialog.Elements = append(dialog.Elements, element(f))
	}
	return dialog, nil
}

// element is a field as Mattermost shows it. A day is a line of text: not every
// client draws more. A box is never marked as to be filled in, which clients take
// to mean ticked.
func element(f flows.Field) model.DialogElement {
	e := model.DialogElement{
		DisplayName: f.Label, Name: f.Name, HelpText: f.Help, Default: f.Default, Optional: f.Optional, Type: "text",
	}
	limit := func(most int) int {
		if f.Max > 0 {
			return min(f.Max, most)
		}
		return most
	}
	switch f.Kind {
	case flows.FieldArea:
		e.Type, e.MaxLength = "textarea", limit(model.DialogElementTextareaMaxLength)
	case flows.FieldChoice:
		e.Type = "select"
		for _, o := range f.Options {
			e.Options = append(e.Options, &model.PostActionOptions{Text: o.Label, Value: o.Value})
		}
	case flows.FieldOfficer:
		e.Type, e.DataSource = "select", "users"
	case flows.FieldBool:
		e.Type, e.Optional = "bool", true
		e.Placeholder, e.HelpText = f.Help, ""
		if e.Placeholder == "" {
			e.Placeholder = f.Label
		}
	case flows.FieldDate:
		e.Placeholder, e.MaxLength = flows.DateLayout, len(flows.DateLayout)
	default:
		e.MaxLength = limit(model.DialogElementTextMaxLength)
	}
	return e
}

// acted is the event of what an officer chose, with what was filled in.
func (x deed) acted() flows.Acted {
	return flows.Acted{
		Officer: x.officer, Action: flows.ActionName(x.action), Choice: x.choice, Values: x.values, Stamp: x.stamp, Named: x.named,
	}
}

// formMarks says which entries of a menu have a form, as a field of its signature.
func formMarks(entries []menuEntry) []string {
	var with []int
	for i, e := range entries {
		if e.Form {
			with = append(with, i)
		}
	}
	if len(with) == 0 {
		return nil // Menus that hang in the channel were signed so.
	}
	raw, err := json.Marshal(with)
	if err != nil {
		panic("handoff: numbers cannot be written")
	}
	return []string{string(raw)}
}
