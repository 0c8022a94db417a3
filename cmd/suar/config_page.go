package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"suar/handoff/pager"
	"suar/internal/secret"
)

// pageConfig is the second way to call officers, for when Mattermost is out of reach.
type pageConfig struct {
	Webhook *struct {
		URL        string `yaml:"url"`
		SecretFile string `yaml:"secret_file"`
	} `yaml:"webhook"`
	SMTP *struct {
		// Host is host:port; Plain says that it speaks no TLS.
		Host         string   `yaml:"host"`
		Plain        bool     `yaml:"plain"`
		From         string   `yaml:"from"`
		To           []string `yaml:"to"`
		User         string   `yaml:"user"`
		PasswordFile string   `yaml:"password_file"`
	} `yaml:"smtp"`

	pager *pager.Pager
}

// page reads the second way to call officers, if there is one.
func (l *loading) page() {
	p := l.c.Page
	if p == nil {
		return
	}
	c := pager.Config{Log: slog.New(slog.DiscardHandler)}
	if w := p.Webhook; w != nil {
		c.Webhook = &pager.Webhook{URL: w.URL, Secret: l.must("page.webhook.secret", "SUAR_PAGE_SECRET", w.SecretFile,
			"what a call proves itself with (openssl rand -hex 32), which the other side has as well")}
	}
	if m := p.SMTP; m != nil {
		var password secret.Secret
		if m.User != "" {
			password = l.must("page.smtp.password", "SUAR_PAGE_PASSWORD", m.PasswordFile, "the password at the mail server")
		}
		c.SMTP = &pager.SMTP{Host: m.Host, Plain: m.Plain, From: m.From, To: m.To, User: m.User, Password: password}
	}
	before := len(l.faults)
	var err error
	if p.pager, err = pager.New(c); err != nil && len(l.faults) == before {
		l.faults = append(l.faults, fmt.Errorf("%s: page: %w", l.name, plain(err)))
	}
}

// loadPageConfig reads of a configuration the second way to call officers.
func loadPageConfig(name string, env lookup) (config, error) {
	l := loading{name: name, env: env}
	if l.decode() {
		l.page()
	}
	return l.result()
}

func newPageCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "page",
		Short: "The second way to call officers, when Mattermost is out of reach",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newPageTestCommand())
	return c
}

func newPageTestCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "test",
		Short: "Call the officers once by each way, as a drill",
		Long: `test brings one call by the webhook and by e-mail, whichever the configuration has,
with the code ` + pager.Drill + `, which no case has. Do it at the beginning of a shift: only who was
called knows whether it wakes somebody.`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return pageTest(c.Context(), file, os.LookupEnv, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&file, "config", "/etc/suar/suar.yaml", "the configuration of suar serve, a YAML `file`")
	return c
}

func pageTest(ctx context.Context, file string, env lookup, out io.Writer) error {
	conf, err := loadPageConfig(file, env)
	if err != nil {
		return refuse(err)
	}
	if conf.Page == nil {
		return refuse(fmt.Errorf("%s names no second way to call officers: add page, see docs/roster.md", file))
	}
	outcomes := conf.Page.pager.Drill(ctx)
	failed := 0
	for _, way := range slices.Sorted(maps.Keys(outcomes)) {
		if err := outcomes[way]; err != nil {
			failed++
			fmt.Fprintf(out, "%s: not called: %v\n", way, err)
			continue
		}
		fmt.Fprintf(out, "%s: called, with the code %s.\n", way, pager.Drill)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d ways did not take the call", failed, len(outcomes))
	}
	return nil
}
