package engine

import (
	"fmt"
	"time"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
)

// transcribe adds to the commit what the effects have for the transcript. A
// case that the state did not have before begins a new one: its key is made,
// sealed to the officers and dropped here.
func (e *Engine) transcribe(commit *storage.Commit, v *envelope, effects []numbered, at time.Time) error {
	if id := presentCase(v.State); id != nil && (v.Tape == nil || v.Tape.Case != *id) {
		tape, header, err := seal.NewTape(*id, e.officers(), at, e.rand)
		if err != nil {
			// Not the event's fault: it must wait until cases can be sealed.
			return fmt.Errorf("engine: begin a transcript: %w", err)
		}
		v.Tape = &tape
		commit.Transcript, commit.Header = id.String(), header
	}
	for _, ef := range effects {
		r, ok := ef.Effect.(flows.Record)
		if !ok {
			continue
		}
		if v.Tape == nil {
			return fmt.Errorf("%w: a record before there is a case", ErrStep)
		}
		tape, records, err := v.Tape.Append(seal.Entry{At: r.At, From: r.From, Kind: r.Kind, Text: r.Text})
		if err != nil {
			return fmt.Errorf("%w: append to the transcript: %w", ErrStep, err)
		}
		v.Tape = &tape
		commit.Transcript = tape.Case.String()
		commit.Entries = append(commit.Entries, records...)
	}
	return nil
}
