package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"suar/deploy"
)

// An initiation is what suar init was asked for.
type initiation struct {
	folder, data string
	dryRun       bool
	asking       asking
	answers      answers
	out          io.Writer
}

func newInitCommand() *cobra.Command {
	var o initiation
	c := &cobra.Command{
		Use:   "init [FOLDER]",
		Short: "Write a configuration to begin with, asking a few questions",
		Long: `init asks how the hotline runs, where Mattermost is, which channel is the officers'
and whom a new case calls. It writes into the folder (/etc/suar without one)

    suar.yaml            the configuration, with every key explained
    directory.yaml       telephone numbers and pages to be filled in
    recipients           where the officers' keys belong
    secrets/vault-key    a new key, which only its owner can read
    suar.service         for systemd, or compose.yaml for containers

and says what is left to do. An answer can be given by a flag, or by a line of
standard input each. Nothing is ever overwritten: if one of the files is there,
nothing is written.

Afterwards suar check --config says what is still missing.`,
		Example: `  suar init
  suar init --run compose --mattermost https://chat.example.org \
    --channel embassy/hotline --on-call siti,budi /srv/suar`,
		Args: func(c *cobra.Command, args []string) error { return refuse(seeHelp(c, cobra.MaximumNArgs(1)(c, args))) },
		RunE: func(c *cobra.Command, args []string) error {
			o.folder = "/etc/suar"
			if len(args) == 1 {
				o.folder = args[0]
			}
			o.out, o.asking = c.OutOrStdout(), newAsking(c.InOrStdin(), c.ErrOrStderr())
			return o.run()
		},
	}
	c.Flags().StringVar(&o.answers.run, "run", "", "systemd or compose")
	c.Flags().StringVar(&o.answers.mattermost, "mattermost", "", "Mattermost's `address`")
	c.Flags().StringVar(&o.answers.channel, "channel", "", "the officers' private channel, `team/channel`")
	c.Flags().StringVar(&o.answers.onCall, "on-call", "", "the user `names` whom a new case calls, with commas between")
	c.Flags().StringVar(&o.data, "data", "/var/lib/suar", "the `folder` of the store")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "only say what would be written")
	return c
}

// A newFile is one that suar init writes.
type newFile struct {
	path, text string
	mode       fs.FileMode
}

func (o *initiation) run() error {
	var err error
	if o.folder, err = filepath.Abs(o.folder); err != nil {
		return err
	}
	if o.data, err = filepath.Abs(o.data); err != nil {
		return err
	}
	for _, path := range []string{o.folder, o.data} {
		if strings.ContainsAny(path, " \t\n:#'\"$\\%") {
			return refuse(fmt.Errorf("%s: systemd and containers want a path without spaces, colons and signs", path))
		}
	}
	if within(filepath.Join(o.folder, "secrets"), o.data) {
		return refuse(fmt.Errorf("--data: %s holds the folder of the secrets: whoever copies the store would have its key; name another folder", o.data))
	}
	if err := o.free(); err != nil {
		return refuse(err)
	}
	if err := o.asking.all(&o.answers); err != nil {
		return refuse(err)
	}
	files, err := o.files()
	if err != nil {
		return err
	}
	if o.dryRun {
		for _, f := range files {
			fmt.Fprintf(o.out, "Would write %s, mode %04o.\n", f.path, f.mode)
		}
		return nil
	}
	if err := o.write(files); err != nil {
		return err
	}
	for _, f := range files {
		fmt.Fprintf(o.out, "Wrote %s, mode %04o.\n", f.path, f.mode)
	}
	fmt.Fprint(o.out, o.next())
	return nil
}

// free tells of what is there already, before anybody is asked anything.
func (o *initiation) free() error {
	var faults []error
	for _, name := range []string{"suar.yaml", "directory.yaml", "recipients", "secrets/vault-key", "suar.service", "compose.yaml"} {
		if _, err := os.Lstat(filepath.Join(o.folder, name)); err == nil {
			faults = append(faults, fmt.Errorf("%s is there already and is not overwritten; nothing was written", filepath.Join(o.folder, name)))
		}
	}
	return errors.Join(faults...)
}

// emptyRecipients says what belongs into the file of the officers' keys.
const emptyRecipients = `# Who can read cases: a line for each officer, and one of a recovery key.
# Each officer runs "suar keys new --name NAME" on a machine of their own and sends
# the line that it prints. Enter it with "suar keys add", and have two people
# compare the fingerprint by voice, each with "suar keys confirm".
`

// files are all that is written. Who wrote nothing yet may throw them away.
func (o *initiation) files() ([]newFile, error) {
	config, err := o.adapted("suar.yaml", o.answers.changes()...)
	if err != nil {
		return nil, err
	}
	directory, err := o.adapted("directory.yaml",
		// Entries that nobody verified are refused: none of the example's can be shown.
		change{"verified_on: 2026-11-01", `verified_on: ""          # the day on which you called it`},
		change{"verified_by: A. Example", `verified_by: ""          # who did`})
	if err != nil {
		return nil, err
	}
	run := "suar.service"
	example := run
	if o.answers.run == "compose" {
		run, example = "compose.yaml", "compose-one.yaml"
	}
	service, err := o.adapted(example)
	if err != nil {
		return nil, err
	}
	key := make([]byte, 32)
	rand.Read(key)
	return []newFile{
		{filepath.Join(o.folder, "suar.yaml"), config, 0o644},
		{filepath.Join(o.folder, "directory.yaml"), directory, 0o644},
		{filepath.Join(o.folder, "recipients"), emptyRecipients, 0o644},
		{filepath.Join(o.folder, "secrets", "vault-key"), hex.EncodeToString(key) + "\n", 0o400},
		{filepath.Join(o.folder, run), service, 0o644},
	}, nil
}

// A change puts a text of ours in the place of an example's.
type change struct{ example, ours string }

// adapted is an example of the folder deploy with the folders of this hotline
// and further changes.
func (o *initiation) adapted(name string, changes ...change) (string, error) {
	raw, err := deploy.Files.ReadFile(name)
	if err != nil {
		return "", err
	}
	text := string(raw)
	for _, c := range changes {
		if !strings.Contains(text, c.example) {
			return "", fmt.Errorf("init: the example %s lacks %q", name, c.example)
		}
		text = strings.ReplaceAll(text, c.example, c.ours)
	}
	folder, data := o.folder, o.data
	text = strings.NewReplacer(
		"/etc/suar", folder, "/srv/suar", folder, "/var/lib/suar", data,
	).Replace(text)
	if name == "suar.service" && data != "/var/lib/suar" {
		text = strings.ReplaceAll(text, "StateDirectory=suar\nStateDirectoryMode=0700\n", "ReadWritePaths="+data+"\n")
	}
	return text, nil
}

// write writes all the files, or takes back those that it wrote.
func (o *initiation) write(files []newFile) (err error) {
	if err := os.MkdirAll(o.folder, 0o755); err != nil { //nolint:gosec // What is secret has a folder of its own.
		return err
	}
	if err := os.MkdirAll(filepath.Join(o.folder, "secrets"), 0o700); err != nil {
		return err
	}
	var written []string
	defer func() {
		if err != nil {
			for _, path := range written {
				err = errors.Join(err, os.Remove(path))
			}
		}
	}()
	for _, f := range files {
		if err := writeKey(f.path, []byte(f.text)); err != nil {
			return err
		}
		written = append(written, f.path)
		if err := os.Chmod(f.path, f.mode); err != nil {
			return err
		}
	}
	return nil
}
