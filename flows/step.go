package flows

import (
	"slices"
	"strings"
	"time"
)

// Step is the whole behaviour of the hotline: what a conversation becomes by an
// event, and what is to be done about it. It is total and deterministic, and
// never modifies s.
func (b *Book) Step(s State, m Moment, ev Event) (State, []Effect) {
	t := &turn{book: b, s: s.clone(), m: m, before: s.Seen}
	t.step(ev)
	t.finish(s)
	return t.s, t.effects
}

// step lets an event happen.
func (t *turn) step(ev Event) {
	if t.masks(ev) {
		return
	}
	if fromPerson(ev) {
		if t.lapses(ev) || t.stopped(ev) {
			return
		}
		defer t.known()
	}
	defer t.follow(ev)
	switch ev := ev.(type) {
	case Started:
		t.arrive(ev.Message)
		t.erase(ev.Message)
		t.start()
	case Asked:
		t.arrive(ev.Message)
		t.asked(ev)
	case Chose:
		offered := t.offers(ev)
		t.seen()
		t.chose(ev, offered)
	case Attached:
		t.arrive(ev.Message)
		t.attached(ev)
	case Garbled:
		t.arrive(ev.Message)
		t.note("ui.garbled")
	case Blocked:
		t.blocked()
	case Claimed:
		t.claimed(ev.Officer)
	case Replied:
		t.replied(ev)
	case Noted:
		t.noted(ev)
	case Revised:
		t.revised(ev)
	case Withdrawn:
		t.withdrawn(ev)
	case Closed:
		t.closed(ev.Officer)
	case HandedOver:
		t.handedOver(ev)
	case TakenUp:
		t.takenUp(ev)
	case Departed:
		t.departed(ev.Officer)
	case Acted:
		t.acted(ev)
	case Hashed:
		t.hashed(ev)
	case Checked:
		t.inOrder = true
		t.checked(ev)
	case Sought:
		t.sought(ev)
	case Missed:
		t.missed(ev)
	case Ceded:
		t.cede(ev)
	case Joined:
		t.joined(ev)
	case TimedOut:
		t.timedOut()
	case Delivered:
		t.delivered(ev)
	case Undelivered:
		t.undelivered(ev)
	}
	switch ev.(type) {
	case TimedOut, Delivered, Undelivered, Departed:
	default:
		t.stir()
	}
	if fromPerson(ev) {
		t.renew()
	}
}

// finish ends a turn that began with a state.
func (t *turn) finish(s State) {
	if s.Note != "" && t.s.Note == "" && t.s.Screen != "" {
		t.refresh(true) // What was shown once must not stay.
	}
	sign := !t.s.Seen.Equal(s.Seen)
	if sign && t.depth == 0 {
		t.truth()
	}
	if (sign || t.book.folds(s)) && t.s.Rest != nil && !t.book.folds(t.s) && t.s.Case != nil && t.s.Case.Checking == 0 {
		t.eraseOwn() // The chat looks as at rest again, and will not fold another time.
	}
	t.hideCode()
	t.dropMedia(s.Case)
	t.limitAhead()
	t.endDoubts(s.Case)
	t.summoned()
	t.spareUpdate(s)
	t.s.Due = t.book.due(t.s, t.m.At)
}

// A turn is one Step under way.
type turn struct {
	book    *Book
	s       State
	m       Moment
	before  time.Time // the person's last sign before this turn
	effects []Effect
	// alerts says that the turn is about to open a case.
	alerts bool
	// depth is how many masks it is behind: 0 for the person's own.
	depth int
	// unheard says that words are at hand that were compared with nothing.
	unheard bool
	// inOrder says that words are at hand that had their turn at the keeper.
	inOrder bool
	// again says that what was on its way is sent anew: what is bundled comes
	// after it.
	again bool
}

func (t *turn) do(e Effect) {
	e = t.signed(e)
	if !t.again && overtakes(e) {
		t.unbundle()
	}
	t.effects = append(t.effects, e)
}

func (t *turn) say(key string, pairs ...string) string {
	return t.book.say(t.s.Language, key, pairs...)
}

func (t *turn) officers(key string, pairs ...string) string {
	return t.book.say(t.book.policy.Officers, key, pairs...)
}

// show lets the bubble follow the state. At rest and at the check question it does
// not follow what nobody asked for, and behind a mask it follows the stranger's.
func (t *turn) show(quiet bool) {
	if t.s.Mask == nil && (!quiet || t.s.Rest == nil && t.s.Before == "") {
		t.refresh(quiet)
	}
}

// refresh has the bubble brought to the view. It is asked for once a turn, and
// comes before what else the turn says only if it was asked for before.
func (t *turn) refresh(quiet bool) {
	for i, e := range t.effects {
		if e, ok := e.(Show); ok {
			t.effects[i] = Show{Quiet: e.Quiet && quiet}
			return
		}
	}
	t.do(Show{Quiet: quiet})
}

func (t *turn) update() {
	if t.s.Case != nil && !slices.Contains(t.effects, Effect(Update{})) {
		t.do(Update{})
	}
}

