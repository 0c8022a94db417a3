package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"suar/storage"
)

// Copy fills the target, which must be empty, with everything that the source
// keeps, and proves it: it reads the target, and the source once more. It
// returns storage.ErrNotEmpty if the target was not empty, ErrChanged if the
// source changed meanwhile, and ErrDiffers if the target keeps something else.
// After any error but the first the target is not to be used. The source is
// only read.
func Copy(ctx context.Context, to Target, from Source) (Tally, error) {
	t, err := Fill(ctx, to, from)
	if err != nil {
		return t, err
	}
	again, err := Count(ctx, from)
	if err != nil {
		return t, err
	}
	if again != t {
		return t, ErrChanged
	}
	return t, nil
}

// Fill is Copy from a source that cannot change.
func Fill(ctx context.Context, to Target, from Source) (Tally, error) {
	counted := newCounter()
	next, stop := pull(ctx, from)
	defer stop()
	err := to.Fill(ctx, func() (storage.Piece, error) {
		p, err := next()
		if err == nil {
			counted.add(p)
		}
		return p, err
	})
	if err != nil {
		return Tally{}, fmt.Errorf("backup: fill: %w", err)
	}
	t := counted.tally()
	kept, err := Count(ctx, to)
	if err != nil {
		return t, err
	}
	if kept != t {
		return t, ErrDiffers
	}
	return t, nil
}

// Count tallies what the source keeps.
func Count(ctx context.Context, from Source) (Tally, error) {
	counted := newCounter()
	err := from.Dump(ctx, func(p storage.Piece) error {
		counted.add(p)
		return nil
	})
	if err != nil {
		return Tally{}, fmt.Errorf("backup: read: %w", err)
	}
	return counted.tally(), nil
}

// errStopped ends a Dump of which nobody wants more.
var errStopped = errors.New("backup: stopped")

// pull turns what Dump pushes into what Fill pulls: next returns io.EOF after
// the last piece. stop must be called, and next not after it.
func pull(ctx context.Context, from Source) (next func() (storage.Piece, error), stop func()) {
	more, stop := iter.Pull2(func(yield func(storage.Piece, error) bool) {
		err := from.Dump(ctx, func(p storage.Piece) error {
			if !yield(p, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(storage.Piece{}, err)
		}
	})
	return func() (storage.Piece, error) {
		p, err, ok := more()
		if !ok {
			return p, io.EOF
		}
		return p, err
	}, stop
}
