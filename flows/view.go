package flows

// A View is what the person's one bubble shows.
type View struct {
	// Text is plain text, at most 4,096 UTF-16 code units.
	Text string
	Rows [][]Button
}

// A Button is a choice under the bubble.
type Button struct {
	Label string `json:"label"`
	// Data comes back in Chose: at most 64 bytes, without meaning to anybody
	// who reads it.
	Data string `json:"data"`
	// Danger asks for the colour of an emergency where there is one.
	Danger bool `json:"danger,omitempty"`
}

// A Card is what the officers see of a case: facts that were asked, answered
// or skipped, in the officers' language. It never holds a name, an identity, a
// score or a verdict, nor free text of the person's.
type Card struct {
	// Code is the case's random code.
	Code string
	// Title is one line, for the list of posts and for a notification.
	Title string
	// Urgent says that the card asks for attention before others.
	Urgent bool
	Tone   Tone
	Lines  []Line
	// Actions are the buttons of the card, in order.
	Actions []Action
	// Menu are the actions that stand together in one menu beside the buttons,
	// in order; More is what the menu is called. No two of a card's actions have
	// the same Name and Choice.
	Menu []Action
	More string
	// Rank is where the case stands in the queue, Why the rule by which it does.
	Rank int
	Why  string
	// Mention says whom the card calls by a mention when it is first posted:
	// the officers on duty.
	Mention bool
	// Index is the card for lists of cases.
	Index Index
}

// A Line is one fact of a card.
type Line struct{ Label, Value string }

// An Action is a button of a card, or a line of its menu.
type Action struct {
	Name ActionName
	// Choice tells actions of one name apart, empty where there is one. Name and
	// Choice come back in Acted; neither holds a colon.
	Choice string
	Label  string
	// Confirm, if not empty, is the question that a dialog asks first.
	Confirm string
	// Form says that a dialog asks for what [Book.Form] gives, in the place of
	// Confirm.
	Form bool
}

// An ActionName says which event a press becomes: Claimed, Closed, and Acted for
// every other.
type ActionName string

// The actions.
const (
	ActionClaim ActionName = "claim"
	ActionClose ActionName = "close"
)

// A Tone is the colour of a card's edge.
type Tone string

// The tones.
const (
	ToneDanger  Tone = "danger"  // somebody waits, and it is urgent
	ToneWaiting Tone = "waiting" // somebody waits
	ToneActive  Tone = "active"  // an officer has it
	ToneClosed  Tone = "closed"
)
