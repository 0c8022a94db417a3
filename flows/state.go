package flows

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"

	"suar/internal/caseid"
)

// A State is all that is known of one conversation. The zero State is a
// conversation that has not begun. It is a value: Step never modifies the one
// it is given. It is kept as JSON, sealed.
type State struct {
	Facts
	// Screen is the screen the person is at, "flow.screen", "" for none. Page
	// is the entry that is open on a screen that lists entries.
	Screen string `json:"screen,omitempty"`
	Page   string `json:"page,omitempty"`
	// Trail are the screens before this one, for Back.
	Trail []string `json:"trail,omitempty"`
	// Token begins the data of the present screen's buttons, so that a button
	// of another screen, or of a conversation that was erased, means nothing.
	Token string `json:"token,omitempty"`
	// Was is the screen before, as long as its bubble may still be seen on another
	// device, and its token: what asks for help there is never lost.
	Was Was `json:"was,omitzero"`
	// Picks are the options ticked so far on a screen that takes several.
	Picks []string `json:"picks,omitempty"`
	// Note is a text key shown once above the screen.
	Note string `json:"note,omitempty"`
	// Shown is the bubble in the person's chat, "" if there is none. Covered
	// says that messages came after it.
	Shown   MessageID `json:"shown,omitempty"`
	Covered bool      `json:"covered,omitempty"`
	// Messages are the messages of both sides that are still to be erased.
	Messages []Message `json:"messages,omitempty"`
	// Kept is when messages could not be erased of which the person was not told,
	// zero if there are none.
	Kept time.Time `json:"kept,omitzero"`
	// Replies are the officers' replies that may still be changed or wait.
	Replies []Reply `json:"replies,omitempty"`
	// Left says that the person deleted the chat and has not come back, LeftAt
	// when, if the person asked for it. Shut says that the person closed the
	// chat to the bot.
	Left   bool      `json:"left,omitempty"`
	LeftAt time.Time `json:"left_at,omitzero"`
	Shut   bool      `json:"shut,omitempty"`
	// Later says that the person left by "not now".
	Later bool `json:"later,omitempty"`
	// Aside is what the person had said before deleting the chat in the middle
	// of a case. Whoever opens the chat then begins anew and can neither see nor
	// change it.
	Aside *Facts `json:"aside,omitempty"`
	// Asked is the newer notice that the person was asked to agree to in this
	// conversation.
	Asked string `json:"asked,omitempty"`
	// Rest is where the person was when the chat folded back, nil if it has not.
	Rest *Rest `json:"rest,omitempty"`
	// Code is the receipt code that stands in the bubble since CodeAt.
	Code   string    `json:"code,omitempty"`
	CodeAt time.Time `json:"code_at,omitzero"`
	// Return is a receipt code that was typed here and is on its way.
	Return *Return `json:"return,omitempty"`
	// Mask is the stranger's conversation that is seen instead of this one by
	// whoever does not know the check word; nil for none. It shares the chat.
	Mask *State `json:"mask,omitempty"`
	// Hush says, in a mask, that the phrase was said: small talk is answered by the
	// cover.
	Hush bool `json:"hush,omitempty"`
	// Before is where the person was when the check question came, "" if it is
	// not open.
	Before string `json:"before,omitempty"`
	// Seen is when the person last gave a sign.
	Seen time.Time `json:"seen,omitzero"`

	Case *Case `json:"case,omitempty"`
	// Revoked says that the consent to a case was withdrawn whose thread was not
	// told yet: what waits for it before that must not be posted any more.
	Revoked bool `json:"revoked,omitempty"`
	// Earlier is the code of the case before this one.
	Earlier string `json:"earlier,omitempty"`
	// Due is the next alarm.
	Due time.Time `json:"due,omitzero"`
}

// A Was is a screen that was shown, and what its buttons' data begins with.
type Was struct {
	Screen string `json:"screen"`
	Token  string `json:"token"`
}

// Facts are what the person said by taps: what the officers' card shows.
type Facts struct {
	// Language is the catalogue the person chose, "" before that.
	Language string `json:"language,omitempty"`
	// Kind is the flow that the person came in by, "" before that.
	Kind string `json:"kind,omitempty"`
	// Notice is the version of the notice the person agreed to, NoticeAt when.
	Notice   string    `json:"notice,omitempty"`
	NoticeAt time.Time `json:"notice_at,omitzero"`
	// Answers are what was asked, in the order it was asked.
	Answers []Answer `json:"answers,omitempty"`
	Danger  bool     `json:"danger,omitempty"`
	Minor   bool     `json:"minor,omitempty"`
	// Pressing says that an answer asks for a human soon, without danger.
	Pressing bool `json:"pressing,omitempty"`
}

