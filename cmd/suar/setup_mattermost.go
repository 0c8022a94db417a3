package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"suar/handoff"
	"suar/internal/secret"
)

// A mattermostSetup is what suar setup mattermost was asked for.
type mattermostSetup struct {
	config, login, socket, bot string
	leastRoles, dryRun, asJSON bool

	env       lookup
	ask       func(prompt string) (string, error)
	out, errs io.Writer
}

func newSetupMattermostCommand() *cobra.Command {
	s := mattermostSetup{env: os.LookupEnv, ask: askSecret}
	c := &cobra.Command{
		Use:   "mattermost (--login NAME | --socket PATH)",
		Short: "Make the team, the channel, the bot and what they need in Mattermost",
		Long: `mattermost makes what the configuration names and is not there: the team, the
private channel, the bot with its token, /suar, the officers' places in the channel,
and the settings and permissions of docs/mattermost.md. It reads each thing first and
changes only what differs, so it may be run at any time, also while the hotline runs,
and says what it changed. Accounts of officers it does not make.

It needs a system administrator's login, once: --login asks for the password on the
terminal, or takes SUAR_MATTERMOST_ADMIN_PASSWORD; the session ends when it is done,
and nothing of it is kept. With an account that logs in another way, give a session
or a personal access token in SUAR_MATTERMOST_ADMIN_TOKEN (or _FILE), which stays.
On the server's own machine, --socket uses Mattermost's local mode without a login.

The tokens of the bot and of /suar are written to mattermost.token_file and
mattermost.command_token_file, with mode 0400; whoever runs suar serve must own them.

Roles are the whole server's: what --least-roles takes from them it takes from all
who use this Mattermost. Without it they are only given what is missing.`,
		Example: `  suar setup mattermost --config /etc/suar/suar.yaml --login admin --dry-run
  suar setup mattermost --config /etc/suar/suar.yaml --login admin --least-roles
  suar setup mattermost --config /etc/suar/suar.yaml --socket /var/tmp/mattermost_local.socket`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			s.out, s.errs = c.OutOrStdout(), c.ErrOrStderr()
			return s.run(c.Context())
		},
	}
	addConfigFlag(c, &s.config)
	c.Flags().StringVar(&s.login, "login", "", "the user `name` of a system administrator")
	c.Flags().StringVar(&s.socket, "socket", "", "the `path` of Mattermost's local socket, in the place of a login")
	c.Flags().StringVar(&s.bot, "bot", "suar", "the bot's user `name`")
	c.Flags().BoolVar(&s.leastRoles, "least-roles", false, "take from the roles, of everybody on the server, what the hotline does not need")
	c.Flags().BoolVar(&s.dryRun, "dry-run", false, "only say what would be changed")
	c.Flags().BoolVar(&s.asJSON, "json", false, "write JSON")
	return c
}

// setupPlace is what setup reads of a configuration.
type setupPlace struct {
	config
	team, channel          string
	tokenFile, commandFile string
	token                  secret.Secret
	hasCommand             bool
	officers               []string
}

func (s *mattermostSetup) run(ctx context.Context) error {
	p, err := s.load()
	if err != nil {
		return refuse(err)
	}
	password, session, err := s.credentials()
	if err != nil {
		return refuse(err)
	}
	changes := []handoff.Change{}
	err = handoff.SetUp(ctx, handoff.Setup{
		URL: p.Mattermost.URL, Login: s.login, Password: password, Session: session, Socket: s.socket,
		Team: p.team, Channel: p.channel, Bot: s.bot, Officers: p.officers, CallbackURL: p.Mattermost.Callback,
		LeastRoles: s.leastRoles, DryRun: s.dryRun,
		Token: p.token, HasCommandToken: p.hasCommand,
		KeepToken:        func(t secret.Secret) error { return keepSecret(p.tokenFile, t) },
		KeepCommandToken: func(t secret.Secret) error { return keepSecret(p.commandFile, t) },
		Told: func(c handoff.Change) {
			changes = append(changes, c)
			if !s.asJSON {
				s.say(c)
			}
		},
	})
	if s.asJSON {
		err = errors.Join(writeJSON(s.out, changes), err)
	}
	if err != nil {
		return fmt.Errorf("setup: %w", plain(err))
	}
	if s.leastRoles && !s.dryRun && !s.asJSON {
		fmt.Fprintln(s.out, "Roles are the whole server's: nobody but administrators makes teams or channels or adds people now. Make a lead a channel admin of the officers' channel.")
	}
	return nil
}