// record appends to the transcript of the present case.
func (t *turn) record(from, kind, text string) {
	if t.s.Case != nil && !t.s.Case.Withdrawn && !t.s.Case.Shredded {
		if from == "person" || from == "unverified" {
			text = t.withheld(text)
		}
		t.do(Record{At: t.m.At, From: from, Kind: kind, Text: text})
	}
}

// mostMessages bounds what is kept to be erased; beyond it the oldest go early.
// Those that are going are forgotten when there are as many again.
const mostMessages = 300

// arrive takes note of a message from the person.
func (t *turn) arrive(id MessageID) {
	t.seen()
	if id == "" {
		return
	}
	t.s.Covered = t.s.Shown != ""
	if slices.ContainsFunc(t.s.Messages, func(m Message) bool { return m.ID == id }) {
		return // It came here before it went to the keeper.
	}
	t.s.Messages = append(t.s.Messages, Message{ID: id, At: t.m.At})
	if len(t.s.Messages) <= mostMessages {
		return
	}
	if m := t.s.Messages[0]; m.Going && len(t.s.Messages) > 2*mostMessages {
		t.s.Messages = slices.Delete(t.s.Messages, 0, 1)
	}
	if i := slices.IndexFunc(t.s.Messages, func(m Message) bool { return !m.Going }); i < len(t.s.Messages)-1 {
		t.erase(t.s.Messages[i].ID)
	}
}

// seen takes note of a sign from the person.
func (t *turn) seen() {
	if !t.book.lately(t.s, t.m.At) {
		t.s.Asked = ""
	}
	t.s.Seen = t.m.At
	t.s.Note = ""
	if t.s.Shut {
		t.s.Shut = false
		t.update()
		t.eraseAll() // It could not be erased before, and somebody else may look at it now.
	}
}

// know takes note of a message with a button of ours. One that is not known is
// of a time before the conversation was erased, or its sending was never
// recorded: it must be erased with the others.
func (t *turn) know(id MessageID) {
	if id == "" || slices.ContainsFunc(t.s.Messages, func(m Message) bool { return m.ID.covers(id) }) {
		return
	}
	t.s.Messages = append(t.s.Messages, Message{ID: id, At: t.m.At})
}

// with reports whether the officers are in the conversation: they have a case,
// and the person has not left it.
func (t *turn) with() bool { return t.active() && !t.s.Left }

// erase has messages deleted that are known.
func (t *turn) erase(ids ...MessageID) {
	var going []MessageID
	for i, msg := range t.s.Messages {
		if slices.ContainsFunc(ids, msg.ID.covers) && !msg.Going {
			t.s.Messages[i].Going = true
			going = append(going, msg.ID)
		}
	}
	if len(going) > 0 {
		t.do(Erase{Messages: going})
	}
}

func (t *turn) note(key string) {
	t.s.Note = key
	t.start()
}

// start shows where the person is; a conversation that has not begun begins.
func (t *turn) start() {
	switch {
	case t.book.screens[t.s.Screen] != nil && t.s.Token != "":
	default:
		t.home()
	}
	t.show(false)
}

// home enters the screen that a person is at who is nowhere else.
func (t *turn) home() {
	if t.s.Case != nil && !t.s.Left && t.s.Rest == nil {
		t.enter(t.book.policy.Talk)
		return
	}
	t.enter(t.book.policy.First)
}

// active reports whether the officers have an open case of this person.
func (t *turn) active() bool { return t.s.Case != nil && t.s.Case.Phase != Ended }

// enter goes to a screen. One that the book does not have any more is the
// beginning.
func (t *turn) enter(name string) {
	if t.book.screens[name] == nil {
		name = t.book.policy.First
		if t.with() && t.s.Rest == nil {
			name = t.book.policy.Talk
		}
	}
	if to := t.book.leadsTo(t.s.Language, name); to == t.book.policy.Talk && to != name && t.s.Case == nil && !t.alerts {
		name = t.book.policy.First // There are no officers to talk to.
	} else {
		name = to
	}
	if here := t.book.screens[name]; !t.book.has(here.Needs, t.s.Language, t.m.At) && here.Next != "" {
		t.enter(here.Next)
		return
	}
	if t.s.Token != "" {
		t.s.Was = Was{t.s.Screen, t.s.Token}
	}
	t.s.Screen, t.s.Page, t.s.Picks = name, "", nil
	t.s.Token = t.m.token()
	if t.book.screens[name].Menu {
		t.s.Trail = nil
	}
	if a, ok := t.s.answer(t.book.screens[name].Fact); ok && t.book.screens[name].Many {
		t.s.Picks = slices.Clone(a.Options)
	}
}

// advance goes on to a screen from which Back returns here.
func (t *turn) advance(name string) {
	if t.s.Rest != nil && !t.book.onCover(name) {
		if name = t.resume(name); name == "" {
			return
		}
	}
	here := t.book.screens[t.s.Screen]
	switch {
	case here == nil || here.Menu && here.name != t.book.policy.First && !t.book.setting(name) || name == t.s.Screen:
	default:
		t.s.Trail = append(t.s.Trail, t.s.Screen)
	}
	t.enter(name)
	t.release(byRule) // Whoever goes on is there, or has just said when to write.
}

