package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"suar/internal/seal"
)

func newKeysListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list RECIPIENTS-FILE",
		Short: "List the keys: who counts, who waits, who was removed",
		Args:  oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			l, err := loadLedger(args[0], false)
			if err != nil {
				return refuse(plain(err))
			}
			for _, one := range l.All() {
				kind := "classic"
				if one.Hybrid() {
					kind = "hybrid"
				}
				by := "nobody"
				if len(one.Confirmed) > 0 {
					by = strings.Join(one.Confirmed, ", ")
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%-7s  %-8s  %-7s  %s  %s  (confirmed by %s)\n", one.Standing, one.Role, kind, one.Fingerprint(), one.Name, by)
			}
			return nil
		},
	}
}

func newKeysAddCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "add RECIPIENTS-FILE LINE",
		Short: "Add the line that keys new printed; it counts when two people confirmed it",
		Long: `add puts the line that suar keys new printed into the recipients file, which is made
if it is not there. It does not count before two people have confirmed the fingerprint:
suar keys confirm. A name or a key that is there, one that was removed, and one of
another kind than the others are refused.`,
		Example: `  suar keys add recipients 'siti  officer  age1pq1…  1a2b-3c4d-5e6f-7081-92a3'`,
		Args: func(c *cobra.Command, args []string) error {
			return refuse(seeHelp(c, cobra.RangeArgs(2, 5)(c, args)))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			one, err := seal.ParseLedger([]byte(strings.Join(args[1:], " ")))
			if err != nil {
				return refuse(plain(err))
			}
			lines := one.All()
			if len(lines) != 1 {
				return refuse(errors.New("want one line, as suar keys new printed it"))
			}
			r := lines[0].Recipient
			return changeLedger(args[0], true, func(l seal.Ledger) (seal.Ledger, string, error) {
				next, err := l.Add(r)
				return next, fmt.Sprintf("%s waits. %s reads the fingerprint aloud to two people, and each of them does:\n  suar keys confirm %s %s --by NAME --heard FINGERPRINT", r.Name, r.Name, args[0], r.Name), err
			}, cmd)
		},
	}
}

func newKeysConfirmCommand() *cobra.Command {
	var by, heard string
	c := &cobra.Command{
		Use:   "confirm RECIPIENTS-FILE NAME --by NAME --heard FINGERPRINT",
		Short: "Confirm a fingerprint that its owner read aloud",
		Long: `confirm notes that somebody heard a fingerprint from the key's owner, whose voice they
know, and that it is the one in the file. Type what you heard; do not copy it from the
file. At the second person the key counts. Nobody confirms their own key.`,
		Example: `  suar keys confirm recipients siti --by budi --heard 1a2b-3c4d-5e6f-7081-92a3`,
		Args: func(c *cobra.Command, args []string) error {
			return refuse(seeHelp(c, cobra.ExactArgs(2)(c, args)))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if by == "" || heard == "" {
				return refuse(errors.New("want --by, who heard it, and --heard, the fingerprint as it was read aloud"))
			}
			return changeLedger(args[0], false, func(l seal.Ledger) (seal.Ledger, string, error) {
				next, line, err := l.Confirm(args[1], by, heard)
				said := fmt.Sprintf("%s is confirmed by %s and waits for one more.", line.Name, by)
				if line.Standing == seal.Counts {
					said = fmt.Sprintf("%s is confirmed by %s and counts: new cases are sealed to this key when suar serve was started again.", line.Name, strings.Join(line.Confirmed, " and "))
				}
				return next, said, err
			}, cmd)
		},
	}
	c.Flags().StringVar(&by, "by", "", "who heard the fingerprint")
	c.Flags().StringVar(&heard, "heard", "", "the `fingerprint` as it was read aloud")
	return c
}

func newKeysRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove RECIPIENTS-FILE NAME",
		Short: "Take a key out: no new case is sealed to it, and it never comes back",
		Long: `remove takes out the key of somebody who leaves or who lost it. The line stays in the
file as removed, so that the key cannot come back; the name can, with a new key.

Cases that were opened before stay open to the key, and whoever has it keeps what they
could read. Wraps that are made anew (suar keys rewrap) leave it out.`,
		Args: func(c *cobra.Command, args []string) error {
			return refuse(seeHelp(c, cobra.ExactArgs(2)(c, args)))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return changeLedger(args[0], false, func(l seal.Ledger) (seal.Ledger, string, error) {
				next, err := l.Remove(args[1])
				return next, fmt.Sprintf("%s is removed: new cases are not sealed to this key any more when suar serve was started again. Cases that are open stay open to it.", args[1]), err
			}, cmd)
		},
	}
}

// loadLedger reads a recipients file as it is, empty if it need not be there.
func loadLedger(path string, fresh bool) (seal.Ledger, error) {
	file, err := os.ReadFile(path)
	if fresh && errors.Is(err, fs.ErrNotExist) {
		return seal.Ledger{}, nil
	}
	if err != nil {
		return seal.Ledger{}, missing(err, wantRecipients)
	}
	l, err := seal.ParseLedger(file)
	if err != nil {
		return l, fmt.Errorf("%s is refused:\n%w", path, err)
	}
	return l, nil
}

// changeLedger changes a recipients file, whole or not at all, and says what came
// of it.
func changeLedger(path string, fresh bool, change func(seal.Ledger) (seal.Ledger, string, error), cmd *cobra.Command) error {
	l, err := loadLedger(path, fresh)
	if err != nil {
		return refuse(plain(err))
	}
	next, said, err := change(l)
	if err != nil {
		return refuse(plain(fmt.Errorf("%s is as it was:\n%w", path, err)))
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		err = writeKey(path, []byte(next.String()))
		if err == nil {
			err = os.Chmod(path, 0o644) //nolint:gosec // There is no secret in it; the server's user reads it.
		}
		if err != nil {
			return err
		}
	} else {
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			return err
		}
		if err := replaceSecret(target, []byte(next.String())); err != nil {
			return fmt.Errorf("%s is as it was: %w", path, err)
		}
	}
	fmt.Fprintln(cmd.OutOrStdout(), said)
	return nil
}
