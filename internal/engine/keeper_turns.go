package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"suar/flows"
)

// Who waits for the keeper has a turn after all those of its class that were there
// before. No conversation is there twice: only the head of its lane is leased. So
// however much a few accounts write, everybody else's turn comes after one of each
// of theirs. The classes take turns as well: neither many who guess hold up the
// words of those who are known, nor the other way round.
const (
	turnWords = iota // of who is known; they do not wait for long
	turnTries        // what may be a secret, and new secrets
	turnCodes        // what codes are looked up by
	turnClasses
)

// mostTurns is how many can be leased to wait for their turn: so many that those
// who are before the last one are done within the time of a delivery.
const mostTurns = 48

// mostWords is how many words of those who are known wait. More would have waited
// in vain by the time that they may; they are given back at once, so that what is
// leased is not theirs alone.
const mostWords = mostTurns / 3

// errTurns says that too many wait.
var errTurns = errors.New("engine: too many wait for the keeper")

// turns gives out the keeper's turns, one at a time. The zero turns is ready.
type turns struct {
	mu sync.Mutex
	// taken says that somebody has the turn, last is the class that had it last.
	taken bool
	last  int
	// lines are those who wait, the first of each class first. A channel is closed
	// when its turn has come.
	lines [turnClasses][]chan struct{}
}

// take returns when the caller's turn has come, or the context's error, or errTurns.
// Whoever has taken it gives it back.
func (t *turns) take(ctx context.Context, class int) error {
	t.mu.Lock()
	if !t.taken {
		t.taken, t.last = true, class
		t.mu.Unlock()
		return nil
	}
	if class == turnWords && len(t.lines[class]) >= mostWords {
		t.mu.Unlock()
		return errTurns
	}
	turn := make(chan struct{})
	t.lines[class] = append(t.lines[class], turn)
	t.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	i := slices.Index(t.lines[class], turn)
	if i >= 0 {
		t.lines[class] = slices.Delete(t.lines[class], i, i+1)
	}
	t.mu.Unlock()
	if i < 0 {
		t.giveBack() // It came at the same instant.
	}
	return ctx.Err()
}

// giveBack lets the next one have the turn.
func (t *turns) giveBack() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for n := range turnClasses {
		class := (t.last + 1 + n) % turnClasses
		if line := t.lines[class]; len(line) > 0 {
			t.lines[class], t.last = line[1:], class
			close(line[0])
			return
		}
	}
	t.taken = false
}

// turnOf is the class that an effect waits in, and for how long it does so after it
// was committed, 0 for as long as it takes.
func turnOf(ef flows.Effect) (class int, within time.Duration) {
	switch ef := ef.(type) {
	case flows.Check:
		if ef.Within > 0 {
			return turnWords, ef.Within
		}
		return turnTries, 0
	case flows.Hash:
		if !ef.Index {
			return turnTries, 0
		}
	}
	return turnCodes, 0
}

// inTurn has the keeper perform an effect when its turn has come. Words that have
// waited for as long as they may are given back uncompared.
func (e *Engine) inTurn(ctx context.Context, del Delivery) (flows.Event, error) {
	check, ok := del.Effect.(flows.Check)
	if ok && len(check.Sums) == 0 {
		return e.keeper(del.Effect) // It takes no time.
	}
	class, within := turnOf(del.Effect)
	waiting, cancel := ctx, context.CancelFunc(func() {})
	if within > 0 {
		waiting, cancel = context.WithTimeout(ctx, within-e.now().Sub(del.at))
	}
	defer cancel()
	if err := e.turns.take(waiting, class); err != nil {
		if ok && within > 0 && ctx.Err() == nil {
			e.counts.unheard.Add(1)
			return flows.Checked{For: check.For, Note: check.Note, Text: check.Text, Match: -1, Skipped: true}, nil
		}
		return nil, &Failure{Err: err} // It comes again.
	}
	defer e.turns.giveBack()
	return e.keeper(del.Effect)
}
