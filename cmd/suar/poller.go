package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"suar/internal/engine"
)

const (
	// pollerLife is for how long a process that died keeps others from polling,
	// pollerBeat how often one that lives says so.
	pollerLife = 20 * time.Second
	pollerBeat = 4 * time.Second
)

// errPolled says why a second process does not poll.
var errPolled = errors.New("telegram.mode: polling is for one process, and another one on this Redis polls already: end that one, or have all of them use webhook")

// alone runs the part that only one process on a store may run: hold says who.
// It waits for one that died to be forgotten, and returns errPolled if one is
// alive. It ends the part when another process has taken over.
func alone(ctx context.Context, hold func(context.Context, time.Duration) error, part func(context.Context) error) error {
	deadline := time.Now().Add(pollerLife + pollerBeat)
	for {
		err := hold(ctx, pollerLife)
		if err == nil {
			break
		}
		switch {
		case !time.Now().Before(deadline) && errors.Is(err, engine.ErrHeld):
			return errPolled
		case !time.Now().Before(deadline):
			return fmt.Errorf("telegram.mode: polling: ask whether another process polls: %w", err)
		}
		if pause(ctx, pollerBeat/4) != nil {
			return nil
		}
	}
	// The next process need not wait.
	defer func() {
		release, stop := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer stop()
		_ = hold(release, 0)
	}()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		for pause(ctx, pollerBeat) == nil {
			// A store that does not answer takes nothing from this process:
			// while it does not, nobody else takes over either.
			if err := hold(ctx, pollerLife); errors.Is(err, engine.ErrHeld) {
				stop(errPolled)
			}
		}
	}()
	err := part(ctx)
	taken := context.Cause(ctx)
	stop(nil)
	<-beating
	if errors.Is(taken, errPolled) {
		return errPolled
	}
	return err
}

// The names under which processes on one store hold what only one of them does.
const (
	holdListen = "mattermost"
	holdPoll   = "poller"
)
