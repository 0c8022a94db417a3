package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"suar/flows"
	"suar/internal/seal"
)

func newPartnersCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "partners",
		Short: "Check to whom cases can be referred",
		Long: `Check the partners: the organisations that officers can refer a case to, each with
an age key of its own. They are part of the directory, beside telephone numbers.`,
		Args: noArguments,
	}
	c.AddCommand(newPartnersCheckCommand())
	return c
}

func newPartnersCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check DIRECTORY",
		Short: "Show each partner with the fingerprint of its key",
		Long: `check reads a directory and shows its partners: what officers call each, its
languages, and the fingerprint of its key. Read the fingerprint aloud with somebody
at the partner whose voice you know: what is packed for a wrong key is readable by
whoever made it, and by nobody at the partner.

The exit code is 2 if the directory has a fault or a recipient is no age key.`,
		Example: `  suar partners check directory.yaml`,
		Args:    oneArgument,
		RunE: func(c *cobra.Command, args []string) error {
			d, err := readDirectory(args[0])
			if err == nil {
				err = checkRecipients(d)
			}
			if err != nil {
				return refuse(plain(err))
			}
			return sayPartners(d, c.OutOrStdout())
		},
	}
}

// checkRecipients says which partners have a recipient that is no key.
func checkRecipients(d flows.Directory) error {
	var faults []error
	keys := map[string]string{}
	for _, p := range d.Partners {
		if !seal.ValidRecipient(p.Recipient) {
			faults = append(faults, fmt.Errorf("the partner %q has a recipient that is no age key: age-keygen -pq prints one, or age-keygen for age before 1.3", p.ID))
		}
		if other, twice := keys[p.Recipient]; twice {
			faults = append(faults, fmt.Errorf("the partners %q and %q have the same recipient", other, p.ID))
		}
		keys[p.Recipient] = p.ID
	}
	return errors.Join(faults...)
}

// sayPartners shows the partners.
func sayPartners(d flows.Directory, out io.Writer) error {
	if len(d.Partners) == 0 {
		_, err := fmt.Fprintln(out, "There are no partners: officers are offered no consent and no referral.")
		return err
	}
	for _, p := range d.Partners {
		kind := ""
		if !strings.HasPrefix(p.Recipient, "age1pq1") {
			kind = "  (not a hybrid key: a quantum computer could read its packets one day)"
		}
		if _, err := fmt.Fprintf(out, "%s  %s  [%s]  %s%s\n", p.ID, p.Name, strings.Join(p.Languages, ", "), seal.Fingerprint(p.Recipient), kind); err != nil {
			return err
		}
	}
	return nil
}
