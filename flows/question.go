package flows

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// heard is what goes with words through the keeper.
type heard struct {
	// Kind is what the words are: said, edited, caption; for a new secret its
	// name; for words that are only to keep their place the label.
	Kind    string    `json:"kind"`
	Message MessageID `json:"message,omitempty"`
	// Media is what they were written beneath by somebody behind a mask.
	Media Media `json:"media,omitempty"`
	// Names are the secrets that the sums are of, in their order.
	Names []string `json:"names,omitempty"`
	// Case is the code of the case that they were said in.
	Case string `json:"case,omitempty"`
	// First says that they came before the question was asked, Asked that they
	// are the answer to it, Masked that there was a mask.
	First  bool `json:"first,omitempty"`
	Asked  bool `json:"asked,omitempty"`
	Masked bool `json:"masked,omitempty"`
	// Left says that the person had deleted the chat before.
	Left bool `json:"left,omitempty"`
	// At is when they were said, Since when the person gave the last sign before.
	At    time.Time `json:"at,omitzero"`
	Since time.Time `json:"since,omitzero"`
}

func (n heard) write() string {
	raw, err := json.Marshal(n)
	if err != nil {
		panic("flows: a note cannot be written: " + err.Error()) // It holds texts only.
	}
	return string(raw)
}

// readHeard reads a note, as the zero heard if a later version wrote it.
func readHeard(note string) (n heard) {
	if json.Unmarshal([]byte(note), &n) != nil {
		return heard{}
	}
	return n
}

// tried reports whether words may be the check word.
func (n heard) tried() bool { return n.Asked || n.First || n.Masked }

// name is the secret that matched, "" if none did.
func (n heard) name(match int) string {
	if match < 0 || match >= len(n.Names) {
		return ""
	}
	return n.Names[match]
}

// What words are at the keeper for.
const (
	forSaid  = "said"
	forRelay = "relay"
)

// The kinds of words.
const (
	kindSaid   = "said"
	kindEdited = "edited"
)

const (
	// heardWithin is for how long words of whoever is known wait to be compared,
	// if the keeper has others to do. Then they are passed on without, and the
	// officers are told: nobody who asks for help waits behind those who want to
	// keep the keeper busy. What may be the check word is never passed on so.
	heardWithin = 5 * time.Second
	// mostCompared is how many secrets one case chooses in a minute.
	mostCompared = 10
	// mostWrong is after how many wrong words the right one opens nothing. From
	// then on one word counts in each wrongWindow; all the rest goes on as before.
	mostWrong   = 5
	wrongWindow = time.Hour
)

// unsure reports whether who writes may not be the person of the case: the check
// question is open, or was not answered right.
func (s State) unsure() bool { return s.Mask != nil || s.Before != "" }

// unknown reports whether the question must come before the person goes on: a
// check word is set, and there was no sign of the person for long, the chat was
// deleted since, or an officer asked for it.
func (t *turn) unknown() bool {
	return t.active() && t.anybody() && t.s.Mask == nil && t.s.Before == ""
}

// anybody reports whether somebody else may give the present sign, for all that
// is known, where a check word was set to tell.
func (t *turn) anybody() bool {
	c := t.s.Case
	return c.Word.Sum != "" && (c.AskNext || t.s.Left || !t.m.At.Before(t.book.policy.Resume.after(c.Known)))
}

// question asks for the check word if it must be asked for, and reports whether
// it does. Where the person was is kept, and nobody sees it.
func (t *turn) question() bool {
	if !t.unknown() {
		return false
	}
	t.s.Before = t.s.Screen
	if t.book.screens[t.s.Before] == nil {
		t.s.Before = t.book.policy.Talk
	}
	t.s.Case.AskNext, t.s.Case.AskedAt = false, t.m.At
	t.enter(t.book.policy.Ask)
	t.update()
	t.show(false)
	return true
}

// known takes note of a sign of whoever answered right, or was never asked.
func (t *turn) known() {
	if t.s.Case != nil && t.s.Case.Word.Sum != "" && !t.s.unsure() && !t.s.Left && !t.s.Shut && t.s.Rest == nil {
		t.s.Case.Known = t.m.At
	}
}

