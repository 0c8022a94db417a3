package flows

// Audit notes in the hotline's trail that an officer did something: what, in which
// case and who, never a word of anybody. The reasons and the words are in the case's
// sealed transcript. It is the keeper's: it waits for no server.
type Audit struct {
	// What is a fixed word: the name of an action, or one of the constants below.
	What string `json:"what"`
	// Code is the case's, empty for what is of none.
	Code string `json:"code,omitempty"`
	// By is who did it, With whom it concerns beside: to whom a case was given, who
	// confirmed.
	By   Officer   `json:"by,omitzero"`
	With []Officer `json:"with,omitempty"`
	// Count is how often, 0 for once.
	Count int `json:"count,omitempty"`
}

// What is noted beside the actions of the card.
const (
	AuditClaimed  = "claimed"
	AuditClosed   = "closed"
	AuditRefused  = "refused"  // what somebody sent who may not; only counted
	AuditWithheld = "withheld" // a post under a card of somebody who is no officer
)

// To is where the effect is performed.
func (Audit) To() Side     { return Keeper }
func (Audit) kind() string { return "audit" }

// audit notes in the trail what an officer did in the case. What a stranger behind a
// mask sees of it is no deed of anybody.
func (t *turn) audit(what string, by Officer, with ...Officer) {
	if t.depth > 0 || t.s.Case == nil {
		return
	}
	t.do(Audit{What: what, Code: t.s.Case.ID.Code(), By: by, With: with})
}
