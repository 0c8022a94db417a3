package flows_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"suar/flows"
	"suar/flows/rehearsal"
)

// canary is in every text of a person's, and may be in no card and no bubble.
const canary = "kenari-kuning"

// world draws events as the edges may hand them over, in any order: also ones
// that make no sense.
type world struct {
	book    *flows.Book
	s       flows.State
	now     time.Time
	steps   int
	waiting []flows.Effect
	// replied are the posts that were taken as replies and whose fate the
	// officer has not been told yet.
	replied map[flows.PostID]bool
}

func (w *world) event(t *rapid.T) flows.Event {
	id := flows.MessageID(fmt.Sprint(rapid.IntRange(1, 40).Draw(t, "message")))
	post := flows.PostID(fmt.Sprint("p", rapid.IntRange(1, 6).Draw(t, "post")))
	name := rapid.SampledFrom([]string{"siti", "budi"}).Draw(t, "officer")
	o := flows.Officer{ID: "id-" + name, Name: name}
	text := rapid.SampledFrom([]string{canary, canary + "\n\nsecond", "  ", "", "// " + canary}).Draw(t, "text")
	switch rapid.IntRange(0, 18).Draw(t, "event") {
	case 0:
		return flows.Started{Message: id}
	case 1:
		return flows.Asked{Message: id, What: rapid.SampledFrom([]flows.Command{flows.AskDelete, flows.AskLanguage, flows.AskPrivacy, "?"}).Draw(t, "command")}
	case 2:
		return flows.Said{Message: id, Text: text}
	case 3:
		return flows.Attached{Message: id, Media: flows.MediaPhoto, Caption: text, File: rapid.SampledFrom([]flows.FileID{"", "f"}).Draw(t, "file")}
	case 4:
		return flows.Edited{Message: id, Text: text}
	case 5:
		return flows.Blocked{}
	case 6:
		return flows.Garbled{Message: id}
	case 7:
		return flows.Claimed{Officer: o}
	case 8:
		return flows.Replied{Post: post, Officer: o, Text: text, Files: rapid.IntRange(0, 1).Draw(t, "files")}
	case 9:
		return flows.Noted{Post: post, Officer: o, Text: text}
	case 10:
		return flows.Revised{Post: post, Officer: o, Text: text, Note: rapid.Bool().Draw(t, "note")}
	case 11:
		return flows.Withdrawn{Post: post}
	case 12:
		return flows.Closed{Officer: o}
	case 18:
		acted := flows.Acted{Officer: o, Action: "?", Choice: text}
		if menu := w.book.Card(w.s, w.now).Menu; len(menu) > 0 {
			a := rapid.SampledFrom(menu).Draw(t, "menu")
			acted.Action, acted.Choice = a.Name, a.Choice
			if a.Form {
				acted = w.filled(t, acted)
			}
		}
		if c := w.s.Case; c != nil && len(c.Media) > 0 && rapid.Bool().Draw(t, "show") {
			acted.Action, acted.Choice = flows.ActionShow, string(rapid.SampledFrom(c.Media).Draw(t, "medium").ID)
		}
		return acted
	case 13:
		w.now = w.now.Add(time.Duration(rapid.IntRange(0, 50).Draw(t, "hours")) * time.Hour)
		return flows.TimedOut{}
	case 14:
		return flows.Chose{Message: id, Data: rapid.SampledFrom([]string{"", ".", "x", "AAAAAAAA.o1", "erase", "a.b.c", strings.Repeat("z", 64)}).Draw(t, "data")}
	}
	if len(w.waiting) > 0 && rapid.Bool().Draw(t, "perform") {
		e := w.waiting[0]
		w.waiting = w.waiting[1:]
		if kept := rehearsal.Keep(e); kept != nil {
			return kept
		}
		if !w.book.Wanted(w.s, w.now, e) {
			return flows.Undelivered{Effect: e, Reason: flows.ReasonUnwanted}
		}
		if rapid.IntRange(0, 9).Draw(t, "fails") == 0 {
			if _, open := e.(flows.Open); !open {
				return flows.Undelivered{Effect: e, Reason: rapid.SampledFrom([]flows.Reason{flows.ReasonBlocked, flows.ReasonGone, flows.ReasonRejected, flows.ReasonGivenUp}).Draw(t, "reason")}
			}
		}
		d := flows.Delivered{Effect: e, Message: id, Post: post}
		if erase, ok := e.(flows.Erase); ok && rapid.Bool().Draw(t, "kept") {
			d.Kept = erase.Messages
		}
		return d
	}
	// A real button.
	var all []flows.Button
	for _, row := range w.book.View(w.s, w.now).Rows {
		all = append(all, row...)
	}
	if len(all) == 0 {
		return flows.Started{Message: id}
	}
	return flows.Chose{Message: id, Data: rapid.SampledFrom(all).Draw(t, "button").Data}
}

