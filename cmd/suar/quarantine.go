package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"suar/internal/seal"
)

// A quarantine keeps updates that could not be read, sealed, so that whoever
// mends the program can see what they were. It is bounded in number and time.
type quarantine struct {
	folder string
	vault  *seal.Vault
	now    func() time.Time
}

const (
	quarantineLife = 72 * time.Hour
	quarantineMost = 1000
)

// keep writes one update. An update that comes again replaces itself; beyond
// the bound the update is let go, because one that is never confirmed would
// stop the rest.
func (q quarantine) keep(_ context.Context, update int64, raw []byte) error {
	if err := os.MkdirAll(q.folder, 0o700); err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	kept, err := q.prune()
	if err != nil {
		return err
	}
	if kept >= quarantineMost {
		return nil
	}
	// The number of an update is an identity, too.
	name := q.vault.Blind("quarantine", strconv.FormatInt(update, 10)) + ".sealed"
	path := filepath.Join(q.folder, name)
	if err := os.WriteFile(path+".new", q.vault.Seal("quarantine", name, raw), 0o600); err != nil {
		return fmt.Errorf("quarantine: %w", err)
	}
	return os.Rename(path+".new", path)
}

// prune erases what is too old and counts the rest.
func (q quarantine) prune() (int, error) {
	entries, err := os.ReadDir(q.folder)
	if err != nil {
		return 0, fmt.Errorf("quarantine: %w", err)
	}
	kept := 0
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
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