// stopped does with an event of the person's what the check word and the phrase
// ask for, and reports whether that is all there is to do.
func (t *turn) stopped(ev Event) bool {
	switch ev := ev.(type) {
	case Said:
		t.arrive(ev.Message)
		switch {
		case t.astray(ev):
		case t.hear(kindSaid, ev):
		case t.s.Mask != nil:
			t.maskStep(ev)
		default:
			t.said(ev)
			t.renew()
			t.known()
		}
		return true
	case Edited:
		t.seen()
		switch {
		case t.astray(Said(ev)):
		case strings.TrimSpace(ev.Text) == "" && t.s.Mask == nil, t.hear(kindEdited, Said(ev)):
		case t.s.Mask != nil:
			t.maskStep(ev)
		default:
			t.edited(ev)
			t.renew()
			t.known()
		}
		return true
	}
	switch {
	case t.s.Before != "":
		return t.evaded(ev)
	case t.s.Mask == nil && t.unknown():
		return t.returned(ev)
	}
	return false
}

// returned does with the first sign after long, other than words, what the
// question asks for. Whoever sees only what a stranger sees may go on there.
func (t *turn) returned(ev Event) bool {
	switch ev := ev.(type) {
	case Chose:
		if ev.Data == eraseData {
			return false
		}
		here, o, press := t.pressOf(ev)
		switch {
		case o.Danger && o.Kind != "", press == pressHuman:
			t.seen()
			t.know(ev.Message)
			t.guard(guardSkipped)
			t.behind(here, o, press)
			return true
		case press == pressLeave, o.Leave, t.elsewhere():
			return false
		}
		t.seen()
		t.know(ev.Message)
		return t.question()
	case Started:
		if t.elsewhere() {
			return false
		}
		t.arrive(ev.Message)
		t.erase(ev.Message)
		return t.question()
	case Asked:
		if t.elsewhere() || ev.What == AskDelete {
			return false
		}
		t.arrive(ev.Message)
		t.erase(ev.Message)
		return t.question()
	case Attached:
		t.arrive(ev.Message)
		t.do(Tell{Text: t.unverified(t.attachment(ev))})
		t.record("unverified", "attached", string(ev.Media))
		if !t.hear(kindSaid, Said{Message: ev.Message, Text: ev.Caption}) && !t.elsewhere() {
			return t.question()
		}
		t.show(false)
		return true
	case Garbled:
		if t.elsewhere() {
			return false
		}
		t.arrive(ev.Message)
		return t.question()
	}
	return false
}

// elsewhere reports whether the person is not where the case can be seen, or is
// led away from there by this sign: to the cover, and by the gate to the question.
func (t *turn) elsewhere() bool { return t.s.Left || t.s.Rest != nil || t.overdue() }

// evaded does with what comes in place of an answer to the question.
func (t *turn) evaded(ev Event) bool {
	switch ev := ev.(type) {
	case Chose:
		if ev.Data == eraseData {
			return false
		}
		here, o, press := t.pressOf(ev)
		switch {
		case o.Danger && o.Kind != "", press == pressHuman:
		case t.s.Rest != nil, press == pressLeave, press == pressReturn:
			return false
		default:
			t.know(ev.Message)
			t.seen()
			t.show(false)
			return true // No reply and no other screen opens before the answer.
		}
		t.seen()
		t.know(ev.Message)
		t.guard(guardSkipped)
		t.behind(here, o, press)
		return true
	case Attached:
		t.arrive(ev.Message)
		t.do(Tell{Text: t.unverified(t.attachment(ev))})
		t.record("unverified", "attached", string(ev.Media))
		if !t.hear(kindSaid, Said{Message: ev.Message, Text: ev.Caption}) {
			t.show(false)
		}
		return true
	}
	return false
}

// isLate reports whether a press with a token is of the screen before: made at the
// same time on another device, or on a slow one.
func (t *turn) isLate(token string) bool {
	return token != "" && token != t.s.Token && token == t.s.Was.Token
}

// pressOf returns what a press is: an option of the present screen, or one of
// the global buttons; neither if it is stale. Of the screen before it is only what
// asks for help or ends all.
func (t *turn) pressOf(ev Chose) (here *screen, o option, press string) {
	token, press, _ := strings.Cut(ev.Data, ".")
	here = t.book.screens[t.s.Screen]
	if t.isLate(token) {
		here = t.book.screens[t.s.Was.Screen]
		defer func() {
			if press != pressHuman && press != pressLeave && !o.Danger {
				here, o, press = nil, option{}, ""
			}
		}()
	} else if token != t.s.Token {
		here = nil
	}
	if here == nil || press == "" {
		return nil, option{}, ""
	}
	if i, err := strconv.Atoi(strings.TrimPrefix(press, pressOption)); err == nil && press[:1] == pressOption && i >= 0 && i < len(here.Options) {
		return here, here.Options[i], ""
	}
	return here, option{}, press
}

