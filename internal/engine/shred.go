package engine

import (
	"context"
	"fmt"

	"suar/flows"
)

// shred erases the sealed transcript of a case. Nothing is added to it any more:
// the commit that asked for it ended the case. A backup made before keeps it
// until the backup's own end, and the store's files until they are compacted.
func (e *Engine) shred(ctx context.Context, ef flows.Shred) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := e.store.Forget(ctx, ef.Case.String()); err != nil {
		return fmt.Errorf("engine: erase a transcript: %w", err)
	}
	return nil
}
