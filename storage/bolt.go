package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

var (
	// ErrFailed says that a write could not be brought to the disk. The store
	// takes no writes any more, and what was not acknowledged may or may not
	// be there. The process ends; the operator reads the cause behind it,
	// frees space or mends the disk, and starts it again.
	ErrFailed = errors.New("storage: writing to the disk failed: free space or mend the disk, then start again")
	// ErrDamaged says that the file is cut, overwritten or of another kind:
	// from OpenBolt all of it, otherwise the part that the call needed, and the
	// rest may be in order. Nothing was changed. The operator restores the file
	// from a backup.
	ErrDamaged = errors.New("storage: the file is damaged or is not a store: restore it from a backup")
	// ErrFormat says that the file is sound but not of this version's format,
	// or belongs to another program. It was not changed.
	ErrFormat = errors.New("storage: the file has a format that this version does not know")
	// ErrLocked says that another process has the file open.
	ErrLocked = errors.New("storage: another process holds the store: stop it first")
)

// Bolt is the embedded Store: one file, one process. Many writers at once share
// an fsync. Its reads go on after a write has failed.
type Bolt struct {
	path   string
	open   *openFile
	writer *writer
	local  local

	// copying is held for reading by a Dump, and for writing by Compact.
	copying sync.RWMutex

	toldMu sync.Mutex
	told   map[uint64]struct{} // damaged items that a Lease has told of

	closing  sync.Once
	closeErr error
}

var _ Store = (*Bolt)(nil)

// Failed is closed when the store has met ErrFailed. The process then ends: the
// store cannot be used for writing again until it is opened anew.
func (b *Bolt) Failed() <-chan struct{} { return b.writer.failed }

// Close makes the writes that wait and releases the file. It may be called
// again.
func (b *Bolt) Close() error {
	b.closing.Do(func() {
		b.writer.close()
		b.open.gate.RLock()
		defer b.open.gate.RUnlock()
		if b.writer.blocked() != nil {
			// bbolt would wait for ever.
			b.closeErr = abandon(b.open.file)
			return
		}
		b.closeErr = closeDB(b.open.db, b.open.file)
	})
	return b.closeErr
}

// view reads from a snapshot of what is committed.
func (b *Bolt) view(ctx context.Context, read func(*table) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.open.gate.RLock()
	defer b.open.gate.RUnlock()
	tx, err := b.snapshot()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	return func() (err error) {
		defer recoverDamage(&err)
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		return read(&table{bucket: tx.Bucket([]byte(bucketName))})
	}()
}

// snapshot begins a read. A fault at this point leaves bbolt's locks held: then
// the store has failed as a whole.
func (b *Bolt) snapshot() (tx *bolt.Tx, err error) {
	if err := b.writer.blocked(); err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			err = b.writer.fail(damaged(p), true)
		}
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	tx, err = b.open.db.Begin(false)
	if errors.Is(err, bolterrors.ErrDatabaseNotOpen) {
		return nil, errClosed
	}
	return tx, err
}

// Load implements Store.
func (b *Bolt) Load(ctx context.Context, id string) (Record, error) {
	var found Record
	err := b.view(ctx, func(t *table) error {
		r := t.record(t.owner(id))
		if r.version == 0 {
			return ErrNotFound
		}
		found = Record{Version: r.version, State: slices.Clone(r.state), Alarm: r.alarm}
		return nil
	})
	return found, err
}

// Resolve implements Store.
func (b *Bolt) Resolve(ctx context.Context, name string) (string, error) {
	var id string
	err := b.view(ctx, func(t *table) error {
		value := t.get(key(kindName, name))
		if value == nil {
			return ErrNotFound
		}
		id = string(value)
		return nil
	})
	return id, err
}

// Commit implements Store.
func (b *Bolt) Commit(ctx context.Context, c Commit) error {
	return b.writer.do(ctx, func(t *table) error {
		_, err := t.commit(&c, time.Time{}, nil)
		return err
	})
}

// CommitAndLease implements Store.
func (b *Bolt) CommitAndLease(ctx context.Context, c Commit, until time.Time, lanes ...Lane) ([]Leased, error) {
	var leased []Leased
	err := b.writer.do(ctx, func(t *table) (err error) {
		leased, err = t.commit(&c, until, lanes)
		return err
	})
	if err != nil {
		return nil, err
	}
	return leased, nil
}

// Hold implements Store. It is forgotten with the process, whose file nobody
// else can open.
func (b *Bolt) Hold(ctx context.Context, name, holder string, now, until time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return b.local.hold(name, holder, now, until)
}

