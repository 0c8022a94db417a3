package flows

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Step is the whole behaviour of the hotline: what a conversation becomes by an
// event, and what is to be done about it. It is total and deterministic, and
// never modifies s.
func (b *Book) Step(s State, m Moment, ev Event) (State, []Effect) {
	t := &turn{book: b, s: s.clone(), m: m}
	switch ev := ev.(type) {
	case Started:
		t.arrive(ev.Message)
		t.erase(ev.Message)
		t.start()
	case Asked:
		t.arrive(ev.Message)
		t.asked(ev)
	case Said:
		t.arrive(ev.Message)
		t.said(ev)
	case Chose:
		t.seen()
		t.chose(ev)
	case Attached:
		t.arrive(ev.Message)
		t.attached(ev)
	case Edited:
		t.seen()
		t.edited(ev)
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
	case TimedOut:
		t.timedOut()
	case Delivered:
		t.delivered(ev)
	case Undelivered:
		t.undelivered(ev)
	}
	t.s.Due = b.due(t.s)
	return t.s, t.effects
}

// A turn is one Step under way.
type turn struct {
	book    *Book
	s       State
	m       Moment
	effects []Effect
}

func (t *turn) do(e Effect) { t.effects = append(t.effects, e) }

func (t *turn) say(key string, pairs ...string) string {
	return t.book.say(t.s.Language, key, pairs...)
}

func (t *turn) officers(key string, pairs ...string) string {
	return t.book.say(t.book.policy.Officers, key, pairs...)
}

// show lets the bubble follow the state. It is asked for once a turn, and comes
// before what else the turn says only if it was asked for before.
func (t *turn) show(quiet bool) {
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
	if t.s.Case != nil {
		t.do(Record{At: t.m.At, From: from, Kind: kind, Text: text})
	}
}

// arrive takes note of a message from the person.
func (t *turn) arrive(id MessageID) {
	if id != "" {
		t.s.Messages = append(t.s.Messages, Message{ID: id, At: t.m.At})
		t.s.Covered = t.s.Shown != ""
	}
	t.seen()
}

// seen takes note of a sign from the person: what waited for it can go.
func (t *turn) seen() {
	t.s.Seen = t.m.At
	t.s.Note = ""
	if t.s.Shut {
		t.s.Shut = false
		t.update()
	}
	if !t.s.Left {
		t.release(true)
	}
}

// rejoin ends the silence after the person deleted the chat. Only words of their
// own or a press that asks for a human do: whoever merely opens the chat, which
// may be somebody else, sees what a stranger would see.
func (t *turn) rejoin() {
	t.s.Left = false
	if t.s.Language == "" {
		t.s.Language = t.s.Case.Language
	}
	t.tell("card.back")
	t.update()
	t.release(true)
}

