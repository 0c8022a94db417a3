package flows_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"suar/flows"
)

// TestNothingIsFetchedThatWasNotAllowed: whatever happens, a file is asked for
// only in a case whose officers allowed it, from a person who is in it, and
// only if it may be a photo or a voice message. (Never of section 8: media is
// rejected by default and never downloaded by itself.)
func TestNothingIsFetchedThatWasNotAllowed(t *testing.T) {
	book := shippedBook(t)
	rapid.Check(t, func(t *rapid.T) {
		w := &world{book: book, now: monday}
		allowed := false
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			ev := w.event(t)
			before := w.s
			effects := w.step(ev)
			if acted, ok := ev.(flows.Acted); ok && acted.Action == flows.ActionMedia {
				allowed = acted.Choice == "mark"
			}
			for _, e := range effects {
				if _, fetch := e.(flows.Fetch); !fetch {
					continue
				}
				attached, ok := ev.(flows.Attached)
				if !ok || !allowed || attached.File == "" || before.Left || before.Case == nil || before.Case.Phase == flows.Ended || !before.Case.Takes {
					t.Fatalf("%#v made the edge fetch", ev)
				}
			}
			w.queue(effects)
		}
	})
}

// TestWhatIsSealedIsErased: whatever happens, and whatever fails, what was
// sealed is either in the state of a case that goes on, or its erasure is on its
// way; and after the policy's time nothing is left.
func TestWhatIsSealedIsErased(t *testing.T) {
	book := shippedBook(t)
	rapid.Check(t, func(t *rapid.T) {
		w := &world{book: book, now: monday, s: permitted(book)}
		sealed := map[flows.MediaID]bool{}
		perform := func(ev flows.Event) {
			switch ev := ev.(type) {
			case flows.Delivered:
				switch e := ev.Effect.(type) {
				case flows.Fetch:
					sealed[e.Media] = true
				case flows.Drop:
					delete(sealed, e.Media)
				}
			case flows.Undelivered:
				if e, ok := ev.Effect.(flows.Fetch); ok {
					sealed[e.Media] = true // Perhaps: its outcome was lost.
				}
				if e, ok := ev.Effect.(flows.Drop); ok {
					// It is never given up.
					w.queue([]flows.Effect{e})
					return
				}
			}
			w.queue(w.step(ev))
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if rapid.IntRange(0, 3).Draw(t, "photo") == 0 {
				perform(flows.Attached{Message: "m", Media: flows.MediaPhoto, File: "f"})
				continue
			}
			perform(w.event(t))
		}
		drain := func() {
			for n := 0; len(w.waiting) > 0; n++ {
				if n > 1000 {
					t.Fatal("the effects bring about each other without end")
				}
				e := w.waiting[0]
				w.waiting = w.waiting[1:]
				perform(flows.Delivered{Effect: e, Message: "m", Post: "p"})
			}
		}
		drain()
		for id := range sealed {
			if !holds(w.s, id) {
				t.Fatalf("a medium is sealed that no state knows, in %s", write(t, w.s))
			}
		}
		w.now = w.now.Add(169 * time.Hour)
		perform(flows.TimedOut{})
		drain()
		if len(sealed) > 0 {
			t.Fatalf("after 7 days %d media are sealed", len(sealed))
		}
	})
}

// TestMediaOfACaseThatIsNoMore: what comes of a fetch after its conversation is
// erased is erased, too.
func TestMediaOfACaseThatIsNoMore(t *testing.T) {
	book := shippedBook(t)
	_, effects := book.Step(flows.State{}, flows.Moment{At: monday}, flows.Delivered{Effect: flows.Fetch{Media: "x"}})
	if len(effects) != 1 || effects[0] != flows.Effect(flows.Drop{Media: "x"}) {
		t.Errorf("effects %v; want the content dropped", effects)
	}
	// A colleague's step may take the case away without a word about media.
	s := permitted(book)
	s, _ = book.Step(s, flows.Moment{At: monday}, flows.Attached{Message: "9", Media: flows.MediaPhoto, File: "f"})
	id := s.Case.Media[0].ID
	s.Case.Phase, s.Case.Closed = flows.Ended, monday
	_, effects = book.Step(s, flows.Moment{At: monday.Add(time.Minute)}, flows.Started{Message: "10"})
	found := false
	for _, e := range effects {
		found = found || e == flows.Effect(flows.Drop{Media: id})
	}
	if !found {
		t.Errorf("effects %v; want the content dropped", effects)
	}
}

