package main

import (
	"context"
	"time"

	"suar/internal/seal"
)

const (
	// keysEvery is how often the vault key's file is looked at.
	keysEvery = 2 * time.Second
	// resealEvery is how long a pass that seals records anew waits after a change
	// of the key and after the pass before. It is longer than any commit takes.
	resealEvery = time.Minute
)

// followKeys takes over each keyring that suar keys rotate writes, and seals the
// store's records anew with its epoch, until ctx ends. It fails never: with a
// keyring that is not right the one before goes on, and that is said.
func (a *app) followKeys(ctx context.Context) error {
	looks, refused := looksOf(a.vaultFile), ""
	next := time.Now()
	for {
		if !time.Now().Before(next) {
			next = a.reseal(ctx)
		}
		if err := pause(ctx, keysEvery); err != nil {
			return nil //nolint:nilerr // that the context ended is no error
		}
		now := looksOf(a.vaultFile)
		if a.vaultFile == "" || now == looks {
			continue
		}
		before := a.vault.Epoch()
		if err := a.takeKeys(); err != nil {
			if err.Error() != refused { // Once, and again and again until it is right.
				a.log.ErrorContext(ctx, "the vault key in the file is not taken over, the one before stays", "fault", plain(err))
			}
			refused = err.Error()
			continue
		}
		looks, refused = now, ""
		a.log.InfoContext(ctx, "the vault key was taken over", "epoch", a.vault.Epoch())
		if a.vault.Epoch() != before {
			next = time.Now().Add(resealEvery)
		}
	}
}

// takeKeys reads the vault key's file and goes over to it.
func (a *app) takeKeys() error {
	none := func(string) (string, bool) { return "", false }
	s, _, err := readSecret("", a.vaultFile, none)
	if err != nil {
		return missing(err, "put the vault key there, mode 0400")
	}
	key, err := seal.ParseVaultKey([]byte(s.Reveal()))
	if err != nil {
		return err
	}
	return a.vault.Take(key)
}

// reseal makes a pass and returns when the next one is due.
func (a *app) reseal(ctx context.Context) time.Time {
	done, err := a.engine.Reseal(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		a.log.ErrorContext(ctx, "sealing anew with the vault key's present epoch", "fault", plain(err))
	case done.Left > 0:
		a.log.ErrorContext(ctx, "records do not open and stay in an earlier epoch: do not drop its key", "records", done.Left)
		return time.Now().Add(24 * time.Hour)
	case done.Records > 0:
		a.log.InfoContext(ctx, "sealed anew with the vault key's present epoch", "epoch", done.Epoch, "records", done.Records, "waiting", done.Waiting)
	default:
		return time.Now().Add(24 * time.Hour) // There is nothing to do, until the key changes.
	}
	return time.Now().Add(resealEvery)
}
