package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"suar/storage"
)

// rosterRecord is the conversation that tells the version of the last roster that
// was served. It is not in the form of a person's.
const rosterRecord = "roster"

// ErrOldRoster says that a newer roster than the one given was served before.
var ErrOldRoster = errors.New("engine: an older roster than the one that was served last: somebody may have put back one in which they still stand; give the newest, or one with a higher version")

// ServeRoster notes that the roster of a version is served from now on. It returns
// ErrOldRoster if one of a higher version was served from this store before; the
// same may be served again.
func (e *Engine) ServeRoster(ctx context.Context, version uint64) error {
	for {
		err := e.serveRoster(ctx, version)
		if !errors.Is(err, storage.ErrConflict) { // Another process did it at once.
			return err
		}
	}
}

func (e *Engine) serveRoster(ctx context.Context, version uint64) error {
	rec, err := e.store.Load(ctx, rosterRecord)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("engine: the roster that was served last: %w", err)
	}
	if err == nil {
		plain, err := e.vault.Open("roster", rosterRecord, rec.State)
		if err != nil || len(plain) != 8 {
			return fmt.Errorf("engine: the roster that was served last: %w", errDamaged)
		}
		switch last := binary.BigEndian.Uint64(plain); {
		case version < last:
			return fmt.Errorf("%w (version %d after %d)", ErrOldRoster, version, last)
		case version == last:
			return nil
		}
	}
	err = e.store.Commit(ctx, storage.Commit{
		ID:      rosterRecord,
		Version: rec.Version,
		At:      e.now(),
		State:   e.vault.Seal("roster", rosterRecord, binary.BigEndian.AppendUint64(nil, version)),
	})
	if err != nil {
		return fmt.Errorf("engine: note the roster: %w", err)
	}
	return nil
}
