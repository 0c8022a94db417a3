package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"suar/internal/seal"
)

func newKeysRewrapCommand() *cobra.Command {
	var folder, recipients, out, passphraseFile, witness string
	var keys []string
	c := &cobra.Command{
		Use:   "rewrap --folder FOLDER --recipients FILE --output FOLDER -i KEY",
		Short: "Seal an exported case to those who count today, on an officer's machine",
		Long: `rewrap reads a case that suar open --export wrote, on the machine of an officer who can
open it, and writes it into a new folder, sealed to those who count in the recipients
file today: a newcomer can read it, and a key that was removed cannot open the new
folder. What was said is not opened and stays as it was sealed; the chain and the
witness stay. It refuses a case that is not whole. Nothing is overwritten.`,
		Example: `  suar keys rewrap --folder case-7h2k --recipients recipients -o case-7h2k-new -i siti.key`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if folder == "" || recipients == "" || out == "" || len(keys) == 0 {
				return refuse(errors.New("want the case with --folder, those who shall read it with --recipients, a new folder with --output, and a key that opens the case with -i"))
			}
			if _, err := os.Lstat(out); err == nil {
				return refuse(fmt.Errorf("%s is there already and is not overwritten", out))
			}
			l, list, err := readLedger(recipients)
			if err != nil {
				return refuse(plain(err))
			}
			for _, doubt := range ledgerDoubts(l, list) {
				fmt.Fprintln(cmd.ErrOrStderr(), doubt)
			}
			id, header, records, err := seal.ReadFolder(folder)
			if err != nil {
				return refuse(plain(err))
			}
			ids, err := readIdentities(keys, passphraseAsker{file: passphraseFile, errOut: cmd.ErrOrStderr()})
			if err != nil {
				return refuse(plain(err))
			}
			t, err := seal.ReadTranscript(id, header, records, ids...)
			if err != nil {
				return refuse(plain(err))
			}
			if witness != "" {
				err = t.Check(witness)
			}
			if err == nil && len(t.Faults) > 0 {
				err = &t.Faults[0]
			}
			if err != nil {
				return refuse(plain(fmt.Errorf("the case is not whole, nothing was written: %w", err)))
			}
			header, err = seal.Rewrap(header, list, ids...)
			if err != nil {
				return refuse(plain(err))
			}
			if err := seal.Export(out, id, header, records); err != nil {
				return refuse(plain(err))
			}
			var names []string
			for _, r := range list.All() {
				names = append(names, r.Name)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "Case %s is in %s, sealed to %s.\n", id.Code(), out, strings.Join(names, ", "))
			return nil
		},
	}
	c.Flags().StringVar(&folder, "folder", "", "a `folder` that suar open --export wrote")
	c.Flags().StringVar(&recipients, "recipients", "", "the recipients `file` of today")
	c.Flags().StringVarP(&out, "output", "o", "", "a new `folder`")
	c.Flags().StringArrayVarP(&keys, "identity", "i", nil, "key `file` that opens the case (can be repeated)")
	c.Flags().StringVar(&witness, "witness", "", "what the case's card shows, such as #12·0a1b2c3d4e5f6071")
	addPassphraseFlag(c, &passphraseFile)
	return c
}
