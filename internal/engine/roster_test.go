package engine

import (
	"errors"
	"testing"
	"testing/synctest"
)

// Only versions that do not fall are served, also after a restart.
func TestServeRoster(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		for i, step := range []struct {
			version uint64
			old     bool
			restart bool
		}{
			{version: 7},
			{version: 7},
			{version: 6, old: true},
			{version: 9, restart: true},
			{version: 8, old: true, restart: true},
			{version: 9},
			{version: 1 << 62},
		} {
			if step.restart {
				e = w.engine()
			}
			if err := e.ServeRoster(t.Context(), step.version); errors.Is(err, ErrOldRoster) != step.old || err != nil && !step.old {
				t.Errorf("step %d: %v", i, err)
			}
		}
	})
}
