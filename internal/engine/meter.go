package engine

import (
	"errors"
	"time"

	"suar/flows"
	"suar/storage"
)

// A Meter is told what happens, in numbers and names of ours only: no id, no name,
// no word of anybody. It is called on the way of every event and by any number of
// goroutines, so that it must not block.
type Meter interface {
	// Entered says that a case came into a phase. One that another conversation
	// takes over is counted once; of several phases in one step only the last is.
	Entered(p flows.Phase)
	// Acknowledged says that an officer acknowledged a case for the first time, so
	// long after it was opened.
	Acknowledged(after time.Duration)
	// Called says that officers were called in Mattermost, with the level of the
	// call as flows counts them: 1 is the card itself.
	Called(level int)
	// Performed says what came of one try to perform an effect, so long after the
	// effect was committed.
	Performed(side flows.Side, outcome Outcome, after time.Duration)
	// Committed says that the store answered a commit, after so long.
	Committed(took time.Duration, answer Answer)
}

// An Outcome is what came of one try to perform an effect.
type Outcome string

// The outcomes.
const (
	OutcomeDelivered   Outcome = "delivered"   // it is done
	OutcomeUndelivered Outcome = "undelivered" // it never will be, and the conversation is told
	OutcomeUnwanted    Outcome = "unwanted"    // the state wants it no longer, nothing was done
	OutcomeDeferred    Outcome = "deferred"    // it is tried again
)

// An Answer is what the store said to a commit.
type Answer string

// The answers.
const (
	AnswerKept    Answer = "kept"
	AnswerRefused Answer = "refused" // somebody else was first: nothing is wrong
	AnswerFailed  Answer = "failed"  // it may or may not be kept, and is repeated
)

// noMeter counts nothing.
type noMeter struct{}

func (noMeter) Entered(flows.Phase)                          {}
func (noMeter) Acknowledged(time.Duration)                   {}
func (noMeter) Called(int)                                   {}
func (noMeter) Performed(flows.Side, Outcome, time.Duration) {}
func (noMeter) Committed(time.Duration, Answer)              {}

// answerOf is what an error of a commit says.
func answerOf(err error) Answer {
	if err == nil {
		return AnswerKept
	}
	for _, decision := range []error{storage.ErrDuplicate, storage.ErrConflict, storage.ErrLeaseLost, storage.ErrNameTaken} {
		if errors.Is(err, decision) {
			return AnswerRefused
		}
	}
	return AnswerFailed
}

// meterCase tells the meter what a commit made of the case that the conversation
// had before, nil for none.
func (e *Engine) meterCase(st step, before *flows.Case, d *draft) {
	after := d.after.State.Case
	switch {
	case after == nil && d.after.Handing != nil:
		return // It goes on elsewhere.
	case after == nil:
		if before != nil && before.Phase != flows.Ended {
			e.meter.Entered(flows.Ended)
		}
		return
	case before != nil && before.ID == after.ID && before.Phase == after.Phase:
		return
	case st.joins != nil && (before == nil || before.ID != after.ID):
		return // It was counted where it comes from.
	}
	e.meter.Entered(after.Phase)
	if after.Phase == flows.Owned && (before == nil || before.Acknowledged.IsZero()) && !after.Acknowledged.IsZero() {
		e.meter.Acknowledged(max(after.Acknowledged.Sub(after.Opened), 0))
	}
}

// meterCall tells the meter of a call that was made.
func (e *Engine) meterCall(ef flows.Effect) {
	switch ef := ef.(type) {
	case flows.Open:
		e.meter.Called(1)
	case flows.Page:
		e.meter.Called(ef.Level)
	}
}