// An Answer is what became of one question.
type Answer struct {
	Screen string `json:"screen"`
	Fact   string `json:"fact"`
	// Options are the options chosen; none if the question was skipped.
	Options []string `json:"options,omitempty"`
	// Text is what was typed where a question takes text, until it is passed on
	// to the officers; Typed says that it was.
	Text  string `json:"text,omitempty"`
	Typed bool   `json:"typed,omitempty"`
}

// A Message is a message in the person's chat that must not stay there.
type Message struct {
	ID MessageID `json:"id"`
	At time.Time `json:"at"`
	// Going says that an Erase for it is on its way.
	Going bool `json:"going,omitempty"`
}

// A Reply is an officer's reply to the person.
type Reply struct {
	Post PostID    `json:"post"`
	At   time.Time `json:"at"`
	// Text is kept until the message that it became is erased.
	Text string `json:"text,omitempty"`
	// Message is the message it became, "" until it is there.
	Message MessageID `json:"message,omitempty"`
	// Held says that it waits for the person's contact rule.
	Held bool `json:"held,omitempty"`
	// Ask says that only a press for replies lets it go: it was written to
	// somebody who had deleted the chat, and who writes now may be another.
	Ask bool `json:"ask,omitempty"`
	// Gone says that the officer took it back while it was on its way.
	Gone bool `json:"gone,omitempty"`
	// Part is the part of the words that its message shows, 0 for none; Read
	// says that it was opened.
	Part int  `json:"part,omitempty"`
	Read bool `json:"read,omitempty"`
	// Wish is the message beneath which the person asked for the words before it
	// was known to be this reply's.
	Wish MessageID `json:"wish,omitempty"`
	// Again says that it was in the chat, was not opened, and its message is
	// gone: only a sign of the person lets it go again.
	Again bool `json:"again,omitempty"`
	// Note says that it is not a reply but an internal note.
	Note bool `json:"note,omitempty"`
}

// A Phase is where a case stands.
type Phase string

// The phases. An erased case has no phase: it has no state.
const (
	Opening  Phase = "opening"  // the card is not yet in the officers' channel
	Alerting Phase = "alerting" // the card is there, nobody has acknowledged it
	Owned    Phase = "claimed"  // an officer has acknowledged it
	Ended    Phase = "closed"   // an officer closed it
)

