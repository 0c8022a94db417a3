package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"suar/internal/seal"
)

// A quarantine keeps updates that could not be read, sealed, so that whoever
// mends the program can see what they were. It is bounded in number and time.
//
// An update is kept as it came, with whatever Telegram put into it: a name and
// a user name, too, which are dropped everywhere else. What cannot be read
// cannot be stripped for sure, so that it is sealed whole, under a blind name,
// and erased after 72 hours.
type quarantine struct {
	folder string
	vault  *seal.Vault
	now    func() time.Time
	log    *slog.Logger
}

const (
	quarantineLife  = 72 * time.Hour
	quarantineMost  = 1000
	quarantineSweep = time.Hour
	quarantineKind  = ".sealed"
)

// quarantine is the app's.
func (a *app) quarantine() quarantine {
	return quarantine{
		folder: a.quarantineFolder(), vault: a.vault, now: time.Now, log: a.log.With("part", "quarantine"),
	}
}

// keep writes one update and returns nil when it is on the disk. An update that
// comes again is kept once; beyond the bound the update is let go, because one
// that is never confirmed would stop the rest.
func (q quarantine) keep(_ context.Context, update int64, raw []byte) error {
	if err := q.makeFolder(); err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	kept, err := q.prune()
	if err != nil {
		return err
	}
	name := q.name(update, raw)
	path := filepath.Join(q.folder, name)
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	if kept >= quarantineMost {
		q.log.Error("the quarantine is full; an update that could not be read is let go", "kept", kept)
		return nil
	}
	if err := writeDurably(path, q.vault.Seal("quarantine", name, raw)); err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return nil
}

// name is what an update is kept as. Its number would tell when it came, and
// where the number could not be read all would have the same.
func (q quarantine) name(update int64, raw []byte) string {
	if update == 0 {
		return q.vault.Blind("quarantine bytes", string(raw)) + quarantineKind
	}
	return q.vault.Blind("quarantine", strconv.FormatInt(update, 10)) + quarantineKind
}

// Run erases what is too old, at once and then hourly, until ctx ends. It
// returns nil.
func (q quarantine) Run(ctx context.Context) error {
	sweep := time.NewTicker(quarantineSweep)
	defer sweep.Stop()
	for {
		if _, err := q.prune(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			q.log.ErrorContext(ctx, "what is too old in the quarantine was not erased; it is tried again within the hour", "class", fmt.Sprintf("%T", errors.Unwrap(err)))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-sweep.C:
		}
	}
}

// prune erases what is too old, drafts of a crash among it, and counts the
// rest.
func (q quarantine) prune() (int, error) {
	entries, err := os.ReadDir(q.folder)
	if err != nil {
		return 0, fmt.Errorf("quarantine: %w", err)
	}
	kept := 0
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("quarantine: %w", err)
		}
		if q.now().Sub(info.ModTime()) < quarantineLife {
			kept++
			continue
		}
		if err := os.Remove(filepath.Join(q.folder, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, fmt.Errorf("quarantine: %w", err)
		}
	}
	return kept, nil
}

// makeFolder makes the folder, and sees to it that it is still there after a
// power cut.
func (q quarantine) makeFolder() error {
	err := os.Mkdir(q.folder, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return syncFolder(filepath.Dir(q.folder))
}

// writeDurably writes a file of its own name, readable by its owner only. When
// it returns nil the file is whole and on the disk; a crash before leaves no
// half of it under the name.
func writeDurably(path string, data []byte) (err error) {
	folder := filepath.Dir(path)
	draft, err := os.CreateTemp(folder, "draft-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(draft.Name()))
		}
	}()
	_, err = draft.Write(data)
	if err == nil {
		err = draft.Sync()
	}
	if err = errors.Join(err, draft.Close()); err != nil {
		return err
	}
	if err = os.Rename(draft.Name(), path); err != nil {
		return err
	}
	return syncFolder(folder)
}

// syncFolder brings the names in a folder to the disk.
func syncFolder(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
