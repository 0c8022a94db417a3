package storage

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// logsKept is more than how many logs Pebble keeps to write over.
const logsKept = 16

// Compact writes the store's files anew without what is superseded or erased:
// of what was before, nothing is in any file any more. Others go on meanwhile.
// It needs as much room on the disk as the store has content.
//
// Whenever the process or the power ends, the store is whole. On an error that
// is not ErrFailed it goes on with the files that it has. On ErrDamaged one of
// them has a block that cannot be read; it is kept.
func (e *Embedded) Compact(ctx context.Context) error {
	// A dump may last, and holds on to files.
	e.copying.Lock()
	defer e.copying.Unlock()
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	if err := e.useless(); err != nil {
		return err
	}
	if err := e.compact(ctx); err != nil {
		return fmt.Errorf("storage: compact: %w", err)
	}
	return nil
}

func (e *Embedded) compact(ctx context.Context) error {
	ctx, stop := e.untilFailure(ctx)
	defer stop()
	// Every key is between these.
	if err := e.db.Compact(ctx, []byte{0}, []byte{0xff}, true); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return unreadable(err)
	}
	// Logs are kept to be written over, which they never are here: new ones
	// push them out.
	logs, err := e.logs()
	if err != nil {
		return err
	}
	for range logsKept {
		if err := e.flush(ctx); err != nil {
			return err
		}
		now, err := e.logs()
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(logs, func(log string) bool { return slices.Contains(now, log) }) {
			break
		}
	}
	return e.waitForRemovals(ctx)
}

// untilFailure is ctx that also ends when the store fails: Pebble may then wait
// for ever.
func (e *Embedded) untilFailure(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-e.breakage.failed:
			cancel(e.breakage.happened())
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// flush makes tables of what the log has, and begins a new log.
func (e *Embedded) flush(ctx context.Context) error {
	var flushed <-chan struct{}
	err := e.guard(func() (err error) {
		flushed, err = e.db.AsyncFlush()
		return err
	})
	if err != nil {
		return err
	}
	select {
	case <-flushed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// logs are the names of the files that are logs.
func (e *Embedded) logs() ([]string, error) {
	names, err := e.files.List(e.folder.path)
	return slices.DeleteFunc(names, func(name string) bool { return !strings.HasSuffix(name, ".log") }), err
}

// waitForRemovals waits until no table is there any more that nobody needs:
// they are removed in the background.
func (e *Embedded) waitForRemovals(ctx context.Context) error {
	for {
		next := e.files.nextRemoval()
		left, err := e.needless()
		if err != nil || !left {
			return err
		}
		select {
		case <-next:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// needless tells whether there is a table that nobody needs.
func (e *Embedded) needless() (bool, error) {
	levels, err := e.db.SSTables()
	if err != nil {
		return false, unreadable(err)
	}
	needed := make(map[string]bool)
	for _, level := range levels {
		for _, table := range level {
			needed[fmt.Sprintf("%s.sst", table.BackingSSTNum)] = true
		}
	}
	names, err := e.files.List(e.folder.path)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		if filepath.Ext(name) == ".sst" && !needed[name] {
			return true, nil
		}
	}
	return false, nil
}
