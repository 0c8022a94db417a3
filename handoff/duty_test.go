package handoff

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
	"suar/handoff/roster"
	"suar/internal/mattermosttest"
)

// A dutyBook is what the program keeps of the changes, in memory.
type dutyBook struct {
	mu   sync.Mutex
	base *roster.Roster
	list []roster.Change
	did  []flows.Audit
}

func (b *dutyBook) changes() []roster.Change {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]roster.Change{}, b.list...)
}

func (b *dutyBook) change(_ context.Context, change func([]roster.Change) ([]roster.Change, error)) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	list, err := change(b.list)
	if err == nil {
		b.list = list
	}
	return err
}

func (b *dutyBook) audit(_ context.Context, _ string, a flows.Audit) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.did = append(b.did, a)
	return nil
}

// withDuty has siti lead; budi and rina stand on duty in turn.
func withDuty(t *testing.T) (func(*Config), *dutyBook) {
	r, err := roster.Parse([]byte(`
version: 1
zone: Asia/Vientiane
officers:
  - {name: siti, role: lead}
  - {name: budi, role: officer}
  - {name: rina, role: officer}
shifts:
  - {days: [daily], from: "06:00", to: "18:00", first: budi}
  - {days: [daily], from: "18:00", to: "06:00", first: rina}
`))
	if err != nil {
		t.Fatal(err)
	}
	b := &dutyBook{base: r}
	command := withCommand(t)
	return func(c *Config) {
		command(c)
		c.Roster = func() *roster.Roster { return b.base.With(b.changes()) }
		c.Changes, c.ChangeDuty, c.Audit = b.changes, b.change, b.audit
	}, b
}

func TestTheDutyIsChangedByWords(t *testing.T) {
	w := mattermosttest.StandIn(t)
	option, book := withDuty(t)
	r := newRig(t, w, option)
	r.run()
	r.slash()
	siti, budi := w.Officers[0], w.Officers[1]
	day := func(n int) string { return time.Now().In(book.base.Location()).AddDate(0, 0, n).Format(time.DateOnly) }
	who := func(at string) string {
		when, ok := book.base.Time(at)
		if !ok {
			t.Fatalf("%q is no time", at)
		}
		return r.Roster().Duty(when).First
	}

	for words, want := range map[string]string{
		"duty override siti budi " + day(1) + "T08:00 " + day(1) + "T10:00": r.say("desk.duty.leads_only"),
		"duty swap":          r.say("desk.duty.leads_only"),
		"duty remove abcdef": r.say("desk.duty.leads_only"),
	} {
		if answer := r.says(budi, words); answer != want {
			t.Errorf("an officer's %q: %q", words, answer)
		}
	}
	for words, fault := range map[string]string{
		"duty override":                    "", // opens a dialog
		"duty override siti":               "words",
		"piket ganti siti budi besok pagi": "words",
		"duty override @all budi " + day(1) + "T08:00 " + day(1) + "T10:00":                     "who",
		"duty override outsider budi " + day(1) + "T08:00 " + day(1) + "T10:00":                 "who",
		"duty override budi budi " + day(1) + "T08:00 " + day(1) + "T10:00":                     "same",
		"duty override siti budi " + day(1) + "T10:00 " + day(1) + "T08:00":                     "order",
		"duty override siti budi " + day(-2) + "T08:00 " + day(-2) + "T10:00":                   "past",
		"duty override siti budi " + day(1) + "T08:00 " + day(20) + "T10:00":                    "long",
		"duty swap budi " + day(1) + "T06:00 " + day(1) + "T18:00 rina":                         "words",
		"duty override [x](http://evil.example) budi " + day(1) + "T08:00 " + day(1) + "T10:00": "who",
		"duty remove":        "none",
		"duty remove 123456": "none",
	} {
		answer := r.says(siti, words)
		if fault != "" && !strings.HasPrefix(answer, r.say("desk.duty.fault."+fault)) || strings.Contains(answer, "evil") {
			t.Errorf("%q: %q", words, answer)
		}
	}
	if len(book.changes()) != 0 || len(book.did) != 0 {
		t.Fatalf("something was changed: %v", book.changes())
	}

	override := "duty override @siti for @budi " + day(1) + " 08:00 " + day(1) + " 10:00"
	if answer := r.says(siti, override); !strings.HasPrefix(answer, r.say("desk.duty.changed")) {
		t.Fatalf("the override: %q", answer)
	}
	if got := who(day(1) + "T09:00"); got != "siti" {
		t.Errorf("on duty after the override: %q", got)
	}
	w.Post(siti, w.Post(siti, "", "a thread").Id, "!suar piket tukar budi "+day(2)+"T06:00 "+day(2)+"T18:00 rina "+day(2)+"T18:00 "+day(3)+"T06:00")
	r.until("the swap stands", func() bool { return who(day(2)+"T12:00") == "rina" && who(day(2)+"T20:00") == "budi" })
	if answer := r.says(budi, "duty"); !strings.Contains(answer, r.say("desk.duty.changes")) || !strings.Contains(answer, book.changes()[0].ID) {
		t.Errorf("everybody sees the changes: %q", answer)
	}
	if answer := r.says(siti, "duty remove "+book.changes()[0].ID); !strings.HasPrefix(answer, r.say("desk.duty.removed")) {
		t.Errorf("the removal: %q", answer)
	}
	if got := who(day(1) + "T09:00"); got != "budi" {
		t.Errorf("on duty after the removal: %q", got)
	}
	o := func(name string) flows.Officer { return flows.Officer{Name: name} }
	var did []flows.Audit
	for _, a := range book.did {
		a.By = o(a.By.Name)
		did = append(did, a)
	}
	if diff := cmp.Diff([]flows.Audit{
		{What: "duty override", By: o("siti"), With: []flows.Officer{o("siti"), o("budi")}},
		{What: "duty swap", By: o("siti"), With: []flows.Officer{o("rina"), o("budi")}},
		{What: "duty remove", By: o("siti"), With: []flows.Officer{o("siti")}},
	}, did); diff != "" {
		t.Errorf("the trail (-want +got):\n%s", diff)
	}
}

