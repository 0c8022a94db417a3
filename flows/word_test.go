package flows_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"suar/flows"
	"suar/flows/rehearsal"
)

const (
	testWord   = "rendang padang"
	testPhrase = "how is the weather today"
)

// A life is one conversation under way whose keeper answers when asked to.
type life struct {
	t       testing.TB
	book    *flows.Book
	s       flows.State
	now     time.Time
	steps   int
	message int
	keeper  []flows.Effect
	// caller and officers are what was to be done since they were last emptied.
	caller, officers []flows.Effect
	records          []flows.Record
	// watch, if not nil, sees what is delivered to the chat.
	watch func(flows.Delivered)
	// night, if not nil, says until when nobody is on duty, zero if somebody is.
	night func(now time.Time) time.Time
}

// theBook reads the book once: it does not change, and a property needs many
// lives.
var theBook = sync.OnceValues(func() (*flows.Book, error) {
	return flows.Load(flows.Shipped(), flows.Directory{})
})

func newLife(t testing.TB) *life {
	t.Helper()
	book, err := theBook()
	if err != nil {
		t.Fatal(err)
	}
	return &life{t: t, book: book, now: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
}

// happen steps, and delivers what comes of it to the edges, but not to the
// keeper.
func (l *life) happen(ev flows.Event) {
	l.t.Helper()
	l.steps++
	m := flows.Moment{At: l.now}
	copy(m.Fresh[:], fmt.Sprintf("%016d", l.steps))
	raw, err := json.Marshal(l.s)
	if err != nil {
		l.t.Fatal(err)
	}
	var s flows.State
	if err := json.Unmarshal(raw, &s); err != nil {
		l.t.Fatal(err)
	}
	var effects []flows.Effect
	l.s, effects = l.book.Step(s, m, ev)
	for _, e := range effects {
		switch e.To() {
		case flows.Keeper:
			l.keeper = append(l.keeper, e)
			continue
		case flows.Archive:
			if r, ok := e.(flows.Record); ok {
				l.records = append(l.records, r)
			}
			continue
		case flows.Caller:
			l.caller = append(l.caller, e)
		case flows.Officers:
			l.officers = append(l.officers, e)
		}
		d := flows.Delivered{Effect: e, Post: "root"}
		if show, ok := e.(flows.Show); ok {
			bubble, buried := l.s.Bubble()
			if d.Message = bubble; bubble == "" || buried && !show.Quiet {
				d.Message = l.id()
			}
		}
		if _, ok := e.(flows.Say); ok {
			d.Message = l.id()
		}
		switch e.(type) {
		case flows.Open, flows.Page, flows.Tell:
			if l.night != nil {
				d.Duty = l.night(l.now)
				d.Unattended = !d.Duty.IsZero()
			}
		}
		if l.watch != nil && e.To() == flows.Caller {
			l.watch(d)
		}
		l.happen(d)
	}
}

func (l *life) id() flows.MessageID {
	l.message++
	return flows.MessageID(fmt.Sprint("m", l.message))
}

// keep lets the keeper do all that waits for it, in order.
func (l *life) keep() {
	l.t.Helper()
	for len(l.keeper) > 0 {
		e := l.keeper[0]
		l.keeper = l.keeper[1:]
		if ev := rehearsal.Keep(e); ev != nil {
			l.happen(ev)
		}
	}
}

func (l *life) says(text string) {
	l.t.Helper()
	l.happen(flows.Said{Message: l.id(), Text: text})
	l.keep()
}

func (l *life) presses(label string) {
	l.t.Helper()
	bubble, _ := l.s.Bubble()
	v := l.book.View(l.s, l.now)
	for _, row := range v.Rows {
		for _, b := range row {
			if b.Label == label {
				l.happen(flows.Chose{Message: bubble, Data: b.Data})
				return
			}
		}
	}
	l.t.Fatalf("there is no button %q beneath %q", label, v.Text)
}

// passes lets time pass, with the alarms on the way.
func (l *life) passes(d time.Duration) {
	l.t.Helper()
	until := l.now.Add(d)
	for rings := 0; ; rings++ {
		if rings > 1000 {
			l.t.Fatal("the alarm rings for ever")
		}
		due := l.s.Alarm()
		if due.IsZero() || due.After(until) {
			l.now = until
			return
		}
		if due.After(l.now) {
			l.now = due
		}
		l.happen(flows.TimedOut{})
	}
}

// inCase is a conversation with an officer, and the secrets that are not "".
func inCase(t testing.TB, word, phrase string) *life {
	t.Helper()
	l := newLife(t)
	l.happen(flows.Started{Message: l.id()})
	l.presses("English")
	l.says("please help")
	l.happen(flows.Claimed{Officer: flows.Officer{ID: "1", Name: "siti"}})
	l.presses("More")
	l.presses("Check word")
	if word != "" {
		l.presses("Set a check word")
		l.says(word)
	}
	if phrase != "" {
		l.presses("Set a danger phrase")
		l.says(phrase)
	}
	l.presses("Back")
	l.presses("Back to the chat")
	return l
}

// asked is a conversation at the check question, after a break.
func asked(t testing.TB, word, phrase string) *life {
	t.Helper()
	l := inCase(t, word, phrase)
	l.passes(40 * time.Minute)
	l.presses("Contact the embassy")
	l.presses("Yes")
	if v := l.book.View(l.s, l.now); v.Text != "What is your favourite food?" {
		t.Fatalf("after a break the bubble says %q", v.Text)
	}
	return l
}

// seen is the bubble without the tokens of its buttons, which are random.
func seen(v flows.View) string {
	var b strings.Builder
	b.WriteString(v.Text)
	for _, row := range v.Rows {
		b.WriteString("\n")
		for _, button := range row {
			_, press, _ := strings.Cut(button.Data, ".")
			fmt.Fprintf(&b, " [%s %s %v]", button.Label, press, button.Danger)
		}
	}
	return b.String()
}

// kinds names effects, each with what the person notices of it.
func kinds(effects []flows.Effect) []string {
	var out []string
	for _, e := range effects {
		kind := flows.EffectKind(e)
		if show, ok := e.(flows.Show); ok && show.Quiet {
			kind += " quietly"
		}
		out = append(out, kind)
	}
	return out
}

// TestWrongDuressAndStrangerLookTheSame: domain.md 7.2 and 8, never confirm or
// deny a person's contact. What is seen after a wrong answer and after the
// duress phrase is what a stranger sees who opens the chat, byte for byte, and it
// comes about in the same order.
func TestWrongDuressAndStrangerLookTheSame(t *testing.T) {
	stranger := newLife(t)
	stranger.happen(flows.Started{Message: stranger.id()})
	stranger.presses("English")
	stranger.caller = nil
	stranger.happen(flows.Started{Message: stranger.id()})
	want := seen(stranger.book.View(stranger.s, stranger.now))
	wantKinds := []string{"erase", "show", "erase"} // The message, the cover, the old bubble.
	if got := kinds(stranger.caller); !slices.Equal(got, wantKinds) {
		t.Fatalf("a stranger sees %q", got)
	}
	answers := map[string]string{
		"wrong": "nasi goreng", "duress": testPhrase, "emoji": "🍜🇮🇩", "right to left": "\u202eطعام\u202c",
		"long": strings.Repeat("a", 4096), "nearly": testWord + "!", "one letter": "r", "blank": "   ", "invisible": "\u200b\u2060",
	}
	for name, text := range answers {
		t.Run(name, func(t *testing.T) {
			l := asked(t, testWord, testPhrase)
			l.caller = nil
			l.says(text)
			if diff := cmp.Diff(want, seen(l.book.View(l.s, l.now))); diff != "" {
				t.Errorf("it is not what a stranger sees (-stranger +seen):\n%s", diff)
			}
			if got := kinds(l.caller); !slices.Equal(got, wantKinds) {
				t.Errorf("the order is %q, a stranger's %q", got, wantKinds)
			}
		})
	}
	t.Run("media", func(t *testing.T) {
		l := asked(t, testWord, testPhrase)
		l.happen(flows.Attached{Message: l.id(), Media: flows.MediaPhoto})
		l.keep()
		if diff := cmp.Diff(want, seen(l.book.View(l.s, l.now))); diff != "" {
			t.Errorf("a photo for an answer is not what a stranger sees (-stranger +seen):\n%s", diff)
		}
	})
	t.Run("duress in the middle", func(t *testing.T) {
		l := inCase(t, "", testPhrase)
		l.says(testPhrase)
		if diff := cmp.Diff(want, seen(l.book.View(l.s, l.now))); diff != "" {
			t.Errorf("the phrase does not show what a stranger sees (-stranger +seen):\n%s", diff)
		}
	})
}

// TestTheStrangersWay: whatever is pressed behind a mask leads where it leads a
// stranger, and shows the same, until the officers are asked for.
func TestTheStrangersWay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := asked(t, testWord, testPhrase)
		l.says(rapid.SampledFrom([]string{"wrong", testPhrase}).Draw(rt, "answer"))
		stranger := newLife(t)
		stranger.now = l.now
		stranger.happen(flows.Started{Message: stranger.id()})
		stranger.presses("English")
		for range rapid.IntRange(1, 12).Draw(rt, "presses") {
			v := stranger.book.View(stranger.s, stranger.now)
			var labels []string
			for _, row := range v.Rows {
				for _, b := range row {
					labels = append(labels, b.Label)
				}
			}
			if len(labels) == 0 {
				return
			}
			label := rapid.SampledFrom(labels).Draw(rt, "label")
			l.caller, stranger.caller = nil, nil
			l.presses(label)
			stranger.presses(label)
			if diff := cmp.Diff(seen(stranger.book.View(stranger.s, stranger.now)), seen(l.book.View(l.s, l.now))); diff != "" {
				rt.Fatalf("after %q (-stranger +masked):\n%s", label, diff)
			}
			if a, b := kinds(stranger.caller), kinds(l.caller); !slices.Equal(a, b) {
				rt.Fatalf("after %q a stranger has %q, behind the mask it is %q", label, a, b)
			}
		}
	})
}

