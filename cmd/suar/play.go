package main

import (
	"bufio"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"suar/flows/rehearsal"
)

func newPlayCommand() *cobra.Command {
	var folder, directory string
	c := &cobra.Command{
		Use:   "play",
		Short: "Play a conversation in the terminal, from both sides",
		Long: `play lets you be the person, the officers and the world, one line at a time, and
shows what everybody then sees. Nothing is sent or kept. A line can be:

` + rehearsal.Help + `

Lines that begin with # are comments, so a script can be piped in.`,
		Example: `  suar play
  suar play --book ./book < script.txt`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			book, err := loadBook(folder, directory)
			if err != nil {
				return refuse(err)
			}
			out := c.OutOrStdout()
			r := rehearsal.New(book, out, time.Now())
			fmt.Fprintln(out, "Begin with: person starts      (help lists the lines; end with Ctrl-D)")
			lines := bufio.NewScanner(c.InOrStdin())
			for {
				fmt.Fprint(out, "> ")
				if !lines.Scan() {
					fmt.Fprintln(out)
					return lines.Err()
				}
				switch line := strings.TrimSpace(lines.Text()); {
				case line == "help":
					fmt.Fprintln(out, rehearsal.Help)
				case strings.HasPrefix(line, "#"):
				default:
					if err := r.Do(line); err != nil {
						fmt.Fprintf(out, "  ? %v\n", err)
					}
				}
			}
		},
	}
	c.Flags().StringVar(&folder, "book", "", "the `folder` of a book; the one built in if empty")
	c.Flags().StringVar(&directory, "directory", "", "your telephone numbers and consular pages, a YAML `file`")
	return c
}