// TestTheDutyIsChangedByADialog: a lead's, filled in wrong and right, submitted twice,
// and forged by others.
func TestTheDutyIsChangedByADialog(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		option, book := withDuty(t)
		r := newRig(t, w, option)
		r.run()
		r.slash()
		siti, budi, rina := w.Officers[0], w.Officers[1], w.Officers[2]
		screen := w.Watch(siti)
		if answer := r.says(siti, "duty swap"); answer != r.say("desk.duty.dialog") {
			t.Fatalf("the command: %q", answer)
		}
		d := screen.Dialog()
		day := func(n int) string { return time.Now().In(book.base.Location()).AddDate(0, 0, n).Format(time.DateOnly) }
		right := func(change ...string) map[string]any {
			values := map[string]any{
				whoField: rina.ID, insteadField: budi.ID, fromField: day(1) + "T06:00", toField: day(1) + " 18:00",
				backFromField: day(1) + "T18:00", backToField: day(2) + "T06:00",
			}
			for i := 0; i+1 < len(change); i += 2 {
				values[change[i]] = change[i+1]
			}
			return values
		}
		for what, c := range map[string]struct {
			values map[string]any
			field  string
		}{
			"an outsider":     {right(whoField, w.Outsider.ID), whoField},
			"the bot":         {right(whoField, w.Bot.ID), whoField},
			"nobody":          {right(insteadField, "@all"), insteadField},
			"no time":         {right(fromField, "besok"), fromField},
			"missing":         {right(toField, ""), toField},
			"16,384 letters":  {right(toField, strings.Repeat("x", 16_384)), toField},
			"another field":   {right("other", "x"), "other"},
			"a number's name": {right(backToField, "1"), backToField},
		} {
			answer, status := w.SubmitDialog(siti, d, c.values)
			if status != http.StatusOK || answer.Errors[c.field] == "" {
				t.Errorf("%s: %d %+v", what, status, answer)
			}
		}
		if answer, _ := w.SubmitDialog(siti, d, right(toField, day(1)+"T05:00")); answer.Error != r.say("desk.duty.fault.order") {
			t.Errorf("hours that do not end: %+v", answer)
		}
		if answer, _ := w.SubmitDialog(budi, d, right()); answer.Error != r.Words.Refused {
			t.Errorf("another officer's answer: %+v", answer)
		}
		forged := *d
		forged.Dialog.State = "x" + forged.Dialog.State
		if answer, _ := w.SubmitDialog(siti, &forged, right()); answer.Error != r.Words.Refused {
			t.Errorf("a forged state: %+v", answer)
		}
		if n := len(book.changes()); n != 0 {
			t.Fatalf("%d changes of what is wrong", n)
		}
		for range 2 { // The second time it has been made already.
			if answer, _ := w.SubmitDialog(siti, d, right()); answer.Error != "" || len(answer.Errors) != 0 {
				t.Errorf("the right one: %+v", answer)
			}
		}
		list := book.changes()
		if len(list) != 1 || list[0].Who != "rina" || list[0].Instead != "budi" || list[0].By != "siti" || !list[0].Swap() {
			t.Errorf("the changes: %+v", list)
		}
	})
}