// TestStepHoldsWhateverComes lets anything happen in any order and holds every
// state, bubble and card to what must never be otherwise.
func TestStepHoldsWhateverComes(t *testing.T) {
	two, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	ten, err := flows.Load(flows.Shipped(), flows.Directory{}, tenLanguages...)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		book := two
		if rapid.Bool().Draw(t, "ten languages") {
			book = ten
		}
		w := &world{book: book, now: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			w.steps++
			m := flows.Moment{At: w.now}
			copy(m.Fresh[:], fmt.Sprintf("%016d", w.steps))
			ev := w.event(t)
			before := write(t, w.s)
			next, effects := book.Step(w.s, m, ev)
			again, sameEffects := book.Step(w.s, m, ev)
			if after := write(t, w.s); after != before {
				t.Fatalf("Step changed the state it was given:\n%s", cmp.Diff(before, after))
			}
			if write(t, next) != write(t, again) || !cmp.Equal(effects, sameEffects) {
				t.Fatal("Step gave two results for the same event")
			}
			check(t, book, next, w.now, ev, effects)
			w.account(t, next, effects)
			// The next step begins with what was written down.
			w.s = flows.State{}
			if !next.Blank() {
				if err := json.Unmarshal([]byte(write(t, next)), &w.s); err != nil {
					t.Fatal(err)
				}
			}
			for _, e := range effects {
				if e.To() != flows.Archive {
					w.waiting = append(w.waiting, e)
				}
			}
		}
	})
}

// account holds that no reply is lost: as long as the officer has not been told
// that it arrived or will not, the state has it or a Say carries it. Posts are
// drawn from a few, so one that is used again is counted anew.
func (w *world) account(t *rapid.T, s flows.State, effects []flows.Effect) {
	if w.replied == nil {
		w.replied = map[flows.PostID]bool{}
	}
	kept := map[flows.PostID]bool{}
	for _, r := range s.Replies {
		kept[r.Post] = kept[r.Post] || r.Text != "" || r.Gone || r.Message != "" || r.Note
		if r.Text != "" && r.Message == "" && r.Held && !strings.HasPrefix(string(r.Post), "own:") {
			w.replied[r.Post] = true
		}
	}
	for _, e := range effects {
		switch e := e.(type) {
		case flows.Mark:
			if e.Sign == flows.SignSent || e.Sign == flows.SignFailed || e.Sign == flows.SignNote {
				delete(w.replied, e.Post)
			}
		case flows.Say: // What is said by an action has no post to bear a sign.
			if !strings.HasPrefix(string(e.Post), "own:") {
				w.replied[e.Post] = true
			}
		case flows.Record:
			if e.Kind == "withdrawn" {
				clear(w.replied) // The officer took one back, and knows.
			}
		}
	}
	for post := range w.replied {
		if !kept[post] {
			t.Fatalf("the reply %s is gone, and nobody was told", post)
		}
	}
}

func check(t *rapid.T, book *flows.Book, s flows.State, now time.Time, ev flows.Event, effects []flows.Effect) {
	v := book.View(s, now)
	if n := len(utf16.Encode([]rune(v.Text))); n > 4096 {
		t.Fatalf("the bubble has %d characters; Telegram takes 4,096", n)
	}
	seen := map[string]bool{}
	for _, row := range v.Rows {
		for _, b := range row {
			if b.Label == "" || len(b.Data) > 64 || seen[b.Data] {
				t.Fatalf("a button is not right: %+v", b)
			}
			seen[b.Data] = true
		}
	}
	if strings.Contains(v.Text, canary) {
		t.Fatal("the bubble repeats what somebody said")
	}
	if v.Text != "" && len(v.Rows) == 0 {
		t.Fatal("a bubble without a way on")
	}
	alerted := book.OfficerText("ui.status.alerting")
	if strings.Contains(v.Text, alerted) && (s.Case == nil || s.Case.Thread == "") {
		t.Fatal("the person is told of an alert before there is a card")
	}
	card := book.Card(s, now)
	if text := fmt.Sprint(card); strings.Contains(text, canary) {
		t.Fatalf("the card holds what somebody said: %s", text)
	}
	if s.Shut || s.Left {
		for _, e := range effects {
			switch e.(type) {
			case flows.Say, flows.Amend:
				t.Fatalf("%T although the person left: %T", e, ev)
			}
		}
	}
	if s.Blank() && len(s.Answers) > 0 {
		t.Fatal("answers are left behind a conversation that is erased")
	}
	opened := 0
	for _, e := range effects {
		if _, ok := e.(flows.Open); ok {
			opened++
		}
	}
	if opened > 1 {
		t.Fatal("one event opened two cards")
	}
}

