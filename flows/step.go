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
	t.s.Due = b.due(t.s, m.At)
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

// mostMessages bounds what is kept to be erased; beyond it the oldest go early.
// Those that are going are forgotten when there are as many again.
const mostMessages = 300

// arrive takes note of a message from the person.
func (t *turn) arrive(id MessageID) {
	t.seen()
	if id == "" {
		return
	}
	t.s.Messages = append(t.s.Messages, Message{ID: id, At: t.m.At})
	t.s.Covered = t.s.Shown != ""
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
	t.s.Seen = t.m.At
	t.s.Note = ""
	if t.s.Shut {
		t.s.Shut = false
		t.update()
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
	if t.s.Shown == "" {
		t.s.Shown = id
	}
}

// rejoin ends the silence after the person deleted the chat. Only words of their
// own or a press that asks for a human do: whoever merely opens the chat, which
// may be somebody else, sees what a stranger would see and changes nothing. What
// was tapped since is added to what was known.
func (t *turn) rejoin() {
	since := t.s.Facts
	t.s.Facts, t.s.Aside = *t.s.Aside, nil
	t.s.Left, t.s.LeftAt = false, time.Time{}
	t.tell("card.back")
	if since.Language != "" {
		t.s.Language = since.Language
	}
	if since.Notice != "" {
		t.s.Notice, t.s.NoticeAt = since.Notice, since.NoticeAt
	}
	t.s.Danger = t.s.Danger || since.Danger
	t.s.Minor = t.s.Minor || since.Minor
	t.s.Pressing = t.s.Pressing || since.Pressing
	for _, a := range since.Answers {
		if len(a.Options) == 0 && a.Text == "" {
			continue
		}
		t.s.set(a)
		t.record("person", "answers", t.book.plain(a))
		t.relayAnswer(a)
	}
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
	case t.with():
		t.enter(t.book.policy.Talk)
	default:
		t.enter(t.book.policy.First)
	}
	t.show(false)
}

// active reports whether the officers have an open case of this person.
func (t *turn) active() bool { return t.s.Case != nil && t.s.Case.Phase != Ended }

// enter goes to a screen. One that the book does not have any more is the
// beginning.
func (t *turn) enter(name string) {
	if t.book.screens[name] == nil {
		name = t.book.policy.First
		if t.with() {
			name = t.book.policy.Talk
		}
	}
	if here := t.book.screens[name]; !t.book.has(here.Needs, t.m.At) && here.Next != "" {
		t.enter(here.Next)
		return
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
	here := t.book.screens[t.s.Screen]
	switch {
	case here == nil || here.Menu || name == t.s.Screen:
	default:
		t.s.Trail = append(t.s.Trail, t.s.Screen)
	}
	t.enter(name)
	t.release(byRule) // Whoever goes on is there, or has just said when to write.
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
		t.s.Note = notePrivacy
	case AskLanguage:
		t.start()
		t.speak(t.other())
	}
}

