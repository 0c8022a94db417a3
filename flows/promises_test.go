package flows_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"suar/flows"
)

// fromPerson reports whether an event is a sign of the person.
func fromPerson(ev flows.Event) bool {
	switch ev.(type) {
	case flows.Started, flows.Asked, flows.Said, flows.Chose, flows.Attached, flows.Edited, flows.Garbled:
		return true
	}
	return false
}

// writesFirst reports whether the person has said that nobody writes to them
// before they do.
func writesFirst(s flows.State) bool {
	for _, a := range s.Answers {
		if a.Fact == "contact" {
			return len(a.Options) == 0 || a.Options[0] == "first"
		}
	}
	return false
}

// A walk is a conversation in which anything happens in any order.
type walk struct {
	world
	// silent says that the person blocked the chat or said "not now", and has
	// given no sign since.
	silent bool
}

// step lets one event happen and returns what it brought about.
func (w *walk) step(t *rapid.T, ev flows.Event) []flows.Effect {
	w.steps++
	m := flows.Moment{At: w.now}
	copy(m.Fresh[:], fmt.Sprintf("%016d", w.steps))
	next, effects := w.book.Step(w.s, m, ev)
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
	return effects
}

// promised runs a property over random walks with both the books of two and of
// ten languages. Each is called before and after every event.
func promised(t *testing.T, each func(t *rapid.T, w *walk, ev flows.Event, before flows.State, effects []flows.Effect), end func(t *rapid.T, w *walk)) {
	t.Helper()
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
		w := &walk{world: world{book: book, now: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}}
		if rule := rapid.SampledFrom([]string{"", "first", "any", "day"}).Draw(t, "rule"); rule != "" {
			w.intake(t, rule)
		}
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			ev := w.event(t)
			before := w.s
			notNow := w.says(ev, "opening.now.later")
			effects := w.step(t, ev)
			switch u, undelivered := ev.(flows.Undelivered); {
			case notNow && w.s.Left, undelivered && u.Reason == flows.ReasonBlocked:
				w.silent = true
			case fromPerson(ev):
				w.silent = false
			}
			if _, ok := ev.(flows.Blocked); ok {
				w.silent = true
			}
			if each != nil {
				each(t, w, ev, before, effects)
			}
		}
		if end != nil {
			end(t, w)
		}
	})
}

// intake goes through the whole intake of a person who asks for help, up to the
// rule by which they may be written to, and has the card placed.
func (w *walk) intake(t *rapid.T, rule string) {
	w.step(t, flows.Started{Message: "1"})
	w.settle(t)
	press := func(label string) {
		for _, row := range w.book.View(w.s, w.now).Rows {
			for _, b := range row {
				if b.Label == label {
					w.step(t, flows.Chose{Message: "2", Data: b.Data})
					w.settle(t)
					return
				}
			}
		}
		t.Fatalf("no button %q on %s", label, w.s.Screen)
	}
	press("Indonesia")
	for _, key := range []string{"consular.home.help", "opening.now.yes", "opening.notice.agree", "opening.need.me"} {
		press(w.book.OfficerText(key))
	}
	for w.s.Screen != "victim.contact" {
		press(w.book.OfficerText("ui.skip"))
	}
	label := w.book.OfficerText("victim.contact." + rule)
	press(strings.NewReplacer("{from}", "06.00", "{to}", "18.00").Replace(label))
	if w.s.Thread() == "" {
		t.Fatal("the intake has placed no card")
	}
}

// settle performs all that waits, with success.
func (w *walk) settle(t *rapid.T) {
	for n := 0; len(w.waiting) > 0; n++ {
		if n > 2000 {
			t.Fatal("the effects bring about each other without end")
		}
		e := w.waiting[0]
		w.waiting = w.waiting[1:]
		if !w.book.Wanted(w.s, w.now, e) {
			w.step(t, flows.Undelivered{Effect: e, Reason: flows.ReasonUnwanted})
			continue
		}
		w.step(t, flows.Delivered{Effect: e, Message: flows.MessageID(fmt.Sprint(100 + w.steps)), Post: "root"})
	}
}

// says reports whether an event is a press of the button with a label.
func (w *walk) says(ev flows.Event, key string) bool {
	chose, ok := ev.(flows.Chose)
	if !ok || w.s.Screen != "opening.now" {
		return false
	}
	label := w.book.OfficerText(key)
	for _, row := range w.book.View(w.s, w.now).Rows {
		for _, b := range row {
			if b.Data == chose.Data && b.Label == label {
				return true
			}
		}
	}
	return false
}