// TestTheWordIsNowhere: domain.md 8, zero plaintext. The word and the phrase are
// in no state, record, card or thread, and their messages are erased at once.
func TestTheWordIsNowhere(t *testing.T) {
	l := asked(t, testWord, testPhrase)
	l.says("  RENDANG   padang\u200f ")
	if l.s.Before != "" || l.s.Mask != nil || l.s.Case.Word.Right.IsZero() {
		t.Fatal("the right word was not taken")
	}
	l.says(testPhrase)
	l.says(testWord)
	raw, err := json.Marshal(l.s)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.ToLower(fmt.Sprint(string(raw), l.records, l.officers, l.book.Card(l.s, l.now)))
	for _, secret := range []string{"rendang", "padang", "weather"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is kept or passed on", secret)
		}
	}
}

// TestRightWordGoesOn: the right word leads back to where the person was, with
// the replies that wait, also after the cover was on.
func TestRightWordGoesOn(t *testing.T) {
	for _, first := range [][]string{nil, {"wrong"}, {"wrong", "and more", "words"}, {testPhrase}} {
		l := inCase(t, testWord, testPhrase)
		before := seen(l.book.View(l.s, l.now))
		l.passes(40 * time.Minute)
		l.presses("Contact the embassy")
		l.presses("Yes")
		for _, text := range first {
			l.says(text)
		}
		l.says(testWord)
		l.happen(flows.Claimed{Officer: flows.Officer{ID: "1", Name: "siti"}})
		if diff := cmp.Diff(before, seen(l.book.View(l.s, l.now))); diff != "" {
			t.Errorf("after %q and the word it is not as before:\n%s", first, diff)
		}
	}
}

