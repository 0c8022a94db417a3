package engine

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"suar/storage"
)

const (
	// beatEvery is how often the store is told what the time is.
	beatEvery = 20 * time.Second
	// slew is how many seconds the clock needs to make up for one.
	slew = 10
	// skew is from what difference on the system's clock counts as wrong.
	skew = time.Minute
	// clockRecord is the conversation that tells what the time was. It is not
	// in the form of a person's.
	clockRecord = "clock"
)

// A clock is the time by which the store's instants are made and compared. It
// is the system's as long as that goes evenly, and it never jumps with it: what
// waits must neither wait for a day longer nor all come due at once because
// somebody set the clock.
//
// It goes on with the time that has really passed. Where the system's clock is
// elsewhere, it approaches it by a tenth of the time that passes, faster or
// slower: an alarm is then off by a tenth at most. Only to a later time of
// another process on the same store does it jump, and of the one before this:
// so nothing is ever stored that lies far ahead of it, and all processes agree
// when a lease is over.
//
// A system clock that is wrong and ahead when the process starts cannot be told
// from a long rest: what would have been due then is due.
type clock struct {
	wall func() time.Time

	mu sync.Mutex
	// at was the time at mark, of which only the monotonic part is used.
	at, mark time.Time
	// behind is when the clock was last found to be behind by a second or more.
	behind time.Time
}

func newClock(wall func() time.Time) *clock {
	return &clock{wall: wall, at: wall().Round(0), mark: time.Now()}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	mark := time.Now()
	passed := max(mark.Sub(c.mark), 0)
	at := c.at.Add(passed)
	at = at.Add(min(max(c.wall().Sub(at), -passed/slew), passed/slew))
	c.at, c.mark = at, mark
	return at
}

// advance takes over a later time.
func (c *clock) advance(to time.Time) {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	late := to.Sub(now)
	if late <= 0 {
		return
	}
	c.at = c.at.Add(late)
	if late >= time.Second {
		c.behind = c.mark
	}
}

// pause is how long to wait for the next beat: what was told last may be as old
// as beatEvery, so whoever was behind listens closely until the others tell it
// again.
func (c *clock) pause() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.behind.IsZero() && time.Since(c.behind) < 2*beatEvery {
		return time.Second / 2
	}
	return beatEvery
}

// ahead is how far the clock is ahead of the system's.
func (c *clock) ahead() time.Duration { return c.now().Sub(c.wall()) }

// Now is the time by which the engine works. It is the system's, except after
// that jumped.
func (e *Engine) Now() time.Time { return e.now() }

// setClock makes the engine's clock, which goes on from the time that the store
// knows of. One that was given is taken as it is.
func (e *Engine) setClock(ctx context.Context, c Config) error {
	if c.Now != nil {
		return nil
	}
	if c.Wall == nil {
		c.Wall = time.Now
	}
	e.clock = newClock(c.Wall)
	e.now = e.clock.now
	if _, err := e.beaten(ctx); err != nil {
		return fmt.Errorf("engine: read the time: %w", err)
	}
	return nil
}

// keepTime tells the store the time, and takes over a later one, until ctx
// ends.
func (e *Engine) keepTime(ctx context.Context) {
	if e.clock == nil {
		return
	}
	wrong := false
	for ctx.Err() == nil {
		if err := e.beat(ctx); err != nil && ctx.Err() == nil {
			e.trouble(ctx, "clock", err)
		}
		if ahead := e.clock.ahead(); (ahead.Abs() >= skew) != wrong {
			if wrong = !wrong; wrong {
				e.log.ErrorContext(ctx, "the system's clock jumped, or is wrong: it is followed slowly", "ahead", (-ahead).Round(time.Second))
			} else {
				e.log.InfoContext(ctx, "the system's clock is followed again")
			}
		}
		wait(ctx, e.clock.pause())
	}
}

// beat writes the time to the store.
func (e *Engine) beat(ctx context.Context) error {
	version, err := e.beaten(ctx)
	if err != nil {
		return err
	}
	now := e.now()
	err = e.store.Commit(ctx, storage.Commit{
		ID:      clockRecord,
		Version: version,
		At:      now,
		State:   e.vault.Seal("clock", clockRecord, binary.BigEndian.AppendUint64(nil, uint64(now.UnixNano()))), //nolint:gosec // back and forth
	})
	if errors.Is(err, storage.ErrConflict) {
		return nil // Another process told it in between.
	}
	return err
}

// beaten reads the time that was last told, and takes it over if it is later.
// It returns the record's version.
func (e *Engine) beaten(ctx context.Context) (uint64, error) {
	rec, err := e.store.Load(ctx, clockRecord)
	if errors.Is(err, storage.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	plain, err := e.vault.Open("clock", clockRecord, rec.State)
	if err != nil || len(plain) != 8 {
		// It is written anew.
		e.log.ErrorContext(ctx, "the record of the time does not open")
		return rec.Version, nil
	}
	e.clock.advance(time.Unix(0, int64(binary.BigEndian.Uint64(plain)))) //nolint:gosec // back and forth
	return rec.Version, nil
}
