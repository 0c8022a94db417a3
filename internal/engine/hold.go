package engine

import (
	"context"
	"encoding/hex"
	"io"
	"time"

	"suar/storage"
)

// ErrHeld says that another process holds what was asked for.
var ErrHeld = storage.ErrHeld

// Hold returns the function by which this process holds a name against all
// others on the store: for so long from the call on, again and again to keep
// it, for nothing to give it up. The function returns [ErrHeld] if another
// holds the name. Any other error leaves open whether the name was held or
// prolonged; the caller counts on what it had before.
//
// The instants are the engines' [Engine.Now], which the processes of one store
// agree about to within a second or so, except for some minutes after the
// store's clock jumped or one of them was suspended. Whoever holds a name must
// therefore stop some seconds before its time is over.
//
// What such a hold is good for: the context of what is done under it has the
// end of the hold as its deadline. [Engine.Handle] looks at the deadline after
// it has read the conversation and before it commits, so what it read is from
// before the next holder began, and if that one committed anything to the
// conversation since, the version is another and the commit is refused. So a
// superseded holder, however long it was suspended, never commits an event
// after a later one of its successor.
func (e *Engine) Hold(name string) (func(ctx context.Context, life time.Duration) error, error) {
	var id [16]byte
	if _, err := io.ReadFull(e.rand, id[:]); err != nil {
		return nil, err
	}
	holder := hex.EncodeToString(id[:])
	return func(ctx context.Context, life time.Duration) error {
		now := e.now()
		return e.store.Hold(ctx, name, holder, now, now.Add(max(life, 0)))
	}, nil
}

// expired returns why nothing may be committed any more in the context. It
// reads both of the machine's clocks: a context's timer may be late when the
// process was suspended, and the monotonic clock stands still while a machine
// is.
func expired(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if at, ok := ctx.Deadline(); ok {
		if now := time.Now(); !now.Before(at) || !now.Round(0).Before(at.Round(0)) {
			return context.DeadlineExceeded
		}
	}
	return nil
}
