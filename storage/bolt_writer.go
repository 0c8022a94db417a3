package storage

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
)

var errClosed = errors.New("storage: the store is closed")

// maxBatch bounds how many writes share one transaction, and with it how long
// the first of them waits for the others.
const maxBatch = 1000

// A writer makes changes in transactions of as many as wait at the moment:
// while one transaction is on its way to the disk, the next gathers. Alone, a
// change does not wait for company.
type writer struct {
	open *openFile

	mu      sync.Mutex
	refusal error // why nothing is ever written
	queue   []*write
	closed  bool
	failure error
	stuck   bool // the database holds a lock that it will not give back

	wake    chan struct{} // holds one: there is something in the queue
	failed  chan struct{} // closed when failure is set
	stopped chan struct{} // closed when the goroutine has ended
}

// A write is one caller's change. apply returns the caller's error, such as
// ErrConflict, and has then changed nothing.
type write struct {
	apply func(*table) error
	done  chan error
}

func startWriter(open *openFile) *writer {
	w := newWriter(open)
	go w.run()
	return w
}

func newWriter(open *openFile) *writer {
	return &writer{
		open:    open,
		wake:    make(chan struct{}, 1),
		failed:  make(chan struct{}),
		stopped: make(chan struct{}),
	}
}

// do returns when the change is on the disk, or with the reason why it is not.
// If ctx ends while the change still waits in the queue, it is not made. Once
// it has begun it is waited for, because it uses the caller's slices.
func (w *writer) do(ctx context.Context, apply func(*table) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	mine := &write{apply: apply, done: make(chan error, 1)}
	if err := w.enqueue(mine); err != nil {
		return err
	}
	select {
	case err := <-mine.done:
		return err
	case <-ctx.Done():
	}
	if w.withdraw(mine) {
		return ctx.Err()
	}
	return <-mine.done
}

func (w *writer) enqueue(mine *write) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.useless(); err != nil {
		return err
	}
	w.queue = append(w.queue, mine)
	w.rouse()
	return nil
}

// withdraw takes a write out of the queue. It is false if the write has left
// it already.
func (w *writer) withdraw(mine *write) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.queue, mine)
	if i < 0 {
		return false
	}
	w.queue = slices.Delete(w.queue, i, i+1)
	return true
}

// usable returns why no write can succeed any more, nil if one can.
func (w *writer) usable() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.useless()
}

// useless is usable for who has the lock.
func (w *writer) useless() error {
	switch {
	case w.failure != nil:
		return w.failure
	case w.closed:
		return errClosed
	}
	return w.refusal
}

// close makes the writes that wait and lets the goroutine end.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.rouse()
	w.mu.Unlock()
	<-w.stopped
}

func (w *writer) rouse() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *writer) run() {
	defer close(w.stopped)
	for range w.wake {
		for {
			// Those who were just answered often have the next change at hand:
			// let them run first, and it comes along.
			runtime.Gosched()
			batch, last := w.gather()
			if len(batch) > 0 {
				w.settle(batch)
				continue
			}
			if last {
				return
			}
			break
		}
	}
}

// gather returns what waits now; last says that nothing will come any more.
func (w *writer) gather() (batch []*write, last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(w.queue), maxBatch)
	batch = slices.Clone(w.queue[:n])
	w.queue = slices.Delete(w.queue, 0, n)
	return batch, w.closed
}

// settle makes the changes of a batch and tells each caller what came of its
// own. Where the file is damaged in one place, only the changes that touch the
// place fail: one broken conversation must not silence the others.
func (w *writer) settle(batch []*write) {
	results, err := w.transact(batch)
	switch {
	case err == nil:
		for i, mine := range batch {
			mine.done <- results[i]
		}
	case errors.Is(err, ErrFailed):
		for _, mine := range batch {
			mine.done <- err
		}
	case len(batch) == 1:
		batch[0].done <- err
	default:
		for i := range batch {
			w.settle(batch[i : i+1])
		}
	}
}

// transact makes the changes of a batch in one transaction. After ErrDamaged
// nothing of them was made; after ErrFailed that is not known.
func (w *writer) transact(batch []*write) (results []error, err error) {
	w.open.gate.RLock()
	defer w.open.gate.RUnlock()
	if failure := w.broken(); failure != nil {
		return nil, failure
	}
	ended := false
	defer func() {
		if p := recover(); p != nil {
			err = damaged(p)
			if !ended {
				err = w.fail(err, true)
			}
		}
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	tx, err := w.open.db.Begin(true)
	if err != nil {
		return nil, w.fail(err, false)
	}
	defer func() {
		_ = tx.Rollback() // After a commit this does nothing.
		ended = true
	}()
	t := &table{bucket: tx.Bucket([]byte(bucketName))}
	results = make([]error, len(batch))
	for i, mine := range batch {
		results[i] = mine.apply(t)
		if t.err != nil {
			return nil, w.fail(t.err, false)
		}
	}
	if !t.written {
		return results, nil
	}
	if t.flush(); t.err != nil {
		return nil, w.fail(t.err, false)
	}
	if err := tx.Commit(); err != nil {
		return nil, w.fail(err, false)
	}
	return results, nil
}

// broken returns ErrFailed with its cause once the store has failed.
func (w *writer) broken() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.failure
}

// blocked returns ErrFailed with its cause if not even reading is possible any
// more.
func (w *writer) blocked() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stuck {
		return w.failure
	}
	return nil
}

// fail ends all writing, also what waits: after a failed write or fsync the
// operating system may have dropped what it could not write, and only a fresh
// start sees what is really there.
func (w *writer) fail(cause error, stuck bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stuck = w.stuck || stuck
	if w.failure != nil {
		return w.failure
	}
	w.failure = fmt.Errorf("%w: %w", ErrFailed, cause)
	close(w.failed)
	for _, mine := range w.queue {
		mine.done <- w.failure
	}
	w.queue = nil
	return w.failure
}

// damaged makes an error of a panic: bbolt's own where a page is not what it
// should be, or a fault where the file ends before its map does.
func damaged(p any) error { return fmt.Errorf("%w (%v)", ErrDamaged, p) }

// recoverDamage is deferred where the store touches the file.
func recoverDamage(err *error) {
	if p := recover(); p != nil {
		*err = damaged(p)
	}
}
