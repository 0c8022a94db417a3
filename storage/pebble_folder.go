package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	// lockWait is how long a store waits for another process to let go of the
	// folder, for a restart that overlaps, and lockPause how long it waits
	// between two looks.
	lockWait  = time.Second
	lockPause = 10 * time.Millisecond
)

// The file that says what the folder is, and what is in it.
const (
	formatFile = "SUAR"
	formatName = "3"
	formatText = "suar store %s\n"
)

// Formats that say that there is no store yet.
const (
	// beginningFormat is the format until the folder has all that an empty store
	// has.
	beginningFormat = "beginning"
	// fillingFormat is the format while the store is being filled, so that no
	// process takes half a store for a whole one.
	fillingFormat = "filling"
)

// A folder is a locked one.
type folder struct {
	path string
	lock *os.File
}

// lockFolder locks the folder at the path, links followed.
func lockFolder(path string, shared bool) (folder, error) {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return folder{}, fmt.Errorf("storage: open: %w", err)
	}
	lock, err := os.Open(path)
	if err != nil {
		return folder{}, fmt.Errorf("storage: open: %w", err)
	}
	f := folder{path: path, lock: lock}
	if err := f.wait(shared); err != nil {
		return folder{}, errors.Join(err, f.unlock())
	}
	return f, nil
}

func (f folder) unlock() error { return f.lock.Close() }

// wait waits for the lock for a while.
func (f folder) wait(shared bool) error {
	for range lockWait / lockPause {
		switch locked, err := tryLock(f.lock, shared); {
		case err != nil:
			return fmt.Errorf("storage: open: %w", err)
		case locked:
			return f.checkName()
		}
		time.Sleep(lockPause)
	}
	return fmt.Errorf("%w: %s", ErrLocked, f.path)
}

// checkName makes sure that the folder that is locked now is still the one
// under the name.
func (f folder) checkName() error {
	locked, err := f.lock.Stat()
	if err != nil {
		return fmt.Errorf("storage: open: %w", err)
	}
	if named, err := os.Stat(f.path); err != nil || !os.SameFile(locked, named) {
		return fmt.Errorf("%w: %s", ErrLocked, f.path)
	}
	return nil
}

// format returns what the folder says that it is: a format that this version
// knows, or beginningFormat, also if the folder is empty.
func (f folder) format() (string, error) {
	text, err := os.ReadFile(filepath.Join(f.path, formatFile))
	if errors.Is(err, fs.ErrNotExist) {
		entries, err := os.ReadDir(f.path)
		if err != nil {
			return "", fmt.Errorf("storage: open: %w", err)
		}
		if len(entries) > 0 && !isDraft(entries) {
			return "", fmt.Errorf("%w: %s has files in it, and no %s, which every store has", ErrDamaged, f.path, formatFile)
		}
		return beginningFormat, nil
	}
	if err != nil {
		return "", fmt.Errorf("storage: open: %w", err)
	}
	var format string
	if n, err := fmt.Sscanf(string(text), formatText, &format); n != 1 || err != nil {
		return "", fmt.Errorf("%w: the file %s of %s says nothing", ErrDamaged, formatFile, f.path)
	}
	switch format {
	case formatName, beginningFormat:
		return format, nil
	case fillingFormat:
		return "", fmt.Errorf("%w: %s was not filled to its end: remove it and fill a new one", ErrFormat, f.path)
	}
	return "", fmt.Errorf("%w: %s needs %q, this version knows %q", ErrFormat, f.path, format, formatName)
}

// isDraft tells whether there is nothing but what setFormat leaves that broke
// off.
func isDraft(entries []os.DirEntry) bool {
	return len(entries) == 1 && entries[0].Name() == formatFile+draftSuffix
}

// draftSuffix names a file that is not yet in its place.
const draftSuffix = ".draft"

// setFormat says what the folder is, also after a power cut.
func (f folder) setFormat(format string) error {
	name := filepath.Join(f.path, formatFile)
	draft, err := os.OpenFile(name+draftSuffix, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(draft, formatText, format)
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	if err := os.Rename(name+draftSuffix, name); err != nil {
		return err
	}
	return syncFolder(f.path)
}

// clear removes what a beginning left that broke off.
func (f folder) clear() error {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); name != formatFile {
			if err := os.RemoveAll(filepath.Join(f.path, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// notFolder says what is at a path that is no folder.
func notFolder(path string) error {
	if isBolt(path) {
		return fmt.Errorf("%w: %s is one file, as the versions before the first release kept it: with the version that made it, make a backup (suar backup), and with this one suar restore", ErrFormat, path)
	}
	return fmt.Errorf("%w: %s is not a folder", ErrDamaged, path)
}

// isBolt tells whether the file is a database of bbolt.
func isBolt(path string) bool {
	const (
		magic = 0xED0CDAED
		at    = 16
	)
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, at+4)
	if _, err := io.ReadFull(f, head); err != nil {
		return false
	}
	return binary.NativeEndian.Uint32(head[at:]) == magic
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
