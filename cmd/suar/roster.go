package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"suar/handoff/roster"
)

func newRosterCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "roster",
		Short: "Check and sign the duty roster",
		Long: `Check and sign the roster: the officers, and who of them is on duty when. It is a
YAML file; deploy/roster.yaml is an example.`,
		Args: noArguments,
	}
	c.AddCommand(newRosterCheckCommand(), newRosterKeygenCommand(), newRosterSignCommand())
	return c
}

func newRosterCheckCommand() *cobra.Command {
	var file, from string
	var days int
	var asJSON, noGaps bool
	c := &cobra.Command{
		Use:   "check ROSTER",
		Short: "Show who is on duty, and where nobody is",
		Long: `check reads a roster and reports every fault with its line. If there is none it
shows who is on duty in the next 14 days, on the clock of the roster, and where
nobody is: then a new case calls the leads at once and the person is told so.

With --config it also asks the Mattermost that the configuration names whether
each officer has an account that can be called: active, no bot, and a member of
the officers' channel.

The exit code is 2 if the roster has a fault or an officer cannot be called, and
with --no-gaps also if at any time nobody is on duty.`,
		Example: `  suar roster check roster.yaml
  suar roster check roster.yaml --config /etc/suar/suar.yaml --no-gaps
  suar roster check roster.yaml --from 2026-12-20 --days 21 --json`,
		Args: oneArgument,
		RunE: func(c *cobra.Command, args []string) error {
			if days < 1 || days > 366 {
				return refuse(errors.New("--days: want 1 to 366"))
			}
			r, err := readRoster(args[0])
			if err != nil {
				if asJSON {
					err = errors.Join(err, rosterReport{Faults: strings.Split(err.Error(), "\n")}.json(c.OutOrStdout()))
				}
				return refuse(err)
			}
			begin := time.Now().In(r.Location())
			if from != "" {
				if begin, err = time.ParseInLocation(time.DateOnly, from, r.Location()); err != nil {
					return refuse(errors.New("--from: want a day like 2026-12-20"))
				}
			}
			report := newRosterReport(r, begin, days)
			if file != "" {
				if err := report.ask(c.Context(), r, file, os.LookupEnv); err != nil {
					return err
				}
			}
			if asJSON {
				err = report.json(c.OutOrStdout())
			} else {
				err = report.text(c.OutOrStdout(), colourful(c.OutOrStdout(), os.LookupEnv))
			}
			if err != nil {
				return err
			}
			return refuse(report.verdict(noGaps))
		},
	}
	c.Flags().StringVar(&file, "config", "", "the configuration of suar serve, a YAML `file`: also look for the officers' accounts")
	c.Flags().StringVar(&from, "from", "", "the first `day` (default today)")
	c.Flags().IntVar(&days, "days", 14, "how many days to show")
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	c.Flags().BoolVar(&noGaps, "no-gaps", false, "refuse a roster in which at some time nobody is on duty")
	return c
}

// readRoster reads a roster; its faults begin with the file's name.
func readRoster(path string) (*roster.Roster, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, missing(err, "the roster belongs there; deploy/roster.yaml is an example")
	}
	return parseRoster(path, raw)
}

func parseRoster(path string, raw []byte) (*roster.Roster, error) {
	r, err := roster.Parse(raw)
	if err == nil {
		return r, nil
	}
	var faults []error
	for line := range strings.SplitSeq(err.Error(), "\n") {
		faults = append(faults, fmt.Errorf("%s: %s", path, line))
	}
	return nil, errors.Join(faults...)
}