// hear takes words of the person's to the keeper if they must be compared with
// something first, or must not overtake others that are there. It reports
// whether it did.
func (t *turn) hear(kind string, ev Said) bool { return t.hearWith(kind, "", ev) }

func (t *turn) hearWith(kind string, media Media, ev Said) bool {
	c := t.s.Case
	if here := t.book.screens[t.s.Screen]; here != nil && (here.Secret == secretWord || here.Secret == secretPhrase) && !t.s.unsure() && !t.unknown() {
		return false // It is a new secret.
	} else if here != nil && (here.Secret == secretCode || here.Secret == secretAnswer) && !t.s.unsure() {
		return false // A stranger's, who looks for a case; it stays nowhere.
	}
	if c == nil || c.Phase == Ended && (c.Phrase.Sum == "" || t.s.Left) {
		return false
	}
	asked := t.s.Before != "" && t.s.Rest == nil
	n := heard{
		Kind: kind, Message: ev.Message, Media: media, Case: c.ID.Code(), Asked: asked, Masked: t.s.Mask != nil,
		Left: t.s.Left, At: t.m.At, Since: t.before,
	}
	n.First = t.unknown() || t.s.Before != "" && !asked
	if asked {
		t.erase(ev.Message) // The word itself must not stay, nor what was nearly it.
	}
	length := utf8.RuneCountInString(FoldWord(ev.Text))
	switch {
	case length == 0 && asked:
		t.wrong()
		return true
	case length == 0:
		return false
	case c.Word.Sum == "" && c.Phrase.Sum == "" && c.Checking == 0 && !asked && t.s.Mask == nil:
		return false
	}
	var sums []string
	add := func(name string) {
		if sum := c.secret(name).Sum; sum != "" {
			n.Names, sums = append(n.Names, name), append(sums, sum)
		}
	}
	if n.tried() {
		add(secretWord)
	}
	add(secretPhrase)
	if length > mostSecret {
		n.Names, sums = nil, nil
	}
	if len(sums) == 0 && c.Checking == 0 && !asked {
		return t.recognised(n, ev.Text, "")
	}
	t.check(forSaid, n, sums, ev.Text)
	if t.with() && !t.s.unsure() && !n.First && t.s.Rest == nil && !t.overdue() {
		t.show(true) // It must not go on saying that all was read.
	}
	return true
}

// exhausted reports whether so many wrong words were said that the right one is
// worth nothing for a while.
func (t *turn) exhausted() bool {
	wrongs, _ := t.wrongs()
	return wrongs >= mostWrong
}

// wrongs counts the wrong words that still count, and since when the present
// window is: each one that is over forgives one of them.
func (t *turn) wrongs() (int, time.Time) {
	c := t.s.Case
	over := int(t.m.At.Sub(c.WrongSince) / wrongWindow)
	switch {
	case over <= 0:
		return c.Wrongs, c.WrongSince
	case over >= c.Wrongs:
		return 0, t.m.At
	}
	return c.Wrongs - over, c.WrongSince.Add(time.Duration(over) * wrongWindow)
}

// busy reports whether the case had all that the keeper does for one in a minute.
func (t *turn) busy() bool {
	c := t.s.Case
	return c.Compared >= mostCompared && t.m.At.Before(c.ComparedSince.Add(time.Minute))
}

// count counts what the keeper does for the case.
func (t *turn) count() {
	c := t.s.Case
	if !t.m.At.Before(c.ComparedSince.Add(time.Minute)) {
		c.Compared, c.ComparedSince = 0, t.m.At
	}
	c.Compared++
}

// check takes words to the keeper. Until they come back they are on their way.
func (t *turn) check(what string, n heard, sums []string, text string) {
	c := t.s.Case
	if c.Since.IsZero() {
		c.Since = t.m.At
	}
	c.Checking++
	check := Check{For: what, Note: n.write(), Sums: sums, Text: text}
	if !n.tried() {
		check.Within = heardWithin
	}
	t.do(check)
}