// TestNothingIsAskedTooSoon: within half an hour nobody is asked, and without a
// word nobody ever is.
func TestNothingIsAskedTooSoon(t *testing.T) {
	l := inCase(t, testWord, "")
	l.passes(20 * time.Minute)
	l.presses("Contact the embassy")
	if l.s.Before != "" {
		t.Error("asked after 20 minutes")
	}
	l = inCase(t, "", testPhrase)
	l.passes(40 * time.Minute)
	l.presses("Contact the embassy")
	l.presses("Yes")
	if l.s.Before != "" {
		t.Error("asked without a word")
	}
}

// TestWordsInOrder: while a phrase is set all words come to the officers once and
// in their order, whatever the keeper does meanwhile, and however many they are.
func TestWordsInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := inCase(t, testWord, testPhrase)
		l.officers = nil
		var want []string
		for n := range rapid.IntRange(1, 60).Draw(rt, "events") {
			text := fmt.Sprint("words ", n)
			switch rapid.IntRange(0, 5).Draw(rt, "what") {
			case 0, 1, 2:
				want = append(want, text)
				l.happen(flows.Said{Message: l.id(), Text: text})
			case 3:
				want = append(want, text)
				l.happen(flows.Edited{Message: "m3", Text: text})
			case 4:
				want = append(want, text)
				l.happen(flows.Attached{Message: l.id(), Media: flows.MediaPhoto, Caption: text})
			case 5:
				if len(l.keeper) > 0 {
					e := l.keeper[0]
					l.keeper = l.keeper[1:]
					l.happen(rehearsal.Keep(e))
				}
			}
		}
		l.keep()
		got := l.words()
		if !slices.Equal(got, want) {
			rt.Fatalf("the thread has %q, want %q", got, want)
		}
	})
}