// setting reports whether a screen is one where the person changes something.
func (b *Book) setting(name string) bool { return b.screens[name] != nil && b.screens[name].Setting }

func (t *turn) asked(ev Asked) {
	if ev.What == AskDelete {
		t.leave()
		return
	}
	t.erase(ev.Message)
	switch ev.What {
	case AskPrivacy:
		t.start()
		t.s.Note = notePrivacy
	case AskLanguage:
		t.start()
		t.languages()
	}
}

// languages changes to the other language, or asks which if there are several.
func (t *turn) languages() {
	if len(t.book.languages) > 2 {
		t.advance(t.book.policy.Language)
		return
	}
	t.speak(t.other())
}

// speak changes the language.
func (t *turn) speak(language string) {
	t.s.Language = language
	if t.book.leadsTo(language, t.s.Screen) != t.s.Screen {
		t.enter(t.s.Screen) // The catalogue is short, and not so far.
	}
	if t.with() {
		t.update()
	}
}

// other is the language that comes after the present one.
func (t *turn) other() string {
	all := t.book.languages
	return all[(slices.Index(all, t.s.Language)+1)%len(all)]
}

func (t *turn) said(ev Said) {
	if strings.TrimSpace(ev.Text) == "" {
		t.start()
		return
	}
	if t.overdue() {
		t.fold(t.before)
	}
	if here := t.book.screens[t.s.Screen]; here != nil && here.Secret != "" {
		t.secret(here, ev)
		return
	}
	if here := t.book.screens[t.s.Screen]; here != nil && here.Text {
		t.answer(here, nil, ev.Text)
		if t.with() {
			t.relayAnswers()
		}
		t.goOn(here, here.Next, here.Alert)
		t.show(false)
		if here.Alert {
			t.open()
		}
		return
	}
	back, left := t.s.Left && t.active(), t.s.LeftAt
	t.human()
	t.relay("", ev.Text)
	t.record("person", "said", ev.Text)
	if c := t.s.Case; c.Phase == Owned && c.Owed.IsZero() {
		c.Owed = t.m.At
	}
	if back && t.long(left) && t.s.Rest == nil {
		t.s.Rest = &Rest{Screen: t.book.policy.Talk, Since: left}
		t.enter(t.book.policy.First)
	}
	switch {
	case t.s.Rest != nil:
		t.words()
	default:
		t.release(bySign)
		if t.s.Screen == t.book.policy.Gone || t.book.lobby(t.s.Screen) {
			t.enter(t.book.policy.Talk)
		}
	}
	t.start()
}

func (t *turn) edited(ev Edited) {
	if strings.TrimSpace(ev.Text) == "" {
		return
	}
	if !t.with() {
		// Before there is a case nothing of the first wording was kept, so the
		// new one is simply what the person says.
		t.said(Said(ev))
		return
	}
	t.relay(t.officers("card.edited"), ev.Text)
	t.record("person", "edited", ev.Text)
	if t.s.Rest != nil {
		t.words()
	}
	t.show(false)
}

// tell puts a text of ours into the thread.
func (t *turn) tell(key string) { t.do(Tell{Text: t.officers(key)}) }

// relay passes what the person said or tried to send to the thread. The person
// is told when it is there.
func (t *turn) relay(label, text string) {
	if c := t.s.Case; c.Checking > 0 && !t.inOrder {
		t.check(forRelay, heard{Kind: label, Case: c.ID.Code()}, nil, text)
		return
	}
	t.relayAs(label, text)
}

// relayAs passes on what has its turn.
func (t *turn) relayAs(label, text string) {
	t.sending()
	if t.unheard {
		label = strings.TrimSpace(t.officers("card.unheard") + " " + label)
	}
	t.bundle(label, t.withheld(text))
}

// sending counts one more of the person's messages as on its way.
func (t *turn) sending() {
	if t.s.Case.Since.IsZero() {
		t.s.Case.Since = t.m.At
	}
	t.s.Case.Unsent++
}

// relayAnswers passes on what was typed as answers, and keeps it no longer: cards
// hold no free text, and the server need not be able to read it again.
func (t *turn) relayAnswers() {
	for i, a := range t.s.Answers {
		if a.Text != "" {
			t.relay(t.officers("fact."+a.Fact), a.Text)
			t.s.Answers[i].Text, t.s.Answers[i].Typed = "", true
		}
	}
}

// hashed takes a sum from the keeper.
func (t *turn) hashed(ev Hashed) {
	switch ev.For {
	case forCode:
		t.looked(ev)
	case forNewCode:
		t.issued(ev)
	case forSecret:
		t.hashedSecret(ev)
	case forTag:
		t.tagged(ev)
	}
}

// checked takes what the keeper compared.
func (t *turn) checked(ev Checked) {
	if ev.For == forReturn {
		t.compared(ev)
		return
	}
	t.heardBack(ev)
}
