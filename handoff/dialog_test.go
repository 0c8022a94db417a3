package handoff

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/mattermosttest"
)

// fullForm is a form with a field of each kind.
func fullForm() flows.Form {
	return flows.Form{
		Title: "Screening of the case today", Intro: "What is known, @all", Submit: "Record", Stamp: "stamp-1",
		Fields: []flows.Field{
			{Name: "line", Label: "A line", Help: "short", Kind: flows.FieldText},
			{Name: "area", Label: "An area", Kind: flows.FieldArea, Optional: true, Max: 2000},
			{Name: "choice", Label: "A choice", Kind: flows.FieldChoice, Default: "b", Options: []flows.Option{{Value: "a", Label: "A"}, {Value: "b", Label: "B"}}},
			{Name: "bool", Label: "A box", Help: "ticked if so", Kind: flows.FieldBool, Default: "true"},
			{Name: "date", Label: "A day", Kind: flows.FieldDate, Optional: true},
			{Name: "who", Label: "An officer", Kind: flows.FieldOfficer, Optional: true},
		},
	}
}

// A formed is a rig whose engine has one form, "fill" in the menu and on a button.
type formed struct {
	*rig
	root flows.PostID

	mu    sync.Mutex
	form  flows.Form
	err   error
	ahead time.Duration
}

func newFormed(t *testing.T, w *mattermosttest.World) *formed {
	f := &formed{form: fullForm()}
	f.rig = newRig(t, w, func(c *Config) {
		c.Now = func() time.Time {
			f.mu.Lock()
			defer f.mu.Unlock()
			return time.Now().Add(f.ahead)
		}
		c.Form = func(_ context.Context, q engine.FormFor) (flows.Form, error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			form := f.form
			switch {
			case f.err != nil:
				return flows.Form{}, f.err
			case q.Name != "mm:"+string(f.root) || q.Conversation != "blind":
				return flows.Form{}, engine.ErrUnknown
			case q.Action != "fill in" || q.Choice != "it":
				return flows.Form{}, engine.ErrNoForm
			case q.Values != nil:
				form.Intro = "It will say: " + q.Values["line"]
			}
			return form, nil
		}
	})
	c := card("K0001")
	fill := flows.Action{Name: "fill in", Choice: "it", Label: "Fill in", Form: true}
	c.Menu, c.Actions = append(c.Menu, fill), append(c.Actions, fill)
	f.root = f.deliver(engine.Delivery{ID: id(1), Effect: flows.Open{}, Card: c}).Post
	f.ledger.know(f.root)
	return f
}

