package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"suar/internal/backup"
	"suar/internal/engine"
	"suar/internal/seal"
	"suar/storage"
)

// A restoring is what suar restore was asked for.
type restoring struct {
	config, backup string
	check, asItWas bool
	env            lookup
	out            io.Writer
}

func newRestoreCommand() *cobra.Command {
	r := restoring{env: os.LookupEnv}
	c := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make a store of a backup, and prove it",
		Long: `restore makes the store that the configuration names out of a backup. Before
anything is written the whole file is read: it must be whole, and open with the
vault key. The store must not be there yet, or the Redis have nothing under the
prefix. Afterwards all is read back and compared.

It prints what is in it and what cannot be opened. The vault key opens what the
server must be able to reopen; of the transcripts it shows that their records are
complete and unchanged, and only the officers' keys open them.

A backup is of an earlier hour. What waited in it to be shown to people has most
likely been shown since, and a telephone may be in somebody else's hands: so it
is not sent again. The officers are told of each of their replies that it perhaps
did not arrive. With --as-it-was all of it is sent: only for a backup after which
nothing ran any more. docs/install.md says what else to expect.

Exit codes: 0 restored and proven; 1 restored, but not all of it opens; 2 nothing
was written.`,
		Example: `  suar restore --check /var/backups/suar/suar-20261123T033000Z.backup
  suar restore --config /etc/suar/suar.yaml /var/backups/suar/suar-20261123T033000Z.backup`,
		Args: func(c *cobra.Command, args []string) error { return refuse(seeHelp(c, cobra.ExactArgs(1)(c, args))) },
		RunE: func(c *cobra.Command, args []string) error {
			r.backup, r.out = args[0], c.OutOrStdout()
			return r.run(c.Context())
		},
	}
	addConfigFlag(c, &r.config)
	c.Flags().BoolVar(&r.check, "check", false, "only prove the backup, and write nothing")
	c.Flags().BoolVar(&r.asItWas, "as-it-was", false, "send people what waited for them, too")
	return c
}

func (r *restoring) run(ctx context.Context) (err error) {
	conf, err := loadEngineConfig(r.config, r.env)
	if err != nil {
		return refuse(err)
	}
	file, err := backup.Open(ctx, r.backup)
	if err != nil {
		return refuse(plain(missing(err, "the backup should be there")))
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	fmt.Fprintf(r.out, "The backup of %s is whole: %s.\n", file.Made().Format(time.DateTime+" MST"), tallied(file.Tally()))

	survey := engine.NewSurvey(seal.NewVault(conf.vaultKey))
	found, err := look(ctx, survey, file)
	if errors.Is(err, engine.ErrWrongKey) {
		return refuse(errors.New("this backup was made with another vault key: give vault_key_file the key of that time; nothing was written"))
	}
	if err != nil {
		return refuse(plain(err))
	}
	r.say(found)
	if !r.check {
		muted, err := r.fill(ctx, conf, survey, file)
		if err != nil {
			return refuseUnusable(err)
		}
		fmt.Fprintln(r.out, "It is restored, and reads back the same.")
		if muted > 0 {
			fmt.Fprintf(r.out, "Not sent again: %s to people. The officers are told of each reply among them.\n", plural(muted, "effect"))
		}
	}
	if found.Damaged() {
		return errors.New("not everything in the backup is as it must be: see above, and look for an older one")
	}
	return nil
}

// look surveys the backup, in two readings.
func look(ctx context.Context, survey *engine.Survey, file *backup.File) (engine.Findings, error) {
	for _, see := range []func(storage.Piece){survey.Conversations, survey.Transcripts} {
		err := file.Dump(ctx, func(p storage.Piece) error {
			see(p)
			return nil
		})
		if err != nil {
			return engine.Findings{}, err
		}
	}
	return survey.Findings()
}

// say prints what the vault's key opened.
func (r *restoring) say(f engine.Findings) {
	fmt.Fprintf(r.out, `The vault key opens it:
  conversations     %d, %d of them with an open case
  waiting effects   %d
  transcripts       %d with %s; the server knows the end of %d, and they are complete and unchanged
`, f.Conversations-f.DamagedConversations, f.Open, f.Waiting-f.DamagedEffects, f.Transcripts-f.DamagedTranscripts,
		pluralOf(f.Entries, "entry", "entries"), f.Tracked)
	if f.Damaged() {
		fmt.Fprintf(r.out, `What is damaged:
  conversations     %d do not open
  waiting effects   %d do not open
  transcripts       %d are incomplete or were changed
`, f.DamagedConversations, f.DamagedEffects, f.DamagedTranscripts)
	}
}

// fill makes the store, and returns how many effects were left out.
func (r *restoring) fill(ctx context.Context, conf config, survey *engine.Survey, file *backup.File) (int, error) {
	from := muting{File: file, survey: survey, off: r.asItWas}
	err := fillNew(ctx, conf, func(store storage.Store) error {
		if _, err := backup.Fill(ctx, store, &from); err != nil || r.asItWas {
			return err
		}
		e, err := engine.New(ctx, engine.Config{
			Flow:     conf.book,
			Store:    store,
			Vault:    seal.NewVault(conf.vaultKey),
			Officers: func() seal.Recipients { return conf.recipients },
			Log:      slog.New(slog.DiscardHandler),
		})
		if err != nil {
			return err
		}
		for _, m := range from.muted {
			if err := e.GiveUp(ctx, m); err != nil && !errors.Is(err, engine.ErrStep) {
				return err
			}
		}
		return e.SetRestored(ctx, time.Now())
	})
	return len(from.muted), err
}

// muting is a backup without what would show in people's chats.
type muting struct {
	*backup.File
	survey *engine.Survey
	off    bool
	muted  []engine.Muted
}

// Dump implements [backup.Source].
func (m *muting) Dump(ctx context.Context, yield func(storage.Piece) error) error {
	m.muted = nil
	return m.File.Dump(ctx, func(p storage.Piece) error {
		if !m.off {
			var muted []engine.Muted
			var err error
			if p, muted, err = m.survey.Mute(p); err != nil {
				return err
			}
			m.muted = append(m.muted, muted...)
		}
		return yield(p)
	})
}
