package flows

import (
	"time"

	"suar/internal/caseid"
)

// A Side is where an effect is performed.
type Side uint8

// The sides. The numbers are kept on disk: never renumber them.
const (
	Caller   Side = 1 // the person's chat
	Officers Side = 2 // the officers' channel
	Archive  Side = 3 // the sealed transcript
	Keeper   Side = 4 // what is slow on purpose: the engine itself
	Pager    Side = 5 // the second way to call the officers
)

// An Effect is something to perform. The set is closed: the types in this
// file. One conversation's effects to one side are performed in order, each at
// least once.
type Effect interface {
	To() Side
	kind() string
}

// Effects to the person.
type (
	// Show brings the person's one bubble to what View gives for the state at
	// the time of delivery. So a Show that was overtaken by another costs
	// nothing, and none can show what is no longer true.
	Show struct {
		// Quiet says that the person did not ask for it: the bubble is edited
		// where it is, which makes no sound; without a bubble nothing is shown.
		Quiet bool `json:"quiet,omitempty"`
	}
	// Say sends a line of its own that says that there is a reply. Post is what
	// the officer wrote; the words stay in the state until they are opened.
	Say struct {
		Post PostID     `json:"post"`
		Text string     `json:"text"`
		Rows [][]Button `json:"rows,omitempty"`
	}
	// Amend changes what an earlier Say shows. Part is the part of the words that
	// it opens, 0 for none.
	Amend struct {
		Message MessageID  `json:"message"`
		Part    int        `json:"part,omitempty"`
		Text    string     `json:"text"`
		Rows    [][]Button `json:"rows,omitempty"`
	}
	// Erase deletes messages of both sides from the person's chat.
	Erase struct {
		Messages []MessageID `json:"messages"`
	}
	// Fetch takes in what is attached, up to MaxMedia bytes: the edge fetches it,
	// has everything taken out that it says beside the picture or the sound, and
	// has it kept sealed under Media. What it is comes back in Delivered.Held. It
	// is Undelivered for ReasonTooLarge, or ReasonUnsuited if it is not what Kind
	// says or cannot be cleaned.
	Fetch struct {
		Media MediaID `json:"media"`
		Kind  Media   `json:"kind"`
		File  FileID  `json:"file"`
	}
)

// Effects to the officers.
type (
	// Open puts the case's card into the officers' channel. It is tried until
	// it is there: it is never given up, and all that follows in the case's
	// lane waits for it. Case is whose card it is.
	Open struct {
		Case caseid.ID `json:"case,omitzero"`
	}
	// Update brings the card to what Card gives for the state at the time of
	// delivery.
	Update struct {
		// Last, if not nil, is shown instead: the card of a case that has ended,
		// whose place in the state another one may have taken since.
		Last *Card `json:"last,omitempty"`
	}
	// Relay puts the person's words into the thread. Label is ours, in the
	// officers' language, and may be empty; Text is the person's and must be
	// made inert. Words counts the messages that Text is of, each on a line of its
	// own; 0 is one.
	Relay struct {
		Label string `json:"label,omitempty"`
		Text  string `json:"text,omitempty"`
		Words int    `json:"words,omitempty"`
	}
	// Tell puts our own words to the officers into the thread. Quote is what an
	// officer wrote, beneath them, and must be made inert. Calls, if not zero, is an
	// officer who is mentioned and gets Code by a direct message.
	Tell struct {
		Text  string  `json:"text"`
		Quote string  `json:"quote,omitempty"`
		Calls Officer `json:"calls,omitzero"`
		Code  string  `json:"code,omitempty"`
	}
	// Page calls officers into the thread. Level counts the calls of this case so
	// far, the card's included, for as long as nobody acknowledges it: 1 is for
	// whoever is on duty. Code is the case's, "" for one that is no more.
	Page struct {
		Level int    `json:"level"`
		Text  string `json:"text"`
		Code  string `json:"code,omitempty"`
	}
	// Offer puts a line about a medium that is kept into the thread, with one
	// button, Label; a press is an Acted of ActionShow whose Choice is Media.
	Offer struct {
		Media MediaID `json:"media"`
		Text  string  `json:"text"`
		Label string  `json:"label"`
	}
	// Present puts what is kept under Media into the thread, as a file called
	// Name and what the media type Type calls for, with Text. It is Undelivered
	// for ReasonLost if it is not kept any more.
	Present struct {
		Media MediaID `json:"media"`
		Type  string  `json:"type"`
		Name  string  `json:"name"`
		Text  string  `json:"text"`
	}
	// Prompt puts our own words into the thread with buttons; a press is an Acted of
	// the button's Action and Choice. About is the flow's own and comes back with the
	// outcome. Restate takes the buttons off.
	Prompt struct {
		About   string   `json:"about"`
		Text    string   `json:"text"`
		Actions []Action `json:"actions"`
	}
	// Refer puts Content into the thread as a file called Name that only Recipient's
	// key opens, with Text above it. Content is sealed where it is performed.
	Refer struct {
		Case      caseid.ID `json:"case"`
		N         int       `json:"n"`
		Recipient string    `json:"recipient"`
		Name      string    `json:"name"`
		Text      string    `json:"text"`
		Content   string    `json:"content"`
	}
	// Retract removes a post of ours with its file.
	Retract struct {
		Post PostID `json:"post"`
	}
	// Restate changes a line that Offer or Prompt made and takes its button off.
	Restate struct {
		Post PostID `json:"post"`
		Text string `json:"text"`
	}
	// Hand gives a case to the conversation Into, which becomes Joined. The engine
	// performs it when all that was on its way to the officers before is there.
	Hand struct {
		Into    string  `json:"into"`
		Case    Case    `json:"case"`
		Facts   Facts   `json:"facts"`
		Replies []Reply `json:"replies,omitempty"`
		Earlier string  `json:"earlier,omitempty"`
	}
	// Mark puts a sign on an officer's post and takes the other signs off it.
	Mark struct {
		Post PostID `json:"post"`
		Sign Sign   `json:"sign"`
	}
)

