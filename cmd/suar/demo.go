package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"suar/internal/demo"
)

func newDemoCommand() *cobra.Command {
	var listen, officers string
	var script bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "Play both sides on a web page: no account, no network, nothing to install",
		Long: `demo runs the whole hotline on this machine, between a stand-in for Telegram and
one for Mattermost, and prints the address of a web page with a phone, the
officers' channel and what the server keeps. Everything lies in a temporary
folder that is erased at the end; nothing leaves this machine.`,
		Example: `  suar demo
  suar demo --officers id
  suar demo --script`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if !slices.Contains(demo.Languages(), officers) {
				return refuse(fmt.Errorf("--officers: want one of %s", strings.Join(demo.Languages(), ", ")))
			}
			if err := demo.CheckAddress(listen); err != nil {
				return refuse(err)
			}
			if script {
				return demo.Script(c.Context(), demoCommands(), c.OutOrStdout())
			}
			return playDemo(c.Context(), listen, officers, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "the page's `address` on this machine")
	c.Flags().StringVar(&officers, "officers", "en", "the `language` of the officers' cards: en or id")
	c.Flags().BoolVar(&script, "script", false, "play a whole case in the terminal, and fail if anything is not as it should be")
	return c
}

// demoCommands are this program, with nothing taken from the environment.
func demoCommands() demo.Commands {
	return demo.Commands{
		Serve: func(ctx context.Context, config string, log io.Writer) error {
			return serve(ctx, config, func(string) (string, bool) { return "", false }, log)
		},
		Run: func(ctx context.Context, args []string, stdout, stderr io.Writer) int {
			return run(ctx, args, new(bytes.Buffer), stdout, stderr)
		},
	}
}

// playDemo shows the page until ctx ends.
func playDemo(ctx context.Context, listen, officers string, out io.Writer) (err error) {
	h, err := demo.Start(ctx, demoCommands(), officers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	page, err := demo.NewPage(ctx, h, listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The demo is at\n\n    %s\n\nOpen it in a browser of this machine. Ctrl+C ends the demo and erases all of it.\n", page.URL())
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return page.Run(ctx) })
	g.Go(func() error {
		select {
		case <-ctx.Done():
		case <-h.Served():
			if ctx.Err() == nil {
				return errors.New("the hotline ended")
			}
		}
		return nil
	})
	return g.Wait()
}