// heardBack goes on with words that come back from the keeper.
func (t *turn) heardBack(ev Checked) {
	n := readHeard(ev.Note)
	if ev.For == forSecret {
		t.comparedSecret(n, ev)
		return
	}
	if t.ofCase(n) && t.s.Case.Checking > 0 {
		t.s.Case.Checking--
		defer t.underWay()
	}
	if !t.belongs(n) {
		return
	}
	t.unheard = ev.Skipped
	switch ev.For {
	case forRelay:
		if t.ofCase(n) {
			t.relayAs(n.Kind, ev.Text)
		}
	case forSaid:
		name := n.name(ev.Match)
		if !t.ofCase(n) {
			name = ""
		}
		if t.parted(n) {
			text, name := t.tooLate(n, ev.Text, name)
			t.afterwards(n, text, name)
			return
		}
		t.lapses(ev)
		text, name := t.tooLate(n, ev.Text, name)
		if !t.recognised(n, text, name) {
			t.speaks(n, text)
		}
	}
}

// tooLate takes a secret that comes after too many wrong words for any other words,
// so that guessing on is of no use: nothing that is seen tells that it was one. The
// officers are told, and what goes to them is not the secret itself.
func (t *turn) tooLate(n heard, text, name string) (string, string) {
	if name == "" || !n.tried() || !t.ofCase(n) || !t.exhausted() {
		return text, name
	}
	if name == secretPhrase {
		t.s.Case.Duress = t.m.At
		t.warn(guardDuress)
	} else {
		t.tell("card.word.late")
	}
	return t.officers("card.word.withheld"), ""
}

// parted reports whether the chat was deleted, or closed to us, after words were
// said. Then nothing may appear there because of them.
func (t *turn) parted(n heard) bool {
	return t.s.Shut || t.s.Left && (!n.Left || t.s.LeftAt.After(n.At))
}

// afterwards does with words that were said before the chat was deleted what they
// ask for at the officers' side: the chat stays as it is. Nobody gets words of a
// case that is not there any more, or to which the consent was withdrawn.
func (t *turn) afterwards(n heard, text, name string) {
	if c := t.s.Case; !t.ofCase(n) || c.Withdrawn {
		return
	}
	// The word may have been said between these and the deletion.
	doubt := t.s.Case.Word.Right.Before(n.At)
	switch {
	case name == secretPhrase:
		t.s.Case.Duress = t.m.At
		t.disguise()
		t.warn(guardDuress)
	case name == secretWord:
		t.s.Case.Word.Right = t.m.At
		t.record("person", "word", "right")
		t.tell("card.word.told_right")
		t.update()
	case n.Asked && doubt:
		t.unproven(n, text)
		t.s.Case.Wrong = t.m.At
		t.miss(heard{Names: []string{secretWord}})
		t.disguise()
		t.warn(guardWrong)
	case (n.First || n.Masked) && doubt, t.s.Mask != nil:
		t.miss(n)
		t.unproven(n, text)
	default:
		t.passOn(n, text)
	}
}

// belongs reports whether words that come back from the keeper may still become
// anything. Those of a case that the person withdrew, or that went to another
// chat, may not: they would begin a new one. Those of a case that merely ended go
// on as if they had been said just now.
func (t *turn) belongs(n heard) bool {
	if t.ofCase(n) {
		return !t.s.Case.Withdrawn
	}
	return n.Case == t.s.Earlier
}

// recognised does what follows from the secret that words turned out to be, ""
// for none. It reports false for words that are simply said.
func (t *turn) recognised(n heard, text, name string) bool {
	switch {
	case name == secretWord:
		t.right(n.Message)
	case name == secretPhrase:
		t.duress()
	case !t.ofCase(n) || t.s.Case.Phase == Ended:
		return false
	case n.First && t.s.Mask == nil:
		t.unproven(n, text)
		t.before = n.Since
		if t.overdue() {
			t.fold(t.before)
		}
		if t.s.Rest != nil {
			t.words()
		} else {
			t.question()
		}
		t.show(false)
	case t.s.Before != "" && !n.First:
		t.unproven(n, text)
		t.wrong()
	case t.s.Mask != nil:
		t.miss(n)
		t.overheard(n, text)
	default:
		return false
	}
	return true
}