// TestDangerIsNeverBehindTheQuestion: domain.md 8, rate limits that never lock out
// an emergency press; a human reachable from every screen. At the question and
// behind the mask, after any number of wrong words, danger and "A person" call
// the officers, and it is said that nobody knows who it is.
func TestDangerIsNeverBehindTheQuestion(t *testing.T) {
	for wrong := range 8 {
		for _, label := range []string{"Danger now", "A person"} {
			l := asked(t, testWord, testPhrase)
			for n := range wrong {
				l.says(fmt.Sprint("wrong ", n))
			}
			if wrong == 1 && label == "Danger now" { // After the first one it is the cover.
				l.presses("Contact the embassy")
			}
			// Until somebody has acknowledged, calls are under way.
			l.happen(flows.Claimed{Officer: flows.Officer{ID: "1", Name: "siti"}})
			l.officers = nil
			l.presses(label)
			called, told := false, false
			for _, e := range l.officers {
				switch e := e.(type) {
				case flows.Page:
					called = true
				case flows.Tell:
					told = told || strings.Contains(e.Text, "BELUM TERVERIFIKASI")
				}
			}
			told = told || strings.Contains(fmt.Sprint(l.book.Card(l.s, l.now)), "BELUM TERVERIFIKASI")
			if !called || !told {
				t.Errorf("%q after %d wrong words: called %v, told who it may be %v", label, wrong, called, told)
			}
			if v := l.book.View(l.s, l.now); strings.Contains(v.Text, "An officer has") {
				t.Errorf("%q after %d wrong words reveals the case: %q", label, wrong, v.Text)
			}
			if label == "Danger now" && !l.s.Urgent() {
				t.Error("danger was pressed and nobody hurries")
			}
		}
	}
}

// said returns all that went to the officers and into the transcript, and what is
// kept, in lower case.
func (l *life) said() string {
	l.t.Helper()
	raw, err := json.Marshal(l.s)
	if err != nil {
		l.t.Fatal(err)
	}
	return strings.ToLower(fmt.Sprint(string(raw), l.records, l.officers, l.book.Card(l.s, l.now)))
}

