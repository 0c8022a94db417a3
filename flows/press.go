package flows

import (
	"slices"
	"strconv"
	"strings"
)

// What the global buttons send back after the screen's token.
const (
	pressSkip   = "s"
	pressBack   = "b"
	pressHuman  = "h"
	pressLeave  = "x"
	pressDone   = "d"
	pressNew    = "n"
	pressCheck  = "r"
	pressReturn = "k"
	pressOption = "o"
	pressPage   = "p"
	// pressLanguage is followed by the language.
	pressLanguage = "l"
	// pressHeld opens what is kept of the person, pressCorrect begins the
	// number of an answer to correct.
	pressHeld = "q"
	// pressFound opens an officer's question about somebody who asks.
	pressFound   = "f"
	pressCorrect = "c"
)

// offers reports whether a press is one that the bubble offers at this moment.
// Telegram lets anybody who has the account send whatever data there could be for
// the present screen, and at rest there must be no way round the gate. What asks
// for help or ends all is never refused: it is on every screen, though not always
// on the one that a slow telephone still shows.
func (t *turn) offers(ev Chose) bool {
	here, o, press := t.pressOf(ev)
	if here == nil {
		return false
	}
	if press == pressHuman || press == pressLeave || o.Danger {
		return true
	}
	return slices.ContainsFunc(t.book.View(t.s, t.m.At).Rows, func(row []Button) bool {
		return slices.ContainsFunc(row, func(b Button) bool { return b.Data == ev.Data })
	})
}

// chose does what a press asks for. Beneath a message of its own it is obeyed
// whatever the bubble offers, beneath the bubble only what is offered there.
func (t *turn) chose(ev Chose, offered bool) {
	t.know(ev.Message)
	if ev.Data == eraseData {
		t.discard(ev.Message)
		return
	}
	if strings.HasPrefix(ev.Data, partData) {
		t.leaf(ev.Message, ev.Data)
		return
	}
	token, press, _ := strings.Cut(ev.Data, ".")
	here := t.book.screens[t.s.Screen]
	if before, o, what := t.pressOf(ev); before != nil && t.isLate(token) {
		if o.Danger {
			t.settle(before, []string{o.ID})
			return
		}
		token, press = t.s.Token, what // They are on every screen.
	}
	if here == nil || token != t.s.Token || press == "" || !offered {
		t.stale(ev.Message)
		return
	}
	if t.s.Shown == "" {
		t.s.Shown = ev.Message // Its sending was never recorded.
	}
	if t.overdue() && press != pressLeave && !here.dangerous(press) {
		if press == pressHuman {
			t.human()
			t.call()
		}
		t.fold(t.before)
		t.advance(t.book.policy.Gate)
		t.show(false)
		return
	}
	if language, ok := strings.CutPrefix(press, pressLanguage); ok {
		t.chooses(here, language, ev.Message)
		return
	}
	if slices.Contains([]string{pressOption, pressPage, pressCorrect}, press[:1]) {
		i, err := strconv.Atoi(press[1:])
		if err != nil || i < 0 {
			t.stale(ev.Message)
			return
		}
		t.pressed(here, press[:1], i, ev.Message)
		return
	}
	switch press {
	case pressSkip:
		if t.book.skips(t.s, here) {
			t.answer(here, nil, "")
			if here.Secret == secretAnswer {
				t.answerReturn("")
			}
			t.goOn(here, here.Next, here.Alert)
			t.show(false)
			if here.Alert {
				t.open()
			}
		}
	case pressDone:
		if here.Many {
			t.settle(here, t.s.Picks)
		}
	case pressBack:
		t.back(here)
	case pressHuman:
		t.human()
		t.call()
		if t.s.Rest != nil {
			t.s.Rest.Screen, t.s.Rest.Trail = t.book.policy.Talk, nil
		}
		t.advance(t.book.policy.Talk)
		t.show(false)
	case pressLeave:
		t.leave()
	case pressReturn:
		t.show(false)
	case pressHeld:
		t.advance(t.book.policy.Held)
		t.show(false)
	case pressFound:
		if t.s.asking() {
			t.advance(t.book.policy.Found)
		}
		t.show(false)
	case pressCheck:
		if t.with() && !t.release(byPress) {
			t.s.Note = "ui.no_reply"
		}
		t.show(false)
	case pressNew:
		if t.s.Case != nil && t.s.Case.Phase == Ended {
			t.forgetCase()
			t.advance(t.book.policy.First)
			t.show(false)
		}
	default:
		t.stale(ev.Message)
	}
}

// stale answers a button that is not of the present screen: the bubble is
// brought up to date, and a message that is not the bubble goes.
func (t *turn) stale(id MessageID) {
	if id != "" && !t.s.Shown.covers(id) {
		t.erase(id)
	}
	t.start()
}

func (t *turn) pressed(here *screen, what string, i int, message MessageID) {
	if what == pressPage {
		pages := t.book.pages(t.m.At)
		if here.Shows != "pages" && here.Shows != "cover" || i >= len(pages) {
			t.stale(message)
			return
		}
		t.s.Page = pages[i].ID
		t.show(false)
		return
	}
	if what == pressCorrect {
		if !t.correct(here, i) {
			t.stale(message)
		}
		return
	}
	if i >= len(here.Options) {
		t.stale(message)
		return
	}
	o := here.Options[i]
	if here.Many {
		t.toggle(here, o)
		t.show(false)
		return
	}
	t.settle(here, []string{o.ID})
}

