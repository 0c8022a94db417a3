package main

import (
	"context"
	"errors"
	"time"

	"suar/storage"
)

// night is when the store is compacted while the hotline runs, on the machine's
// clock, as an offset from midnight.
const night = 3*time.Hour + 30*time.Minute

// compact brings to an end what was erased: until then its sealed bytes lie in
// the free pages of the store's file. That it fails is no reason not to serve,
// unless the store itself has failed.
func (a *app) compact(ctx context.Context) error {
	began := time.Now()
	err := a.store.Compact(ctx)
	switch {
	case err == nil:
		a.log.InfoContext(ctx, "the store was compacted", "took", time.Since(began).Round(time.Millisecond))
	case errors.Is(err, storage.ErrFailed):
		return err
	case ctx.Err() == nil:
		// The error names the file and what is wrong with it, nothing of anybody.
		a.log.ErrorContext(ctx, "the store was not compacted: what was erased is still in its file, sealed", "error", err)
	}
	return nil
}

// compactNightly compacts the store each night until ctx ends. Everything else
// waits for it: about a second for 100 MB.
func (a *app) compactNightly(ctx context.Context) error {
	for {
		timer := time.NewTimer(time.Until(nextNight(time.Now())))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		if err := a.compact(ctx); err != nil {
			return err
		}
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
