package storage

import (
	"errors"
	"fmt"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// ErrReadOnly says that the store was opened for reading only.
var ErrReadOnly = errors.New("storage: the store was opened for reading only")

// ReadBolt opens an existing store for reading only: every write is
// ErrReadOnly. It needs no right to write, and changes and creates nothing.
// Several processes may read at once; while one writes it is ErrLocked, and
// while one reads nobody can open the store for writing. Otherwise the errors
// are those of OpenBolt.
func ReadBolt(path string) (*Bolt, error) {
	if err := inspectCurrent(path); err != nil {
		return nil, err
	}
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("storage: open: %w", err)
	}
	open := new(openFile)
	if open.db, open.file, err = openDB(path, &bolt.Options{ReadOnly: true}); err != nil {
		return nil, err
	}
	if err := checkName(path, open.file); err != nil {
		return nil, errors.Join(err, closeDB(open.db, open.file))
	}
	return newBolt(path, open, noWriter(open)), nil
}

func newBolt(path string, open *openFile, w *writer) *Bolt {
	return &Bolt{path: path, open: open, writer: w, told: make(map[uint64]struct{})}
}

// noWriter returns a writer that refuses to write.
func noWriter(open *openFile) *writer {
	w := newWriter(open)
	w.refusal = ErrReadOnly
	close(w.stopped)
	return w
}
