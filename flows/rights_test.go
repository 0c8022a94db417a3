package flows_test

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"suar/flows"
)

// lived is a conversation after anything happened in it.
func lived(t *rapid.T, book *flows.Book) *world {
	w := &world{book: book, now: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
	for range rapid.IntRange(1, 40).Draw(t, "steps") {
		w.goes(w.event(t))
	}
	return w
}

// goes steps once, and what is to be performed waits.
func (w *world) goes(ev flows.Event) []flows.Effect {
	effects := w.step(ev)
	w.queue(effects)
	return effects
}

// at puts the person at a screen, as they could have come there.
func (w *world) at(screen string) {
	w.s.Screen, w.s.Token, w.s.Rest, w.s.Trail, w.s.Note, w.s.Page = screen, "AAAAAAAA", nil, nil, "", ""
	w.s.Seen = w.now // Whoever was away for long is asked first whether it is OK to chat.
}

// press presses the first option of the screen.
func (w *world) press(option int) []flows.Effect {
	return w.goes(flows.Chose{Data: fmt.Sprintf("AAAAAAAA.o%d", option)})
}

// TestWithdrawalLeavesNothing (domain 7.4, 8): whatever was said before, nothing
// of it is left in the state after the consent is withdrawn; the transcript is
// erased and never added to again; all messages are erased; nothing that waited
// is posted or sent; and what remains goes by itself.
func TestWithdrawalLeavesNothing(t *testing.T) {
	book := shippedBook(t)
	rapid.Check(t, func(t *rapid.T) {
		w := lived(t, book)
		if w.s.Case == nil || w.s.Left {
			return
		}
		id := w.s.Case.ID
		before := w.s
		w.at("case.withdraw")
		effects := w.press(0)
		if w.s.Case != nil && !w.s.Case.Withdrawn {
			t.Fatal("the case goes on")
		}
		var erased []flows.MessageID
		shredded, told := false, false
		for _, e := range effects {
			switch e := e.(type) {
			case flows.Erase:
				erased = append(erased, e.Messages...)
			case flows.Shred:
				shredded = shredded || e.Case == id
			case flows.Tell:
				told = told || e.Text == book.OfficerText("card.withdrawn")
			case flows.Record, flows.Relay, flows.Say, flows.Amend, flows.Show:
				t.Fatalf("%T after the withdrawal", e)
			case flows.Update:
				if text := fmt.Sprint(e.Last); e.Last == nil || strings.Contains(text, "fact") || len(e.Last.Lines) != 1 {
					t.Fatalf("the last card still says something: %s", text)
				}
			}
		}
		if !shredded || !told {
			t.Fatalf("the transcript is erased: %v, the officers are told: %v", shredded, told)
		}
		for _, m := range before.Messages {
			if !slices.Contains(erased, m.ID) {
				t.Fatalf("the message %s is not erased", m.ID)
			}
		}
		kept := w.s
		kept.Messages, kept.Case = nil, nil
		kept.Seen, kept.LeftAt, kept.Due = time.Time{}, time.Time{}, time.Time{}
		if got := write(t, kept); got != `{"left":true,"revoked":true}` {
			t.Fatalf("this is kept: %s", got)
		}
		if strings.Contains(write(t, w.s), canary) {
			t.Fatal("the state holds what somebody said")
		}
		if len(w.book.Card(w.s, w.now).Menu) != 0 {
			t.Fatal("officers are still offered actions")
		}
		// What officers still try reaches nobody and is kept nowhere.
		o := flows.Officer{ID: "9", Name: "rina"}
		for _, ev := range []flows.Event{
			flows.Replied{Post: "late", Officer: o, Text: canary},
			flows.Noted{Post: "note", Officer: o, Text: canary},
			flows.Revised{Post: "late", Officer: o, Text: canary},
			flows.Withdrawn{Post: "late"},
			flows.Claimed{Officer: o},
			flows.Closed{Officer: o},
			flows.Acted{Officer: o, Action: flows.ActionHostile, Choice: "mark"},
			flows.TimedOut{},
		} {
			for _, e := range w.goes(ev) {
				if _, erase := e.(flows.Erase); e.To() == flows.Archive || e.To() == flows.Caller && !erase {
					t.Fatalf("%T after %T", e, ev)
				}
			}
		}
		if strings.Contains(write(t, w.s), canary) {
			t.Fatal("the state holds what an officer said")
		}
		// Whatever waited is performed, or not wanted any more.
		for len(w.waiting) > 0 {
			e := w.waiting[0]
			w.waiting = w.waiting[1:]
			var ev flows.Event = flows.Delivered{Effect: e, Message: "99", Post: "p99"}
			if !book.Wanted(w.s, w.now, e) {
				ev = flows.Undelivered{Effect: e, Reason: flows.ReasonUnwanted}
			} else if _, words := e.(flows.Relay); words && w.s.Revoked {
				t.Fatal("words that waited are still posted")
			}
			for _, e := range w.goes(ev) {
				if r, ok := e.(flows.Record); ok {
					t.Fatalf("the erased transcript is added to: %s", r.Kind)
				}
			}
		}
		if !w.s.Blank() || w.s.Case != nil {
			t.Fatalf("this stays: %s", write(t, w.s))
		}
	})
}

// TestAStrangerWithdrawsNothing: whoever opens a chat that was left may be
// somebody else, and cannot end the case with it.
func TestAStrangerWithdrawsNothing(t *testing.T) {
	book := shippedBook(t)
	m := flows.Moment{At: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
	s := begun(t, book, m.At)
	s, _ = book.Step(s, m, flows.Asked{Message: "2", What: flows.AskDelete})
	s, _ = book.Step(s, m, flows.Started{Message: "3"})
	if held := book.View(at(s, "case.held"), m.At).Text; strings.Contains(held, "2026-03-02") {
		t.Errorf("a stranger is told of the case: %s", held)
	}
	s, effects := book.Step(at(s, "case.withdraw"), m, flows.Chose{Data: "AAAAAAAA.o0"})
	if s.Case == nil || s.Case.Withdrawn || s.Aside == nil {
		t.Error("a stranger ended the case")
	}
	for _, e := range effects {
		if _, ok := e.(flows.Shred); ok {
			t.Error("a stranger erased the transcript")
		}
	}
}

func at(s flows.State, screen string) flows.State {
	s.Screen, s.Token, s.Rest, s.Note = screen, "AAAAAAAA", nil, ""
	return s
}

// TestCorrectionsClearNoFlag (domain 7.2, 8; coercion): no answer, however often
// corrected, takes back a mark of danger or of age, and the officers are told of
// each correction.
func TestCorrectionsClearNoFlag(t *testing.T) {
	book := shippedBook(t)
	rapid.Check(t, func(t *rapid.T) {
		w := &world{book: book, now: monday}
		if rapid.Bool().Draw(t, "with a case") {
			w.goes(flows.Said{Message: "1", Text: "hello"})
			w.goes(flows.Delivered{Effect: flows.Open{}, Post: "root"})
		} else {
			w.goes(flows.Started{Message: "1"})
		}
		w.s.Language, w.s.Kind = "en", "victim"
		w.s.Answers = []flows.Answer{
			{Screen: "victim.citizen", Fact: "citizen", Options: []string{"yes"}},
			{Screen: "victim.minor", Fact: "minor", Options: []string{"yes"}},
			{Screen: "victim.free", Fact: "free", Options: []string{"no"}},
			{Screen: "victim.withheld", Fact: "withheld", Options: []string{"pay", "food"}},
			{Screen: "victim.wish", Fact: "wish"},
			{Screen: "victim.contact", Fact: "contact", Options: []string{"first"}},
		}
		w.s.Danger, w.s.Minor, w.s.Pressing = true, true, rapid.Bool().Draw(t, "pressing")
		for range rapid.IntRange(1, 10).Draw(t, "corrections") {
			if len(w.s.Answers) == 0 {
				return
			}
			w.at("case.held")
			i := rapid.IntRange(0, len(w.s.Answers)-1).Draw(t, "answer")
			before, had := w.s.Facts, w.s.Case != nil && !w.s.Left && w.s.Case.Phase != flows.Ended
			w.goes(flows.Chose{Data: fmt.Sprintf("AAAAAAAA.c%d", i)})
			if w.s.Screen == "case.held" {
				continue // There is no such question any more.
			}
			var data []string
			for _, row := range book.View(w.s, w.now).Rows {
				for _, b := range row {
					if _, press, _ := strings.Cut(b.Data, "."); strings.ContainsAny(press[:1], "osd") {
						data = append(data, b.Data)
					}
				}
			}
			if len(data) == 0 {
				continue // It takes text only.
			}
			effects := w.goes(flows.Chose{Data: rapid.SampledFrom(data).Draw(t, "press")})
			if before.Danger && !w.s.Danger || before.Minor && !w.s.Minor || before.Pressing && !w.s.Pressing {
				t.Fatal("a correction took a mark back")
			}
			changed := fmt.Sprint(before.Answers) != fmt.Sprint(w.s.Answers)
			carded := slices.Contains(effects, flows.Effect(flows.Update{}))
			if had && changed && !carded && before.Answers[i].Fact != "fold" {
				t.Fatalf("the officers do not see a correction: %v, now %v, by %v", before.Answers, w.s.Answers, effects)
			}
		}
	})
}

// TestANewerNoticeIsAskedFor (domain 4, 7.0): a newer version of the notice asks
// again at the person's next sign, never by itself; words are passed on all the
// same, danger is one press away, and once agreed it is not asked again.
func TestANewerNoticeIsAskedFor(t *testing.T) {
	old, book := shippedBook(t), withNotice(t, "2027-02")
	m := flows.Moment{At: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
	s := begun(t, old, m.At)
	s.Notice, s.Language = "2026-11", "en"
	// Nothing that others do asks.
	for _, ev := range []flows.Event{
		flows.Claimed{Officer: flows.Officer{ID: "1", Name: "siti"}},
		flows.TimedOut{},
		flows.Replied{Post: "p", Officer: flows.Officer{ID: "1", Name: "siti"}, Text: "x"},
	} {
		if s, _ = book.Step(s, m, ev); s.Screen == "case.renew" {
			t.Fatalf("%T asks", ev)
		}
	}
	said, effects := book.Step(s, m, flows.Said{Message: "5", Text: "hello"})
	if said.Screen != "case.renew" {
		t.Fatalf("the person is at %q", said.Screen)
	}
	if !slices.Contains(effects, flows.Effect(flows.Relay{Text: "hello"})) {
		t.Errorf("the words are not passed on: %v", effects)
	}
	danger := false
	for _, row := range book.View(said, m.At).Rows {
		for _, b := range row {
			danger = danger || b.Danger
		}
	}
	if !danger {
		t.Error("danger is not one press away")
	}
	token := said.Token
	later, _ := book.Step(said, m, flows.Chose{Data: token + ".o1"})
	if later.Screen != "case.talk" || later.Notice != "2026-11" {
		t.Errorf("later leads to %q, notice %q", later.Screen, later.Notice)
	}
	if again, _ := book.Step(later, m, flows.Said{Message: "6", Text: "x"}); again.Screen == "case.renew" {
		t.Error("it is asked twice in one conversation")
	}
	agreed, effects := book.Step(said, m, flows.Chose{Data: token + ".o0"})
	if agreed.Notice != "2027-02" || agreed.Screen != "case.talk" || !slices.Contains(effects, flows.Effect(flows.Update{})) {
		t.Errorf("agreed: notice %q at %q, effects %v", agreed.Notice, agreed.Screen, effects)
	}
	m.At = m.At.Add(5 * time.Hour)
	if next, _ := book.Step(agreed, m, flows.Said{Message: "7", Text: "x"}); next.Screen == "case.renew" {
		t.Error("it is asked although it was agreed to")
	}
}

// withNotice is the shipped book with another version of the notice.
func withNotice(t *testing.T, version string) *flows.Book {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(flows.Shipped(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(flows.Shipped(), path)
		if path == "policy.yaml" {
			raw = []byte(strings.Replace(string(raw), `notice: "2026-11"`, `notice: "`+version+`"`, 1))
		}
		files[path] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	book, err := flows.Load(files, flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	return book
}
