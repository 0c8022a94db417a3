package storage

import (
	"errors"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// OpenIn opens a store whose files are in another file system, under the name
// of a folder that is on the disk and only locked.
func OpenIn(fs vfs.FS, path string, isNew bool) (*Embedded, error) {
	f, err := lockFolder(path, false)
	if err != nil {
		return nil, err
	}
	how := toWrite
	if isNew {
		how = toBegin
		if err := makeFolderIn(fs, f.path); err != nil {
			return nil, errors.Join(err, f.unlock())
		}
	}
	e, err := open(f, inMemory(fs), how)
	if err != nil {
		return nil, errors.Join(err, f.unlock())
	}
	return e, nil
}

// makeFolderIn makes a folder and brings it to the disk.
func makeFolderIn(fs vfs.FS, path string) error {
	if err := fs.MkdirAll(path, 0o700); err != nil {
		return err
	}
	for parent := filepath.Dir(path); ; parent = filepath.Dir(parent) {
		dir, err := fs.OpenDir(parent)
		if err != nil {
			return err
		}
		if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
			return err
		}
		if parent == filepath.Dir(parent) {
			return nil
		}
	}
}
