package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"filippo.io/age"
	"filippo.io/age/plugin"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"suar/internal/seal"
)

const (
	// passphraseFileVariable names a file with the passphrase of a key file, for
	// scripts; a person is asked on the terminal.
	passphraseFileVariable = "SUAR_PASSPHRASE_FILE" //nolint:gosec // The name of a variable is no credential.
	// secondPassphraseFileVariable is the same for the other one of two people who
	// share a key.
	secondPassphraseFileVariable = "SUAR_SECOND_PASSPHRASE_FILE" //nolint:gosec // As above.
)

func addPassphraseFlag(c *cobra.Command, to *string) {
	c.Flags().StringVar(to, "passphrase-file", "", "file with the passphrase, for scripts (also $"+passphraseFileVariable+")")
}

// A passphraseAsker gets the passphrase of a key file from a file or from the
// person at the terminal.
type passphraseAsker struct {
	file   string
	errOut io.Writer
	// second says that it is the other one's of two people who share a key.
	second bool
}

// other asks the other one of two people who share a key.
func (a passphraseAsker) other() passphraseAsker {
	return passphraseAsker{errOut: a.errOut, second: true}
}

// each asks for the passphrase of one key file, and if it is a shared one for the
// other one's then.
func (a passphraseAsker) each() func() (string, error) {
	next := a
	return func() (string, error) {
		ask := next
		next = a.other()
		return ask.know()
	}
}

// know asks for the passphrase of a key that exists.
func (a passphraseAsker) know() (string, error) {
	if p, ok, err := a.fromFile(); ok || err != nil {
		return p, err
	}
	if a.second {
		return a.prompt("The other one's passphrase: ")
	}
	return a.prompt("Passphrase: ")
}

// choose asks for a new passphrase, twice.
func (a passphraseAsker) choose() (string, error) {
	if p, ok, err := a.fromFile(); ok || err != nil {
		return p, err
	}
	whose := ""
	if a.second {
		whose = "The other one now, whom nobody watches. "
	}
	first, err := a.prompt(whose + fmt.Sprintf("New passphrase, %d characters or more: ", seal.MinPassphrase))
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
	if path == "" && !a.second {
		path = os.Getenv(passphraseFileVariable)
	}
	if path == "" && a.second {
		path = os.Getenv(secondPassphraseFileVariable)
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
// one. Plugins, such as those of hardware keys, ask and tell on the terminal.
func readIdentities(paths []string, ask passphraseAsker) ([]age.Identity, error) {
	ui := plugin.NewTerminalUI(
		func(format string, v ...any) { fmt.Fprintf(ask.errOut, format+"\n", v...) },
		func(format string, v ...any) { fmt.Fprintf(ask.errOut, format+"\n", v...) },
	)
	var out []age.Identity
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil {
			return nil, missing(err, "want the key file that suar keys new wrote on your machine")
		}
		ids, err := seal.IdentitiesWith(file, ask.each(), ui)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, ids...)
	}
	return out, nil
}
