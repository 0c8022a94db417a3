package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	prefix = "suar-"
	suffix = ".backup"
	stamp  = "20060102T150405Z"
)

// MaxAge is how old a backup may become: what a person erased is in every
// backup from before.
const MaxAge = 14 * 24 * time.Hour

// Name is what a backup in a folder is called.
func Name(made time.Time) string { return prefix + made.UTC().Format(stamp) + suffix }

// SaveIn is Save into a folder, under Name. The folder must be there.
func SaveIn(ctx context.Context, folder string, made time.Time, from Source) (path string, t Tally, err error) {
	path = filepath.Join(folder, Name(made))
	t, err = Save(ctx, path, made, from)
	return path, t, err
}

// fresh is how old the newest backup may be for others to be erased by their
// age.
const fresh = 48 * time.Hour

// ErrStale says that no backup is as old as the newest should be. Either none
// was made for days, or the machine's clock is wrong: none was erased for its
// age, or a clock that is weeks ahead would leave nothing.
var ErrStale = errors.New("backup: the newest backup is not of these days: look at why none was made, and at the machine's clock; none is erased for its age")

// Prune erases the folder's backups but the newest keep, all that are older
// than MaxAge, and drafts that nobody finished. What has another name is left
// alone. It returns how many it erased, and ErrStale if some were too old and
// none is new.
func Prune(folder string, keep int, now time.Time) (erased int, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return 0, fmt.Errorf("backup: %w", err)
	}
	var errs []error
	remove := func(name string) {
		if err := os.Remove(filepath.Join(folder, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("backup: %w", err))
			return
		}
		erased++
	}
	slices.Reverse(entries) // Names are in the order of time: newest first.
	whole, current, stale := 0, false, false
	for _, e := range entries {
		name, draft, _ := strings.Cut(e.Name(), draftMark)
		made, ok := madeOf(name)
		switch {
		case !ok || !e.Type().IsRegular():
		case draft != "":
			// One of today may be under way.
			if now.Sub(made) > 24*time.Hour {
				remove(e.Name())
			}
		default:
			whole++
			current = current || now.Sub(made).Abs() <= fresh
			switch old := now.Sub(made) > MaxAge; {
			case whole > keep, old && current:
				remove(e.Name())
			case old:
				stale = true
			}
		}
	}
	if stale {
		errs = append(errs, ErrStale)
	}
	return erased, errors.Join(errs...)
}

// madeOf reads Name.
func madeOf(name string) (time.Time, bool) {
	text, ok := strings.CutPrefix(name, prefix)
	text, tail := strings.CutSuffix(text, suffix)
	made, err := time.Parse(stamp, text)
	return made, ok && tail && err == nil
}