func write(t *rapid.T, s flows.State) string {
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// begun is a case that an officer has not claimed, with its card placed.
func begun(t *testing.T, book *flows.Book, at time.Time) flows.State {
	t.Helper()
	s, _ := book.Step(flows.State{}, flows.Moment{At: at}, flows.Said{Message: "1", Text: "tolong"})
	s, _ = book.Step(s, flows.Moment{At: at}, flows.Delivered{Effect: flows.Open{}, Post: "root"})
	return s
}

// TestOneCallAfterALongSleep: a process that was down for ten hours calls the
// officers once, not for every call that it missed.
func TestOneCallAfterALongSleep(t *testing.T) {
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)
	s := begun(t, book, at)
	at = at.Add(10 * time.Hour)
	calls := 0
	for range 10 {
		var effects []flows.Effect
		s, effects = book.Step(s, flows.Moment{At: at}, flows.TimedOut{})
		for _, e := range effects {
			if p, ok := e.(flows.Page); ok {
				calls++
				s, _ = book.Step(s, flows.Moment{At: at}, flows.Delivered{Effect: p})
			}
		}
	}
	if calls != 1 {
		t.Errorf("%d calls at once, want 1", calls)
	}
	if !s.Alarm().After(at) {
		t.Errorf("the next alarm is %v, not after %v: it would ring for ever", s.Alarm(), at)
	}
}

// TestStatesStaySmall: nobody can make a state grow without end, or a step do
// more than the store takes.
func TestStatesStaySmall(t *testing.T) {
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	m := flows.Moment{At: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
	s := begun(t, book, m.At)
	s, _ = book.Step(s, m, flows.Asked{Message: "2", What: flows.AskDelete})
	o := flows.Officer{ID: "1", Name: "siti"}
	most := 0
	for i := range 3000 {
		var effects []flows.Effect
		s, effects = book.Step(s, m, flows.Replied{Post: flows.PostID(fmt.Sprint("r", i)), Officer: o, Text: "x"})
		most = max(most, len(effects))
		s, _ = book.Step(s, m, flows.Noted{Post: flows.PostID(fmt.Sprint("n", i)), Officer: o, Text: "x"})
		s, _ = book.Step(s, m, flows.Started{Message: flows.MessageID(fmt.Sprint(i))})
	}
	_, effects := book.Step(s, m, flows.Said{Message: "back", Text: "x"})
	if most = max(most, len(effects)); most > 200 {
		t.Errorf("one step had %d effects", most)
	}
	for i := range 3000 {
		s, effects = book.Step(s, m, flows.Said{Message: flows.MessageID(fmt.Sprint("s", i)), Text: "x"})
		for _, e := range effects {
			if e, ok := e.(flows.Erase); ok {
				s, _ = book.Step(s, m, flows.Delivered{Effect: e})
			}
		}
	}
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if len(raw) > 64<<10 {
		t.Errorf("the state has %d bytes", len(raw))
	}
}

// TestABookMayChange: a conversation that was written with another book goes on,
// whatever that book no longer has.
func TestABookMayChange(t *testing.T) {
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	m := flows.Moment{At: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
	s := begun(t, book, m.At)
	s.Language, s.Screen, s.Token = "xx", "victim.withheld", "tok"
	s.Trail, s.Picks = []string{"gone.screen"}, []string{"gone"}
	s.Answers = []flows.Answer{{Screen: "gone.screen", Fact: "gone", Options: []string{"x"}}}
	if v := book.View(s, m.At); v.Text == "" {
		t.Error("a bubble without words")
	}
	_ = book.Card(s, m.At)
	for _, press := range []string{"tok.b", "tok.d", "tok.s", "tok.h"} {
		next, _ := book.Step(s, m, flows.Chose{Message: "1", Data: press})
		if v := book.View(next, m.At); v.Text == "" || len(v.Rows) == 0 {
			t.Errorf("%s led nowhere", press)
		}
	}
	s.Screen = "gone.screen"
	if v := book.View(s, m.At); v.Text != "" {
		t.Error("a screen that is not there was shown")
	}
	if next, _ := book.Step(s, m, flows.Started{Message: "2"}); book.View(next, m.At).Text == "" {
		t.Error("a person at a screen that is not there any more sees nothing")
	}
}

func BenchmarkStep(b *testing.B) {
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		b.Fatal(err)
	}
	m := flows.Moment{At: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
	s, _ := book.Step(flows.State{}, m, flows.Said{Message: "1", Text: "tolong"})
	for b.Loop() {
		book.Step(s, m, flows.Said{Message: "2", Text: "tolong"})
	}
}
