package storage

import (
	"iter"

	"github.com/cockroachdb/pebble/v2"
)

// A pair is a key and what is under it, valid until the next one is asked for.
type pair struct{ key, value []byte }

// scan yields the keys that begin with prefix, in order, as they are at its
// beginning. It ends with the first error.
func scan(from pebble.Reader, prefix []byte) iter.Seq2[pair, error] {
	return func(yield func(pair, error) bool) {
		end := append(make([]byte, 0, len(prefix)), prefix...)
		it, err := from.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: behind(end)})
		if err != nil {
			yield(pair{}, unreadable(err))
			return
		}
		for ok := it.First(); ok; ok = it.Next() {
			value, err := it.ValueAndErr()
			if err != nil {
				break // Close returns it.
			}
			if !yield(pair{it.Key(), value}, nil) {
				_ = it.Close()
				return
			}
		}
		if err := it.Close(); err != nil {
			yield(pair{}, unreadable(err))
		}
	}
}

// behind returns the first key after all that begin with prefix, which it
// changes and which has a byte that is not 0xff.
func behind(prefix []byte) []byte {
	for i := len(prefix) - 1; ; i-- {
		if prefix[i]++; prefix[i] != 0 {
			return prefix[:i+1]
		}
	}
}