// TestNeverFirst: a person whose rule is "I write first" gets no message that
// they did not ask for, whatever officers and the world do (domain.md 8: "send
// first to a user whose rule is 'I write first'").
func TestNeverFirst(t *testing.T) {
	promised(t, func(t *rapid.T, w *walk, ev flows.Event, before flows.State, effects []flows.Effect) {
		if fromPerson(ev) {
			return
		}
		for _, e := range effects {
			switch e := e.(type) {
			case flows.Say:
				if writesFirst(w.s) {
					t.Fatalf("%s lets a reply go to somebody who writes first", flows.EventKind(ev))
				}
			case flows.Show:
				d, ok := ev.(flows.Delivered)
				if _, erased := d.Effect.(flows.Erase); ok && erased && w.s.Screen == "case.gone" {
					continue // The truth about what Telegram kept, right after Delete.
				}
				if !e.Quiet {
					t.Fatalf("%s puts the bubble below what came since, with a sound", flows.EventKind(ev))
				}
			}
		}
	}, func(t *rapid.T, w *walk) {
		// What is on its way is not wanted any more once the sign is old.
		if !writesFirst(w.s) {
			return
		}
		for _, e := range w.waiting {
			if _, say := e.(flows.Say); say && w.book.Wanted(w.s, w.s.Seen.Add(24*time.Hour), e) {
				t.Fatal("a reply that waited for a day would still be sent to somebody who writes first")
			}
		}
	})
}

// TestNeverAfterABlock: after a block or "not now" nothing is sent until the
// person writes (domain.md 8: "after block/'not now'").
func TestNeverAfterABlock(t *testing.T) {
	promised(t, func(t *rapid.T, w *walk, ev flows.Event, before flows.State, effects []flows.Effect) {
		if !w.silent {
			return
		}
		for _, e := range effects {
			switch e.(type) {
			case flows.Say, flows.Amend:
				t.Fatalf("%s brings %s to somebody who said not now", flows.EventKind(ev), flows.EffectKind(e))
			}
		}
		for _, e := range w.waiting {
			switch e.(type) {
			case flows.Say, flows.Amend:
				if w.book.Wanted(w.s, w.now, e) {
					t.Fatalf("%s is still wanted by somebody who said not now", flows.EffectKind(e))
				}
			case flows.Show:
				if w.book.Wanted(w.s, w.now, e) && w.book.View(w.s, w.now).Text != "" {
					t.Fatal("a bubble is still shown to somebody who said not now")
				}
			}
		}
	}, nil)
}

// TestHumanInOneTap: in whatever state a conversation is, one button of what the
// person sees calls a human, and one deletes the chat; where nothing is seen,
// /start shows something (domain.md 8: "human reachable from every screen").
func TestHumanInOneTap(t *testing.T) {
	promised(t, func(t *rapid.T, w *walk, ev flows.Event, _ flows.State, _ []flows.Effect) {
		view := w.book.View(w.s, w.now)
		m := flows.Moment{At: w.now, Fresh: [16]byte{1}}
		if view.Text == "" {
			s, _ := w.book.Step(w.s, m, flows.Started{Message: "99"})
			if w.book.View(s, w.now).Text == "" {
				t.Fatalf("after %s nothing is seen, nor after /start", flows.EventKind(ev))
			}
			return
		}
		human, out := false, false
		for _, row := range view.Rows {
			for _, b := range row {
				s, effects := w.book.Step(w.s, m, flows.Chose{Message: "99", Data: b.Data})
				called := slices.ContainsFunc(effects, func(e flows.Effect) bool {
					switch e.(type) {
					case flows.Open, flows.Page:
						return true
					}
					return false
				})
				with := s.Case != nil && s.Case.Phase != flows.Ended && !s.Left
				human = human || strings.HasSuffix(b.Data, ".h") && (called || with)
				out = out || s.Left
			}
		}
		if !human {
			t.Fatalf("no button calls a human on %s after %s:\n%s\n%v", w.s.Screen, flows.EventKind(ev), view.Text, view.Rows)
		}
		if !out {
			t.Fatalf("no button deletes the chat on %s after %s:\n%s\n%v", w.s.Screen, flows.EventKind(ev), view.Text, view.Rows)
		}
	}, nil)
}

// TestEverythingEnds: whatever a conversation has become, once nobody does
// anything any more every field of it is gone by a deadline: a message in the
// chat after two days, and all of it once a case has ended or nobody stirred in
// it (domain.md 7.4).
func TestEverythingEnds(t *testing.T) {
	promised(t, nil, func(t *rapid.T, w *walk) {
		w.settle(t)
		// One officer looks at the card; nobody does anything after that.
		w.step(t, flows.Claimed{Officer: flows.Officer{ID: "id-siti", Name: "siti"}})
		w.settle(t)
		last := w.now
		for n := 0; !w.s.Alarm().IsZero(); n++ {
			if n > 2000 {
				t.Fatal("alarms without end")
			}
			if at := w.s.Alarm(); at.After(w.now) {
				w.now = at
			}
			w.step(t, flows.TimedOut{})
			w.settle(t)
			for _, m := range w.s.Messages {
				if w.now.Sub(m.At) > 48*time.Hour {
					t.Fatalf("a message is in the chat for %v", w.now.Sub(m.At))
				}
			}
		}
		if !w.s.Blank() {
			t.Fatalf("kept for ever: %s", write(t, w.s))
		}
		if d := w.now.Sub(last); d > 150*24*time.Hour {
			t.Fatalf("it took %v", d)
		}
	})
}
