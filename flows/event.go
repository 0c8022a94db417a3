// Package flows is what is said: the intake, the life of a case and the words,
// as one pure function. [Book.Step] takes a state, a moment and an event and
// returns the next state and the effects to perform. It has no clock, no
// randomness, no logger and does no I/O.
package flows

import (
	"slices"
	"strings"
	"time"

	"suar/internal/caseid"
)

// A MessageID names what one effect put into the person's chat: one message, or
// several joined by commas if the words did not fit into one. What a name means
// is the edge's own.
type MessageID string

// covers reports whether a message is one of those that the ID names.
func (id MessageID) covers(message MessageID) bool {
	return id == message || message != "" && slices.Contains(strings.Split(string(id), ","), string(message))
}

// A PostID names one post in the officers' channel. Its meaning is the edge's
// own.
type PostID string

// An Officer is who acted on the officers' side. ID is the edge's own and does
// not change; Name is how the other officers know this one.
type Officer struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Role is what the officer may do, at each event as the roster of that moment
	// says. Officers are compared by their ID.
	Role Role `json:"role,omitempty"`
}

// A Role is what an officer may do beside an officer's work.
type Role string

// The roles. Without a roster every member of the channel is a lead.
const (
	RoleOfficer    Role = "officer"
	RoleLead       Role = "lead"
	RoleSupervisor Role = "supervisor"
)

// A Moment is what Step may know of the world outside.
type Moment struct {
	// At is when the event is handled.
	At time.Time
	// Fresh is random, and the same whenever the same event is stepped again.
	Fresh [16]byte
}

// An Event is something that happened. The set is closed: the types in this
// file.
type Event interface{ kind() string }

// Events from the person. Message is the person's own message, or for Chose
// the message that carries the button; empty if there is none. An edge must
// not put a name, a user name, a picture or a language of the person into any
// of them.
type (
	// Started says that the person opened the chat: the command /start.
	Started struct{ Message MessageID }
	// Asked is one of the other commands that a person can give at any time.
	Asked struct {
		Message MessageID
		What    Command
	}
	// Said is free text.
	Said struct {
		Message MessageID
		Text    string
	}
	// Chose is a press of a button. Data is the Button.Data that came back; it
	// may be forged or stale.
	Chose struct {
		Message MessageID
		Data    string
	}
	// Attached is anything but text: a photo, a voice message, a contact, a
	// place. The edge fetches and keeps nothing of it but its kind and the text
	// written beneath it. For a photo, a voice message and a file that says that
	// it is a photo, File is where it can be fetched, should a Fetch ask for it,
	// and Size how long it is said to be in bytes, 0 if that is not said.
	Attached struct {
		Message MessageID
		Media   Media
		Caption string
		File    FileID
		Size    int
	}
	// Edited is a new wording of an earlier message.
	Edited struct {
		Message MessageID
		Text    string
	}
	// Blocked says that the person closed the chat to the bot.
	Blocked struct{}
	// Garbled says that something came from the person that the edge could not
	// read. It counts as received.
	Garbled struct{ Message MessageID }
)

// A Command is what a person can ask for in every state.
type Command string

// The commands.
const (
	AskDelete   Command = "delete"   // erase both sides' messages and leave
	AskPrivacy  Command = "privacy"  // what is kept, who reads it, how to erase it
	AskLanguage Command = "language" // choose the language again
)

// Media is a kind of attachment.
type Media string

// The kinds of attachments.
const (
	MediaPhoto    Media = "photo"
	MediaVideo    Media = "video"
	MediaVoice    Media = "voice"
	MediaSticker  Media = "sticker"
	MediaFile     Media = "file"
	MediaContact  Media = "contact"
	MediaLocation Media = "location"
	MediaOther    Media = "other"
)

// Events from the officers. Post is the post in the case's thread that the
// event is about.
type (
	// Claimed says that an officer pressed Claim.
	Claimed struct{ Officer Officer }
	// Replied is a post in the thread, to be passed on to the person.
	Replied struct {
		Post    PostID
		Officer Officer
		Text    string
		// Files counts attachments. They are never passed on.
		Files int
		// Mentions says that the text mentions a colleague or all of them. Then it
		// is not for the person.
		Mentions bool
	}
	// Noted is a post in the thread that stays among the officers.
	Noted struct {
		Post    PostID
		Officer Officer
		Text    string
	}
	// Revised is a new wording of an earlier post. Note says that the new
	// wording is an internal note, Mentions that it mentions a colleague.
	Revised struct {
		Post     PostID
		Officer  Officer
		Text     string
		Note     bool
		Mentions bool
	}
	// Withdrawn says that an earlier post was deleted, or the case's card. Who deleted
	// it nobody knows; Outsider says that its author is no officer now.
	Withdrawn struct {
		Post     PostID
		Outsider bool `json:",omitempty"`
	}
	// Closed says that an officer closed the case.
	Closed struct{ Officer Officer }
	// Acted says that an officer chose another of the card's actions: Action and
	// Choice are the action's own. It may be stale; one that the card does not
	// offer now does nothing.
	Acted struct {
		Officer Officer
		Action  ActionName
		Choice  string
		// Values are what was filled in, by field, if the action has a form; Stamp
		// is the form's that the officer saw. Named is the officer who was chosen in
		// a FieldOfficer, who was one when the edge looked.
		Values map[string]string
		Stamp  string
		Named  Officer
	}
)