// say prints what became of one thing.
func (s *mattermostSetup) say(c handoff.Change) {
	what := strings.ToUpper(c.What[:1]) + c.What[1:]
	switch {
	case c.Do != "":
		fmt.Fprintf(s.out, "%s: to do. %s\n", what, c.Do)
	case c.Did == "":
		fmt.Fprintf(s.out, "%s: as it should be.\n", what)
	case s.dryRun:
		fmt.Fprintf(s.out, "%s: would be %s.\n", what, c.Did)
	default:
		fmt.Fprintf(s.out, "%s: %s.\n", what, c.Did)
	}
}

// load reads what the configuration says of Mattermost.
func (s *mattermostSetup) load() (setupPlace, error) {
	l := loading{name: s.config, env: s.env}
	p := setupPlace{}
	if !l.decode() {
		_, err := l.result()
		return p, err
	}
	m := &l.c.Mattermost
	var named bool
	if p.team, p.channel, named = strings.Cut(m.Channel, "/"); !named {
		l.fault("mattermost.channel: want the team and the channel by the names that they are to have, such as embassy/hotline")
	}
	if m.URL == "" {
		l.fault("mattermost.url is missing: Mattermost's address, such as https://chat.example.org")
	}
	if m.Callback == "" {
		l.fault("mattermost.callback is missing: the address at which Mattermost reaches this machine")
	}
	p.officers = m.OnCall
	if m.Roster != "" {
		l.roster()
		if m.roster != nil {
			p.officers = m.roster.Everybody()
		}
	}
	p.token, p.tokenFile = s.kept(&l, "SUAR_MATTERMOST_TOKEN", m.TokenFile, "mattermost.token_file")
	var command secret.Secret
	command, p.commandFile = s.kept(&l, "SUAR_MATTERMOST_COMMAND_TOKEN", m.CommandTokenFile, "mattermost.command_token_file")
	p.hasCommand = !command.Empty()
	p.config = l.c
	_, err := l.result()
	return p, err
}

// kept returns a token that is there already, and the file that it belongs into.
func (s *mattermostSetup) kept(l *loading, variable, file, key string) (secret.Secret, string) {
	if named, ok := s.env(variable + "_FILE"); ok && named != "" {
		file = named
	}
	token, _, err := readSecret(variable, file, s.env)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		l.fault("%s: %v", key, err)
	}
	if file == "" && token.Empty() {
		l.fault("%s is missing: the file that the token is written to", key)
	}
	return token, file
}

// credentials are those of the administrator. They are kept nowhere.
func (s *mattermostSetup) credentials() (password, session secret.Secret, err error) {
	if s.socket != "" {
		if s.login != "" {
			return password, session, errors.New("--socket needs no --login: keep one")
		}
		return password, session, nil
	}
	if session, _, err = readSecret("SUAR_MATTERMOST_ADMIN_TOKEN", "", s.env); err != nil || !session.Empty() {
		return password, session, err
	}
	if s.login == "" {
		return password, session, errors.New("want an administrator: --login NAME, or on the server's own machine --socket PATH")
	}
	if password, _, err = readSecret("SUAR_MATTERMOST_ADMIN_PASSWORD", "", s.env); err != nil || !password.Empty() {
		return password, session, err
	}
	text, err := s.ask("Password of " + s.login + " in Mattermost: ")
	return secret.New(text), session, err
}

// askSecret asks on the terminal and shows nothing of what is typed.
func askSecret(prompt string) (string, error) {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return "", errors.New("there is no terminal to ask for the password on: give it in SUAR_MATTERMOST_ADMIN_PASSWORD")
	}
	fmt.Fprint(os.Stderr, prompt)
	text, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(os.Stderr)
	return string(text), err
}

// keepSecret writes a secret into a file that only its owner reads. One that was
// there does not work any more.
func keepSecret(path string, s secret.Secret) error {
	if path == "" {
		return errors.New("the token in the environment does not work: take it out, and name a file that the new one is written to")
	}
	fresh := path + ".new"
	file, err := os.OpenFile(fresh, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o400)
	if err != nil {
		return err
	}
	_, err = file.WriteString(s.Reveal() + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	return nil
}
