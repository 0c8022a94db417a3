package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"suar/internal/seal"
)

func newKeysCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "Make and check the keys of those who can read cases",
		Long: `Make and check the keys of those who can read cases.

Each officer makes a key on a machine of their own (new) and hands its public line
to the operator, who puts it into the recipients file (add). The officer reads the
fingerprint aloud to two people, who compare it (confirm): then the key counts. Who
leaves is taken out (remove). A colleague lets a newcomer read an older case
(rewrap). The vault's key is another matter (rotate).`,
		Args: noArguments,
	}
	c.AddCommand(newKeysNewCommand(), newKeysFingerprintCommand(), newKeysCheckCommand(), newKeysRotateCommand(),
		newKeysListCommand(), newKeysAddCommand(), newKeysConfirmCommand(), newKeysRemoveCommand(), newKeysRewrapCommand())
	return c
}

func newKeysNewCommand() *cobra.Command {
	var name, out, role, passphraseFile string
	var cost int
	var shared bool
	c := &cobra.Command{
		Use:   "new --name NAME",
		Short: "Make an officer's key, protected by a passphrase",
		Long: `Make an officer's key, protected by a passphrase.

The key file stays on the officer's machine; the age tool can use it as well.
What is printed is the line for the operator's recipients file. No file is ever
overwritten.

With --shared two people lock the key, each with a passphrase that the other does not
know: neither opens it alone. That is for the recovery key.`,
		Example: "  suar keys new --name siti\n  suar keys new --name brankas --role recovery --shared -o /media/usb/recovery.key",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !seal.ValidName(name) {
				return refuse(errors.New("--name: want letters, digits, '.', '-' and '_', at most 64 bytes"))
			}
			r := seal.Recipient{Name: name, Role: seal.Role(role)}
			if r.Role != seal.RoleOfficer && r.Role != seal.RoleRecovery {
				return refuse(fmt.Errorf("--role: want %s or %s", seal.RoleOfficer, seal.RoleRecovery))
			}
			if out == "" {
				out = name + ".key"
			}
			// Before anybody has thought of a passphrase.
			if _, err := os.Lstat(out); err == nil {
				return refuse(fmt.Errorf("%s is there already and is not overwritten: whoever loses a key loses the cases sealed to it", out))
			}
			ask := passphraseAsker{file: passphraseFile, errOut: cmd.ErrOrStderr()}
			file, recipient, err := makeKey(ask, shared, cost)
			if err != nil {
				return refuse(plain(err))
			}
			if err := writeKey(out, file); err != nil {
				return err
			}
			r.Key = recipient
			fmt.Fprintf(cmd.ErrOrStderr(), "The key is in %s. Keep it, keep a copy, and never hand it to anybody.\nHand this line to the operator and read the fingerprint %s aloud to two people:\n\n", out, r.Fingerprint())
			_, err = fmt.Fprintln(cmd.OutOrStdout(), r)
			return err
		},
	}
	c.Flags().StringVar(&name, "name", "", "whose key it is")
	c.Flags().StringVarP(&out, "output", "o", "", "file to write the key to (default NAME.key)")
	c.Flags().StringVar(&role, "role", string(seal.RoleOfficer), "officer, or recovery for a key that is kept offline")
	addPassphraseFlag(c, &passphraseFile)
	c.Flags().BoolVar(&shared, "shared", false, "a key that two people open only together")
	c.Flags().IntVar(&cost, "cost", 0, "binary logarithm of scrypt's work, for tests")
	_ = c.Flags().MarkHidden("cost")
	return c
}

// makeKey asks for the passphrases, one or two, and makes the key.
func makeKey(ask passphraseAsker, shared bool, cost int) (file []byte, recipient string, err error) {
	first, err := ask.choose()
	if err != nil || !shared {
		if err == nil {
			file, recipient, err = seal.NewOfficerKey(first, cost)
		}
		return file, recipient, err
	}
	second, err := ask.other().choose()
	if err != nil {
		return nil, "", err
	}
	return seal.NewSharedKey(second, first, cost) // The outer one is asked for first.
}

// writeKey writes a file that must not exist, for its owner only, and takes it
// back if it cannot be written whole.
func writeKey(path string, file []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and is not overwritten", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(file)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

func newKeysFingerprintCommand() *cobra.Command {
	var passphraseFile string
	c := &cobra.Command{
		Use:   "fingerprint FILE|RECIPIENT",
		Short: "Print the fingerprints of a key file, a recipients file or a recipient",
		Long: `Print the fingerprints of a key file, a recipients file or a recipient.

A fingerprint is the first 20 digits of the SHA-256 of the recipient, in groups
of four. It is read aloud, and compared with the line in the recipients file, by
two people who know the officer's voice.`,
		Args: oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			ask := passphraseAsker{file: passphraseFile, errOut: cmd.ErrOrStderr()}
			keys, err := publicKeys(args[0], ask.each())
			if err != nil {
				return refuse(plain(err))
			}
			for _, k := range keys {
				fmt.Fprintln(cmd.OutOrStdout(), strings.TrimSpace(seal.Fingerprint(k.Key)+"  "+k.Name))
			}
			return nil
		},
	}
	addPassphraseFlag(c, &passphraseFile)
	return c
}

// publicKeys returns the keys that the argument names, with their names where
// they have some.
func publicKeys(arg string, ask func() (string, error)) ([]seal.Recipient, error) {
	if strings.HasPrefix(arg, "age1") {
		if !seal.ValidRecipient(arg) {
			return nil, errors.New("the recipient is malformed: want it whole, as keys new printed it")
		}
		return []seal.Recipient{{Key: arg}}, nil
	}
	if strings.HasPrefix(strings.ToUpper(arg), "AGE-") {
		return nil, errors.New("that is a private key: give the name of its file, and make a new key, for the shell keeps what is typed")
	}
	file, err := os.ReadFile(arg)
	if err != nil {
		return nil, missing(err, "want a key file, a recipients file or a recipient")
	}
	if one := string(bytes.TrimSpace(file)); seal.ValidRecipient(one) {
		return []seal.Recipient{{Key: one}}, nil
	}
	if list, err := seal.ParseRecipients(file); err == nil {
		return list.All(), nil
	}
	ids, err := seal.Identities(file, ask)
	if errors.Is(err, seal.ErrKeyFile) {
		return nil, fmt.Errorf("%s is neither a key file, nor a recipient, nor a recipients file without a fault (see keys check)", arg)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", arg, err)
	}
	var out []seal.Recipient
	for _, id := range ids {
		if key, ok := seal.PublicKey(id); ok {
			out = append(out, seal.Recipient{Key: key})
		}
	}
	return out, nil
}

// noArguments is cobra.NoArgs for exit code 2.
func noArguments(c *cobra.Command, args []string) error {
	return refuse(seeHelp(c, cobra.NoArgs(c, args)))
}

// oneArgument is cobra.ExactArgs(1) for exit code 2.
func oneArgument(c *cobra.Command, args []string) error {
	return refuse(seeHelp(c, cobra.ExactArgs(1)(c, args)))
}

// refuseFlag refuses a flag that is not known or not right.
func refuseFlag(c *cobra.Command, err error) error { return refuse(seeHelp(c, err)) }

// seeHelp adds to what is wrong with a command line where help is.
func seeHelp(c *cobra.Command, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w; see %s --help", err, c.CommandPath())
}
