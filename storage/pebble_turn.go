package storage

import (
	"context"
	"encoding/binary"

	"github.com/cockroachdb/pebble/v2"
)

// A turn is one change to the store. It first reads all that it needs, and
// may refuse; only then does it write, in memory and into the batch, and from
// there on it does not fail.
type turn struct {
	*Embedded
	batch *pebble.Batch
	// number is the change's.
	number uint64
	// since is the change that must be on the disk before it is told that this
	// one was refused or had nothing to do, as it is the reason for that.
	since uint64
}

// change makes a change and returns when it is on the disk. A ctx that has ended
// before it begins keeps it from being made; once it is made it is waited for.
func (e *Embedded) change(ctx context.Context, change func(*turn) error) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	return e.do(ctx, change)
}

// perform makes a change that can be seen at once. since is the change that must be
// on the disk before the caller learns what came of it. Its caller holds the
// store's mutex.
func (e *Embedded) perform(ctx context.Context, change func(*turn) error) (since uint64, err error) {
	t := turn{Embedded: e}
	if err := e.useless(); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	t.batch = e.db.NewBatch()
	defer func() { _ = t.batch.Close() }()
	t.number = e.changes + 1
	if err := change(&t); err != nil {
		return t.since, err
	}
	if t.batch.Empty() {
		return t.since, nil
	}
	return t.number, t.apply()
}

// apply makes what is in the batch visible.
func (t *turn) apply() error {
	if err := t.guard(func() error { return t.db.Apply(t.batch, pebble.NoSync) }); err != nil {
		return err
	}
	t.changes = t.number
	return nil
}

// useless returns why nothing is ever written, nil if it can be.
func (e *Embedded) useless() error {
	if e.readOnly {
		return ErrReadOnly
	}
	return e.breakage.happened()
}

// put writes under the key.
func (t *turn) put(key, value []byte) { _ = t.batch.Set(key, value, nil) }

// putNamed writes what has a name.
func (t *turn) putNamed(kind byte, name string, value []byte) {
	t.names.add(kind, name)
	t.put(key(kind, name), value)
}

func (t *turn) delete(key []byte) { _ = t.batch.Delete(key, nil) }

// numbersAhead is how many numbers are taken at a time: what was not given when
// the process ends is never given.
const numbersAhead = 1 << 20

// nextNumber returns a number greater than any before.
func (t *turn) nextNumber() uint64 {
	n := t.next
	t.reach(n)
	return n
}

// reach makes every number from now on greater than n.
func (t *turn) reach(n uint64) {
	if n < t.next {
		return
	}
	t.next = n + 1
	if t.next >= t.reserved {
		t.reserved = t.next + numbersAhead
		t.put([]byte{keyNumbers}, binary.BigEndian.AppendUint64(nil, t.reserved))
	}
}
