package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"suar/internal/caseid"
	"suar/internal/seal"
	"suar/storage"
)

// transcripts is what opening a case needs of a store.
type transcripts interface {
	Transcript(ctx context.Context, name string) (storage.Transcript, error)
	Transcripts(ctx context.Context, prefix string, n int) ([]string, error)
}

// A sealedCase is a case as it is kept.
type sealedCase struct {
	id seal.CaseID
	storage.Transcript
}

// An opening is what suar open was asked for.
type opening struct {
	code                  string
	store, folder, backup string
	export                string
	keys                  []string
	passphraseFile        string
	witness, format       string
}

func newOpenCommand() *cobra.Command {
	var o opening
	c := &cobra.Command{
		Use:   "open [CASE] (--backup FILE | --store FOLDER | --folder FOLDER) -i KEY",
		Short: "Decrypt a case's transcript and verify it",
		Long: `Decrypt a case's transcript and verify it.

CASE is the code on the case's card, such as 7H2K-9QXM; a folder holds one case,
so there it may be left out. A backup can be read at any time; the embedded store
only while no suar serve uses it. The operator can take the one case out of either
with --export, which needs no key.

The exit code is 0 if the transcript is proven to be unchanged and in order, 1 if
it is not, 2 if it could not be opened. That nothing was cut off at its end is
proven by a witness: the sign on the case's card, such as #12·0a1b2c3d4e5f6071.`,
		Example: `  suar open 7H2K-9QXM --store store -i siti.key --witness '#12·0a1b2c3d4e5f6071'
  suar open 7H2K-9QXM --backup tonight.backup --export case-7h2k
  suar open --folder case-7h2k -i siti.key
  suar open --folder case-7h2k -i siti.key --format html > case.html   # to print, then erase`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.code = strings.Join(args, "")
			if err := o.check(); err != nil {
				return refuse(plain(err))
			}
			return o.run(cmd)
		},
	}
	c.Flags().StringVar(&o.store, "store", "", "the embedded store's `folder`, not in use")
	c.Flags().StringVar(&o.backup, "backup", "", "a `file` that suar backup or suar serve wrote")
	c.Flags().StringVar(&o.folder, "folder", "", "a `folder` that --export wrote")
	c.Flags().StringArrayVarP(&o.keys, "identity", "i", nil, "key file to open the case with (can be repeated)")
	c.Flags().StringVar(&o.witness, "witness", "", "what the case's card shows, such as #12·0a1b2c3d4e5f6071")
	c.Flags().StringVar(&o.format, "format", "text", "text, json, or html to print")
	c.Flags().StringVar(&o.export, "export", "", "write the sealed case into this `folder` as well; needs no key")
	addPassphraseFlag(c, &o.passphraseFile)
	return c
}