// Pace implements Store. It is forgotten with the process.
func (b *Bolt) Pace(ctx context.Context, queue string, now time.Time, cost, burst time.Duration) (time.Time, error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	return b.local.pace(queue, now, cost, burst), nil
}

// Lease implements Store. It costs no write when there is nothing to lease.
func (b *Bolt) Lease(ctx context.Context, lane Lane, n int, now, until time.Time) ([]Leased, error) {
	if err := b.writer.usable(); err != nil {
		return nil, err
	}
	var found bool
	err := b.view(ctx, func(t *table) error {
		found = n > 0 && t.leasable(lane, now)
		return nil
	})
	if err != nil || !found {
		return nil, err
	}
	var leased []Leased
	var broken []uint64
	err = b.writer.do(ctx, func(t *table) error {
		leased, broken = t.lease(lane, n, now, until)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return leased, b.tell(broken)
}

// tell returns ErrDamaged for the items that were not told of before.
func (b *Bolt) tell(broken []uint64) error {
	b.toldMu.Lock()
	defer b.toldMu.Unlock()
	news := 0
	for _, seq := range broken {
		if _, told := b.told[seq]; !told {
			b.told[seq] = struct{}{}
			news++
		}
	}
	if news == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d items of the outbox cannot be read, and each holds up its conversation; the others were leased", ErrDamaged, news)
}

// Defer implements Store.
func (b *Bolt) Defer(ctx context.Context, l Lease, until time.Time) error {
	return b.writer.do(ctx, func(t *table) error {
		o := t.owner(l.Conversation)
		head, held := t.held(o, &l)
		if !held {
			return ErrLeaseLost
		}
		t.unlist(l.Lane, head)
		head.leased = false
		t.hold(o, l.Lane, head, until)
		return nil
	})
}

// Release gives up every lease: its items can be leased again at once. Whoever
// opens the store calls it before the first lease, because the file has one
// process, and who held them is no more: otherwise what a process was doing
// when it died would wait until the leases run out. A lease that was given up
// still counts until somebody else takes the item over.
func (b *Bolt) Release(ctx context.Context) error {
	return b.writer.do(ctx, func(t *table) error {
		for _, lane := range Lanes() {
			t.release(lane)
		}
		return nil
	})
}

// Waiting implements Store.
func (b *Bolt) Waiting(ctx context.Context, lane Lane) (count int, next time.Time, err error) {
	err = b.view(ctx, func(t *table) error {
		count, next = t.waiting(lane)
		return nil
	})
	return count, next, err
}

// Due implements Store.
func (b *Bolt) Due(ctx context.Context, now time.Time, n int) ([]string, error) {
	var due []string
	err := b.view(ctx, func(t *table) error {
		for k := range t.all([]byte{kindAlarm}) {
			if len(due) >= n || instantOf(k[1:]).After(now) {
				break
			}
			due = append(due, string(k[1+instantSize:]))
		}
		return nil
	})
	return due, err
}

// Transcript implements Store.
func (b *Bolt) Transcript(ctx context.Context, name string) (Transcript, error) {
	var found Transcript
	err := b.view(ctx, func(t *table) error {
		var ok bool
		if found, ok = t.transcript(name); !ok {
			return ErrNotFound
		}
		return nil
	})
	return found, err
}

// Transcripts implements Store.
func (b *Bolt) Transcripts(ctx context.Context, prefix string, n int) ([]string, error) {
	var names []string
	err := b.view(ctx, func(t *table) error {
		for k := range t.all(key(kindTranscript, prefix)) {
			if len(names) >= n {
				break
			}
			names = append(names, string(k[1:]))
		}
		return nil
	})
	return names, err
}

// Forget implements Store. The freed pages keep what was in them until Compact.
func (b *Bolt) Forget(ctx context.Context, transcript string) error {
	return b.writer.do(ctx, func(t *table) error {
		t.forget(transcript)
		return nil
	})
}

// Sweep implements Store.
func (b *Bolt) Sweep(ctx context.Context, before time.Time, n int) (int, error) {
	var dropped int
	err := b.writer.do(ctx, func(t *table) error {
		dropped = t.sweep(before, n)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return dropped, nil
}

// closeDB closes the database, also where bbolt cannot because the file is
// damaged.
func closeDB(db *bolt.DB, file *os.File) (err error) {
	defer func() {
		if p := recover(); p != nil {
			_ = abandon(file)
			err = damaged(p)
		}
	}()
	return db.Close()
}
