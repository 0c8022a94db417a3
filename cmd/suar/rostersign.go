package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"suar/handoff/roster"
	"suar/internal/seal"
)

func newRosterKeygenCommand() *cobra.Command {
	var out, passphraseFile string
	var cost int
	c := &cobra.Command{
		Use:   "keygen",
		Short: "Make the key that signs rosters, protected by a passphrase",
		Long: `Make the key that signs rosters, protected by a passphrase, on a machine that is not
the server. Whoever has the key and the passphrase decides who is called, so that
nobody becomes an officer by changing a file on the server.

What is printed is the public key for mattermost.roster_key in the configuration. No
file is ever overwritten.`,
		Example: "  suar roster keygen -o /media/usb/roster.key",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := os.Lstat(out); err == nil { // Before anybody has thought of a passphrase.
				return refuse(fmt.Errorf("%s is there already and is not overwritten", out))
			}
			ask := passphraseAsker{file: passphraseFile, errOut: cmd.ErrOrStderr()}
			passphrase, err := ask.choose()
			if err != nil {
				return refuse(plain(err))
			}
			file, public, err := seal.NewRosterKey(passphrase, cost)
			if err != nil {
				return refuse(plain(err))
			}
			if err := writeKey(out, file); err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "The key is in %s. Keep it offline, and a copy elsewhere.\nPut this line into the configuration, below mattermost:\n\n", out)
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "roster_key: %s\n", roster.PublicKey(public))
			return err
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "roster.key", "`file` to write the key to")
	addPassphraseFlag(c, &passphraseFile)
	c.Flags().IntVar(&cost, "cost", 0, "binary logarithm of scrypt's work, for tests")
	_ = c.Flags().MarkHidden("cost")
	return c
}

func newRosterSignCommand() *cobra.Command {
	var keyFile, passphraseFile string
	c := &cobra.Command{
		Use:   "sign --key KEY ROSTER",
		Short: "Sign a roster",
		Long: `sign reads a roster, and if it has no fault writes its signature beside it:
roster.yaml.sig for roster.yaml. Both files go to the server together. Each roster
needs a higher version than the last one that was served.`,
		Example: "  suar roster sign --key /media/usb/roster.key roster.yaml",
		Args:    oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			if keyFile == "" {
				return refuse(errors.New("--key is missing: the file that suar roster keygen wrote"))
			}
			raw, err := os.ReadFile(args[0])
			if err != nil {
				return refuse(missing(err, "the roster belongs there; deploy/roster.yaml is an example"))
			}
			r, err := parseRoster(args[0], raw)
			if err != nil {
				return refuse(err)
			}
			file, err := os.ReadFile(keyFile)
			if err != nil {
				return refuse(missing(err, "want the file that suar roster keygen wrote"))
			}
			ask := passphraseAsker{file: passphraseFile, errOut: cmd.ErrOrStderr()}
			key, err := seal.RosterKey(file, ask.know)
			if err != nil {
				return refuse(plain(fmt.Errorf("%s: %w", keyFile, err)))
			}
			if err := replaceFile(args[0]+roster.Signature, roster.Sign(raw, key)); err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "Version %d is signed: %s.\n", r.Version, args[0]+roster.Signature)
			return nil
		},
	}
	c.Flags().StringVar(&keyFile, "key", "", "the `file` that suar roster keygen wrote")
	addPassphraseFlag(c, &passphraseFile)
	return c
}

// replaceFile writes a file whole or not at all.
func replaceFile(path string, content []byte) error {
	beside := path + ".new"
	if err := os.WriteFile(beside, content, 0o644); err != nil { //nolint:gosec // Whoever signs names the file.
		return errors.Join(err, os.Remove(beside))
	}
	return os.Rename(beside, path)
}

// loadRoster reads the roster that the configuration names, if its signature is
// right. The faults begin with the file's name.
func loadRoster(path, publicKey string) (*roster.Roster, error) {
	key, err := roster.ParsePublicKey(publicKey)
	if err != nil {
		return nil, fmt.Errorf("mattermost.roster_key: %w", err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, missing(err, "the roster belongs there; deploy/roster.yaml is an example")
	}
	signature, err := os.ReadFile(path + roster.Signature)
	if err != nil {
		return nil, missing(err, "whoever has the roster's key signs it with suar roster sign and copies both files here")
	}
	if err := roster.Verify(raw, signature, key); err != nil {
		return nil, fmt.Errorf("%s: the roster is not served: its signature in %s is not one of mattermost.roster_key for this file; whoever has the key looks at the file, signs it with suar roster sign and copies both files here", path, path+roster.Signature)
	}
	return parseRoster(path, raw)
}