// erase has one message deleted.
func (t *turn) erase(ids ...MessageID) {
	var going []MessageID
	for i, msg := range t.s.Messages {
		if slices.Contains(ids, msg.ID) && !msg.Going {
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
	case t.s.Screen != "" && t.s.Token != "":
	case t.active() && !t.s.Left:
		t.enter(t.book.policy.Talk)
	default:
		t.enter(t.book.policy.First)
	}
	t.show(false)
}

// active reports whether the officers have an open case of this person.
func (t *turn) active() bool { return t.s.Case != nil && t.s.Case.Phase != Ended }

// enter goes to a screen.
func (t *turn) enter(name string) {
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
	here := t.book.screens[t.s.Screen]
	switch {
	case here == nil || here.Menu || name == t.s.Screen:
	default:
		t.s.Trail = append(t.s.Trail, t.s.Screen)
	}
	t.enter(name)
}

func (t *turn) asked(ev Asked) {
	if ev.What == AskDelete {
		t.leave()
		return
	}
	t.erase(ev.Message)
	switch ev.What {
	case AskPrivacy:
		t.start()
		t.s.Note = "ui.privacy"
	case AskLanguage:
		t.start()
		t.speak(t.other())
	}
}

// speak changes the language.
func (t *turn) speak(language string) {
	t.s.Language = language
	if t.s.Case != nil {
		t.s.Case.Language = language
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
	if here := t.book.screens[t.s.Screen]; here != nil && here.Text && (!t.active() || t.s.Left) {
		t.answer(here, nil, ev.Text)
		t.advance(here.Next)
		t.show(false)
		if here.Alert {
			t.open()
		}
		return
	}
	t.human()
	t.relay("", ev.Text)
	t.record("person", "said", ev.Text)
	if here := t.book.screens[t.s.Screen]; here == nil || here.flow == t.book.screens[t.book.policy.First].flow {
		t.enter(t.book.policy.Talk)
	}
	t.start()
}

func (t *turn) attached(ev Attached) {
	if t.active() && !t.s.Left {
		t.relay(t.officers("card.attached", "media", t.officers("media."+string(ev.Media))), "")
		t.record("person", "attached", string(ev.Media))
	}
	if strings.TrimSpace(ev.Caption) != "" {
		t.said(Said{Message: ev.Message, Text: ev.Caption})
	}
	t.note("ui.media")
}

func (t *turn) edited(ev Edited) {
	if strings.TrimSpace(ev.Text) == "" {
		return
	}
	if !t.active() || t.s.Left {
		// Before there is a case nothing of the first wording was kept, so the
		// new one is simply what the person says.
		t.said(Said(ev))
		return
	}
	t.relay(t.officers("card.edited"), ev.Text)
	t.record("person", "edited", ev.Text)
	t.show(false)
}

// tell puts a text of ours into the thread.
func (t *turn) tell(key string) { t.do(Tell{Text: t.officers(key)}) }

// relay passes what the person said or tried to send to the thread. The person
// is told when it is there.
func (t *turn) relay(label, text string) {
	if t.s.Case.Unsent == 0 {
		t.s.Case.Since = t.m.At
	}
	t.s.Case.Unsent++
	t.do(Relay{Label: label, Text: text})
}

// What the global buttons send back after the screen's token.
const (
	pressSkip   = "s"
	pressBack   = "b"
	pressHuman  = "h"
	pressLeave  = "x"
	pressDone   = "d"
	pressClose  = "c"
	pressNew    = "n"
	pressOption = "o"
	pressPage   = "p"
	// eraseData is the data of the button beneath an officer's message. It
	// needs no token: it can only ever erase the message it stands beneath.
	eraseData = "erase"
)

func (t *turn) chose(ev Chose) {
	if ev.Data == eraseData {
		t.erase(ev.Message)
		return
	}
	token, press, _ := strings.Cut(ev.Data, ".")
	here := t.book.screens[t.s.Screen]
	if here == nil || token != t.s.Token || press == "" {
		t.stale(ev.Message)
		return
	}
	if strings.HasPrefix(press, pressOption) || strings.HasPrefix(press, pressPage) {
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
		if !here.Gate && here.Next != "" {
			t.answer(here, nil, "")
			t.advance(here.Next)
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
		t.advance(t.book.policy.Talk)
		t.show(false)
	case pressLeave:
		t.leave()
	case pressClose:
		t.s.Page = ""
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
	if id != "" && id != t.s.Shown && t.s.Shown != "" {
		if !slices.ContainsFunc(t.s.Messages, func(m Message) bool { return m.ID == id }) {
			t.s.Messages = append(t.s.Messages, Message{ID: id, At: t.m.At})
		}
		t.erase(id)
	}
	if t.s.Screen == "" && id != "" && t.s.Shown == "" {
		// A bubble from before the conversation was erased, or one whose
		// sending was not recorded: it becomes the bubble.
		t.s.Shown = id
		t.s.Messages = append(t.s.Messages, Message{ID: id, At: t.m.At})
	}
	t.start()
}

func (t *turn) pressed(here *screen, what string, i int, message MessageID) {
	if what == pressPage {
		pages := t.book.pages(t.m.At)
		if here.Shows != "pages" || i >= len(pages) {
			t.stale(message)
			return
		}
		t.s.Page = pages[i].ID
		t.show(false)
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

func (s *screen) option(id string) option {
	i := slices.IndexFunc(s.Options, func(o option) bool { return o.ID == id })
	if i < 0 {
		return option{}
	}
	return s.Options[i]
}

// settle takes the chosen options for the answer and goes on.
func (t *turn) settle(here *screen, ids []string) {
	if len(ids) == 0 && here.Gate {
		t.show(false)
		return
	}
	next, alert := here.Next, here.Alert
	for _, id := range ids {
		o := here.option(id)
		if o.Leave {
			t.leave()
			return
		}
		if o.Language != "" {
			t.speak(o.Language)
		}
		if o.Kind != "" {
			t.s.Kind = o.Kind
		}
		if o.Consent {
			t.s.Notice, t.s.NoticeAt = t.book.policy.Notice, t.m.At
		}
		t.s.Danger = t.s.Danger || o.Danger
		t.s.Minor = t.s.Minor || o.Minor
		if o.Note != "" {
			t.s.Note = o.Note
		}
		alert = alert || o.Alert
		if o.Next != here.Next {
			next = o.Next
		}
	}
	t.answer(here, ids, "")
	t.advance(next)
	t.show(false)
	if alert {
		t.open()
	}
}

// answer keeps what became of a question, and tells the officers when they
// already have the case.
func (t *turn) answer(here *screen, ids []string, text string) {
	if here.Fact == "" {
		return
	}
	a := Answer{Screen: here.name, Fact: here.Fact, Options: slices.Clone(ids), Text: text}
	i := slices.IndexFunc(t.s.Answers, func(x Answer) bool { return x.Fact == here.Fact })
	if i < 0 {
		t.s.Answers = append(t.s.Answers, a)
	} else {
		t.s.Answers[i] = a
	}
	if t.active() {
		t.update()
		t.record("person", "answers", t.book.plain(a))
	}
}

func (t *turn) back(here *screen) {
	if t.s.Page != "" {
		t.s.Page = ""
	} else if n := len(t.s.Trail); n > 0 {
		to := t.s.Trail[n-1]
		t.s.Trail = t.s.Trail[:n-1]
		t.enter(to)
	} else if here.Menu && t.active() {
		t.enter(t.book.policy.Talk)
	}
	t.show(false)
}

// leave erases the chat. An open case stays with the officers, who are told;
// nothing reaches the person again until the person writes.
func (t *turn) leave() {
	t.depart()
	if t.active() {
		t.record("person", "left", "")
		t.tell("card.left")
		t.update()
	}
	var ids []MessageID
	for i := range t.s.Messages {
		t.s.Messages[i].Going = false
		ids = append(ids, t.s.Messages[i].ID)
	}
	t.erase(ids...)
}

// blocked stops everything towards a person who closed the chat. That may be a
// sign of danger, so the officers are told.
func (t *turn) blocked() {
	if t.s.Shut {
		return
	}
	t.depart()
	t.s.Messages, t.s.Shut = nil, true
	if t.active() {
		t.record("person", "blocked", "")
		t.tell("card.blocked")
		t.update()
	}
}

// depart drops what was for the person's eyes. What the card shows stays with
// the case, and replies that are not there yet wait.
func (t *turn) depart() {
	old := t.s
	t.s = State{Messages: old.Messages, Left: true}
	if old.Shown != "" && !slices.ContainsFunc(old.Messages, func(m Message) bool { return m.ID == old.Shown }) {
		t.s.Messages = append(t.s.Messages, Message{ID: old.Shown, At: t.m.At})
	}
	// What this turn wanted to show or to let out is not wanted any more.
	t.effects = slices.DeleteFunc(t.effects, func(e Effect) bool { return e.To() == Caller })
	if old.Case == nil {
		return
	}
	t.s.Case, t.s.Earlier = old.Case, old.Earlier
	t.s.Kind, t.s.Seen = old.Kind, old.Seen
	t.s.Notice, t.s.NoticeAt = old.Notice, old.NoticeAt
	t.s.Answers, t.s.Danger, t.s.Minor = old.Answers, old.Danger, old.Minor
	t.s.Replies = old.Replies
}

func (t *turn) forgetCase() {
	t.s.Earlier = t.s.Case.ID.Code()
	t.s.Case = nil
	t.s.Answers, t.s.Danger, t.s.Minor, t.s.Kind = nil, false, false, ""
}

// due is when the state wants to be looked at again.
func (b *Book) due(s State) time.Time {
	var due time.Time
	at := func(t time.Time) {
		if !t.IsZero() && (due.IsZero() || t.Before(due)) {
			due = t
		}
	}
	for _, m := range s.Messages {
		if !m.Going {
			at(b.policy.Sweep.after(m.At))
		}
	}
	if s.Case == nil {
		if s.Screen != "" || s.Shown != "" {
			at(b.policy.Idle.after(s.Seen))
		}
		return due
	}
	c := s.Case
	switch c.Phase {
	case Opening:
		at(b.stuckAt(s))
	case Alerting:
		at(b.stuckAt(s))
		at(b.pageAt(s))
	case Owned:
		at(b.stuckAt(s))
	case Ended:
		at(b.policy.Keep.after(c.Closed))
	}
	if next, ok := b.letOutAt(s, s.Seen); ok {
		at(next)
	}
	return due
}

// stuckAt is when the person must be told that the officers' side is out of
// reach, zero if there is nothing to tell.
func (b *Book) stuckAt(s State) time.Time {
	c := s.Case
	switch {
	case c.Stuck:
		return time.Time{}
	case c.Phase == Opening:
		return b.policy.Stuck.after(c.Opened)
	case c.Unsent > 0:
		return b.policy.Stuck.after(c.Since)
	}
	return time.Time{}
}

// pageAt is when the officers are called again.
func (b *Book) pageAt(s State) time.Time {
	steps := b.policy.Ordinary
	if s.Urgent() {
		steps = b.policy.Urgent
	}
	at := s.Case.Placed
	for i := range s.Case.Pages {
		at = steps[min(i, len(steps)-1)].after(at)
	}
	return at
}

func (t *turn) timedOut() {
	now := t.m.At
	came := func(at time.Time) bool { return !at.IsZero() && !now.Before(at) }

	var old []MessageID
	for _, m := range t.s.Messages {
		if came(t.book.policy.Sweep.after(m.At)) {
			old = append(old, m.ID)
		}
	}
	t.erase(old...)
	if slices.Contains(old, t.s.Shown) {
		t.s.Shown, t.s.Covered = "", false
	}
	c := t.s.Case
	if c == nil {
		if came(t.book.policy.Idle.after(t.s.Seen)) {
			t.leave()
		}
		return
	}
	if c.Phase == Ended {
		if came(t.book.policy.Keep.after(c.Closed)) {
			t.s.Case, t.s.Earlier = nil, ""
			t.leave()
		}
		return
	}
	if came(t.book.stuckAt(t.s)) {
		c.Stuck = true
		t.show(true)
	}
	if c.Phase == Alerting && came(t.book.pageAt(t.s)) {
		c.Pages++
		t.do(Page{Level: c.Pages, Text: t.officers("card.page", "code", c.ID.Code(), "minutes", strconv.Itoa(int(now.Sub(c.Opened).Minutes())))})
		if c.Pages > 2 && !c.Late {
			c.Late = true
			t.show(true)
		}
	}
	t.release(false)
}
