package storage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

var (
	// ErrFailed says that a write could not be brought to the disk. The store
	// takes no writes any more, and what was not acknowledged may or may not
	// be there. The process ends; the operator reads the cause behind it,
	// frees space or mends the disk, and starts it again.
	ErrFailed = errors.New("storage: writing to the disk failed: free space or mend the disk, then start again")
	// ErrDamaged says that a file is missing, cut, overwritten or of another
	// kind: from OpenEmbedded all of the store, otherwise the part that the call
	// needed, and the rest may be in order. Nothing was changed. The operator
	// restores the store from a backup.
	ErrDamaged = errors.New("storage: the store is damaged or is none: restore it from a backup")
	// ErrFormat says that the store is sound but not of this version's format,
	// or belongs to another program. It was not changed.
	ErrFormat = errors.New("storage: the store has a format that this version does not know")
	// ErrLocked says that another process has the store open.
	ErrLocked = errors.New("storage: another process holds the store: stop it first")
	// ErrReadOnly says that the store was opened for reading only.
	ErrReadOnly = errors.New("storage: the store was opened for reading only")
)

var errClosed = errors.New("storage: the store is closed")

// Embedded is the embedded Store: one folder, one process. Changes are made one
// after the other and share an fsync with those that wait for one.
//
// A change can be seen as soon as it is made, before it is on the disk, and
// whoever sees it may act on it. So no method gives what a power cut could still
// undo: what it read, and the reason why it refuses, are on the disk when it
// returns. Waiting and Due are the exceptions: they say where to look, and those
// who look use Lease, Load and Commit.
type Embedded struct {
	folder   folder
	files    *files
	db       *pebble.DB
	readOnly bool
	local    local

	// gate is held for reading by every call, and for writing by Close.
	gate     sync.RWMutex
	closed   bool
	closing  sync.Once
	closeErr error
	// copying is held for reading by a Dump, and for writing by Compact.
	copying sync.RWMutex

	breakage *breakage
	line     line

	// mu is held by who makes a change or reads what follows.
	mu sync.Mutex
	// changes counts those made since the store was opened.
	changes uint64
	// erased is the last change that took away a record or a further name.
	erased uint64
	known  known
	names  names
	outbox *outbox
	// next is the next number, and reserved the first that is not this
	// process's to give.
	next, reserved uint64
	told           map[uint64]struct{} // damaged items that a Lease has told of
	scratch        []byte              // for one value at a time
}

var _ Store = (*Embedded)(nil)

// Failed is closed when the store has met ErrFailed. The process then ends: the
// store cannot be used for writing again until it is opened anew.
func (e *Embedded) Failed() <-chan struct{} { return e.breakage.failed }

// enter begins a call. Whoever entered leaves.
func (e *Embedded) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.gate.RLock()
	if e.closed {
		e.gate.RUnlock()
		return errClosed
	}
	return nil
}

func (e *Embedded) leave() { e.gate.RUnlock() }

// Close releases the store. It may be called again.
func (e *Embedded) Close() error {
	e.closing.Do(func() {
		if e.breakage.happened() != nil {
			// Pebble could wait for ever. What it holds goes with the process, and
			// writes nothing any more.
			e.closeErr = e.folder.unlock()
			return
		}
		e.gate.Lock()
		defer e.gate.Unlock()
		e.closed = true
		e.closeErr = errors.Join(e.guard(e.db.Close), e.folder.unlock())
	})
	return e.closeErr
}

// look reads the value under the key, and tells whether there is one. The value
// is valid until use returns.
func (e *Embedded) look(key []byte, use func(value []byte) error) (bool, error) {
	value, closer, err := e.db.Get(key)
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		return false, nil
	case err != nil:
		return false, unreadable(err)
	}
	err = use(value)
	if err := closer.Close(); err != nil {
		return true, unreadable(err)
	}
	if err != nil {
		return true, fmt.Errorf("%w (%w)", ErrDamaged, err)
	}
	return true, nil
}

// lookNumber reads a number, 0 if there is none.
func (e *Embedded) lookNumber(key []byte) (n uint64, err error) {
	_, err = e.look(key, func(value []byte) error {
		if len(value) != 8 {
			return errValue
		}
		n = binary.BigEndian.Uint64(value)
		return nil
	})
	return n, err
}

// unreadable is why something could not be read, without what it is: Pebble's
// own words may quote keys.
func unreadable(err error) error {
	if pebble.IsCorruptionError(err) {
		return fmt.Errorf("%w (a block of a file)", ErrDamaged)
	}
	return fmt.Errorf("storage: read: %w", plain(err))
}

