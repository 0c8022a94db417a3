package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"suar/storage"
)

// restoredRecord is the conversation that tells when the store was made of a
// backup. It is not in the form of a person's.
const restoredRecord = "restored"

// Restored returns when the store was made of a backup, zero if it was not.
// What happened before, and after the backup, the store does not know: an edge
// must not take it for something new.
func (e *Engine) Restored(ctx context.Context) (time.Time, error) {
	_, at, err := e.restored(ctx)
	return at, err
}

// SetRestored notes that the store was made of a backup at the instant.
func (e *Engine) SetRestored(ctx context.Context, at time.Time) error {
	version, _, err := e.restored(ctx)
	if err != nil {
		return err
	}
	err = e.store.Commit(ctx, storage.Commit{
		ID:      restoredRecord,
		Version: version,
		At:      e.now(),
		State:   e.vault.Seal("restored", restoredRecord, binary.BigEndian.AppendUint64(nil, uint64(at.UnixNano()))),
	})
	if err != nil {
		return fmt.Errorf("engine: note the restoring: %w", err)
	}
	return nil
}

func (e *Engine) restored(ctx context.Context) (version uint64, at time.Time, err error) {
	rec, err := e.store.Load(ctx, restoredRecord)
	if errors.Is(err, storage.ErrNotFound) {
		return 0, time.Time{}, nil
	}
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("engine: when the store was restored: %w", err)
	}
	plain, err := e.vault.Open("restored", restoredRecord, rec.State)
	if err != nil || len(plain) != 8 {
		return 0, time.Time{}, fmt.Errorf("engine: when the store was restored: %w", errDamaged)
	}
	return rec.Version, time.Unix(0, int64(binary.BigEndian.Uint64(plain))).UTC(), nil
}