// A Sign is what became of an officer's post.
type Sign string

// The signs.
const (
	SignSent   Sign = "sent"   // it is in the person's chat
	SignHeld   Sign = "held"   // it waits for the person's contact rule
	SignNote   Sign = "note"   // it stays among the officers
	SignDoubt  Sign = "doubt"  // it breaks a never rule, and is not sent before somebody decides
	SignFailed Sign = "failed" // it will not reach the person
)

// Record appends to the case's sealed transcript.
type Record struct {
	// At is when it happened, to the hour.
	At time.Time `json:"at"`
	// From is "person", "bot", "officer:" and the officer's name, or "somebody".
	From string `json:"from"`
	// Kind says what it is: said, edited, attached, answers, replied, revised,
	// withdrawn, deleted, note, claimed, closed, acted, casework, media, shown, left, blocked.
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// Effects to the keeper, which are slow on purpose and need a lane of their own
// in which nothing else waits. Their texts are folded first, see [FoldWord].
type (
	// Look computes what a receipt code is looked up by, for somebody who typed
	// it; the outcome is Hashed for "code", with an empty sum beyond the number of
	// tries.
	Look struct {
		Note string `json:"note"`
		Code string `json:"code"`
	}
	// Seek looks for the case that Sum leads to. If there is one its conversation
	// gets Sought; this one is told the same and waits as long in any case.
	Seek struct {
		Sum  string `json:"sum"`
		Text string `json:"text"`
	}
	// Hash makes of a text what tells it again and does not tell it: the outcome
	// is Hashed. For and Note come back in it and mean nothing to the keeper.
	Hash struct {
		For  string `json:"for"`
		Note string `json:"note,omitempty"`
		Text string `json:"text"`
		// Index asks for a sum that is the same whenever the text is, by which it
		// can be looked up; otherwise no two sums are the same.
		Index bool `json:"index,omitempty"`
	}
	// Check compares a text with sums that Hash made without Index: the outcome
	// is Checked, which gives the text back. Without sums it only keeps the text
	// in its order. It takes as long whether there is a match or not.
	Check struct {
		For  string   `json:"for"`
		Note string   `json:"note,omitempty"`
		Sums []string `json:"sums,omitempty"`
		Text string   `json:"text"`
		// Within, if not zero, is for how long it waits while others are before it;
		// then the text is given back uncompared, as Checked.Skipped.
		Within time.Duration `json:"within,omitempty"`
	}
	// Drop erases what is kept under Media; that nothing is, is as good. It is the
	// keeper's so that it waits for no server.
	Drop struct {
		Media MediaID `json:"media"`
	}
	// Shred erases the sealed transcript of a case to which the consent was
	// withdrawn. It is tried until it is done.
	Shred struct {
		Case caseid.ID `json:"case"`
	}
)

// To is where the effect is performed.
func (Show) To() Side    { return Caller }
func (Say) To() Side     { return Caller }
func (Amend) To() Side   { return Caller }
func (Erase) To() Side   { return Caller }
func (Fetch) To() Side   { return Caller }
func (Open) To() Side    { return Officers }
func (Update) To() Side  { return Officers }
func (Relay) To() Side   { return Officers }
func (Tell) To() Side    { return Officers }
func (Page) To() Side    { return Officers }
func (Offer) To() Side   { return Officers }
func (Present) To() Side { return Officers }
func (Refer) To() Side   { return Officers }
func (Retract) To() Side { return Officers }
func (Restate) To() Side { return Officers }
func (Prompt) To() Side  { return Officers }
func (Mark) To() Side    { return Officers }
func (Hand) To() Side    { return Officers }
func (Look) To() Side    { return Keeper }
func (Seek) To() Side    { return Keeper }
func (Record) To() Side  { return Archive }
func (Hash) To() Side    { return Keeper }
func (Check) To() Side   { return Keeper }
func (Drop) To() Side    { return Keeper }
func (Shred) To() Side   { return Keeper }

// EffectKind names an effect's type, for the outbox and for logs; the names are
// kept on disk. It is "none" for nil.
func EffectKind(e Effect) string {
	if e == nil {
		return "none"
	}
	return e.kind()
}

func (Show) kind() string    { return "show" }
func (Say) kind() string     { return "say" }
func (Amend) kind() string   { return "amend" }
func (Erase) kind() string   { return "erase" }
func (Fetch) kind() string   { return "fetch" }
func (Open) kind() string    { return "open" }
func (Update) kind() string  { return "update" }
func (Relay) kind() string   { return "relay" }
func (Tell) kind() string    { return "tell" }
func (Page) kind() string    { return "page" }
func (Offer) kind() string   { return "offer" }
func (Present) kind() string { return "present" }
func (Refer) kind() string   { return "refer" }
func (Retract) kind() string { return "retract" }
func (Restate) kind() string { return "restate" }
func (Prompt) kind() string  { return "prompt" }
func (Mark) kind() string    { return "mark" }
func (Hand) kind() string    { return "hand" }
func (Look) kind() string    { return "look" }
func (Seek) kind() string    { return "seek" }
func (Record) kind() string  { return "record" }
func (Hash) kind() string    { return "hash" }
func (Check) kind() string   { return "check" }
func (Drop) kind() string    { return "drop" }
func (Shred) kind() string   { return "shred" }
