package main

import (
	"context"
	"errors"
	"time"

	"suar/internal/backup"
	"suar/storage"
)

// night is when the store is compacted and backed up while the hotline runs, on
// the machine's clock, as an offset from midnight.
const night = 3*time.Hour + 30*time.Minute

// A compacter is a store in whose files what was erased lies on until they are
// written anew.
type compacter interface {
	Compact(ctx context.Context) error
}

// compact brings to an end what was erased: until then its sealed bytes lie in
// the store's files. That it fails is no reason not to serve, unless the store
// itself has failed.
func (a *app) compact(ctx context.Context) error {
	store, ok := a.store.(compacter)
	if !ok {
		return nil
	}
	began := time.Now()
	err := store.Compact(ctx)
	switch {
	case err == nil:
		a.log.InfoContext(ctx, "the store was compacted", "took", time.Since(began).Round(time.Millisecond))
	case errors.Is(err, storage.ErrFailed):
		return err
	case ctx.Err() == nil:
		// The error names the file and what is wrong with it, nothing of anybody.
		a.log.ErrorContext(ctx, "the store was not compacted: what was erased is still in its files, sealed", "error", err)
	}
	return nil
}

// backup writes the night's backup, if there is a folder for it, and erases
// those that are too many or too old. Whatever goes wrong is no reason not to
// serve: it is said, and the next night is another.
func (a *app) backup(ctx context.Context, now time.Time) {
	folder := a.Backup.Folder
	if folder == "" {
		return
	}
	path, tally, err := backup.SaveIn(ctx, folder, now, a.store)
	switch {
	case err == nil:
		a.log.InfoContext(ctx, "the store was backed up", "file", path, "records", tally.Records,
			"took", time.Since(now).Round(time.Millisecond))
	case ctx.Err() == nil:
		a.log.ErrorContext(ctx, "THERE IS NO BACKUP OF THIS NIGHT; it is tried again the next one", "error", err)
	}
	a.prune(ctx, now)
}

// prune erases the backups that are too many or too old: also when there is no
// new one, because what a person erased is in every older one.
func (a *app) prune(ctx context.Context, now time.Time) {
	if a.Backup.Folder == "" {
		return
	}
	if _, err := backup.Prune(a.Backup.Folder, a.Backup.Keep, now); err != nil {
		a.log.ErrorContext(ctx, "backups that are too old were not erased", "error", err)
	}
}

// upkeep compacts the store and backs it up each night until ctx ends; a Redis
// is asked each hour to write its file anew, by every process, which costs it
// nothing while it is at it. Nobody waits for the compaction of the embedded
// store.
func (a *app) upkeep(ctx context.Context) error {
	for {
		wait := time.Hour
		if a.Redis == nil {
			wait = time.Until(nextNight(time.Now()))
		}
		if err := pause(ctx, wait); err != nil {
			return nil //nolint:nilerr // that the context ended is no error
		}
		if err := a.compact(ctx); err != nil {
			return err
		}
		a.backup(ctx, time.Now())
	}
}

// nextNight returns the first instant after now at which it is night, on now's
// clock.
func nextNight(now time.Time) time.Time {
	year, month, day := now.Date()
	at := time.Date(year, month, day, 0, int(night/time.Minute), 0, 0, now.Location())
	if !at.After(now) {
		at = time.Date(year, month, day+1, 0, int(night/time.Minute), 0, 0, now.Location())
	}
	return at
}
