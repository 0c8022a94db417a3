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
}

func (w *world) event(t *rapid.T) flows.Event {
	id := flows.MessageID(fmt.Sprint(rapid.IntRange(1, 40).Draw(t, "message")))
	post := flows.PostID(fmt.Sprint("p", rapid.IntRange(1, 6).Draw(t, "post")))
	o := flows.Officer{ID: "1", Name: rapid.SampledFrom([]string{"siti", "budi"}).Draw(t, "officer")}
	text := rapid.SampledFrom([]string{canary, canary + "\n\nsecond", "  ", "", "// " + canary}).Draw(t, "text")
	switch rapid.IntRange(0, 17).Draw(t, "event") {
	case 0:
		return flows.Started{Message: id}
	case 1:
		return flows.Asked{Message: id, What: rapid.SampledFrom([]flows.Command{flows.AskDelete, flows.AskLanguage, flows.AskPrivacy, "?"}).Draw(t, "command")}
	case 2:
		return flows.Said{Message: id, Text: text}
	case 3:
		return flows.Attached{Message: id, Media: flows.MediaPhoto, Caption: text}
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
	case 13:
		w.now = w.now.Add(time.Duration(rapid.IntRange(0, 50).Draw(t, "hours")) * time.Hour)
		return flows.TimedOut{}
	case 14:
		return flows.Chose{Message: id, Data: rapid.SampledFrom([]string{"", ".", "x", "AAAAAAAA.o1", "erase", "a.b.c", strings.Repeat("z", 64)}).Draw(t, "data")}
	}
	if len(w.waiting) > 0 && rapid.Bool().Draw(t, "perform") {
		e := w.waiting[0]
		w.waiting = w.waiting[1:]
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
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
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
