package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"suar/internal/backup"
	"suar/storage"
)

func newBackupCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "backup FILE|FOLDER",
		Short: "Write all that the store keeps into one file",
		Long: `backup writes all that the store keeps into one file, sealed as it is, readable by
its owner only: a new file, or a new one with the time in its name in a folder
that is there. Nothing is ever overwritten.

The embedded store must not be in use: suar serve writes a backup of it each
night, at 03:30, if backup.folder is in its configuration. A Redis may be in use.

The vault key is not in the backup, and must not be kept with it. What a person
erased is in every older backup: keep none for more than 14 days.`,
		Example: `  suar backup --config /etc/suar/suar.yaml /media/usb
  suar backup --config /etc/suar/suar.yaml tonight.backup`,
		Args: func(c *cobra.Command, args []string) error { return refuse(seeHelp(c, cobra.ExactArgs(1)(c, args))) },
		RunE: func(c *cobra.Command, args []string) error {
			return saveBackup(c.Context(), file, args[0], os.LookupEnv, c.OutOrStdout())
		},
	}
	addConfigFlag(c, &file)
	return c
}

func addConfigFlag(c *cobra.Command, file *string) {
	c.Flags().StringVar(file, "config", "/etc/suar/suar.yaml", "the configuration of suar serve, a YAML `file`")
}

func saveBackup(ctx context.Context, file, target string, env lookup, out io.Writer) (err error) {
	conf, err := loadStoreConfig(file, env)
	if err != nil {
		return refuse(err)
	}
	store, err := openToRead(ctx, conf)
	if errors.Is(err, storage.ErrLocked) {
		err = fmt.Errorf("%w; name a folder at backup.folder, and suar serve writes a backup into it each night, or stop it for the moment that this takes", err)
	}
	if err != nil {
		return refuseUnusable(err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	path, made := target, time.Now()
	var tally backup.Tally
	if info, found := os.Stat(target); found == nil && info.IsDir() {
		path, tally, err = backup.SaveIn(ctx, target, made, store)
	} else {
		tally, err = backup.Save(ctx, target, made, store)
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return refuse(fmt.Errorf("%s is there already: nothing is overwritten", path))
	case err != nil:
		return plain(err)
	}
	fmt.Fprintf(out, "%s: %s.\n", path, tallied(tally))
	return nil
}

// tallied says what a tally counts.
func tallied(t backup.Tally) string {
	return fmt.Sprintf("%s, %s, %s with %s",
		plural(t.Records, "record"), plural(t.Waiting, "waiting effect"), plural(t.Transcripts, "transcript"), pluralOf(t.Entries, "entry", "entries"))
}

func plural(n int, noun string) string { return pluralOf(n, noun, noun+"s") }

func pluralOf(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// refuseUnusable refuses what somebody has to put right first.
func refuseUnusable(err error) error {
	err = plain(err)
	if unusable(err) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, storage.ErrNotEmpty) || errors.Is(err, storage.ErrHeld) {
		return refuse(err)
	}
	return err
}

// caseOfBackup reads a case from a backup.
func caseOfBackup(ctx context.Context, path, code string) (_ sealedCase, err error) {
	file, err := backup.Open(ctx, path)
	if err != nil {
		return sealedCase{}, missing(err, "--backup wants what suar backup or suar serve wrote")
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return findCase(ctx, backedUpCases{file}, code)
}

// backedUpCases are the transcripts in a backup.
type backedUpCases struct{ *backup.File }

func (b backedUpCases) Transcripts(ctx context.Context, prefix string, n int) ([]string, error) {
	found := map[string]bool{}
	err := b.Dump(ctx, func(p storage.Piece) error {
		for name := range p.Transcripts {
			if strings.HasPrefix(name, prefix) {
				found[name] = true
			}
		}
		return nil
	})
	names := slices.Sorted(maps.Keys(found))
	return names[:min(n, len(names))], err
}

func (b backedUpCases) Transcript(ctx context.Context, name string) (t storage.Transcript, err error) {
	err = b.Dump(ctx, func(p storage.Piece) error {
		if found, ok := p.Transcripts[name]; ok {
			t = found // The later one counts.
		}
		return nil
	})
	return t, err
}