// TestAnAlbumOfEleven: ten wait at most, and the eleventh is refused without a
// look.
func TestAnAlbumOfEleven(t *testing.T) {
	book := shippedBook(t)
	s, fetched := permitted(book), 0
	for i := range 11 {
		m := flows.Moment{At: monday}
		copy(m.Fresh[:], fmt.Sprintf("%016d", i))
		var effects []flows.Effect
		s, effects = book.Step(s, m, flows.Attached{Message: flows.MessageID(fmt.Sprint(20 + i)), Media: flows.MediaPhoto, File: "f"})
		for _, e := range effects {
			if _, ok := e.(flows.Fetch); ok {
				fetched++
			}
		}
	}
	if fetched != 10 || s.Note != "ui.media_many" {
		t.Errorf("%d were fetched and the person is told %q; want 10 and that there are too many", fetched, s.Note)
	}
}

// TestFamiliesAreNotAskedForPhotos: what the menu offers of a family's case does
// not let it.
func TestFamiliesAreNotAskedForPhotos(t *testing.T) {
	book := shippedBook(t)
	s := begun(t, book, monday)
	s.Kind = "family"
	s, _ = book.Step(s, flows.Moment{At: monday}, flows.Acted{Action: flows.ActionMedia, Choice: "mark"})
	if s.Case.Takes {
		t.Error("photos are taken in a family's case")
	}
}

var monday = time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)

func shippedBook(t *testing.T) *flows.Book {
	t.Helper()
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// permitted is a claimed case in which photos are taken.
func permitted(book *flows.Book) flows.State {
	var s flows.State
	o := flows.Officer{ID: "1", Name: "siti"}
	for i, ev := range []flows.Event{
		flows.Said{Message: "1", Text: "tolong"},
		flows.Delivered{Effect: flows.Open{}, Post: "root"},
		flows.Claimed{Officer: o},
		flows.Acted{Officer: o, Action: flows.ActionMedia, Choice: "mark"},
	} {
		m := flows.Moment{At: monday}
		copy(m.Fresh[:], fmt.Sprintf("%016d", 1000+i))
		s, _ = book.Step(s, m, ev)
	}
	return s
}

// step steps once; the next step begins with what was written down.
func (w *world) step(ev flows.Event) []flows.Effect {
	w.steps++
	m := flows.Moment{At: w.now}
	copy(m.Fresh[:], fmt.Sprintf("%016d", w.steps))
	next, effects := w.book.Step(w.s, m, ev)
	w.s = flows.State{}
	if !next.Blank() {
		raw, err := json.Marshal(next)
		if err == nil {
			err = json.Unmarshal(raw, &w.s)
		}
		if err != nil {
			panic(err)
		}
	}
	return effects
}

func (w *world) queue(effects []flows.Effect) {
	for _, e := range effects {
		if e.To() != flows.Archive {
			w.waiting = append(w.waiting, e)
		}
	}
}

func holds(s flows.State, id flows.MediaID) bool {
	if s.Case == nil {
		return false
	}
	for _, m := range s.Case.Media {
		if m.ID == id {
			return true
		}
	}
	return false
}

// TestNobodyElseIsLetIn: who sees the cover, because the chat was left, is at
// rest or is behind the mask of a wrong check word, sends no photo, although one
// was allowed to the person.
func TestNobodyElseIsLetIn(t *testing.T) {
	book := shippedBook(t)
	for name, change := range map[string]func(*flows.State){
		"left":        func(s *flows.State) { s.Left = true },
		"at rest":     func(s *flows.State) { s.Rest = &flows.Rest{Screen: "case.talk"} },
		"masked":      func(s *flows.State) { s.Mask = &flows.State{Screen: "consular.home"} },
		"case closed": func(s *flows.State) { s.Case.Phase = flows.Ended },
	} {
		s := permitted(book)
		change(&s)
		_, effects := book.Step(s, flows.Moment{At: monday}, flows.Attached{Message: "9", Media: flows.MediaPhoto, File: "f"})
		for _, e := range effects {
			if _, ok := e.(flows.Fetch); ok {
				t.Errorf("%s: the photo is fetched", name)
			}
		}
	}
	_, effects := book.Step(permitted(book), flows.Moment{At: monday}, flows.Attached{Message: "9", Media: flows.MediaPhoto, File: "f"})
	if !slices.ContainsFunc(effects, func(e flows.Effect) bool { _, ok := e.(flows.Fetch); return ok }) {
		t.Error("the person's own photo is not fetched: the test shows nothing")
	}
}
