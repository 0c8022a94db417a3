package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"suar/flows"
	"suar/storage"
)

// Typing reports whether the person of a case may see now that an officer writes to
// them, and the person's address if so. thread is the root post of the case. It
// changes nothing and keeps nothing; a case that is not known has nobody to see it.
func (e *Engine) Typing(ctx context.Context, thread flows.PostID, o flows.Officer) (caller string, show bool, err error) {
	book, ok := e.flow.(interface {
		Types(s flows.State, at time.Time, o flows.Officer) bool
	})
	if !ok || thread == "" {
		return "", false, nil
	}
	id, err := e.resolve(ctx, threadName(thread))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("engine: resolve: %w", err)
	}
	c, found, err := e.load(ctx, id)
	if err != nil || !found || c.State.Thread() != thread || !book.Types(c.State, e.now(), o) {
		return "", false, err
	}
	return c.Caller, true, nil
}