// speak changes the language.
func (t *turn) speak(language string) {
	t.s.Language = language
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
	if here := t.book.screens[t.s.Screen]; here != nil && here.Text {
		t.answer(here, nil, ev.Text)
		if t.with() {
			t.relay(t.officers("fact."+here.Fact), ev.Text)
		}
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
	t.release(bySign)
	if c := t.s.Case; c.Phase == Owned && c.Owed.IsZero() {
		c.Owed = t.m.At
	}
	if here := t.book.screens[t.s.Screen]; here == nil || here.name == t.book.policy.Gone || here.flow == t.book.screens[t.book.policy.First].flow {
		t.enter(t.book.policy.Talk)
	}
	t.start()
}

func (t *turn) attached(ev Attached) {
	if t.with() {
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
	if !t.with() {
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

// relayAnswer passes on an answer that was typed; cards hold no free text.
func (t *turn) relayAnswer(a Answer) {
	if a.Text != "" {
		t.relay(t.officers("fact."+a.Fact), a.Text)
	}
}

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
	// eraseData is the data of the button beneath an officer's message. It
	// needs no token: it can only ever erase the message it stands beneath.
	eraseData = "erase"
)

func (t *turn) chose(ev Chose) {
	t.know(ev.Message)
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
		t.call()
		t.advance(t.book.policy.Talk)
		t.show(false)
	case pressLeave:
		t.leave()
	case pressReturn:
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
		t.s.Pressing = t.s.Pressing || o.Urgent
		raised = raised || o.Danger || o.Minor || o.Urgent
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
	if raised && t.with() {
		t.call()
	}
}

// answer keeps what became of a question, and tells the officers when they
// already have the case.
func (t *turn) answer(here *screen, ids []string, text string) {
	if here.Fact == "" {
		return
	}
	a := Answer{Screen: here.name, Fact: here.Fact, Options: slices.Clone(ids), Text: text}
	t.s.set(a)
	if t.with() {
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
	} else if here.Menu && t.with() {
		t.enter(t.book.policy.Talk)
	}
	t.show(false)
}

// leave erases the chat. An open case stays with the officers, who are told;
// nothing reaches the person again until the person writes.
func (t *turn) leave() {
	again := t.s.Left
	t.depart()
	t.s.LeftAt = t.m.At
	if t.active() && !again {
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
	t.s.Shut = true
	if t.active() {
		t.record("person", "blocked", "")
		t.tell("card.blocked")
		t.update()
	}
}

// depart drops what was for the person's eyes. What the officers know stays with
// the case, aside, and replies that are not there yet wait.
func (t *turn) depart() {
	old := t.s
	t.s = State{Messages: old.Messages, Left: true, Seen: old.Seen}
	if old.Shown != "" && !slices.ContainsFunc(old.Messages, func(m Message) bool { return m.ID.covers(old.Shown) }) {
		t.s.Messages = append(t.s.Messages, Message{ID: old.Shown, At: t.m.At})
	}
	// What this turn wanted to show or to let out is not wanted any more.
	t.effects = slices.DeleteFunc(t.effects, func(e Effect) bool { return e.To() == Caller })
	if old.Case == nil {
		t.abandon(old.Replies)
		return
	}
	t.s.Case, t.s.Earlier, t.s.Replies = old.Case, old.Earlier, old.Replies
	if t.s.Aside = old.Aside; t.s.Aside == nil {
		t.s.Aside = &old.Facts
	}
	for i, r := range t.s.Replies {
		if r.Message == "" && r.Text != "" {
			t.s.Replies[i].Held, t.s.Replies[i].Ask = true, true
		}
	}
}

// abandon tells the officers of replies that will not reach the person any more.
func (t *turn) abandon(replies []Reply) {
	for _, r := range waiting(slices.Clone(replies)) {
		t.do(Mark{Post: r.Post, Sign: SignFailed})
	}
}

func (t *turn) forgetCase() {
	t.s.Earlier = t.s.Case.ID.Code()
	t.s.Case = nil
	t.s.Facts = Facts{Language: t.s.Language, Notice: t.s.Notice, NoticeAt: t.s.NoticeAt}
	t.s.Replies = waiting(t.s.Replies)
}

// waiting are the replies that have not reached the person.
func waiting(all []Reply) []Reply {
	return slices.DeleteFunc(all, func(r Reply) bool { return r.Note || r.Message != "" })
}

// due is when the state wants to be looked at again.
func (b *Book) due(s State, now time.Time) time.Time {
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
		if !s.Blank() && !s.Left || s.Shut {
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
		at(b.owedAt(s))
	case Ended:
		at(b.policy.Keep.after(c.Closed))
	}
	if next, ok := b.letOutAt(s, now); ok {
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
	case c.Unsent > 0 || c.Calling:
		return b.policy.Stuck.after(c.Since)
	}
	return time.Time{}
}

// owedAt is when an officer is reminded of words that nobody has answered, zero
// if there are none or it was done.
func (b *Book) owedAt(s State) time.Time {
	if c := s.Case; !c.Owed.IsZero() && !c.Nudged {
		return b.policy.Unanswered.after(c.Owed)
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

	t.release(byRule)
	t.sweep()
	c := t.s.Case
	if c == nil {
		if came(t.book.policy.Idle.after(t.s.Seen)) {
			t.expire()
		}
		return
	}
	if c.Phase == Ended {
		if came(t.book.policy.Keep.after(c.Closed)) {
			t.abandon(t.s.Replies)
			t.s.Case, t.s.Replies, t.s.Aside = nil, nil, nil
			t.expire()
		}
		return
	}
	if came(t.book.stuckAt(t.s)) {
		c.Stuck = true
		t.show(true)
	}
	if c.Phase == Owned && came(t.book.owedAt(t.s)) {
		c.Nudged = true
		t.page("card.unanswered")
	}
	if c.Phase == Alerting && came(t.book.pageAt(t.s)) {
		// After a long sleep one call is enough.
		for came(t.book.pageAt(t.s)) {
			c.Pages++
		}
		t.page("card.page")
		if c.Pages > 2 && !c.Late {
			c.Late = true
			t.show(true)
		}
	}
}

// sweep erases what must not get older. From a chat that is closed to us nothing
// can be erased: there it is only forgotten.
func (t *turn) sweep() {
	var old []MessageID
	for _, m := range t.s.Messages {
		if !t.m.At.Before(t.book.policy.Sweep.after(m.At)) && !m.Going {
			old = append(old, m.ID)
		}
	}
	if len(old) == 0 {
		return
	}
	if t.s.Shut {
		t.s.Messages = slices.DeleteFunc(t.s.Messages, func(m Message) bool { return slices.Contains(old, m.ID) })
		return
	}
	t.erase(old...)
	if slices.Contains(old, t.s.Shown) {
		t.s.Shown, t.s.Covered = "", false
	}
}

// expire erases a conversation that nobody went on with.
func (t *turn) expire() {
	if t.s.Shut {
		t.s = State{}
		return
	}
	t.leave()
	t.s.LeftAt = time.Time{}
}

// page calls the officers, unless a call is on its way already.
func (t *turn) page(key string) {
	c := t.s.Case
	if c.Paging {
		return
	}
	c.Paging = true
	t.do(Page{Level: c.Pages, Text: t.officers(key, "code", c.ID.Code(), "minutes", strconv.Itoa(int(t.m.At.Sub(c.waits()).Minutes())))})
}