// A Case is what the officers have of a conversation.
type Case struct {
	ID    caseid.ID `json:"id"`
	Phase Phase     `json:"phase"`
	// Opened, Placed, Acknowledged and Closed are when the case entered its
	// phases.
	Opened       time.Time `json:"opened"`
	Placed       time.Time `json:"placed,omitzero"`
	Acknowledged time.Time `json:"acknowledged,omitzero"`
	Closed       time.Time `json:"closed,omitzero"`
	Thread       PostID    `json:"thread,omitempty"`
	Officer      Officer   `json:"officer,omitzero"`
	// Code is what the receipt code is looked up by, "" without one. Ask is who
	// typed it in another chat, Asks counts those who did. Moved is when the case
	// came from another account.
	Code  string    `json:"code,omitempty"`
	Ask   *Ask      `json:"ask,omitempty"`
	Asks  int       `json:"asks,omitempty"`
	Moved time.Time `json:"moved,omitzero"`
	// CodeMade is when that code was made, CodeAsks counts who typed it.
	CodeMade time.Time `json:"code_made,omitzero"`
	CodeAsks int       `json:"code_asks,omitempty"`
	// Stirred is when something last happened in a claimed case, Dormant that the
	// officers were told that it will close by itself.
	Stirred time.Time `json:"stirred,omitzero"`
	Dormant bool      `json:"dormant,omitempty"`
	// Acks are the officers who have acknowledged the case since it was called out,
	// Lacks is how many more must.
	Acks  []Officer `json:"acks,omitempty"`
	Lacks int       `json:"lacks,omitempty"`
	// Transfer is the offer of the case to a colleague, Strays are what officers
	// wrote who do not own it. Approval waits for a second officer, Overrides are
	// what two decided.
	Transfer Transfer `json:"transfer,omitzero"`
	Strays   []Stray  `json:"strays,omitempty"`
	// Doubts are officers' words that break a never rule and are not decided, Sure
	// the sums of those that were sent all the same.
	Doubts    []Doubt    `json:"doubts,omitempty"`
	Sure      []string   `json:"sure,omitempty"`
	Approval  Approval   `json:"approval,omitzero"`
	Overrides []Override `json:"overrides,omitempty"`
	// Shredded says that two officers had the transcript erased: nothing is added
	// to it any more.
	Shredded bool `json:"shredded,omitempty"`
	// Pages counts the calls to the officers.
	Pages int `json:"pages,omitempty"`
	// Unsent counts the person's messages that are not yet in the thread, besides
	// those at the keeper; Since is since when the person waits for something to
	// be passed on, zero if for nothing.
	Unsent int       `json:"unsent,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	// Bundle is what goes to the thread together, soon: some of the unsent. Ahead is
	// up to when the chat has used what it may write there by the second, zero if it
	// has all of it.
	Bundle Bundle    `json:"bundle,omitzero"`
	Ahead  time.Time `json:"ahead,omitzero"`
	// Summons counts the calls by the second way, Summoned is when the last was made;
	// both are zero when there is no need of it.
	Summons  int       `json:"summons,omitempty"`
	Summoned time.Time `json:"summoned,omitzero"`
	// Paging says that a call is on its way since Paged, Calling that it is one that the
	// person waits for.
	Paging  bool      `json:"paging,omitempty"`
	Paged   time.Time `json:"paged,omitzero"`
	Calling bool      `json:"calling,omitempty"`
	// Owed is when the person wrote the first words that no officer has answered,
	// Nudged that an officer was reminded of them.
	Owed   time.Time `json:"owed,omitzero"`
	Nudged bool      `json:"nudged,omitempty"`
	// Has says that words of the person are in the thread, Read that an officer
	// gave a sign in it since.
	Has  bool `json:"has,omitempty"`
	Read bool `json:"read,omitempty"`
	// Told says that the thread was told that replies wait.
	Told bool `json:"told,omitempty"`
	// Lost says that the person's last words could not be passed on.
	Lost bool `json:"lost,omitempty"`
	// Stuck says that the person was told that the officers' side cannot be
	// reached.
	Stuck bool `json:"stuck,omitempty"`
	// Hostile is the officers' mark that the report is hostile or false: who set
	// it, and HostileAt when. It changes nothing for the person.
	Hostile   string    `json:"hostile,omitempty"`
	HostileAt time.Time `json:"hostile_at,omitzero"`
	// Takes says that photos and voice messages are taken in this case, TakesBy
	// which officer allowed it. Media are those that were not shown yet, the
	// oldest first; Taken counts all.
	Takes   bool     `json:"takes,omitempty"`
	TakesBy string   `json:"takes_by,omitempty"`
	Media   []Medium `json:"media,omitempty"`
	Taken   int      `json:"taken,omitempty"`
	// Asking is when an officer asked the person what may be said to somebody who
	// asks about them, zero if there is no such question open.
	Asking time.Time `json:"asking,omitzero"`
	// Release is what an officer proposes to say to somebody who looks for a
	// person, until a second one confirms it.
	Release Release `json:"release,omitzero"`
	// Withdrawn says that the person withdrew the consent: the case has ended, and
	// is only kept until the officers were told.
	Withdrawn bool `json:"withdrawn,omitempty"`
	// Stood are the marks that stood then and that nothing clears, as keys of the
	// catalogue: whoever withdrew may not have been the person.
	Stood []string `json:"stood,omitempty"`
	// Word and Phrase are what is kept of the check word and the duress phrase.
	Word   Word `json:"word,omitzero"`
	Phrase Word `json:"phrase,omitzero"`
	// Known is when there was last a sign of somebody who was not asked for the
	// word or knew it. AskedAt is when it was asked for, AskNext says that an
	// officer wants it asked for at the next sign.
	Known   time.Time `json:"known,omitzero"`
	AskedAt time.Time `json:"asked_at,omitzero"`
	AskNext bool      `json:"ask_next,omitempty"`
	// Wrong is when the question was last answered wrong, Duress when the phrase
	// was last said.
	Wrong  time.Time `json:"wrong,omitzero"`
	Duress time.Time `json:"duress,omitzero"`
	// Wrongs counts the wrong words since WrongSince, Checking the words that are
	// at the keeper.
	Wrongs     int       `json:"wrongs,omitempty"`
	WrongSince time.Time `json:"wrong_since,omitzero"`
	Checking   int       `json:"checking,omitempty"`
	// Compared counts what the keeper did for the case since ComparedSince, for as
	// long as a minute.
	Compared      int       `json:"compared,omitempty"`
	ComparedSince time.Time `json:"compared_since,omitzero"`
	// Guarded is why who writes is not believed to be the person, "" if they
	// are; GuardedAt since when.
	Guarded   string    `json:"guarded,omitempty"`
	GuardedAt time.Time `json:"guarded_at,omitzero"`
	// Work is what officers recorded by forms, nil if nothing.
	Work *Work `json:"work,omitempty"`
	// Late says that the person was told that nobody has acknowledged yet.
	Late bool `json:"late,omitempty"`
	// Unattended says that nobody was on duty at the last call, Duty when somebody
	// is by the roster, zero if that is not known.
	Unattended bool      `json:"unattended,omitempty"`
	Duty       time.Time `json:"duty,omitzero"`
}

// underWay counts the person's messages that are not yet in the thread.
func (c Case) underWay() int { return c.Unsent + c.Checking }

// Crowds reports whether more than one message of the person's is at the keeper.
func (s State) Crowds() bool {
	n := 0
	if s.Case != nil {
		n = s.Case.Checking
	}
	if s.Mask != nil && s.Mask.Case != nil {
		n += s.Mask.Case.Checking
	}
	return n > 1
}

// waits is since when a case waits for somebody to acknowledge it.
func (c Case) waits() time.Time {
	if c.Acknowledged.IsZero() {
		return c.Opened
	}
	return c.Placed // The officers were called into it again.
}

// Blank reports whether nothing is left to keep.
func (s State) Blank() bool {
	return s.Case == nil && s.Screen == "" && s.Shown == "" && len(s.Messages) == 0 && s.Kept.IsZero()
}

// Alarm returns when Step wants a TimedOut, zero for never.
func (s State) Alarm() time.Time { return s.Due }

// CaseID returns the present case, if there is one.
func (s State) CaseID() (id caseid.ID, ok bool) {
	if s.Case == nil {
		return id, false
	}
	return s.Case.ID, true
}

// Thread returns the root post of the present case, "" before it is placed.
func (s State) Thread() PostID {
	if s.Case == nil {
		return ""
	}
	return s.Case.Thread
}

// Urgent reports whether effects of this conversation go before others'.
func (s State) Urgent() bool {
	f := s.facts()
	return f.Danger || f.Minor || f.Pressing || s.Case != nil && !s.Case.Duress.IsZero()
}

// facts are what the officers know of the person.
func (s State) facts() Facts {
	if s.Aside != nil {
		return *s.Aside
	}
	return s.Facts
}

// Bubble returns the message that Show edits, and whether it is buried under
// later messages.
func (s State) Bubble() (id MessageID, buried bool) { return s.Shown, s.Covered }

// answer returns what became of the question about a fact.
func (f Facts) answer(fact string) (Answer, bool) {
	i := slices.IndexFunc(f.Answers, func(a Answer) bool { return a.Fact == fact })
	if i < 0 {
		return Answer{}, false
	}
	return f.Answers[i], true
}

// set keeps an answer, in the place of an earlier one to the same question.
func (f *Facts) set(a Answer) {
	i := slices.IndexFunc(f.Answers, func(x Answer) bool { return x.Fact == a.Fact })
	if i < 0 {
		f.Answers = append(f.Answers, a)
		return
	}
	f.Answers[i] = a
}

func (f Facts) clone() Facts {
	f.Answers = slices.Clone(f.Answers)
	for i := range f.Answers {
		f.Answers[i].Options = slices.Clone(f.Answers[i].Options)
	}
	return f
}

// clone returns a State that shares nothing with s.
func (s State) clone() State {
	s.Trail = slices.Clone(s.Trail)
	s.Picks = slices.Clone(s.Picks)
	if s.Rest != nil {
		rest := *s.Rest
		rest.Trail, rest.Picks = slices.Clone(rest.Trail), slices.Clone(rest.Picks)
		s.Rest = &rest
	}
	s.Messages = slices.Clone(s.Messages)
	s.Replies = slices.Clone(s.Replies)
	s.Facts = s.Facts.clone()
	if s.Return != nil {
		r := *s.Return
		s.Return = &r
	}
	if s.Aside != nil {
		aside := s.Aside.clone()
		s.Aside = &aside
	}
	if s.Mask != nil {
		mask := s.Mask.clone()
		s.Mask = &mask
	}
	if s.Case != nil {
		c := *s.Case
		if c.Ask != nil {
			ask := *c.Ask
			c.Ask = &ask
		}
		c.Media = slices.Clone(c.Media)
		c.Doubts, c.Sure = slices.Clone(c.Doubts), slices.Clone(c.Sure)
		c.Acks, c.Strays, c.Overrides = slices.Clone(c.Acks), slices.Clone(c.Strays), slices.Clone(c.Overrides)
		c.Work = c.Work.clone()
		s.Case = &c
	}
	return s
}

// draw derives n bytes for one purpose from a moment's fresh ones, so that
// what one purpose shows tells nothing of another.
func (m Moment) draw(purpose string, n int) []byte {
	sum := sha256.Sum256(append(m.Fresh[:], purpose...))
	return sum[:n]
}

func (m Moment) token() string {
	return base64.RawURLEncoding.EncodeToString(m.draw("token", 6))
}

func (m Moment) mediaID() MediaID {
	return MediaID(base64.RawURLEncoding.EncodeToString(m.draw("media", 9)))
}

func (m Moment) caseID() caseid.ID { return caseid.ID(m.draw("case", 16)) }
