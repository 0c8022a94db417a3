package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"suar/internal/seal"
)

func newKeysCheckCommand() *cobra.Command {
	var keys []string
	var passphraseFile string
	c := &cobra.Command{
		Use:   "check RECIPIENTS-FILE",
		Short: "Check the file of those to whom new cases are sealed",
		Long: `check reads a recipients file, names every fault in it, and seals something to all of
them, so that a plugin that is missing here is noticed before there is a case.

With -i, on the machine of a key, it shows that the key opens what is sealed to its
line, and shows nothing of the key. That is the recovery key's drill.`,
		Example: `  suar keys check recipients
  suar keys check recipients -i /media/usb/recovery.key`,
		Args: oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			l, list, err := readLedger(args[0])
			if err != nil {
				return refuse(plain(err))
			}
			for _, r := range list.All() {
				fmt.Fprintf(cmd.OutOrStdout(), "%s  %-8s  %s\n", r.Fingerprint(), r.Role, r.Name)
			}
			for _, doubt := range ledgerDoubts(l, list) {
				fmt.Fprintln(cmd.ErrOrStderr(), doubt)
			}
			if len(keys) == 0 {
				return nil
			}
			ids, err := readIdentities(keys, passphraseAsker{file: passphraseFile, errOut: cmd.ErrOrStderr()})
			if err != nil {
				return refuse(plain(err))
			}
			name, err := list.OpenedBy(ids...)
			if err != nil {
				return refuse(plain(err))
			}
			fmt.Fprintf(cmd.OutOrStdout(), "The key opens what is sealed to %s.\n", name)
			return nil
		},
	}
	c.Flags().StringArrayVarP(&keys, "identity", "i", nil, "key `file` to try (can be repeated)")
	addPassphraseFlag(c, &passphraseFile)
	return c
}

// readLedger reads a recipients file that cases can be sealed to.
func readLedger(path string) (seal.Ledger, seal.Recipients, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return seal.Ledger{}, seal.Recipients{}, missing(err, wantRecipients)
	}
	l, err := seal.ParseLedger(file)
	var list seal.Recipients
	if err == nil {
		list, err = seal.ParseRecipients(file)
	}
	if err == nil {
		err = list.Try()
	}
	if err != nil {
		return l, list, fmt.Errorf("%s is refused:\n%w", path, err)
	}
	return l, list, nil
}

// ledgerDoubts are what is doubtful about a file that counts, a sentence each.
func ledgerDoubts(l seal.Ledger, list seal.Recipients) (out []string) {
	if !slices.ContainsFunc(list.All(), func(r seal.Recipient) bool { return r.Role == seal.RoleRecovery }) {
		out = append(out, "There is no recovery key: when the officers' keys are lost, so are the cases.")
	}
	if names := l.Unconfirmed(); len(names) > 0 {
		out = append(out, "Nobody vouches for it that this is their key: "+strings.Join(names, ", ")+". Two people compare the fingerprint; suar keys confirm.")
	}
	var waits, classic []string
	for _, one := range l.All() {
		if one.Standing == seal.Waits {
			waits = append(waits, one.Name)
		}
		if one.Standing == seal.Counts && !one.Hybrid() {
			classic = append(classic, one.Name)
		}
	}
	if len(waits) > 0 {
		out = append(out, "Does not count yet: "+strings.Join(waits, ", ")+". Two people confirm the fingerprint; suar keys confirm.")
	}
	if len(classic) > 0 {
		out = append(out, "The keys are classic: "+strings.Join(classic, ", ")+". A quantum computer could open what is kept until there is one. Make new ones, unless a hardware key knows no other.")
	}
	return out
}
