package main

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"suar/flows"
)

func newCheckCommand() *cobra.Command {
	var directory string
	c := &cobra.Command{
		Use:   "check [FOLDER]",
		Short: "Check an intake: its questions, its texts and your directory",
		Long: `check reads a book, the folder with policy.yaml, one file for each flow and one
catalogue of texts for each language, and reports every fault with file and line:
a missing translation, a circle of questions, a question nobody comes to, a text
too long for a telephone. Without a folder it checks the book that is built in.`,
		Example: `  suar check
  suar check ./book --directory directory.yaml`,
		Args: func(c *cobra.Command, args []string) error { return refuse(cobra.MaximumNArgs(1)(c, args)) },
		RunE: func(c *cobra.Command, args []string) error {
			folder := ""
			if len(args) == 1 {
				folder = args[0]
			}
			book, err := loadBook(folder, directory)
			if err != nil {
				return refuse(err)
			}
			screens, texts := book.Size()
			_, err = fmt.Fprintf(c.OutOrStdout(), "The book is right: %d screens, %d texts in each of %s.\n",
				screens, texts, strings.Join(book.Languages(), ", "))
			if list := book.Unreviewed(); err == nil && len(list) > 0 {
				_, err = fmt.Fprintf(c.OutOrStdout(), "No native speaker has reviewed the texts in: %s. Set reviewed_by in the catalogue when one has.\n",
					strings.Join(list, ", "))
			}
			return err
		},
	}
	c.Flags().StringVar(&directory, "directory", "", "your telephone numbers and consular pages, a YAML `file`")
	return c
}

// loadBook reads a book from a folder, or the one that is built in, with the
// deployer's directory.
func loadBook(folder, directory string) (*flows.Book, error) {
	var files fs.FS = flows.Shipped()
	if folder != "" {
		files = os.DirFS(folder)
	}
	var d flows.Directory
	if directory != "" {
		raw, err := os.ReadFile(directory)
		if err != nil {
			return nil, fmt.Errorf("read the directory: %w", err)
		}
		if d, err = flows.ParseDirectory(directory, raw); err != nil {
			return nil, err
		}
	}
	return flows.Load(files, d)
}
