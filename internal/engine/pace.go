package engine

import (
	"context"
	"time"
)

// Pace takes a place in a queue that all processes on the store share, and
// returns how long it is until the caller's turn: [storage.Store.Pace] by the
// engine's clock. The queue's name must be blind. An error says nothing about
// the place; the caller goes on by a pace of its own.
func (e *Engine) Pace(ctx context.Context, queue string, cost, burst time.Duration) (time.Duration, error) {
	now := e.now()
	turn, err := e.store.Pace(ctx, queue, now, cost, burst)
	if err != nil {
		return 0, err
	}
	return max(turn.Sub(now), 0), nil
}
