package storage

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Pebble ends the process when it cannot write its log or begin a new one. So it
// does not learn of that: the store does, acknowledges nothing any more, and lets
// no file be removed. What the log has stays a beginning of what was written.

// isLog tells whether the file is a log.
func isLog(name string) bool { return strings.HasSuffix(name, ".log") }

// A logFile is a log, or what takes its place when it cannot be made.
type logFile struct {
	vfs.File
	breakage *breakage
}

// createLog makes a log.
func (f *files) createLog(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.create(name, category)
	if err != nil {
		_ = f.breakage.fail(err)
		if file, err = vfs.NewMem().Create("log", category); err != nil {
			return nil, err
		}
	}
	return logFile{file, f.breakage}, nil
}

// try does what may fail, unless something failed before.
func (f logFile) try(access func() error) {
	if f.breakage.happened() == nil {
		if err := access(); err != nil {
			_ = f.breakage.fail(err)
		}
	}
}

// Write implements vfs.File.
func (f logFile) Write(b []byte) (int, error) {
	f.try(func() error {
		_, err := f.File.Write(b)
		return err
	})
	return len(b), nil
}

// Sync implements vfs.File.
func (f logFile) Sync() error {
	f.try(f.File.Sync)
	return nil
}

// SyncData implements vfs.File.
func (f logFile) SyncData() error {
	f.try(f.File.SyncData)
	return nil
}

// SyncTo implements vfs.File.
func (f logFile) SyncTo(length int64) (fullSync bool, err error) {
	f.try(func() (err error) {
		fullSync, err = f.File.SyncTo(length)
		return err
	})
	return fullSync, nil
}

// Close implements vfs.File.
func (f logFile) Close() error {
	f.try(f.File.Close)
	return nil
}

// A folderFile is an open folder. A new log needs it to be synced.
type folderFile struct {
	vfs.File
	breakage *breakage
}

// Sync implements vfs.File.
func (f folderFile) Sync() error {
	if err := f.File.Sync(); err != nil {
		_ = f.breakage.fail(err)
	}
	return nil
}
