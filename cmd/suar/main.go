// Command suar is a secure hotline: a person in danger, or the family of
// somebody missing, writes to a Telegram bot, and the officer on duty answers
// through Mattermost.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"suar/internal/scrub"
)

// The exit codes.
const (
	exitOK      = 0 // done, or stopped by a signal
	exitFailed  = 1 // something went wrong while it ran
	exitRefused = 2 // the command line, the configuration or a file is not right
)

// errRefused marks an error that somebody has to correct before trying again.
var errRefused = errors.New("refused")

func main() {
	if len(os.Args) == 2 && os.Args[1] == scrubArgument {
		os.Exit(scrub.Main(os.Stdin, os.Stdout))
	}
	harden()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program but for the process.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errRefused):
		fmt.Fprintf(stderr, "suar: %v\n", err)
		return exitRefused
	}
	fmt.Fprintf(stderr, "suar: %v\n", err)
	return exitFailed
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "suar",
		Short: "A secure hotline between Telegram and Mattermost",
		Long: `suar is a hotline for people in danger: they write to a Telegram bot, which asks
as little as possible, seals what is said so that the server cannot read it back,
and brings the officer on duty into the conversation through Mattermost.

To see it, without an account, a network or anything installed:

    suar demo

Exit codes: 0 done; 1 it failed while it ran; 2 the command line, the
configuration or a file is not right, and somebody has to correct it first.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(refuseFlag)
	root.AddCommand(
		newInitCommand(),
		newServeCommand(),
		newDemoCommand(),
		newCheckCommand(),
		newSetupCommand(),
		newPlayCommand(),
		newKeysCommand(),
		newRosterCommand(),
		newAuditCommand(),
		newPartnersCommand(),
		newPageCommand(),
		newOpenCommand(),
		newBackupCommand(),
		newRestoreCommand(),
		newStoreCommand(),
		newVersionCommand(),
	)
	listExitCodes(root)
	return root
}

// listExitCodes adds the exit codes to the help of a command and of those below
// it, where they are not told yet.
func listExitCodes(c *cobra.Command) {
	if !strings.Contains(strings.ToLower(c.Long), "exit code") {
		c.Long = cmp.Or(c.Long, c.Short+".") + `

Exit codes: 0 done; 1 it failed while it ran; 2 the command line, the
configuration or a file is not right, and somebody has to correct it first.`
	}
	for _, below := range c.Commands() {
		listExitCodes(below)
	}
}

// refuse marks an error for exit code 2 and leaves its words as they are.
func refuse(err error) error {
	if err == nil {
		return nil
	}
	return refused{err}
}

type refused struct{ error }

func (r refused) Unwrap() []error { return []error{r.error, errRefused} }