// Events about who owns a case.
type (
	// HandedOver says that By offers the case to the officer To, as with all of
	// By's at the end of a shift.
	HandedOver struct{ By, To Officer }
	// TakenUp says that an officer accepts or declines what is offered to them.
	TakenUp struct {
		Officer Officer
		Accept  bool
	}
	// Missed says that what was written in the case's thread between Since and
	// Until was not read, and never will be: the hotline was away for too long.
	Missed struct{ Since, Until time.Time }
	// Departed says that somebody is no officer any more. It may come again.
	Departed struct{ Officer Officer }
)

// Events from the engine.
type (
	// TimedOut says that the state's alarm has come.
	TimedOut struct{}
	// Delivered says that an effect was performed.
	Delivered struct {
		Effect Effect
		// Message is the message that Show or Say made or kept, Post the post
		// that Open, Page or Relay made.
		Message MessageID
		Post    PostID
		// Kept are the messages of an Erase that could not be erased.
		Kept []MessageID
		// Held is what a Fetch had sealed.
		Held Held
		// Unattended says that nobody was on duty when Open, Page or Tell was
		// performed, so that the first two called the leads; Duty is when somebody
		// is, zero if that is not known.
		Unattended bool
		Duty       time.Time
	}
	// Undelivered says that an effect will not be performed.
	Undelivered struct {
		Effect Effect
		Reason Reason
		// Perhaps says that it may have been performed all the same.
		Perhaps bool
	}
)

// Events from the keeper: what came of its effects.
type (
	// Hashed gives the sum of a Hash.
	Hashed struct {
		For, Note string
		Sum       string
	}
	// Sought says that the case's receipt code was typed in the chat of the
	// conversation From, which may be this one: Here. Sum is what the code was
	// looked up by, Text the answer to the question that was asked with it.
	Sought struct {
		From string
		Here bool
		Sum  string
		Text string
	}
	// Ceded says that an officer brings the case To here, in the place of the one
	// that there is. If that is To, it is here already.
	Ceded struct{ To caseid.ID }
	// Joined brings a case from another conversation. There must be no case here
	// that is not over.
	Joined struct{ Hand }
	// Checked gives back the text of a Check. Match is the index of the first sum
	// that is the text's, -1 if none is. Skipped says that it was compared with
	// none of them.
	Checked struct {
		For, Note string
		Text      string
		Match     int
		Skipped   bool
	}
)

// A Reason is why an effect was not performed.
type Reason string

// The reasons.
const (
	ReasonBlocked  Reason = "blocked"  // the person closed the chat
	ReasonGone     Reason = "gone"     // the message, post or thread is not there any more
	ReasonRejected Reason = "rejected" // the other side refuses the content
	ReasonGivenUp  Reason = "given up" // tried until it made no sense any more
	ReasonUnwanted Reason = "unwanted" // the state does not want it any more
	// What is attached is longer than is taken; is nothing that can be cleaned;
	// is not kept any more.
	ReasonTooLarge Reason = "too large"
	ReasonUnsuited Reason = "unsuited"
	ReasonLost     Reason = "lost"
)

// EventKind names an event's type, for logs; "none" for nil.
func EventKind(ev Event) string {
	if ev == nil {
		return "none"
	}
	return ev.kind()
}

func (Started) kind() string     { return "started" }
func (Asked) kind() string       { return "asked" }
func (Said) kind() string        { return "said" }
func (Chose) kind() string       { return "chose" }
func (Attached) kind() string    { return "attached" }
func (Edited) kind() string      { return "edited" }
func (Blocked) kind() string     { return "blocked" }
func (Garbled) kind() string     { return "garbled" }
func (Claimed) kind() string     { return "claimed" }
func (Replied) kind() string     { return "replied" }
func (Noted) kind() string       { return "noted" }
func (Revised) kind() string     { return "revised" }
func (Withdrawn) kind() string   { return "withdrawn" }
func (Closed) kind() string      { return "closed" }
func (Acted) kind() string       { return "acted" }
func (HandedOver) kind() string  { return "handed over" }
func (TakenUp) kind() string     { return "taken up" }
func (Missed) kind() string      { return "missed" }
func (Departed) kind() string    { return "departed" }
func (TimedOut) kind() string    { return "timed out" }
func (Delivered) kind() string   { return "delivered" }
func (Undelivered) kind() string { return "undelivered" }
func (Hashed) kind() string      { return "hashed" }
func (Checked) kind() string     { return "checked" }
func (Sought) kind() string      { return "sought" }
func (Ceded) kind() string       { return "ceded" }
func (Joined) kind() string      { return "joined" }
