package flows_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"suar/flows"
)

// stranger is what somebody sees who has only chosen that language, with the
// data of the buttons of s, which are random.
func stranger(book *flows.Book, s flows.State, at time.Time) flows.View {
	return book.Cover(s.Language, s.Token, at)
}

// TestAtRestTheBubbleIsTheCoverWhateverComes: from any state that anything led
// to, without a sign of the person the bubble becomes what a stranger sees, to
// the byte, and stays so whatever the officers and the world do.
func TestAtRestTheBubbleIsTheCoverWhateverComes(t *testing.T) {
	book := shippedBook(t)
	rapid.Check(t, func(t *rapid.T) {
		w := &world{book: book, now: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
		step := func(ev flows.Event) {
			w.steps++
			m := flows.Moment{At: w.now}
			copy(m.Fresh[:], fmt.Sprintf("%016d", w.steps))
			next, effects := book.Step(w.s, m, ev)
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
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			step(w.event(t))
		}
		w.now = w.now.Add(time.Hour)
		step(flows.TimedOut{})
		for i := range 12 {
			if w.s.Screen != "" {
				if diff := cmp.Diff(stranger(book, w.s, w.now), book.View(w.s, w.now)); diff != "" {
					t.Fatalf("after %d more events the bubble is not the cover:\n%s", i, diff)
				}
			}
			o := flows.Officer{ID: "1", Name: "siti"}
			post := flows.PostID(fmt.Sprint("q", i))
			step(rapid.SampledFrom([]flows.Event{
				flows.TimedOut{},
				flows.Claimed{Officer: o},
				flows.Closed{Officer: o},
				flows.Replied{Post: post, Officer: o, Text: canary},
				flows.Noted{Post: post, Officer: o, Text: canary},
				flows.Delivered{Effect: flows.Open{}, Post: "root"},
				flows.Delivered{Effect: flows.Relay{}},
				flows.Undelivered{Effect: flows.Relay{}, Reason: flows.ReasonRejected},
			}).Draw(t, "then"))
		}
	})
}

// TestWhoWritesFirstIsNeverWrittenTo holds domain.md's "never send first to a user
// whose rule is 'I write first', or after block/'not now'": whatever the officers
// and the clock do, nothing new comes into the chat.
func TestWhoWritesFirstIsNeverWrittenTo(t *testing.T) {
	book := shippedBook(t)
	for _, how := range []string{"first", "left", "not now", "blocked"} {
		t.Run(how, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w := &world{book: book, now: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
				for range rapid.IntRange(0, 25).Draw(t, "before") {
					w.steps++
					m := flows.Moment{At: w.now}
					copy(m.Fresh[:], fmt.Sprintf("%016d", w.steps))
					w.s, _ = book.Step(w.s, m, w.event(t))
				}
				m := flows.Moment{At: w.now}
				switch how {
				case "first":
					if w.s.Case == nil || w.s.Left {
						t.Skip("no case")
					}
					i := slices.IndexFunc(w.s.Answers, func(a flows.Answer) bool { return a.Fact == "contact" })
					rule := flows.Answer{Screen: "case.contact", Fact: "contact", Options: []string{"first"}}
					if i >= 0 {
						w.s.Answers[i] = rule
					} else {
						w.s.Answers = append(w.s.Answers, rule)
					}
				case "left":
					w.s, _ = book.Step(w.s, m, flows.Asked{What: flows.AskDelete})
				case "not now":
					w.s, _ = book.Step(w.s, m, flows.Started{})
					w.s.Screen, w.s.Token = "opening.now", "tok"
					w.s, _ = book.Step(w.s, m, flows.Chose{Data: "tok.o1"})
				case "blocked":
					w.s, _ = book.Step(w.s, m, flows.Blocked{})
				}
				// What was let go before is settled; from here on nobody gives a sign.
				for i := range 25 {
					w.now = w.now.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "hours")) * time.Hour)
					o, post := flows.Officer{ID: "1", Name: "siti"}, flows.PostID(fmt.Sprint("q", i))
					ev := rapid.SampledFrom([]flows.Event{
						flows.TimedOut{},
						flows.Claimed{Officer: o},
						flows.Closed{Officer: o},
						flows.Replied{Post: post, Officer: o, Text: canary},
						flows.Revised{Post: flows.PostID(fmt.Sprint("q", i-1)), Officer: o, Text: canary + "2"},
						flows.Delivered{Effect: flows.Open{}, Post: "root"},
					}).Draw(t, "event")
					var effects []flows.Effect
					w.s, effects = book.Step(w.s, flows.Moment{At: w.now}, ev)
					for _, e := range effects {
						switch e := e.(type) {
						case flows.Say:
							t.Fatalf("%T: a message, though the person is to write first", ev)
						case flows.Show:
							if !e.Quiet {
								t.Fatalf("%T: a bubble that nobody asked for", ev)
							}
						}
					}
				}
			})
		})
	}
}

// TestAHumanIsOneTapAway holds domain.md's "human reachable from every screen":
// in every state there is the button, and it opens or calls; and there is the one
// that deletes.
func TestAHumanIsOneTapAway(t *testing.T) {
	book := shippedBook(t)
	rapid.Check(t, func(t *rapid.T) {
		w := &world{book: book, now: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			w.steps++
			m := flows.Moment{At: w.now}
			copy(m.Fresh[:], fmt.Sprintf("%016d", w.steps))
			w.s, _ = book.Step(w.s, m, w.event(t))
		}
		v := book.View(w.s, w.now)
		if v.Text == "" {
			return
		}
		press := func(suffix string) (flows.State, bool) {
			for _, row := range v.Rows {
				for _, b := range row {
					if strings.HasSuffix(b.Data, "."+suffix) {
						m := flows.Moment{At: w.now, Fresh: [16]byte{9}}
						s, _ := book.Step(w.s, m, flows.Chose{Message: w.s.Shown, Data: b.Data})
						return s, true
					}
				}
			}
			return flows.State{}, false
		}
		if s, ok := press("h"); !ok || s.Case == nil || s.Case.Phase == flows.Ended {
			t.Fatalf("at %s a human is not one tap away (%t)", w.s.Screen, ok)
		}
		if s, ok := press("x"); !ok || s.Screen != "" {
			t.Fatalf("at %s the chat cannot be deleted (%t)", w.s.Screen, ok)
		}
	})
}
