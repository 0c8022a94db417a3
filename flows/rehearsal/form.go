package rehearsal

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"suar/flows"
)

// fill answers the form that stands before an action, as "to=rina; note=she is calm",
// and does the action. A value of a field for an officer is a name. What the form
// does not take is shown, and nothing happens. What is not named stays as it stands;
// "?" shows the form itself.
func (r *Rehearsal) fill(o flows.Officer, a flows.Action, answers string) error {
	f, ok := r.book.Form(r.State(), r.now, o, a.Name, a.Choice)
	if !ok {
		return fmt.Errorf("%q has no form for %s", a.Label, o.Name)
	}
	acted := flows.Acted{Officer: o, Action: a.Name, Choice: a.Choice, Stamp: f.Stamp, Values: map[string]string{}}
	if answers == "?" {
		r.showForm(f)
		return nil
	}
	for _, field := range f.Fields {
		acted.Values[field.Name] = field.Default
	}
	for answer := range strings.SplitSeq(answers, "; ") {
		name, value, ok := strings.Cut(answer, "=")
		if !ok {
			continue
		}
		value = strings.ReplaceAll(value, `\n`, "\n")
		for _, field := range f.Fields {
			if field.Name == name && field.Kind == flows.FieldOfficer {
				acted.Named = officerOf(value)
				value = acted.Named.ID
			}
		}
		acted.Values[name] = value
	}
	acted.Values = f.Clean(acted.Values)
	r.printf("  %s fills in: %s%s", o.Name, f.Title, indent(f.Intro, ": "))
	faults := f.Faults(acted.Values)
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		r.printf("      %s: %s", name, faults[name])
	}
	if faults != nil {
		return nil
	}
	if f.Preview {
		r.printf("  %s sees first%s", o.Name, indent(r.book.Preview(r.State(), r.now, o, a.Name, a.Choice, acted.Values), ": "))
	}
	r.happen(acted)
	return nil
}

// showForm shows a form as its dialog does.
func (r *Rehearsal) showForm(form flows.Form) {
	r.printf("  dialog      %s%s", form.Title, indent(form.Intro, ": "))
	for _, f := range form.Fields {
		line := []string{f.Name + " (" + f.Label + ")"}
		for _, o := range f.Options {
			line = append(line, o.Value)
		}
		if f.Default != "" {
			line = append(line, "["+f.Default+"]")
		}
		if f.Help != "" {
			line = append(line, f.Help)
		}
		r.printf("      %s", strings.Join(line, " "))
	}
}
