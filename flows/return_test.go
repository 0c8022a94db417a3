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

// TestCodesStayNowhere walks at random through everything that can be pressed,
// with codes typed, made, looked up and moved. At no time does a state keep what
// was typed for a code, or a code that is not on the screen or older than ten
// minutes, or one of a case that is over; and nothing is sent to a chat whose case
// went elsewhere but what erases.
func TestCodesStayNowhere(t *testing.T) {
	t.Parallel()
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	met := map[string]int{}
	const typed = "kodeyangdiketik"
	rapid.Check(t, func(t *rapid.T) {
		var s flows.State
		now := time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)
		n := 0
		var waits []flows.Effect
		step := func(ev flows.Event) []flows.Effect {
			n++
			m := flows.Moment{At: now}
			copy(m.Fresh[:], fmt.Sprintf("%016d", n))
			var effects []flows.Effect
			s, effects = book.Step(s, m, ev)
			for _, e := range effects {
				switch e.(type) {
				case flows.Hash, flows.Look, flows.Check, flows.Open, flows.Show:
					waits = append(waits, e)
				}
			}
			return effects
		}
		step(flows.Started{})
		press := func(key string) {
			want := book.Text("en", key)
			for _, row := range book.View(s, now).Rows {
				for _, b := range row {
					if b.Label == want {
						step(flows.Chose{Data: b.Data})
						return
					}
				}
			}
		}
		english := func() {
			step(flows.Chose{Data: s.Token + ".len"})
			press("consular.home.help")
		}
		perform := func() []flows.Effect {
			e := waits[0]
			waits = waits[1:]
			switch e := e.(type) {
			case flows.Hash:
				return step(flows.Hashed{For: e.For, Note: e.Note, Sum: fmt.Sprint("sum", n)})
			case flows.Look:
				return step(e.Outcome("asked"))
			case flows.Check:
				return step(flows.Checked{For: e.For, Note: e.Note, Text: e.Text, Match: -1})
			}
			return step(flows.Delivered{Effect: e, Message: flows.MessageID(fmt.Sprint("b", n)), Post: "card"})
		}
		switch rapid.SampledFrom([]string{"nobody", "asker", "person"}).Draw(t, "who") {
		case "asker":
			english()
			for _, key := range []string{"opening.now.yes", "opening.notice.agree", "opening.need.number"} {
				press(key)
			}
		case "person":
			english()
			press("opening.now.danger")
			for len(waits) > 0 {
				perform()
			}
			step(flows.Claimed{Officer: flows.Officer{ID: "u", Name: "siti"}})
			for range 3 {
				press("ui.skip")
			}
			for _, key := range []string{"case.talk.more", "case.more.code", "case.code.words"} {
				press(key)
			}
			for len(waits) > 0 {
				perform()
			}
			if rapid.Bool().Draw(t, "somebody asks") {
				step(flows.Sought{From: "other", Sum: s.Lookup(), Text: "rendang"})
				for len(waits) > 0 {
					perform()
				}
			}
		}
		met[s.Screen]++
		for range rapid.IntRange(10, 80).Draw(t, "events") {
			before, hadCode := s, s.Lookup()
			var effects []flows.Effect
			switch what := rapid.IntRange(0, 23).Draw(t, "what"); {
			case what < 11:
				var data []string
				for _, row := range book.View(s, now).Rows {
					for _, b := range row {
						data = append(data, b.Data)
					}
				}
				if len(data) > 0 {
					effects = step(flows.Chose{Data: rapid.SampledFrom(data).Draw(t, "button")})
				}
			case what < 13:
				if strings.HasPrefix(s.Screen, "return.") {
					effects = step(flows.Said{Message: flows.MessageID(fmt.Sprint("m", n)), Text: typed})
				}
			case what < 16 && len(waits) > 0:
				effects = perform()
			case what < 18:
				effects = step(flows.Sought{From: "other", Sum: hadCode, Text: "rendang"})
			case what < 21:
				i := slices.IndexFunc(book.Card(s, now).Menu, func(a flows.Action) bool { return a.Name == flows.ActionReturn })
				if i >= 0 {
					a := book.Card(s, now).Menu[i]
					effects = step(flows.Acted{Officer: flows.Officer{ID: "u", Name: "siti"}, Action: a.Name, Choice: a.Choice})
				}
			case what == 21:
				effects = step(flows.Closed{Officer: flows.Officer{ID: "u", Name: "siti"}})
			default:
				if at := s.Alarm(); !at.IsZero() && at.After(now) {
					now = at
				}
				effects = step(flows.TimedOut{})
			}
			for _, e := range effects {
				if _, ok := e.(flows.Hand); ok {
					met["moved"]++
					for _, e := range effects {
						if _, erases := e.(flows.Erase); e.To() == flows.Caller && !erases {
							t.Errorf("%T to a chat whose case went elsewhere", e)
						}
					}
					if s.Case != nil || len(s.Replies) > 0 || len(s.Answers) > 0 || s.Screen != "" {
						t.Errorf("the old chat keeps %+v", s)
					}
				}
			}
			raw, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(raw), typed) && s.Return == nil {
				t.Errorf("after %q the state keeps what was typed: %s", before.Screen, raw)
			}
			if s.Code != "" && (s.Screen != "case.ticket" || now.Sub(s.CodeAt) > 10*time.Minute) {
				t.Errorf("the code of %v is kept at %v on %q", s.CodeAt, now, s.Screen)
			}
			if s.Case != nil && s.Case.Phase == flows.Ended && s.Lookup() != "" {
				t.Error("a code leads to a case that is over")
			}
		}
	})
	for _, want := range []string{"moved", "case.ticket", "return.number"} {
		if met[want] == 0 {
			t.Errorf("the walk never met %q: %v", want, met)
		}
	}
}
