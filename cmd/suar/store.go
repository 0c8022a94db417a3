package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"suar/storage"
)

// errNoFolder says that the folder of the embedded store is not there. Nothing
// was made: a disk that is not mounted looks like a new hotline.
var errNoFolder = errors.New("the store's folder is not there: for a new hotline make it, mode 0700; if this hotline had a store in it, mount it or bring it back")

// openStore opens the store that the configuration names. The embedded one is
// begun if there is none in its folder; a Redis has to have one, because one that
// was emptied or is another one looks like a new one. report, if not nil, is told
// what turns out to be unsafe later.
func openStore(ctx context.Context, c config, report func(error)) (storage.Store, error) {
	if c.Redis == nil {
		if _, err := c.begun(); err != nil {
			return nil, err
		}
		return orNone(storage.OpenEmbedded(c.Store))
	}
	r := c.Redis.settings()
	r.Existing, r.Report = true, report
	store, err := openRedis(ctx, r)
	if errors.Is(err, storage.ErrNone) {
		err = fmt.Errorf("%w: nothing is kept in this Redis under the prefix %q. If this is the first start, begin it with suar store begin. If not, do not: look whether the address and the prefix are right, bring its data back, or make it of a backup with suar restore", err, c.Redis.prefix())
	}
	return orNone(store, err)
}

// begun reports whether there is something where the embedded store belongs.
func (c config) begun() (bool, error) {
	if entries, err := os.ReadDir(c.Store); err == nil && len(entries) == 0 {
		return false, nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return true, nil // What it is, opening it tells.
	}
	folder := filepath.Dir(c.Store)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("%s: %w", folder, errNoFolder)
	}
	return false, nil
}

// beginStore is openStore for a store that may be begun.
func beginStore(ctx context.Context, c config) (storage.Store, error) {
	if c.Redis == nil {
		return orNone(storage.OpenEmbedded(c.Store))
	}
	return orNone(openRedis(ctx, c.Redis.settings()))
}

// openRedis opens a Redis and says of which keys it is if they are forbidden.
func openRedis(ctx context.Context, r storage.RedisConfig) (*storage.Redis, error) {
	store, err := storage.OpenRedis(ctx, r)
	if answer, ok := errors.AsType[*storage.RedisError](err); ok && answer.Code == "NOPERM" {
		err = fmt.Errorf("%w: it must allow the commands of docs/redis.md on the keys ~{%s}:*", err, r.Prefix)
	}
	return store, err
}

// orNone is the store, or none at all if there was an error.
func orNone[S storage.Store](store S, err error) (storage.Store, error) {
	if err != nil {
		return nil, err
	}
	return store, nil
}

// openToRead opens a store that has to be there, the embedded one for reading
// only.
func openToRead(ctx context.Context, c config) (storage.Store, error) {
	if c.Redis != nil {
		return openStore(ctx, c, nil)
	}
	store, err := storage.ReadEmbedded(c.Store)
	if errors.Is(err, fs.ErrNotExist) {
		err = missing(err, "the embedded store should be there")
	}
	return orNone(store, err)
}

// unusable reports whether a store cannot be opened until somebody has put
// something right.
func unusable(err error) bool {
	for _, target := range []error{errNoFolder, storage.ErrDamaged, storage.ErrFormat, storage.ErrLocked, storage.ErrUnsafe, storage.ErrNone, storage.ErrUnnamed, storage.ErrDenied} {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}

// fillNew makes a store where there is none, lets fill fill it, and gives it its
// place when it is whole. An embedded store is made beside its place, so that
// there is all of it or nothing; what is filled in a Redis stays there if fill
// fails, and the error says so.
func fillNew(ctx context.Context, c config, fill func(storage.Store) error) (err error) {
	if c.Redis != nil {
		store, err := beginStore(ctx, c)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, store.Close()) }()
		switch err := fill(store); {
		case errors.Is(err, storage.ErrNotEmpty):
			return fmt.Errorf("%w: a hotline is kept in this Redis under the prefix %q, and nothing of it was changed; set another redis.prefix, or, if nobody needs that hotline, delete its keys {%[2]s}:*", err, c.Redis.prefix())
		case err != nil:
			return fmt.Errorf("%w; what is in this Redis now under the prefix %q is not to be used: erase it, or use another prefix", err, c.Redis.prefix())
		}
		return nil
	}
	if _, err := os.Lstat(c.Store); err == nil {
		return fmt.Errorf("%w: %s is there; move it away first", storage.ErrNotEmpty, c.Store)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	draft := c.Store + ".filling"
	if err := removeOld(draft); err != nil {
		return err
	}
	store, err := storage.OpenEmbedded(draft)
	if err != nil {
		return err
	}
	err = errors.Join(fill(store), store.Close())
	if err == nil {
		// What came there meanwhile is not replaced, unless it is an empty folder.
		err = os.Rename(draft, c.Store)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(draft))
	}
	return syncFolder(filepath.Dir(c.Store))
}

// removeOld removes what a process left that died while it filled a store. One
// that is still filled is left alone: ErrLocked.
func removeOld(draft string) error {
	if _, err := os.Lstat(draft); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	store, err := storage.OpenEmbedded(draft)
	if errors.Is(err, storage.ErrLocked) {
		return err
	}
	if err == nil {
		err = store.Close()
	}
	// What cannot be opened is removed all the same.
	if gone := os.RemoveAll(draft); gone != nil {
		return errors.Join(err, gone)
	}
	return nil
}

// namedStore is the store that an argument names: a configuration, by the
// ending of its name, or the embedded store's folder.
func namedStore(name string, env lookup) (config, error) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml":
		return loadStoreConfig(name, env)
	}
	return config{Store: name}, nil
}

// pause waits, or returns why it cannot.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
