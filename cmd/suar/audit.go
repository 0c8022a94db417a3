package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"suar/internal/backup"
	"suar/internal/engine"
	"suar/internal/seal"
	"suar/storage"
)

func newAuditCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "Show and verify the trail of what officers did",
		Long: `Show and verify the trail: which officer did what, in which case and when, to the
minute; never a word that anybody said. Each entry is chained to the one before.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newAuditVerifyCommand(), newAuditListCommand())
	return c
}

// An auditing is what suar audit was asked for.
type auditing struct {
	config, backup string
	witness        string
	asJSON         bool
}

func (a *auditing) flags(c *cobra.Command) {
	addConfigFlag(c, &a.config)
	c.Flags().StringVar(&a.backup, "backup", "", "read a backup, a `file`, in the place of the store")
	c.Flags().BoolVar(&a.asJSON, "json", false, "write JSON")
}

func newAuditVerifyCommand() *cobra.Command {
	var a auditing
	c := &cobra.Command{
		Use:   "verify",
		Short: "Prove that nothing in the trail was changed, moved or taken out",
		Long: `verify follows the trail from its first entry to its end, names every place at
which something is wrong, and prints the end.

Whoever has the server and its vault key could write the whole trail anew, or cut
off its last entries. That shows against a witness: the end that the bot writes
into the officers' channel each day, such as #12·0a1b2c3d4e5f6071. Give one that
you read there, or noted elsewhere, with --witness.

The embedded store can be read while no suar serve uses it; a backup at any time.

Exit codes: 0 the trail is whole; 1 it is not; 2 it could not be read.`,
		Example: `  suar audit verify --config /etc/suar/suar.yaml --witness '#12·0a1b2c3d4e5f6071'
  suar audit verify --backup /var/backups/suar/suar-20261123T033000Z.backup`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return a.verify(c.Context(), os.LookupEnv, c.OutOrStdout()) },
	}
	a.flags(c)
	c.Flags().StringVar(&a.witness, "witness", "", "an `end` of the trail as the officers' channel shows it")
	return c
}

func newAuditListCommand() *cobra.Command {
	var a auditing
	c := &cobra.Command{
		Use:   "list",
		Short: "Show the trail",
		Long: `list shows the trail: number, time (UTC), officer, what, case, and whom it concerns.
What is wrong with the trail is said as by verify, with the same exit codes.`,
		Example: `  suar audit list --backup /var/backups/suar/suar-20261123T033000Z.backup --json`,
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return a.list(c.Context(), os.LookupEnv, c.OutOrStdout()) },
	}
	a.flags(c)
	return c
}

// read returns the trail, and what the witness says.
func (a *auditing) read(ctx context.Context, env lookup) (t engine.Trail, witnessed, err error) {
	conf, err := loadAuditConfig(a.config, env)
	if err != nil {
		return t, nil, refuse(err)
	}
	defer func() {
		if errors.Is(err, storage.ErrNotFound) {
			err = errors.New("nothing was ever served from this store")
		}
		err = refuse(plain(err))
	}()
	var from engine.TrailSource
	if a.backup != "" {
		file, err := backup.Open(ctx, a.backup)
		if err != nil {
			return t, nil, missing(err, "--backup wants what suar backup or suar serve wrote")
		}
		defer func() { err = errors.Join(err, file.Close()) }()
		from = backedUpTrail{backedUpCases{file}}
	} else {
		store, err := openToRead(ctx, conf)
		if errors.Is(err, storage.ErrLocked) {
			return t, nil, fmt.Errorf("%w; or read a backup with --backup", err)
		}
		if err != nil {
			return t, nil, err
		}
		defer func() { err = errors.Join(err, store.Close()) }()
		from = store
	}
	if t, err = engine.ReadTrail(ctx, from, seal.NewVault(conf.vaultKey)); err != nil {
		return t, nil, err
	}
	if a.witness != "" {
		witnessed = t.Check(a.witness)
	}
	return t, witnessed, nil
}

// verdict is nil for a trail that is whole.
func verdict(t engine.Trail, witnessed error) error {
	switch {
	case len(t.Faults) > 0:
		return errors.New("the trail is not whole: " + strings.Join(t.Faults, "; "))
	case witnessed != nil:
		return plain(witnessed)
	}
	return nil
}

func (a *auditing) verify(ctx context.Context, env lookup, out io.Writer) error {
	t, witnessed, err := a.read(ctx, env)
	if err != nil {
		return err
	}
	wrong := verdict(t, witnessed)
	if a.asJSON {
		report := struct {
			Entries int      `json:"entries"`
			End     string   `json:"end"`
			Whole   bool     `json:"whole"`
			Faults  []string `json:"faults"`
			Witness string   `json:"witness,omitempty"`
		}{len(t.Entries), t.Head.String(), wrong == nil, append([]string{}, t.Faults...), ""}
		if witnessed != nil {
			report.Witness = plain(witnessed).Error()
		}
		return errors.Join(writeJSON(out, report), wrong)
	}
	if wrong == nil {
		fmt.Fprintf(out, "The trail is whole: %s.\n", pluralOf(len(t.Entries), "entry", "entries"))
		if a.witness == "" {
			fmt.Fprintln(out, "That nothing was cut off or written anew only a witness shows: compare with an end in the officers' channel, or give it with --witness.")
		} else {
			fmt.Fprintln(out, "It goes on from the end that was witnessed.")
		}
	}
	fmt.Fprintf(out, "Its end: %s\n", t.Head)
	return wrong
}

func (a *auditing) list(ctx context.Context, env lookup, out io.Writer) error {
	t, _, err := a.read(ctx, env)
	if err != nil {
		return err
	}
	wrong := verdict(t, nil)
	if a.asJSON {
		return errors.Join(writeJSON(out, append([]engine.AuditEntry{}, t.Entries...)), wrong)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, e := range t.Entries {
		what := e.What
		if e.Count > 0 {
			what += " ×" + strconv.Itoa(e.Count)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", e.N, e.At.UTC().Format("2006-01-02 15:04"), seal.Inert(e.By), seal.Inert(what), seal.Inert(e.Case), seal.Inert(strings.Join(e.With, " ")))
	}
	return errors.Join(w.Flush(), wrong)
}

func writeJSON(out io.Writer, what any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(what)
}

// loadAuditConfig reads of a configuration where the store is and the vault's key.
func loadAuditConfig(name string, env lookup) (config, error) {
	l := loading{name: name, env: env}
	if l.decode() {
		l.vault()
		l.store()
	}
	return l.result()
}

// backedUpTrail is the trail in a backup.
type backedUpTrail struct{ backedUpCases }

// Load returns a record of the backup.
func (b backedUpTrail) Load(ctx context.Context, id string) (storage.Record, error) {
	rec, found := storage.Record{}, false
	err := b.Dump(ctx, func(p storage.Piece) error {
		if p.ID == id && p.Version > 0 {
			rec, found = storage.Record{Version: p.Version, State: p.State}, true
		}
		return nil
	})
	if err == nil && !found {
		err = storage.ErrNotFound
	}
	return rec, err
}