// Load implements Store.
func (e *Embedded) Load(ctx context.Context, id string) (Record, error) {
	if err := e.enter(ctx); err != nil {
		return Record{}, err
	}
	defer e.leave()
	e.mu.Lock()
	if !e.readOnly && e.names.lacks(keySerial, id) {
		e.mu.Unlock()
		return Record{}, ErrNotFound // And it never was there.
	}
	var serial uint64
	if c := e.known.get(id); c != nil {
		serial = c.serial
	}
	seen := e.moment()
	e.mu.Unlock()

	var found Record
	c, err := e.read(id, serial, func(r *record) {
		found = Record{Version: r.version, State: append([]byte{}, r.state...), Alarm: r.alarm}
	})
	if err != nil {
		return Record{}, err
	}

	e.mu.Lock()
	since := e.lastChange(id, found.Version != 0, seen)
	if c.serial != 0 && e.known.get(id) == nil && e.moment() == seen {
		e.known.put(c, e.line.durable.Load(), e.changes)
	}
	e.mu.Unlock()
	if err := e.settle(since); err != nil {
		return Record{}, err
	}
	if found.Version == 0 {
		return Record{}, ErrNotFound
	}
	return found, nil
}

// Resolve implements Store.
func (e *Embedded) Resolve(ctx context.Context, name string) (string, error) {
	if err := e.enter(ctx); err != nil {
		return "", err
	}
	defer e.leave()
	e.mu.Lock()
	seen := e.moment()
	e.mu.Unlock()
	var id string
	found, err := e.look(key(keyName, name), func(value []byte) error {
		id = string(value)
		return nil
	})
	if err != nil {
		return "", err
	}
	e.mu.Lock()
	since := e.lastChange(id, found, seen)
	e.mu.Unlock()
	if err := e.settle(since); err != nil {
		return "", err
	}
	if !found {
		return "", ErrNotFound
	}
	return id, nil
}

// Commit implements Store.
func (e *Embedded) Commit(ctx context.Context, c Commit) error {
	return e.change(ctx, func(t *turn) error {
		_, err := t.commit(&c, time.Time{}, nil)
		return err
	})
}

// CommitAndLease implements Store.
func (e *Embedded) CommitAndLease(ctx context.Context, c Commit, until time.Time, lanes ...Lane) ([]Leased, error) {
	var leased []Leased
	err := e.change(ctx, func(t *turn) (err error) {
		leased, err = t.commit(&c, until, lanes)
		return err
	})
	if err != nil {
		return nil, err
	}
	return leased, nil
}

// Hold implements Store. It is forgotten with the process, whose store nobody
// else can open.
func (e *Embedded) Hold(ctx context.Context, name, holder string, now, until time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.local.hold(name, holder, now, until)
}

// Pace implements Store. It is forgotten with the process.
func (e *Embedded) Pace(ctx context.Context, queue string, now time.Time, cost, burst time.Duration) (time.Time, error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	return e.local.pace(queue, now, cost, burst), nil
}

// Waiting implements Store.
func (e *Embedded) Waiting(ctx context.Context, lane Lane) (count int, next time.Time, err error) {
	if err := e.enter(ctx); err != nil {
		return 0, time.Time{}, err
	}
	defer e.leave()
	e.mu.Lock()
	defer e.mu.Unlock()
	count, next = e.outbox.waits(lane)
	return count, next, nil
}

// Transcript implements Store.
func (e *Embedded) Transcript(ctx context.Context, name string) (Transcript, error) {
	if err := e.enter(ctx); err != nil {
		return Transcript{}, err
	}
	defer e.leave()
	var found Transcript
	number, err := e.lookNumber(key(keyTranscript, name))
	if err == nil && number != 0 {
		found, err = e.transcript(number)
	}
	if err == nil {
		err = e.settleAll()
	}
	if err != nil {
		return Transcript{}, err
	}
	if number == 0 {
		return Transcript{}, ErrNotFound
	}
	return found, nil
}

// transcript reads the header and the entries of a transcript.
func (e *Embedded) transcript(number uint64) (found Transcript, err error) {
	for part, err := range scan(e.db, numbered(keyContent, number)) {
		if err != nil {
			return Transcript{}, err
		}
		if err := found.add(part); err != nil {
			return Transcript{}, err
		}
	}
	return found, nil
}

// Transcripts implements Store.
func (e *Embedded) Transcripts(ctx context.Context, prefix string, n int) ([]string, error) {
	if err := e.enter(ctx); err != nil {
		return nil, err
	}
	defer e.leave()
	var names []string
	for name, err := range scan(e.db, key(keyTranscript, prefix)) {
		if len(names) >= n {
			break
		}
		if err != nil {
			return nil, err
		}
		names = append(names, string(name.key[1:]))
	}
	if err := e.settleAll(); err != nil {
		return nil, err
	}
	return names, nil
}

// Forget implements Store. The files keep what was in them until Compact.
func (e *Embedded) Forget(ctx context.Context, transcript string) error {
	return e.change(ctx, func(t *turn) error { return t.forget(transcript) })
}

// Sweep implements Store.
func (e *Embedded) Sweep(ctx context.Context, before time.Time, n int) (int, error) {
	var dropped int
	err := e.change(ctx, func(t *turn) (err error) {
		dropped, err = t.sweep(before, n)
		return err
	})
	if err != nil {
		return 0, err
	}
	return dropped, nil
}
