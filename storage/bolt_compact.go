package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"

	bolt "go.etcd.io/bbolt"
)

const (
	// compactBytes is how much a compaction writes in one transaction.
	compactBytes = 16 << 20
	// draftSuffix names the file that Compact writes beside the store's.
	draftSuffix = ".compacting"
)

// Compact copies the store in the file src to the new file dst, leaving out the
// pages that are free: what was erased is then in src only. No process may have
// src open. The caller replaces src with dst.
func Compact(dst, src string) error {
	if _, err := os.Lstat(dst); err == nil {
		return fmt.Errorf("storage: compact: %w", fs.ErrExist)
	}
	if err := inspectCurrent(src); err != nil {
		return err
	}
	from, fromFile, err := openDB(src, &bolt.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = closeDB(from, fromFile) }()
	err = assemble(dst, func(to *bolt.DB) error { return copyLive(to, from) })
	if err != nil {
		return fmt.Errorf("storage: compact: %w", err)
	}
	return nil
}

// Compact replaces the store's file by one without the pages that are free:
// what was erased before is in no file any more. It needs as much room on the
// disk as the store has content, and every other call waits for it meanwhile,
// longer than its context lasts.
//
// Whenever the process or the power ends, there is either the old file or the
// new one, whole, under the store's name; what else was left is removed by the
// next OpenBolt. On an error the store goes on with the old file, unless the
// error is ErrFailed. On ErrDamaged the old file has a page that cannot be
// copied; it is never replaced.
func (b *Bolt) Compact(ctx context.Context) error {
	// A dump may last: it must be over before others have to wait for this.
	b.copying.Lock()
	defer b.copying.Unlock()
	b.open.gate.Lock()
	defer b.open.gate.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := b.writer.usable(); err != nil {
		return err
	}
	tx, err := b.snapshot() // It notices if the file cannot be read at all.
	if err != nil {
		return err
	}
	size := tx.Size()
	if err := tx.Rollback(); err != nil {
		return fmt.Errorf("storage: compact: %w", err)
	}
	db, file, err := draft(b.path, size, func(to *bolt.DB) error { return copyLive(to, b.open.db) })
	if err != nil {
		return fmt.Errorf("storage: compact: %w", err)
	}
	if err := os.Rename(b.path+draftSuffix, b.path); err != nil {
		return errors.Join(fmt.Errorf("storage: compact: %w", err), closeDB(db, file), removeDraft(b.path))
	}
	old, oldFile := b.open.db, b.open.file
	b.open.db, b.open.file = db, file
	err = closeDB(old, oldFile)
	// Until the folder is on the disk, a power cut could bring the old file
	// back, and with it undo what is acknowledged from here on.
	if err := syncFolder(filepath.Dir(b.path)); err != nil {
		return b.writer.fail(err, false)
	}
	if err != nil {
		return fmt.Errorf("storage: close the file before the compaction: %w", err)
	}
	return nil
}

// draft lets fill write a file beside the one at the path, all of it on the
// disk, and returns it open and locked, so that it never lies under the store's
// name with nobody at it. It will have about the size.
func draft(path string, size int64, fill func(*bolt.DB) error) (_ *bolt.DB, _ *os.File, err error) {
	beside := path + draftSuffix
	f, err := os.OpenFile(beside, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeDraft(path))
		}
	}()
	if err := f.Close(); err != nil {
		return nil, nil, err
	}
	db, file, err := openDB(beside, &bolt.Options{InitialMmapSize: mapSize(size)})
	if err != nil {
		return nil, nil, err
	}
	if err := fill(db); err != nil {
		return nil, nil, errors.Join(err, closeDB(db, file))
	}
	return db, file, nil
}

// copyLive copies what is not free.
func copyLive(to, from *bolt.DB) (err error) {
	defer recoverDamage(&err)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	return bolt.Compact(to, from, compactBytes)
}

// removeDraft removes what a compaction left that did not come to its end. Only
// who holds the lock of the store may call it.
func removeDraft(path string) error {
	err := os.Remove(path + draftSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