func (o opening) check() error {
	var faults []error
	named := 0
	for _, from := range []string{o.store, o.folder, o.backup} {
		if from != "" {
			named++
		}
	}
	if named != 1 {
		faults = append(faults, errors.New("want a backup with --backup, the store's folder with --store or an exported case with --folder, one of the three"))
	}
	if !slices.Contains([]string{"text", "json", "html"}, o.format) {
		faults = append(faults, errors.New("--format: want text, json or html"))
	}
	if len(o.keys) == 0 && o.export == "" {
		faults = append(faults, errors.New("want the key to open the case with: -i siti.key"))
	}
	if o.code == "" && o.folder == "" {
		faults = append(faults, errors.New("want the code of the case, such as 7H2K-9QXM"))
	}
	if o.witness != "" {
		if err := seal.CheckWitness(o.witness); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

func (o opening) run(cmd *cobra.Command) error {
	sealed, err := o.find(cmd.Context())
	if err != nil {
		return refuse(plain(err))
	}
	if o.export != "" {
		if err := seal.Export(o.export, sealed.id, sealed.Header, sealed.Entries); err != nil {
			return refuse(plain(err))
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "Case %s is in %s, sealed as it was; README.txt says how to read it.\n", sealed.id.Code(), o.export)
	}
	if len(o.keys) == 0 {
		return nil
	}
	ask := passphraseAsker{file: o.passphraseFile, errOut: cmd.ErrOrStderr()}
	identities, err := readIdentities(o.keys, ask)
	if err != nil {
		return refuse(plain(err))
	}
	t, err := seal.ReadTranscript(sealed.id, sealed.Header, sealed.Entries, identities...)
	if err != nil {
		return refuse(plain(err))
	}
	return o.show(cmd, t)
}

func (o opening) find(ctx context.Context) (sealedCase, error) {
	if o.folder != "" {
		return caseOfFolder(o.folder, o.code)
	}
	if o.backup != "" {
		return caseOfBackup(ctx, o.backup, o.code)
	}
	return caseOfStore(ctx, o.store, o.code)
}

// show prints the transcript whatever it proves, and returns an error if it
// does not prove all.
func (o opening) show(cmd *cobra.Command, t seal.Transcript) error {
	var fault error
	if o.witness != "" {
		fault = t.Check(o.witness)
	}
	write := t.WriteText
	switch o.format {
	case "json":
		write = t.WriteJSON
	case "html":
		write = t.WriteHTML
	}
	if err := write(cmd.OutOrStdout(), o.witness, fault); err != nil {
		return err
	}
	switch {
	case fault != nil:
		return plain(fmt.Errorf("the transcript is not the one that was witnessed: %w", fault))
	case len(t.Faults) > 0:
		return plain(fmt.Errorf("the transcript is not whole: %w", &t.Faults[0]))
	}
	return nil
}

// caseOfFolder reads an exported case. code, if not empty, must be its code.
func caseOfFolder(folder, code string) (sealedCase, error) {
	id, header, records, err := seal.ReadFolder(folder)
	if err != nil {
		return sealedCase{}, err
	}
	if code != "" {
		prefix, err := casePrefix(code)
		if err != nil {
			return sealedCase{}, err
		}
		if !strings.HasPrefix(id.String(), prefix) {
			return sealedCase{}, fmt.Errorf("%s holds case %s", folder, id.Code())
		}
	}
	return sealedCase{id, storage.Transcript{Header: header, Entries: records}}, nil
}

// caseOfStore reads a case from the embedded store.
func caseOfStore(ctx context.Context, path, code string) (_ sealedCase, err error) {
	store, err := storage.ReadEmbedded(path)
	if errors.Is(err, fs.ErrNotExist) {
		return sealedCase{}, missing(err, "--store wants a copy of the store's folder of suar serve, and --folder an exported case")
	}
	if errors.Is(err, storage.ErrLocked) {
		return sealedCase{}, fmt.Errorf("%w; or open a backup with --backup, or an exported case with --folder", err)
	}
	if err != nil {
		return sealedCase{}, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	return findCase(ctx, store, code)
}

// findCase reads the case that the code names.
func findCase(ctx context.Context, from transcripts, code string) (sealedCase, error) {
	prefix, err := casePrefix(code)
	if err != nil {
		return sealedCase{}, err
	}
	names, err := from.Transcripts(ctx, prefix, 10)
	switch {
	case err != nil:
		return sealedCase{}, err
	case len(names) == 0:
		return sealedCase{}, fmt.Errorf("there is no case %s here: was it erased, or is the code mistyped?", seal.Inert(code))
	case len(names) > 1:
		return sealedCase{}, fmt.Errorf("the code names more than one case: give one of these instead of it: %s", strings.Join(names, " "))
	}
	id, err := caseid.Parse(names[0])
	if err != nil {
		return sealedCase{}, err
	}
	t, err := from.Transcript(ctx, names[0])
	if err != nil {
		return sealedCase{}, err
	}
	return sealedCase{id, t}, nil
}

// casePrefix is what the case's name begins with; code is its code or, when two
// cases have the same, its whole name.
func casePrefix(code string) (string, error) {
	if id, err := caseid.Parse(strings.ToLower(strings.TrimSpace(code))); err == nil {
		return id.String(), nil
	}
	return caseid.ParseCode(code)
}
