package flows

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A Form is what an officer fills in before an action, in a dialog. It is made
// anew from the state whenever it is shown and whenever its answer comes, so that
// nothing of it needs to be kept.
type Form struct {
	// Title has 24 runes at most. Intro, which may be empty, stands above the
	// fields, Submit on the button.
	Title, Intro, Submit string
	Fields               []Field
	// Preview asks to show, before anything is done, what [Book.Preview] makes of
	// the values: in the place of Intro, above the same fields, with Send on the
	// button. An answer that differs from what was shown is shown again.
	Preview bool
	Send    string
	// Stamp tells whether what the officer looked at still holds when the answer
	// comes: Book.Form takes it from all that the form shows and the case that it is
	// of, unless the feature has set one.
	Stamp string
	// Wrong is what is said of values that the form does not take.
	Wrong Wrong
}

// A Field is one thing to fill in.
type Field struct {
	// Name is what the value is called in Acted.Values: letters, digits and dots.
	Name string
	// Label has 24 runes at most, Help 150.
	Label, Help string
	Kind        FieldKind
	// Default is the value that stands there at first, "" for none.
	Default string
	// Options are what can be chosen, of a FieldChoice only.
	Options []Option
	// Optional says that it may stay empty.
	Optional bool
	// Max is how many runes a text may have; 0 is what the kind takes.
	Max int
}

// An Option is something to choose from. Value is what comes back.
type Option struct{ Value, Label string }

// A FieldKind says what a field takes.
type FieldKind string

// The kinds of fields.
const (
	FieldText    FieldKind = "text"    // one line, 150 runes at most
	FieldArea    FieldKind = "area"    // several lines, 3,000 runes at most
	FieldChoice  FieldKind = "choice"  // one of the options
	FieldBool    FieldKind = "bool"    // "true" or "false", which is also what it is when left
	FieldDate    FieldKind = "date"    // a day as 2006-01-02
	FieldOfficer FieldKind = "officer" // an officer's ID; at most one in a form, see Acted.Named
)

// DateLayout is how a FieldDate is written.
const DateLayout = "2006-01-02"

// most is how many runes a kind of field takes.
func (k FieldKind) most() int {
	switch k {
	case FieldArea:
		return 3000
	case FieldText:
		return 150
	default:
		return 100
	}
}

// Wrong are the faults that a value can have, in the officers' language; an empty
// one is its English default. "{max}" in Long is how many runes fit.
type Wrong struct{ Missing, Long, Date, Option string }

// Clean returns the values as they are kept: without what cannot be seen, without
// spaces around them, a text of one line on one line, what is empty left out, and
// each FieldBool there. It is total, and cleaning twice changes nothing more.
func (f Form) Clean(values map[string]string) map[string]string {
	out := map[string]string{}
	for name, v := range values {
		line := true
		if i := f.field(name); i >= 0 {
			line = f.Fields[i].Kind != FieldArea
		}
		if v = plainText(v, line); v != "" {
			out[name] = v
		}
	}
	for _, field := range f.Fields {
		if field.Kind == FieldBool && out[field.Name] == "" {
			out[field.Name] = "false"
		}
	}
	return out
}

// plainText is a text without controls and what else is not seen.
func plainText(text string, line bool) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n")
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r):
			if line {
				return ' '
			}
			return '\n'
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Co, r):
			return -1
		}
		return r
	}, text)
	return strings.TrimSpace(text)
}

