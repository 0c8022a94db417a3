package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"suar/flows"
)

func newCheckCommand() *cobra.Command {
	var directory, file string
	c := &cobra.Command{
		Use:   "check [FOLDER]",
		Short: "Check an intake, or all that suar serve needs",
		Long: `check reads a book, the folder with policy.yaml, one file for each flow and one
catalogue of texts for each language, and reports every fault with file and line:
a missing translation, a circle of questions, a question nobody comes to, a text
too long for a telephone. Without a folder it checks the book that is built in.

With --config it checks the configuration of suar serve, all files that it names,
and the store: whether it opens, with this vault key, and whether a Redis is set
up so that it loses nothing.`,
		Example: `  suar check
  suar check ./book --directory directory.yaml
  suar check --config /etc/suar/suar.yaml`,
		Args: func(c *cobra.Command, args []string) error { return refuse(seeHelp(c, cobra.MaximumNArgs(1)(c, args))) },
		RunE: func(c *cobra.Command, args []string) error {
			if file != "" {
				if len(args) > 0 || directory != "" {
					return refuse(errors.New("--config names the book and the directory: give it alone"))
				}
				return checkConfig(c.Context(), file, os.LookupEnv, c.OutOrStdout(), c.ErrOrStderr())
			}
			folder := ""
			if len(args) == 1 {
				folder = args[0]
			}
			book, err := loadBook(folder, directory)
			if err != nil {
				return refuse(plain(err))
			}
			sayBook(book, c.OutOrStdout())
			for _, w := range staleEntries(book.Directory(), time.Now()) {
				fmt.Fprintf(c.ErrOrStderr(), "In the directory %s.\n", w)
			}
			return nil
		},
	}
	c.Flags().StringVar(&directory, "directory", "", "your telephone numbers and consular pages, a YAML `file`")
	c.Flags().StringVar(&file, "config", "", "the configuration of suar serve, a YAML `file`")
	return c
}

// sayBook says what a book that is right has.
func sayBook(book *flows.Book, out io.Writer) {
	screens, texts := book.Size()
	fmt.Fprintf(out, "The book is right: %d screens, %d texts in each of %s.\n",
		screens, texts, strings.Join(book.Complete(), ", "))
	var short, off, unreviewed, doubtful []string
	for _, p := range book.Packs() {
		switch {
		case !p.On:
			off = append(off, p.Language)
		case p.Short:
			short = append(short, p.Language)
		}
		switch {
		case p.ReviewedBy != "":
		case p.On:
			unreviewed = append(unreviewed, p.Language)
		default:
			doubtful = append(doubtful, p.Language)
		}
	}
	say := func(format string, list []string) {
		if len(list) > 0 {
			fmt.Fprintf(out, format+"\n", strings.Join(list, ", "))
		}
	}
	say("The short way is also on in: %s.", short)
	say("Off, until languages in the configuration lists them: %s.", off)
	say("No native speaker has reviewed the texts in: %s. Set reviewed_by in the catalogue when one has.", unreviewed)
	say("Nor those that are off: %s.", doubtful)
}

// loadBook reads a book from a folder, or the one that is built in, with the
// deployer's directory as it is today.
func loadBook(folder, directory string, languages ...string) (*flows.Book, error) {
	var files fs.FS = flows.Shipped()
	if folder != "" {
		if info, err := os.Stat(folder); err != nil {
			return nil, missing(err, "the book is a folder with policy.yaml, one file for each flow and text")
		} else if !info.IsDir() {
			return nil, fmt.Errorf("%s is no folder; the book is a folder with policy.yaml, one file for each flow and text", folder)
		}
		files = os.DirFS(folder)
	}
	var d flows.Directory
	var unread error
	if directory != "" {
		d, unread = readDirectory(directory)
	}
	book, err := flows.Load(files, d, languages...)
	if err != nil {
		return nil, errors.Join(err, unread)
	}
	if err := errors.Join(unread, d.Check(time.Now(), book.Complete()...), checkRecipients(d)); err != nil {
		return nil, err
	}
	return book, nil
}

func readDirectory(path string) (flows.Directory, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return flows.Directory{}, missing(err, "your telephone numbers and consular pages belong there; deploy/directory.yaml is an example")
	}
	return flows.ParseDirectory(path, raw)
}

// staleEntries says what of a directory nobody is shown at an instant, a
// sentence each.
func staleEntries(d flows.Directory, at time.Time) []string {
	var out []string
	if w := stale(d.StaleNumbers(at), len(d.Numbers), "numbers", "people in danger see none"); w != "" {
		out = append(out, w)
	}
	if w := stale(d.StalePages(at), len(d.Pages), "pages", "nobody is shown one"); w != "" {
		out = append(out, w)
	}
	if w := stale(d.StaleEmbassies(at), len(d.Embassies), "other embassies", "nobody is shown one"); w != "" {
		out = append(out, w)
	}
	return out
}

func stale(since []time.Time, all int, nouns, then string) string {
	if len(since) == 0 {
		return ""
	}
	if len(since) < all {
		return fmt.Sprintf("%d of %d %s are stale, the first since %s: hidden until somebody verifies them again",
			len(since), all, nouns, since[0].Format(time.DateOnly))
	}
	return fmt.Sprintf("all %d %s are stale since %s: %s", all, nouns, since[all-1].Format(time.DateOnly), then)
}
