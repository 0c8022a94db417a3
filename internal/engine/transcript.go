package engine

import (
	"fmt"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
)

// transcribe adds to the commit what the turns have for the transcript, which is
// of one case. A case that the state did not have before begins a new one: its
// key is made, sealed to the officers and dropped here. The tape after it is
// every turn's.
func (e *Engine) transcribe(commit *storage.Commit, turns []*turn) error {
	var tape *seal.Tape
	var entries []seal.Entry
	for _, t := range turns {
		if tape == nil {
			tape = t.after.Tape
		}
		if id := presentCase(&t.after.State); id != nil && (tape == nil || tape.Case != *id) {
			begun, header, err := seal.NewTape(*id, e.officers(), commit.At, e.rand)
			if err != nil {
				// Not the event's fault: it must wait until cases can be sealed.
				return fmt.Errorf("engine: begin a transcript: %w", err)
			}
			tape = &begun
			commit.Transcript, commit.Header = id.String(), header
		}
		for _, ef := range t.effects {
			if r, ok := ef.Effect.(flows.Record); ok {
				entries = append(entries, seal.Entry{At: r.At, From: r.From, Kind: r.Kind, Text: r.Text})
			}
		}
	}
	if len(entries) > 0 {
		if tape == nil {
			return fmt.Errorf("%w: a record before there is a case", ErrStep)
		}
		after, records, err := tape.Append(gather(entries)...)
		if err != nil {
			return fmt.Errorf("%w: append to the transcript: %w", ErrStep, err)
		}
		tape = &after
		commit.Transcript, commit.Entries = tape.Case.String(), records
	}
	for _, t := range turns {
		t.after.Tape = tape
	}
	return nil
}

const (
	// mostApart is how many messages of one commit have an entry each: sealing
	// one costs a hundred times what it costs to step its event, and only a flood
	// has more.
	mostApart = 3
	// mostGathered is how many bytes of text one entry of several messages has.
	mostGathered = 8 << 10
)

// gather puts messages that follow one another in one commit into one entry, each
// on a line of its own, from the fourth on.
func gather(entries []seal.Entry) []seal.Entry {
	var out []seal.Entry
	run := 0 // messages that follow one another
	for _, e := range entries {
		last := len(out) - 1
		switch {
		case e.Kind != "said" || last < 0 || out[last].Kind != e.Kind || out[last].From != e.From || !out[last].At.Equal(e.At):
			run = 1
		default:
			run++
		}
		if run > mostApart+1 && len(out[last].Text)+len(e.Text) < mostGathered {
			out[last].Text += "\n" + e.Text
			continue
		}
		out = append(out, e)
	}
	return out
}