// TestWrongWordsAreLimited: after a few wrong words the right one opens nothing;
// then one an hour counts. All other words still come to the officers. The right
// word never does, and neither by what is seen nor by what is erased does anybody
// learn that it was it; the officers are told.
func TestWrongWordsAreLimited(t *testing.T) {
	l := asked(t, testWord, testPhrase)
	l.officers = nil
	for n := range 50 {
		l.says(fmt.Sprint("guess ", n))
	}
	relayed := 0
	for _, text := range l.words() {
		if strings.HasPrefix(text, "guess") {
			relayed++
		}
	}
	if relayed != 50 {
		t.Errorf("%d of 50 guesses came to the officers", relayed)
	}
	late := func(text string) (told bool) {
		t.Helper()
		l.says("no guess")
		before := seen(l.book.View(l.s, l.now))
		l.caller, l.officers = nil, nil
		l.says("no guess either")
		want := kinds(l.caller)
		l.caller, l.officers = nil, nil
		l.says(text)
		if diff := cmp.Diff(before, seen(l.book.View(l.s, l.now))); diff != "" || l.s.Mask == nil {
			t.Errorf("the secret opens something after 50 guesses:\n%s", diff)
		}
		if got := kinds(l.caller); !slices.Equal(got, want) {
			t.Errorf("by %q it can be seen that it was one; other words bring %q", got, want)
		}
		for _, e := range l.officers {
			tell, ok := e.(flows.Tell)
			told = told || ok && strings.Contains(tell.Text, "Kata pengaman disebut")
		}
		return told
	}
	if !late(testWord) {
		t.Error("the officers are not told of the right word")
	}
	if late(testPhrase); l.s.Case.Duress.IsZero() {
		t.Error("the phrase is not heard")
	}
	all := l.said()
	for _, secret := range []string{"rendang", "weather"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q is kept or passed on", secret)
		}
	}
	l.passes(61 * time.Minute)
	l.says("another guess")
	if late(testWord); l.s.Mask == nil {
		t.Error("two words counted in the hour")
	}
	l.passes(61 * time.Minute)
	l.says(testWord)
	if l.s.Mask != nil {
		t.Error("after an hour the right word was not taken")
	}
}

// TestRepliesWaitBehindTheMask: whatever an officer writes while it is not
// certain who reads waits, and what lies in the chat goes.
func TestRepliesWaitBehindTheMask(t *testing.T) {
	o := flows.Officer{ID: "1", Name: "siti"}
	l := inCase(t, testWord, testPhrase)
	l.happen(flows.Replied{Post: "r1", Officer: o, Text: "first"})
	if !slices.Contains(kinds(l.caller), "say") {
		t.Fatal("the reply did not come")
	}
	l.caller = nil
	l.says(testPhrase)
	l.happen(flows.Replied{Post: "r2", Officer: o, Text: "second"})
	for range 5 {
		l.passes(time.Hour)
		l.says("hello")
	}
	if got := kinds(l.caller); slices.Contains(got, "say") || slices.Contains(got, "amend") {
		t.Errorf("behind the mask came %q", got)
	}
	var held []flows.PostID
	for _, r := range l.s.Replies {
		if r.Held && r.Message == "" {
			held = append(held, r.Post)
		}
	}
	if !slices.Equal(held, []flows.PostID{"r1", "r2"}) {
		t.Errorf("%q wait, want both", held)
	}
}

// TestNothingClearsDanger: domain.md 8. "I am safe", the right word, an answer, an
// officer or time never clear danger, minor or duress from a case.
func TestNothingClearsDanger(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := inCase(t, testWord, testPhrase)
		o := flows.Officer{ID: "1", Name: "siti"}
		var danger, duress bool
		id := l.s.Case.ID
		for range rapid.IntRange(5, 40).Draw(rt, "events") {
			switch rapid.IntRange(0, 7).Draw(rt, "what") {
			case 0:
				l.says(rapid.SampledFrom([]string{"I am safe", "saya aman", testWord, testPhrase, "wrong", "hapus"}).Draw(rt, "text"))
			case 1:
				l.happen(flows.Asked{Message: l.id(), What: rapid.SampledFrom([]flows.Command{flows.AskDelete, flows.AskPrivacy, flows.AskLanguage}).Draw(rt, "command")})
			case 2:
				l.passes(time.Duration(rapid.IntRange(1, 90).Draw(rt, "minutes")) * time.Minute)
			case 3:
				l.happen(flows.Claimed{Officer: o})
			case 4:
				if menu := l.book.Card(l.s, l.now).Menu; len(menu) > 0 {
					a := rapid.SampledFrom(menu).Draw(rt, "menu")
					l.happen(flows.Acted{Officer: o, Action: a.Name, Choice: a.Choice})
				}
			default:
				var all []flows.Button
				for _, row := range l.book.View(l.s, l.now).Rows {
					all = append(all, row...)
				}
				bubble, _ := l.s.Bubble()
				if len(all) > 0 {
					l.happen(flows.Chose{Message: bubble, Data: rapid.SampledFrom(all).Draw(rt, "button").Data})
					l.keep()
				}
			}
			if l.s.Case == nil || l.s.Case.ID != id {
				return
			}
			f := l.s.Facts
			if l.s.Aside != nil {
				f = *l.s.Aside
			}
			if danger && !f.Danger || duress && l.s.Case.Duress.IsZero() || (f.Danger || !l.s.Case.Duress.IsZero()) && !l.s.Urgent() {
				rt.Fatal("a flag of danger was cleared")
			}
			danger, duress = f.Danger, !l.s.Case.Duress.IsZero()
		}
	})
}