// Faults returns what is wrong with values, by field; nil if all is right. A value
// for a field that the form does not have is a fault, and so is one that it does
// not offer. Whether a FieldOfficer names an officer is for who hands it over.
func (f Form) Faults(values map[string]string) map[string]string {
	faults := map[string]string{}
	for name := range values {
		if f.field(name) < 0 {
			faults[name] = cmp.Or(f.Wrong.Option, "This was not offered.")
		}
	}
	for _, field := range f.Fields {
		if what := f.fault(field, values[field.Name]); what != "" {
			faults[field.Name] = what
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return faults
}

// fault is what is wrong with the value of a field, "" if nothing is.
func (f Form) fault(field Field, v string) string {
	most := field.Kind.most()
	if field.Max > 0 {
		most = min(most, field.Max)
	}
	offered := true
	switch field.Kind {
	case FieldChoice:
		offered = slices.ContainsFunc(field.Options, func(o Option) bool { return o.Value == v })
	case FieldBool:
		offered = v == "true" || v == "false"
	}
	switch {
	case v == "" && (field.Optional || field.Kind == FieldBool):
		return ""
	case v == "":
		return cmp.Or(f.Wrong.Missing, "Please fill this in.")
	case utf8.RuneCountInString(v) > most:
		return strings.ReplaceAll(cmp.Or(f.Wrong.Long, "At most {max} characters fit."), "{max}", strconv.Itoa(most))
	case !offered:
		return cmp.Or(f.Wrong.Option, "This was not offered.")
	case field.Kind == FieldDate && !validDate(v):
		return cmp.Or(f.Wrong.Date, "Write a day as 2026-11-24.")
	}
	return ""
}

// validDate reports whether a text is a day.
func validDate(v string) bool {
	_, err := time.Parse(DateLayout, v)
	return err == nil
}

func (f Form) field(name string) int {
	return slices.IndexFunc(f.Fields, func(x Field) bool { return x.Name == name })
}

// Form returns the form of an action that an officer wants to do in a state at an
// instant. false says that it is not offered, or not any more, or not to this
// officer, or has no form.
func (b *Book) Form(s State, at time.Time, o Officer, action ActionName, choice string) (Form, bool) {
	if !b.asks(s, at, action, choice) {
		return Form{}, false
	}
	f, ok := b.formOf(s, at, o, action, choice)
	if !ok {
		return Form{}, false
	}
	say := func(key string) string { return b.say(b.policy.Officers, key) }
	f.Wrong = Wrong{Missing: say("card.form.missing"), Long: say("card.form.long"), Date: say("card.form.date"), Option: say("card.form.option")}
	f.Submit = cmp.Or(f.Submit, say("card.form.submit"))
	if f.Preview {
		f.Send = cmp.Or(f.Send, say("card.form.send"))
	}
	if f.Stamp == "" {
		f.Stamp = stamp(f, s.Case.ID.Code())
	}
	return f, true
}

// formOf is the form of each action that has one.
func (b *Book) formOf(s State, at time.Time, o Officer, action ActionName, choice string) (Form, bool) {
	switch action { // Each feature has its case here.
	case ActionTransfer:
		return b.transferForm(s)
	case ActionApprove:
		return b.approveForm(s, choice)
	case ActionCanned:
		return b.cannedForm(s)
	case ActionWork:
		return b.workForm(s, at, choice)
	}
	return Form{}, false
}

// Preview returns what an action would do with values that have no faults, to be
// shown to the officer before it is done: text of ours, in which what the officer
// wrote may stand.
func (b *Book) Preview(s State, at time.Time, o Officer, action ActionName, choice string, values map[string]string) string {
	switch action { // Each feature whose form has Preview has its case here.
	case ActionCanned:
		return b.cannedPreview(s, values)
	case ActionWork:
		return b.workPreview(s, at, choice, values)
	}
	return ""
}

// asks reports whether the case's card offers an action that has a form.
func (b *Book) asks(s State, at time.Time, action ActionName, choice string) bool {
	if s.Case == nil {
		return false
	}
	card := b.Card(s, at)
	return slices.ContainsFunc(slices.Concat(card.Actions, card.Menu), func(a Action) bool {
		return a.Form && a.Name == action && a.Choice == choice
	})
}

// stamp sums up what a form shows and the case that it is of.
func stamp(f Form, code string) string {
	raw, err := json.Marshal(f)
	if err != nil {
		panic(fmt.Sprintf("flows: a form cannot be written: %v", err)) // It holds nothing but texts.
	}
	sum := sha256.Sum256(append(raw, code...))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// filled returns the event with the values as the form of its action takes them.
// false says that nothing may be done: the form is not offered any more, is not
// the one that the officer saw, or does not take the values.
func (t *turn) filled(ev Acted) (Acted, bool) {
	f, ok := t.book.Form(t.s, t.m.At, ev.Officer, ev.Action, ev.Choice)
	if !ok {
		return ev, false
	}
	if f.Stamp != ev.Stamp {
		t.tell("card.form.changed")
		return ev, false
	}
	values := f.Clean(maps.Clone(ev.Values))
	if f.Faults(values) != nil || !f.names(values, ev.Named) {
		return ev, false
	}
	ev.Values = values
	return ev, true
}

// names reports whether the officer who was named is the one in the values.
func (f Form) names(values map[string]string, named Officer) bool {
	for _, field := range f.Fields {
		if field.Kind == FieldOfficer && values[field.Name] != named.ID {
			return false
		}
	}
	return true
}