// speaks does with words what they did before there were secrets.
func (t *turn) speaks(n heard, text string) {
	said := Said{Message: n.Message, Text: text}
	t.before = n.Since
	switch {
	case n.Kind == kindEdited:
		t.edited(Edited(said))
	default:
		t.said(said)
		t.renew()
	}
	t.known()
}

// overheard does with words of whoever is behind a mask what they do in a stranger's
// chat: they go to the officers, who are told that nobody knows whose they are. After
// the phrase somebody watches who must not read of officers: there small talk is
// answered by the cover, until whoever is there asks for a person.
func (t *turn) overheard(n heard, text string) {
	t.before = n.Since
	mask := t.s.Mask
	here := t.book.screens[mask.Screen]
	switch {
	case mask.Hush && mask.Case == nil && (here == nil || !here.Text && here.Secret == ""):
		t.unproven(n, text)
		if c := t.s.Case; c.Phase == Owned && c.Owed.IsZero() {
			c.Owed = t.m.At
		}
		t.behindMask(func(in *turn) {
			in.enter(in.book.policy.First)
			in.show(false)
		})
	case n.Media != "":
		t.maskStep(Attached{Message: n.Message, Media: n.Media, Caption: text})
	case n.Kind == kindEdited:
		t.maskStep(Edited{Message: n.Message, Text: text})
	default:
		t.maskStep(Said{Message: n.Message, Text: text})
	}
}

// unproven passes on words of somebody who has not answered the question.
func (t *turn) unproven(n heard, text string) {
	t.relayAs(t.unverified(t.kindLabel(n)), text)
	t.record("unverified", n.Kind, text)
}

// passOn passes on words of the person's, and nothing else comes of them.
func (t *turn) passOn(n heard, text string) {
	t.relayAs(t.kindLabel(n), text)
	t.record("person", n.Kind, text)
}

// kindLabel says in the thread that words are a new wording.
func (t *turn) kindLabel(n heard) string {
	if n.Kind == kindEdited {
		return t.officers("card.edited")
	}
	return ""
}

// unverified is a label that says that nobody knows who this is from.
func (t *turn) unverified(label string) string {
	return strings.TrimSpace(t.officers("card.guard.label") + " " + label)
}

// miss counts a word that was compared and is not it.
func (t *turn) miss(n heard) {
	c := t.s.Case
	if !slices.Contains(n.Names, secretWord) {
		return
	}
	wrongs, since := t.wrongs()
	if wrongs < mostWrong { // Beyond, nothing was tried.
		c.Wrongs, c.WrongSince = wrongs+1, since
	}
}

// right ends the question, and the mask: the person goes on where they were.
func (t *turn) right(message MessageID) {
	c := t.s.Case
	t.erase(message)
	if !t.s.unsure() && !t.unknown() {
		return // It was said twice.
	}
	c.Word.Right, c.Known, c.Wrongs, c.AskNext = t.m.At, t.m.At, 0, false
	c.Guarded, c.GuardedAt = "", time.Time{}
	if t.s.Mask != nil {
		t.s.Mask = nil
		t.s.Token = t.m.token()
	}
	t.record("person", "word", "right")
	t.tell("card.word.told_right")
	if t.s.Left {
		t.rejoin()
	}
	before := t.s.Before
	t.s.Before = ""
	if r := t.s.Rest; r != nil {
		if r.Screen == t.book.policy.Ask {
			r.Screen = before
		}
		t.wake()
	} else if before != "" {
		t.enter(before)
	}
	if here := t.book.screens[t.s.Screen]; here == nil || here.name == t.book.policy.First || here.name == t.book.policy.Gone {
		t.enter(t.book.policy.Talk)
	}
	t.update()
	t.show(false)
}

// wrong answers the question with what a stranger sees, and warns the officers.
func (t *turn) wrong() {
	c := t.s.Case
	c.Wrong = t.m.At
	t.miss(heard{Names: []string{secretWord}})
	t.guard(guardWrong)
}

// duress answers the phrase with what a stranger sees, and tells the officers
// silently.
func (t *turn) duress() {
	t.s.Case.Duress = t.m.At
	if t.s.Case.Phase == Ended {
		t.lapse()
		t.show(false)
		t.warn(guardDuress)
		return
	}
	t.guard(guardDuress)
}
