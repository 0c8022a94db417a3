package storage

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// files is the file system as the embedded store wants Pebble to see it: no
// file is ever written over, so that what a log kept is gone with it; what is
// made is for the owner only; and whoever waits for files to be removed is told.
type files struct {
	vfs.FS
	// chmod sets a new file's mode.
	chmod    func(name string, mode os.FileMode) error
	breakage *breakage

	mu      sync.Mutex
	removed chan struct{} // closed by the next removal; nil if nobody waits
}

// onDisk is the machine's file system.
func onDisk() *files { return newFiles(vfs.Default, os.Chmod) }

// inMemory is a file system that has no modes.
func inMemory(fs vfs.FS) *files {
	return newFiles(fs, func(string, os.FileMode) error { return nil })
}

func newFiles(fs vfs.FS, chmod func(string, os.FileMode) error) *files {
	return &files{FS: fs, chmod: chmod, breakage: &breakage{failed: make(chan struct{})}}
}

// Create implements vfs.FS.
func (f *files) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if isLog(name) {
		return f.createLog(name, category)
	}
	if f.breakage.happened() != nil {
		// Pebble would try again and again in the background: it stays here until
		// the process ends.
		select {}
	}
	file, err := f.create(name, category)
	if err != nil {
		return nil, err
	}
	if filepath.Ext(name) == ".sst" {
		return inPieces(dataFile{file, f.breakage}), nil
	}
	return dataFile{file, f.breakage}, nil
}

func (f *files) create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, category)
	if err != nil {
		return nil, err
	}
	if err := f.chmod(name, 0o600); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// OpenReadWrite implements vfs.FS.
func (f *files) OpenReadWrite(name string, category vfs.DiskWriteCategory, options ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.FS.OpenReadWrite(name, category, options...)
	if err != nil {
		return nil, err
	}
	if err := f.chmod(name, 0o600); err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// ReuseForWrite implements vfs.FS by not doing it: the bytes behind what is
// written to the new log would be what the old one kept.
func (f *files) ReuseForWrite(old, name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.Remove(old); err != nil && !os.IsNotExist(err) {
		_ = f.breakage.fail(err)
	}
	return f.Create(name, category)
}

// MkdirAll implements vfs.FS.
func (f *files) MkdirAll(dir string, _ os.FileMode) error { return f.FS.MkdirAll(dir, 0o700) }

// OpenDir implements vfs.FS.
func (f *files) OpenDir(name string) (vfs.File, error) {
	dir, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return folderFile{dir, f.breakage}, nil
}

// Remove implements vfs.FS. Once the store has failed it removes nothing: what
// seems to be elsewhere may not be.
func (f *files) Remove(name string) error {
	if f.breakage.happened() != nil {
		return nil
	}
	err := f.FS.Remove(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.removed != nil {
		close(f.removed)
		f.removed = nil
	}
	return err
}

// nextRemoval is closed when a file was removed after the call.
func (f *files) nextRemoval() <-chan struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.removed == nil {
		f.removed = make(chan struct{})
	}
	return f.removed
}

// Lock implements vfs.FS. The folder itself is locked already, for reading too
// and without a file.
func (f *files) Lock(string) (io.Closer, error) { return unlocked{}, nil }

// Unwrap implements vfs.FS.
func (f *files) Unwrap() vfs.FS { return f.FS }

// A dataFile is anything but a log. Once the store has failed it takes nothing.
type dataFile struct {
	vfs.File
	breakage *breakage
}

// Write implements vfs.File.
func (f dataFile) Write(b []byte) (int, error) {
	if err := f.breakage.happened(); err != nil {
		return 0, err
	}
	return f.File.Write(b)
}

// pieceSize is how much of a file is written at once. Pebble writes blocks of 4
// KB, and a write of that size costs the machine four times as much of its time a
// byte.
const pieceSize = 128 << 10

// A pieceFile is one that is written once from its beginning to its end, as a
// table is, and read only after that. What is left of it without a sync is
// nothing that counts.
type pieceFile struct {
	vfs.File
	buffer *bufio.Writer
}

func inPieces(file vfs.File) *pieceFile {
	return &pieceFile{file, bufio.NewWriterSize(file, pieceSize)}
}

// Write implements vfs.File.
func (f *pieceFile) Write(b []byte) (int, error) { return f.buffer.Write(b) }

// Sync implements vfs.File.
func (f *pieceFile) Sync() error {
	if err := f.buffer.Flush(); err != nil {
		return err
	}
	return f.File.Sync()
}

// SyncData implements vfs.File.
func (f *pieceFile) SyncData() error {
	if err := f.buffer.Flush(); err != nil {
		return err
	}
	return f.File.SyncData()
}

// SyncTo implements vfs.File.
func (f *pieceFile) SyncTo(length int64) (fullSync bool, err error) {
	if err := f.buffer.Flush(); err != nil {
		return false, err
	}
	return f.File.SyncTo(length)
}

// Close implements vfs.File.
func (f *pieceFile) Close() error { return errors.Join(f.buffer.Flush(), f.File.Close()) }

type unlocked struct{}

func (unlocked) Close() error { return nil }
