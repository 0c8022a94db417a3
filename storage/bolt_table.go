package storage

import (
	"bytes"
	"iter"

	bolt "go.etcd.io/bbolt"
)

// A table is the store's bucket within one transaction. A failed write is
// remembered in err, so that a commit reads as what it does; who holds the
// table looks there before the transaction is committed.
type table struct {
	bucket  *bolt.Bucket
	written bool
	counts  map[Lane]int // changes that flush writes
	err     error
}

// get returns the value under the key, nil if there is none. It is valid until
// the transaction ends and must not be changed.
func (t *table) get(key []byte) []byte { return t.bucket.Get(key) }

// put takes hold of the value until the transaction ends.
func (t *table) put(key, value []byte) {
	t.written = true
	if err := t.bucket.Put(key, value); err != nil && t.err == nil {
		t.err = err
	}
}

func (t *table) delete(key []byte) {
	t.written = true
	if err := t.bucket.Delete(key); err != nil && t.err == nil {
		t.err = err
	}
}

// deleted deletes the key if it is there, and tells whether it was.
func (t *table) deleted(key []byte) bool {
	c := t.bucket.Cursor()
	if k, _ := c.Seek(key); !bytes.Equal(k, key) {
		return false
	}
	t.written = true
	if err := c.Delete(); err != nil && t.err == nil {
		t.err = err
	}
	return true
}

// next returns a number greater than any before.
func (t *table) next() uint64 {
	t.written = true
	n, err := t.bucket.NextSequence()
	if err != nil && t.err == nil {
		t.err = err
	}
	return n
}

// reach makes every number from now on greater than n.
func (t *table) reach(n uint64) {
	if n <= t.bucket.Sequence() {
		return
	}
	t.written = true
	if err := t.bucket.SetSequence(n); err != nil && t.err == nil {
		t.err = err
	}
}

// all yields the keys that begin with prefix, in order, with their values.
// The table must not be changed meanwhile.
func (t *table) all(prefix []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		c := t.bucket.Cursor()
		for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
			if !yield(k, v) {
				return
			}
		}
	}
}

// first returns the first key that begins with prefix, nil if there is none.
func (t *table) first(prefix []byte) (key, value []byte) {
	for k, v := range t.all(prefix) {
		return k, v
	}
	return nil, nil
}
