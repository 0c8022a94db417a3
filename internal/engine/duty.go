package engine

import (
	"context"
	"errors"
	"fmt"

	"suar/storage"
)

// dutyRecord is the conversation that keeps the changes of the duty which officers
// made, as the edge writes them. It is not in the form of a person's.
const dutyRecord = "duty"

// Duty returns what ChangeDuty kept last, nil if there is nothing.
func (e *Engine) Duty(ctx context.Context) ([]byte, error) {
	plain, _, err := e.loadDuty(ctx)
	return plain, err
}

// ChangeDuty puts what change makes of the changes of the duty in their place. It
// calls change again, with what another process made of them, where one was faster. An
// error of change is returned as it is, and nothing is kept then.
func (e *Engine) ChangeDuty(ctx context.Context, change func(old []byte) ([]byte, error)) error {
	for {
		old, version, err := e.loadDuty(ctx)
		if err != nil {
			return err
		}
		fresh, err := change(old)
		if err != nil {
			return err
		}
		err = e.store.Commit(ctx, storage.Commit{
			ID: dutyRecord, Version: version, At: e.now(), State: e.vault.Seal("duty", dutyRecord, fresh),
		})
		switch {
		case errors.Is(err, storage.ErrConflict) && ctx.Err() == nil:
			continue
		case err != nil:
			return fmt.Errorf("engine: keep the changes of the duty: %w", err)
		}
		return nil
	}
}

func (e *Engine) loadDuty(ctx context.Context) (plain []byte, version uint64, err error) {
	rec, err := e.store.Load(ctx, dutyRecord)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, 0, nil
	case err != nil:
		return nil, 0, fmt.Errorf("engine: the changes of the duty: %w", err)
	}
	if plain, err = e.vault.Open("duty", dutyRecord, rec.State); err != nil {
		return nil, 0, fmt.Errorf("engine: the changes of the duty: %w", errDamaged)
	}
	return plain, rec.Version, nil
}
