package engine

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// beatEvery is how often the clock is compared with others.
	beatEvery = 20 * time.Second
	// slew is how many seconds the clock needs to make up for one.
	slew = 10
	// skew is from what difference on another clock counts as wrong, and
	// believed after how long it counts as right all the same.
	skew, believed = time.Minute, 10 * time.Minute
	// farthest is how far back a clock is never set: a machine that lost its
	// clock begins in another year.
	farthest = 48 * time.Hour
)

// A clock is the time by which the store's instants are made and compared. It
// is another clock's, the wall's, as long as that goes evenly, and it does not
// jump with it at once: what waits must neither wait for a day longer nor all
// come due because somebody set a clock for a moment.
//
// It goes on with the time that has really passed. Where the wall is elsewhere,
// it approaches it by a tenth of the time that passes, faster or slower: an
// alarm is then off by a tenth at most. A wall that stays elsewhere is believed
// after a while, and the clock is set: hours of the day must be right.
//
// A wall that is wrong and ahead when the process starts cannot be told from a
// long rest: what would have been due then is due.
type clock struct {
	wall func() time.Time

	mu sync.Mutex
	// at was the time at mark, of which only the monotonic part is used.
	at, mark time.Time
	// apart is since when the wall is elsewhere, zero if it is not.
	apart time.Time
}

func newClock(wall func() time.Time) *clock {
	return &clock{wall: wall, at: wall().Round(0), mark: time.Now()}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tick()
}

// tick brings the clock up to date. It is called with the lock held.
func (c *clock) tick() time.Time {
	mark := time.Now()
	passed := max(mark.Sub(c.mark), 0)
	at := c.at.Add(passed)
	at = at.Add(min(max(c.wall().Sub(at), -passed/slew), passed/slew))
	c.at, c.mark = at, mark
	return at
}

// advance takes over a later time.
func (c *clock) advance(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tick(); to.After(c.at) {
		c.at = to
	}
}

// compare looks at the wall. It returns how far that is ahead, and by how much
// it set the clock to believe it, both 0 as long as all is well.
func (c *clock) compare() (ahead, set time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ahead = c.wall().Sub(c.tick())
	switch {
	case ahead.Abs() < skew:
		c.apart = time.Time{}
		return 0, 0
	case c.apart.IsZero():
		c.apart = c.mark
	case c.mark.Sub(c.apart) >= believed && ahead > -farthest:
		c.apart = time.Time{}
		c.at = c.at.Add(ahead)
		return ahead, ahead
	}
	return ahead, 0
}

// Now is the time by which the engine works. It is the wall's, except after
// that jumped.
func (e *Engine) Now() time.Time { return e.now() }

// setClock makes the engine's clock. The wall of a store that has a clock, one
// that several processes share, is that one: so they agree about when a lease
// is over. That of another is the machine's, and the clock goes on from the
// time that the store was told last. A Now that was given is taken as it is.
func (e *Engine) setClock(ctx context.Context, c Config) error {
	if c.Now != nil {
		return nil
	}
	if c.Wall == nil {
		c.Wall = time.Now
	}
	e.machine = c.Wall
	if s, ok := c.Store.(timed); ok {
		e.server = &serverClock{store: s}
		if err := e.server.measure(ctx); err != nil {
			return fmt.Errorf("engine: ask the store for the time: %w", err)
		}
		e.clock = newClock(e.server.now)
		e.now = e.clock.now
		return nil
	}
	e.clock = newClock(c.Wall)
	e.now = e.clock.now
	told, _, err := e.lastTold(ctx)
	if err != nil {
		return fmt.Errorf("engine: read the time: %w", err)
	}
	e.clock.advance(told)
	return nil
}

// keepTime compares the clock with the wall, and tells the time to a store that
// has none, until ctx ends.
func (e *Engine) keepTime(ctx context.Context) {
	if e.clock == nil {
		return
	}
	var off, apart bool
	for ctx.Err() == nil {
		var err error
		if e.server != nil {
			if err = e.server.measure(ctx); err == nil {
				wrong := e.machine().Sub(e.server.now()).Abs() >= skew
				if wrong && !off {
					e.log.ErrorContext(ctx, "this machine's clock is not that of the store: mend its time synchronisation")
				}
				off = wrong
			}
		}
		from := e.now()
		ahead, set := e.clock.compare()
		if ahead != 0 && !apart {
			e.log.ErrorContext(ctx, "the clock jumped: it is followed slowly, and set if it stays there", "ahead", ahead.Round(time.Second))
		}
		apart = ahead != 0 && set == 0
		if set != 0 {
			e.log.WarnContext(ctx, "the clock is set", "ahead", set.Round(time.Second))
		}
		if set < 0 {
			e.rewind(ctx, from)
		}
		if e.server == nil {
			err = e.tell(ctx)
		}
		if err != nil && ctx.Err() == nil {
			e.trouble(ctx, "clock", err)
		}
		wait(ctx, beatEvery)
	}
}