// chooses takes a language. A screen that is only there to choose one leads on, or
// back to where the person was.
func (t *turn) chooses(here *screen, language string, message MessageID) {
	if here.Shows != "languages" && here.Shows != "cover" || !slices.Contains(t.book.languages, language) {
		t.stale(message)
		return
	}
	t.speak(language)
	switch {
	case here.Shows == "cover":
		t.enter(here.name)
	case here.Next != "":
		t.advance(here.Next)
	case len(t.s.Trail) == 0:
		t.home()
	default:
		t.back(here)
		return
	}
	t.show(false)
}

// toggle ticks or unticks an option of a screen that takes several.
func (t *turn) toggle(here *screen, o option) {
	if i := slices.Index(t.s.Picks, o.ID); i >= 0 {
		t.s.Picks = slices.Delete(t.s.Picks, i, i+1)
		return
	}
	t.s.Picks = slices.DeleteFunc(t.s.Picks, func(id string) bool {
		return o.Only || here.option(id).Only
	})
	t.s.Picks = append(t.s.Picks, o.ID)
}

// dangerous reports whether a press on a screen says that there is danger.
func (s *screen) dangerous(press string) bool {
	i, err := strconv.Atoi(strings.TrimPrefix(press, pressOption))
	return err == nil && strings.HasPrefix(press, pressOption) && i >= 0 && i < len(s.Options) && s.Options[i].Danger
}

func (s *screen) option(id string) option {
	i := slices.IndexFunc(s.Options, func(o option) bool { return o.ID == id })
	if i < 0 {
		return option{}
	}
	return s.Options[i]
}

// settle takes the chosen options for the answer and goes on.
func (t *turn) settle(here *screen, ids []string) {
	if len(ids) == 0 && here.Gate || here.Next == "" && !slices.ContainsFunc(here.Options, func(o option) bool { return slices.Contains(ids, o.ID) }) {
		t.show(false)
		return
	}
	next, alert := here.Next, here.Alert
	raised := false
	for _, id := range ids {
		o := here.option(id)
		if o.ID == "" {
			continue // The book has changed since it was ticked.
		}
		switch {
		case o.Leave:
			// Who says "not now" is written to by nobody before their next sign: not
			// even that something could not be erased.
			t.leave()
			t.s.Later = true
			return
		case o.Withdraw:
			t.withdraw()
			return
		}
		if o.Code != "" {
			t.issue(o.Code)
		}
		if o.Forget != "" {
			t.removeSecret(o.Forget)
		}
		forOther := o.Danger && o.Kind != "" && t.forOther(here)
		if o.Kind != "" && !forOther {
			t.s.Kind = o.Kind
		}
		if o.Consent {
			t.agreed()
		}
		if o.Danger {
			t.s.Rest = nil // Nothing stands before it.
		}
		t.s.Danger = t.s.Danger || o.Danger
		t.s.Minor = t.s.Minor || o.Minor
		t.s.Pressing = t.s.Pressing || o.Urgent
		raised = raised || o.Danger || o.Minor || o.Urgent
		if o.Note != "" {
			t.s.Note = o.Note
		}
		alert = alert || o.Alert
		switch {
		case forOther:
			next = t.book.policy.Talk
		case o.Next != here.Next:
			next = o.Next
		}
	}
	t.alerts = alert
	t.answer(here, ids, "")
	if next == "" {
		t.back(here)
	} else {
		t.goOn(here, next, alert)
		t.prove(here)
	}
	t.show(false)
	if alert {
		t.human()
	}
	if raised && t.with() {
		t.call()
	}
}

// forOther reports whether danger that is said on a screen is somebody else's whom
// the person looks for: then it stays their report, and they are not asked about
// themselves. Who is choosing anew what they came for says it of themselves.
func (t *turn) forOther(here *screen) bool {
	choosing := t.s.Rest == nil && here.flow == t.book.screens[t.book.policy.Gate].flow
	return t.s.Kind == kindFamily && (t.active() || !choosing)
}

// answer keeps what became of a question, and tells the officers when they
// already have the case.
func (t *turn) answer(here *screen, ids []string, text string) {
	if here.Fact == "" {
		return
	}
	a := Answer{Screen: here.name, Fact: here.Fact, Options: slices.Clone(ids), Text: text}
	old, _ := t.s.answer(here.Fact)
	t.s.set(a)
	if t.with() && here.Fact != factFold { // How the telephone is used is not the officers' affair.
		t.update()
		t.record("person", "answers", t.book.plain(a))
		t.tellCorrected(here, old, a)
		t.decided(a)
	}
}

func (t *turn) back(here *screen) {
	if t.s.Before != "" {
		t.show(false)
		return
	}
	if t.s.Page != "" {
		t.s.Page = ""
	} else if n := len(t.s.Trail); n > 0 {
		to := t.s.Trail[n-1]
		t.s.Trail = t.s.Trail[:n-1]
		t.enter(to)
	} else if here.Menu && t.with() {
		t.enter(t.book.policy.Talk)
	} else if here.leadsBack() {
		t.enter(t.book.policy.First)
		if t.with() {
			t.enter(t.book.policy.Talk)
		}
	}
	t.show(false)
}
