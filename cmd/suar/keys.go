package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"filippo.io/age"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"suar/internal/seal"
)

// passphraseFileVariable names a file with the passphrase of a key file, for
// scripts; a person is asked on the terminal.
const passphraseFileVariable = "SUAR_PASSPHRASE_FILE" //nolint:gosec // The name of a variable is no credential.

func newKeysCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "Make and check the keys of those who can read cases",
		Long: `Make and check the keys of those who can read cases.

Each officer makes a key on a machine of their own and hands its public line to
the operator, who puts it into the recipients file. Then the officer reads the
fingerprint aloud to two people who look at that file.`,
		Args: noArguments,
	}
	c.AddCommand(newKeysNewCommand(), newKeysFingerprintCommand(), newKeysCheckCommand(), newKeysRotateCommand())
	return c
}

func newKeysNewCommand() *cobra.Command {
	var name, out, role, passphraseFile string
	var cost int
	c := &cobra.Command{
		Use:   "new --name NAME",
		Short: "Make an officer's key, protected by a passphrase",
		Long: `Make an officer's key, protected by a passphrase.

The key file stays on the officer's machine; the age tool can use it as well.
What is printed is the line for the operator's recipients file. No file is ever
overwritten.`,
		Example: "  suar keys new --name siti\n  suar keys new --name brankas --role recovery -o /media/usb/recovery.key",
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
			passphrase, err := ask.choose()
			if err != nil {
				return refuse(plain(err))
			}
			file, recipient, err := seal.NewOfficerKey(passphrase, cost)
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
	c.Flags().IntVar(&cost, "cost", 0, "binary logarithm of scrypt's work, for tests")
	_ = c.Flags().MarkHidden("cost")
	return c
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
			keys, err := publicKeys(args[0], ask.know)
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

func newKeysCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check RECIPIENTS-FILE",
		Short: "Check the file of those to whom new cases are sealed",
		Args:  oneArgument,
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := os.ReadFile(args[0])
			if err != nil {
				return refuse(missing(err, wantRecipients))
			}
			list, err := seal.ParseRecipients(file)
			if err != nil {
				return refuse(plain(fmt.Errorf("%s is refused:\n%w", args[0], err)))
			}
			recovery := 0
			for _, r := range list.All() {
				fmt.Fprintf(cmd.OutOrStdout(), "%s  %-8s  %s\n", r.Fingerprint(), r.Role, r.Name)
				if r.Role == seal.RoleRecovery {
					recovery++
				}
			}
			if recovery == 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), "There is no recovery key: when the officers' keys are lost, so are the cases.")
			}
			if !list.Hybrid() {
				fmt.Fprintln(cmd.ErrOrStderr(), "The keys are classic: a quantum computer could open what is kept until there is one. Make new ones.")
			}
			return nil
		},
	}
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

func addPassphraseFlag(c *cobra.Command, to *string) {
	c.Flags().StringVar(to, "passphrase-file", "", "file with the passphrase, for scripts (also $"+passphraseFileVariable+")")
}

// A passphraseAsker gets the passphrase of a key file from a file or from the
// person at the terminal.
type passphraseAsker struct {
	file   string
	errOut io.Writer
}

// know asks for the passphrase of a key that exists.
func (a passphraseAsker) know() (string, error) {
	if p, ok, err := a.fromFile(); ok || err != nil {
		return p, err
	}
	return a.prompt("Passphrase: ")
}

// choose asks for a new passphrase, twice.
func (a passphraseAsker) choose() (string, error) {
	if p, ok, err := a.fromFile(); ok || err != nil {
		return p, err
	}
	first, err := a.prompt(fmt.Sprintf("New passphrase, %d characters or more: ", seal.MinPassphrase))
	if err != nil {
		return "", err
	}
	again, err := a.prompt("The same again: ")
	if err != nil {
		return "", err
	}
	if first != again {
		return "", errors.New("the two passphrases differ")
	}
	return first, nil
}

func (a passphraseAsker) fromFile() (passphrase string, ok bool, err error) {
	path := a.file
	if path == "" {
		path = os.Getenv(passphraseFileVariable)
	}
	if path == "" {
		return "", false, nil
	}
	b, err := os.ReadFile(path) //nolint:gosec // Whoever sets the variable runs the program.
	if err != nil {
		return "", false, fmt.Errorf("passphrase file: %w", err)
	}
	line, rest, _ := strings.Cut(string(b), "\n")
	if strings.TrimSpace(rest) != "" {
		return "", false, errors.New("passphrase file: want one line")
	}
	return strings.TrimSuffix(line, "\r"), true, nil
}

// prompt asks on the terminal itself, so that standard input and output stay
// free for pipes.
func (a passphraseAsker) prompt(words string) (string, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		if !term.IsTerminal(int(os.Stdin.Fd())) {
			return "", errors.New("there is no terminal to ask for the passphrase: give a file with --passphrase-file or $" + passphraseFileVariable)
		}
		fmt.Fprint(a.errOut, words)
		defer fmt.Fprintln(a.errOut)
		p, err := term.ReadPassword(int(os.Stdin.Fd()))
		return string(p), err
	}
	defer tty.Close()
	fmt.Fprint(tty, words)
	defer fmt.Fprintln(tty)
	p, err := term.ReadPassword(int(tty.Fd()))
	return string(p), err
}

// readIdentities reads key files, and asks for each one's passphrase if it has
// one.
func readIdentities(paths []string, ask func() (string, error)) ([]age.Identity, error) {
	var out []age.Identity
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil {
			return nil, missing(err, "want the key file that suar keys new wrote on your machine")
		}
		ids, err := seal.Identities(file, ask)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, ids...)
	}
	return out, nil
}