// TestWordAndPhraseDiffer: one must not be the other, and a word that is the
// phrase is the phrase.
func TestWordAndPhraseDiffer(t *testing.T) {
	l := inCase(t, testWord, "")
	l.presses("More")
	l.presses("Check word")
	l.says(testWord)
	l.presses("Set a danger phrase")
	l.says("Rendang PADANG")
	if l.s.Case.Phrase.Sum != "" || !strings.Contains(l.book.View(l.s, l.now).Text, "must not be the same") {
		t.Error("the phrase is the word")
	}
	l = inCase(t, "", testPhrase)
	l.presses("More")
	l.presses("Check word")
	l.presses("Set a check word")
	l.says(testPhrase)
	if l.s.Mask == nil || l.s.Case.Word.Sum != "" {
		t.Error("whoever had to set a word said the phrase, and nobody heard")
	}
}

// TestOfficerAsksForTheWord: an officer's wish for the question is done at the
// next sign, and never by itself.
func TestOfficerAsksForTheWord(t *testing.T) {
	l := inCase(t, testWord, "")
	l.caller = nil
	l.happen(flows.Acted{Officer: flows.Officer{ID: "1", Name: "siti"}, Action: flows.ActionAskWord})
	if len(l.caller) > 0 {
		t.Errorf("the officer's wish alone did %q in the chat", kinds(l.caller))
	}
	l.presses("More")
	if got := l.book.View(l.s, l.now).Text; got != "What is your favourite food?" {
		t.Errorf("the next sign was answered with %q", got)
	}
}

func TestFoldWord(t *testing.T) {
	for in, want := range map[string]string{
		"  Rendang \n Padang ":   "rendang padang",
		"\u202bسلام\u202c\u200f": "سلام",
		"☕\ufe0f":                "☕",
		"\u200b":                 "",
		"ÇA VA":                  "ça va",
	} {
		if got := flows.FoldWord(in); got != want {
			t.Errorf("FoldWord(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestTheSecretsAreBehindTheQuestion: whoever has the telephone within the half
// hour can neither change nor remove the word or the phrase without the word, also
// not where they were set a moment ago, and the same is offered and said whether
// there is a phrase or not.
func TestTheSecretsAreBehindTheQuestion(t *testing.T) {
	var with []string
	for _, phrase := range []string{"", testPhrase} {
		l := inCase(t, testWord, phrase)
		l.presses("More")
		l.presses("Check word")
		if got := l.book.View(l.s, l.now).Text; got != "What is your favourite food?" {
			t.Fatalf("the secrets are open: %q", got)
		}
		l.says(testWord)
		screen := seen(l.book.View(l.s, l.now))
		l.passes(12 * time.Minute)
		l.presses("Contact the embassy")
		if l.s.Before != "" || l.s.Screen != "case.talk" {
			t.Errorf("after a fold it goes on at %q", l.s.Screen)
		}
		l.presses("More")
		l.presses("Check word")
		l.says(testWord)
		l.presses("Remove the danger phrase")
		with = append(with, screen, seen(l.book.View(l.s, l.now)))
		if l.s.Case.Phrase.Sum != "" {
			t.Error("it was not removed")
		}
	}
	if diff := cmp.Diff(with[:2], with[2:]); diff != "" {
		t.Errorf("it shows whether there is a phrase (-without +with):\n%s", diff)
	}
	l := inCase(t, testWord, "")
	l.presses("More")
	l.presses("Check word")
	l.says("nasi goreng")
	if l.s.Mask == nil || l.s.Case.Word.Sum == "" {
		t.Error("a wrong word opens the secrets")
	}
}
