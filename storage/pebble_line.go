package storage

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
)

// A line is where callers wait for their changes to be made and to be on the
// disk. There is no goroutine for it and no timer: of those who wait, one at a
// time makes all changes that wait, and one at a time brings all that were made
// to the disk with one fsync. So a change costs its caller one sleep, and alone
// one does not wait for company.
type line struct {
	durable atomic.Uint64 // the last change that is on the disk

	mu       sync.Mutex
	queue    []*call // to be made
	maker    *call   // who makes them
	unsynced []*call // made, and not yet on the disk
	syncer   *call   // who brings them there
	slowDisk bool    // the last sync took longer than all there was to make
	spare    []*call
	calls    sync.Pool
}

// syncAtOnce is how many calls are worth an fsync while more are still to be
// made. Fewer wait for those who come along, because they would cost an fsync of
// their own. Where the disk is what everybody waits for, more do: those whom an
// fsync lets go come along for the next one, instead of half of them for every
// other.
const (
	syncAtOnce       = 64
	syncAtOnceOnSlow = 8 * syncAtOnce
)

// A call is one change that a caller waits for.
type call struct {
	ctx    context.Context
	change func(*turn) error
	// err is what came of it, and since the change that must be on the disk
	// before the caller learns it.
	err   error
	since uint64
	told  bool // nothing is left to wait for
	next  chan task
}

// A task is what a caller who waits does next.
type task int

const (
	taskReturn task = iota
	taskMake
	taskSync
)

// do makes a change and returns when it is on the disk.
func (e *Embedded) do(ctx context.Context, change func(*turn) error) error {
	l := &e.line
	c, ok := l.calls.Get().(*call)
	if !ok {
		c = &call{next: make(chan task, 1)}
	}
	c.ctx, c.change, c.err, c.since, c.told = ctx, change, nil, 0, false
	next := l.enqueue(c)
	for next != taskReturn {
		if next == taskMake {
			e.makeAll(c)
			next = l.made(c)
		} else {
			change, err := e.sync()
			next = l.synced(c, change, err)
		}
	}
	err := c.err
	c.ctx, c.change, c.err = nil, nil, nil
	l.calls.Put(c)
	return err
}

// enqueue puts the call into the line and returns what its caller does next, as
// soon as there is something.
func (l *line) enqueue(c *call) task {
	l.mu.Lock()
	l.queue = append(l.queue, c)
	if l.maker == nil {
		l.maker = c
		l.mu.Unlock()
		return taskMake
	}
	l.mu.Unlock()
	return <-c.next
}

// makeAll makes what waits, until nothing comes any more or nothing is left for
// c to wait for.
func (e *Embedded) makeAll(c *call) {
	l := &e.line
	yielded := false
	for {
		calls, done := l.take(c)
		switch {
		case done || len(calls) == 0 && yielded:
			return
		case len(calls) == 0:
			// Those who were just answered often have the next change at hand: let
			// them come along.
			yielded = true
			runtime.Gosched()
			continue
		}
		yielded = false
		e.mu.Lock()
		for _, called := range calls {
			called.since, called.err = e.perform(called.ctx, called.change)
		}
		e.mu.Unlock()
		l.sort(calls)
	}
}

// take takes the calls that wait. done says that nothing is left for c to wait
// for.
func (l *line) take(c *call) (calls []*call, done bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.told {
		return nil, true
	}
	calls = l.queue
	l.queue, l.spare = l.spare[:0], nil
	return calls, false
}

// sort tells the callers who need not wait any more, and keeps the others.
func (l *line) sort(calls []*call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	durable := l.durable.Load()
	for _, c := range calls {
		if c.since > durable {
			l.unsynced = append(l.unsynced, c)
		} else {
			l.tell(c)
		}
	}
	clear(calls)
	l.spare = calls
	l.syncMany()
}

// tell lets the caller return, when he is not at work any more.
func (l *line) tell(c *call) {
	c.told = true
	if c != l.maker && c != l.syncer {
		c.next <- taskReturn
	}
}

// syncMany lets one of those who wait sync, if they are many.
func (l *line) syncMany() {
	worth := syncAtOnce
	if l.slowDisk {
		worth = syncAtOnceOnSlow
	}
	if l.syncer != nil || len(l.unsynced) < worth {
		return
	}
	for _, c := range l.unsynced {
		if c != l.maker {
			l.syncer = c
			c.next <- taskSync
			return
		}
	}
}

// made ends the making of c, and returns what its caller does next.
func (l *line) made(c *call) task {
	l.mu.Lock()
	l.maker = nil
	switch {
	case len(l.queue) > 0:
		l.maker = l.queue[0]
		l.maker.next <- taskMake
	case l.syncer != nil || len(l.unsynced) == 0:
	case c.told:
		l.syncer = l.unsynced[0]
		l.syncer.next <- taskSync
	default:
		l.syncer = c
		l.mu.Unlock()
		return taskSync
	}
	return l.wait(c)
}

// synced ends the syncing of c: all changes up to this one are on the disk, or
// none if there is an error. It returns what its caller does next.
func (l *line) synced(c *call, change uint64, err error) task {
	l.mu.Lock()
	if err == nil {
		l.durable.Store(change)
	}
	left := l.unsynced[:0]
	for _, waiting := range l.unsynced {
		if err == nil && waiting.since > change {
			left = append(left, waiting)
			continue
		}
		if err != nil {
			waiting.err = err
		}
		l.tell(waiting)
	}
	clear(l.unsynced[len(left):])
	l.unsynced = left
	l.syncer = nil
	l.slowDisk = l.maker == nil
	l.syncMany()
	if l.syncer == nil && l.maker == nil && len(left) > 0 {
		// Those who were told come along if they have the next change at hand.
		l.maker = left[0]
		l.maker.next <- taskMake
	}
	return l.wait(c)
}

// wait unlocks the line and returns what c does next, as soon as there is
// something.
func (l *line) wait(c *call) task {
	told := c.told
	l.mu.Unlock()
	if told {
		return taskReturn
	}
	return <-c.next
}

// settle returns when the change is on the disk, with all before it, or with
// ErrFailed.
func (e *Embedded) settle(change uint64) error {
	if e.line.durable.Load() >= change {
		return nil
	}
	return e.do(context.Background(), func(t *turn) error {
		t.since = change
		return nil
	})
}

// settleAll returns when all changes so far are on the disk, or with ErrFailed.
func (e *Embedded) settleAll() error {
	e.mu.Lock()
	change := e.changes
	e.mu.Unlock()
	return e.settle(change)
}

// sync brings all changes so far to the disk, and returns the last of them.
func (e *Embedded) sync() (change uint64, err error) {
	err = e.guard(func() error {
		var mark *pebble.Batch
		if mark, change, err = e.mark(); err != nil {
			return err
		}
		if err := errors.Join(mark.SyncWait(), mark.Close()); err != nil {
			return err
		}
		// The log itself says nothing: see pebble_log.go.
		return e.breakage.happened()
	})
	return change, err
}

// mark writes to the log what changes nothing: what comes before it, all changes
// so far, is synced with it.
func (e *Embedded) mark() (mark *pebble.Batch, change uint64, err error) {
	mark = e.db.NewBatch()
	if err := mark.LogData(nil, nil); err != nil {
		return nil, 0, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.breakage.happened(); err != nil {
		return nil, 0, err
	}
	return mark, e.changes, e.db.ApplyNoSyncWait(mark, pebble.Sync)
}