func (f *formed) set(change func(*formed)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

// opened is the dialog that an officer's choice opens.
func (f *formed) opened(who mattermosttest.Account) *model.OpenDialogRequest {
	f.t.Helper()
	screen := f.w.Watch(who)
	if status := f.w.Choose(who, string(f.root), "More…", "fill in:it"); status != http.StatusOK {
		f.t.Fatalf("choose: status %d", status)
	}
	return screen.Dialog()
}

// filled are values that the form takes, as a client sends them.
func filled() map[string]any {
	return map[string]any{"line": "  one\nline ", "area": "", "choice": "a", "bool": false, "date": "2026-11-24"}
}

// kept is what they are as an event.
func kept() map[string]string {
	return map[string]string{"line": "one line", "choice": "a", "bool": "false", "date": "2026-11-24"}
}

func TestForm(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		f := newFormed(t, w)
		siti, budi := w.Officers[0], w.Officers[1]
		d := f.opened(siti)
		want := []model.DialogElement{
			{DisplayName: "A line", Name: "line", Type: "text", HelpText: "short", MaxLength: 150},
			{DisplayName: "An area", Name: "area", Type: "textarea", Optional: true, MaxLength: 2000},
			{DisplayName: "A choice", Name: "choice", Type: "select", Default: "b", Options: []*model.PostActionOptions{{Text: "A", Value: "a"}, {Text: "B", Value: "b"}}},
			{DisplayName: "A box", Name: "bool", Type: "bool", Default: "true", Optional: true, Placeholder: "ticked if so"},
			{DisplayName: "A day", Name: "date", Type: "text", Optional: true, Placeholder: "2006-01-02", MaxLength: 10},
			{DisplayName: "An officer", Name: "who", Type: "select", Optional: true, DataSource: "users"},
		}
		if diff := cmp.Diff(want, d.Dialog.Elements); diff != "" {
			t.Errorf("fields (-want +got):\n%s", diff)
		}
		if d.Dialog.Title != "Screening of the case t…" || strings.Contains(d.Dialog.IntroductionText, "@all") || d.Dialog.SubmitLabel != "Record" {
			t.Errorf("dialog %+v", d.Dialog)
		}
		values := filled()
		values["who"] = budi.ID
		for range 2 { // the second is a repetition
			if answer, status := w.SubmitDialog(siti, d, values); status != http.StatusOK || answer.Error != "" || answer.Errors != nil {
				t.Fatalf("answer %+v, status %d", answer, status)
			}
			// What was recorded has changed the case.
			f.set(func(f *formed) { f.form.Stamp = "stamp-2" })
		}
		acted := flows.Acted{
			Officer: officer(siti), Action: "fill in", Choice: "it", Stamp: "stamp-1", Named: officer(budi),
			Values: map[string]string{"line": "one line", "choice": "a", "bool": "false", "date": "2026-11-24", "who": budi.ID},
		}
		if diff := cmp.Diff([]flows.Event{acted}, f.ledger.of(f.root)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// TestFormOfAButton: a button opens a form as the menu does.
func TestFormOfAButton(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		f := newFormed(t, w)
		screen := w.Watch(w.Officers[0])
		w.Press(w.Officers[0], string(f.root), "fillin")
		if answer, _ := w.SubmitDialog(w.Officers[0], screen.Dialog(), filled()); answer.Error != "" {
			t.Errorf("answer %+v", answer)
		}
		want := []flows.Event{flows.Acted{Officer: officer(w.Officers[0]), Action: "fill in", Choice: "it", Stamp: "stamp-1", Values: kept()}}
		if diff := cmp.Diff(want, f.ledger.of(f.root)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// TestFormFaults: what is wrong the dialog says beside the field, and it can be
// mended there.
func TestFormFaults(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		f := newFormed(t, w)
		siti := w.Officers[0]
		d := f.opened(siti)
		for name, tt := range map[string]struct {
			field string
			value any
			says  string // in the field's error; "" if the whole is refused
		}{
			"missing":             {"line", " \u200b ", "fill this in"},
			"16,384 in a line":    {"line", strings.Repeat("é", 16384), "At most 150"},
			"16,384 in an area":   {"area", strings.Repeat("😀", 16384), "At most 2000"},
			"one too many":        {"line", strings.Repeat("x", 151), "At most 150"},
			"never offered":       {"choice", "c", "not offered"},
			"an option's label":   {"choice", "A", "not offered"},
			"an empty option":     {"choice", "", "fill this in"},
			"a box of three":      {"bool", "perhaps", "not offered"},
			"no day":              {"date", "2026-02-30", "2026-11-24"},
			"a day otherwise":     {"date", "24/11/26", "2026-11-24"},
			"an outsider":         {"who", w.Outsider.ID, "not an officer"},
			"a bot":               {"who", w.Bot.ID, "not an officer"},
			"nobody":              {"who", model.NewId(), "not an officer"},
			"a path":              {"who", "../../users/me", "not an officer"},
			"a field of nobody":   {"other", "x", ""},
			"a number":            {"line", 7.0, ""},
			"a list":              {"choice", []string{"a"}, ""},
			"an object of values": {"line", map[string]string{"a": "b"}, ""},
		} {
			values := maps.Clone(filled())
			values[tt.field] = tt.value
			answer, status := w.SubmitDialog(siti, d, values)
			switch {
			case status != http.StatusOK:
				t.Errorf("%s: status %d", name, status)
			case tt.says == "" && answer.Error != f.Words.Refused:
				t.Errorf("%s: answer %+v, want the refusal", name, answer)
			case tt.says != "" && (len(answer.Errors) != 1 || !strings.Contains(answer.Errors[tt.field], tt.says) || answer.Error != ""):
				t.Errorf("%s: answer %+v, want %q beside %s", name, answer, tt.says, tt.field)
			}
		}
		if got := f.ledger.of(f.root); len(got) != 0 {
			t.Errorf("events %v", got)
		}
		if answer, _ := w.SubmitDialog(siti, d, filled()); answer.Error != "" || answer.Errors != nil {
			t.Errorf("mended: answer %+v", answer)
		}
		if got := f.ledger.of(f.root); len(got) != 1 {
			t.Errorf("%d events of the mended form, want 1", len(got))
		}
	})
}

// TestFormWhoAndWhen: a form is its officer's, for a while, for what they saw.
func TestFormWhoAndWhen(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		f := newFormed(t, w)
		siti, budi, rina := w.Officers[0], w.Officers[1], w.Officers[2]
		submit := func(name string, who mattermosttest.Account, d *model.OpenDialogRequest, want string) {
			t.Helper()
			if answer, status := w.SubmitDialog(who, d, filled()); status != http.StatusOK || answer.Error != want {
				t.Errorf("%s: answer %+v, status %d, want %q", name, answer, status, want)
			}
		}
		d := f.opened(siti)
		submit("another officer", budi, d, f.Words.Refused)
		forged := *d
		forged.Dialog.State = d.Dialog.State[:len(d.Dialog.State)-2] + "AA"
		submit("a forged state", siti, &forged, f.Words.Refused)
		f.set(func(f *formed) { f.form.Stamp = "stamp-2" })
		submit("a changed case", siti, d, f.Words.Changed)
		f.set(func(f *formed) { f.err = engine.ErrNoForm })
		submit("a form that is offered no more", siti, d, f.Words.Changed)
		screen := w.Watch(budi)
		w.Choose(budi, string(f.root), "More…", "fill in:it")
		if got := screen.Ephemeral(); got != f.Words.Changed {
			t.Errorf("who opens a form that is not offered reads %q", got)
		}
		f.set(func(f *formed) { f.err = engine.ErrUnknown })
		submit("a case that is no more", siti, d, f.Words.Unknown)
		f.set(func(f *formed) { f.err, f.form.Stamp = nil, "stamp-1" })
		if status := w.CancelDialog(siti, d); status != http.StatusOK {
			t.Errorf("cancel: status %d", status)
		}
		f.set(func(f *formed) { f.ahead = questionLife + time.Second })
		submit("too late", siti, d, f.Words.Refused)
		f.set(func(f *formed) { f.ahead = 0 })
		d = f.opened(rina)
		w.RemoveMember(rina)
		if answer, _ := w.SubmitDialog(rina, d, filled()); answer != nil && answer.Error != f.Words.Refused {
			t.Errorf("a removed officer: answer %+v", answer)
		}
		if got := f.ledger.of(f.root); len(got) != 0 {
			t.Errorf("events %v", got)
		}
		if log := f.log.String(); strings.Contains(log, "one") || strings.Contains(log, siti.ID) {
			t.Errorf("the log holds what was filled in, or who: %s", log)
		}
	})
}

// TestFormPreview: nothing is done before the officer saw what would be.
func TestFormPreview(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		f := newFormed(t, w)
		f.set(func(f *formed) { f.form.Preview, f.form.Send = true, "Send it" })
		siti := w.Officers[0]
		d := f.opened(siti)
		shown := func(values map[string]any) {
			t.Helper()
			answer, status := w.SubmitDialog(siti, d, values)
			if status != http.StatusOK || answer.Type != "form" || answer.Form == nil {
				t.Fatalf("answer %+v, status %d", answer, status)
			}
			d.Dialog = *answer.Form
		}
		shown(filled())
		if d.Dialog.IntroductionText != "It will say: one line" || d.Dialog.SubmitLabel != "Send it" || d.Dialog.Elements[0].Default != "one line" || d.Dialog.Elements[3].Default != "false" {
			t.Errorf("preview %+v", d.Dialog)
		}
		if got := f.ledger.of(f.root); len(got) != 0 {
			t.Errorf("events before the preview was confirmed: %v", got)
		}
		other := filled()
		other["line"] = "something else"
		shown(other) // It is not what was seen.
		if answer, _ := w.SubmitDialog(siti, d, other); answer.Error != "" || answer.Type != "" {
			t.Errorf("confirmed: answer %+v", answer)
		}
		want := kept()
		want["line"] = "something else"
		acted := flows.Acted{Officer: officer(siti), Action: "fill in", Choice: "it", Stamp: "stamp-1", Values: want}
		if diff := cmp.Diff([]flows.Event{acted}, f.ledger.of(f.root)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}
