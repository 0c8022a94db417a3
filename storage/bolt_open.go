package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

const (
	// lockWait is how long a store waits for another process to let go of the
	// file, for a restart that overlaps.
	lockWait = time.Second
	// mapRoom is how much the file can grow before its map does. A read that is
	// under way while the map grows stops every write behind it.
	mapRoom = 1 << 30
)

// mapSize is how much of the address space a file of the size is mapped to from
// the start.
func mapSize(size int64) int {
	if size > math.MaxInt-mapRoom {
		return mapRoom
	}
	return int(size) + mapRoom
}

// OpenBolt opens the store in the file, and creates it, readable by its owner
// only, if there is none. It never changes a file that it does not know: see
// ErrDamaged, ErrFormat and ErrLocked. A file that an older version made is
// brought to this version's format, which needs as much room on the disk again;
// the older version does not open it any more.
//
// If the newer of bbolt's two meta pages is torn, the file is as it was before
// the last transaction: what a power cut leaves while that is being written.
func OpenBolt(path string) (*Bolt, error) {
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("storage: make the folder: %w", err)
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, fmt.Errorf("storage: create the store: %w", err)
		}
	}
	if _, err := inspect(path); err != nil {
		return nil, err
	}
	// A compaction replaces the file behind the name, not behind a link to it.
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("storage: open: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("storage: open: %w", err)
	}
	open := new(openFile)
	if open.db, open.file, err = openDB(path, &bolt.Options{InitialMmapSize: mapSize(info.Size())}); err != nil {
		return nil, err
	}
	if err := errors.Join(checkName(path, open.file), removeDraft(path)); err != nil {
		return nil, errors.Join(err, closeDB(open.db, open.file))
	}
	// Another process may have renewed the file before this one got the lock.
	format, err := formatOf(open.db, path)
	if err == nil && format == formatName1 {
		var renewed *openFile
		if renewed, err = renew(path, open, info.Size()); err == nil {
			open = renewed
		}
	}
	if err != nil {
		return nil, errors.Join(err, closeDB(open.db, open.file))
	}
	return newBolt(path, open, startWriter(open)), nil
}

// create makes an empty store.
func create(path string) error {
	err := assemble(path, func(db *bolt.DB) error { return db.Update(initialize) })
	if errors.Is(err, fs.ErrExist) {
		return nil // Another process was faster.
	}
	return err
}

// initialize makes an empty store of an empty database.
func initialize(tx *bolt.Tx) error {
	b, err := tx.CreateBucket([]byte(bucketName))
	if err != nil {
		return err
	}
	return b.Put([]byte{kindFormat}, []byte(formatName))
}

// assemble writes a database beside the path and links it there when it is
// whole and on the disk, so that a file under the path is never half made.
func assemble(path string, fill func(*bolt.DB) error) (err error) {
	folder := filepath.Dir(path)
	draft, err := os.CreateTemp(folder, filepath.Base(path)+".draft-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft.Name()) }()
	if err := draft.Close(); err != nil {
		return err
	}
	db, file, err := openDB(draft.Name(), &bolt.Options{})
	if err != nil {
		return err
	}
	err = fill(db)
	if err := errors.Join(err, closeDB(db, file)); err != nil {
		return err
	}
	if err := os.Link(draft.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

// inspect reads the file without changing it, tells whether it is a store, and
// returns its format, which OpenBolt knows.
func inspect(path string) (format string, err error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", fmt.Errorf("storage: open: %w", err)
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%w: %s is not a regular file", ErrDamaged, path)
	case info.Size() == 0:
		return "", fmt.Errorf("%w: %s is empty", ErrDamaged, path)
	}
	db, file, err := openDB(path, &bolt.Options{ReadOnly: true})
	if err != nil {
		return "", err
	}
	defer func() { _ = closeDB(db, file) }()
	return formatOf(db, path)
}

// inspectCurrent is inspect for who needs this version's format.
func inspectCurrent(path string) error {
	format, err := inspect(path)
	if err == nil && format != formatName {
		err = fmt.Errorf("%w: %s was made by an older version: start the hotline with it once, which renews it", ErrFormat, path)
	}
	return err
}

// formatOf returns the format of an open database, or why it is not a store.
func formatOf(db *bolt.DB, path string) (format string, err error) {
	defer recoverDamage(&err)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	err = db.View(func(tx *bolt.Tx) error {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("storage: open: %w", err)
		}
		if size := tx.Size(); size > info.Size() {
			return fmt.Errorf("%w: %s has %d bytes of %d", ErrDamaged, path, info.Size(), size)
		}
		b := tx.Bucket([]byte(bucketName))
		if b == nil {
			return fmt.Errorf("%w: %s was made by another program", ErrFormat, path)
		}
		switch format = string(b.Get([]byte{kindFormat})); format {
		case formatName, formatName1:
			return nil
		case fillingFormat:
			return fmt.Errorf("%w: %s was not filled to its end: remove it and fill a new one", ErrFormat, path)
		}
		return fmt.Errorf("%w: %s needs %q, this version knows %q", ErrFormat, path, format, formatName)
	})
	return format, err
}

// openDB opens a database that exists. The file is for closing it where bbolt
// itself cannot.
func openDB(path string, options *bolt.Options) (db *bolt.DB, file *os.File, err error) {
	options.Timeout = lockWait
	options.FreelistType = bolt.FreelistMapType
	options.NoStatistics = true
	options.OpenFile = func(path string, flag int, mode os.FileMode) (*os.File, error) {
		var err error
		file, err = os.OpenFile(path, flag&^os.O_CREATE, mode)
		return file, err
	}
	defer func() {
		if p := recover(); p != nil {
			_ = abandon(file)
			db, err = nil, fmt.Errorf("%w: %s (%v)", ErrDamaged, path, p)
		}
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	db, err = bolt.Open(path, 0o600, options)
	var pathErr *fs.PathError
	switch {
	case err == nil:
		return db, file, nil
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, nil, fmt.Errorf("%w: %s", ErrLocked, path)
	case errors.As(err, &pathErr):
		return nil, nil, fmt.Errorf("storage: open: %w", err)
	default:
		return nil, nil, fmt.Errorf("%w: %s (%w)", ErrDamaged, path, err)
	}
}

// checkName makes sure that the file that is locked now is still the one under
// the name: while this process waited for the lock, the one that held it may
// have put a compacted file in its place.
func checkName(path string, file *os.File) error {
	locked, err := file.Stat()
	if err != nil {
		return fmt.Errorf("storage: open: %w", err)
	}
	if named, err := os.Stat(path); err != nil || !os.SameFile(locked, named) {
		return fmt.Errorf("%w: %s", ErrLocked, path)
	}
	return nil
}

// makeFolder makes a folder and what is missing above it, for the owner only,
// and brings each to the disk: a store that is lost with its folder is lost.
func makeFolder(path string) error {
	if info, err := os.Stat(path); err == nil {
		if !info.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: path, Err: errors.New("not a folder")}
		}
		return nil
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := makeFolder(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(parent)
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
