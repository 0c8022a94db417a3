package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"suar/internal/engine"
	"suar/internal/seal"
	"suar/storage"
)

func newServeCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the hotline",
		Long: `serve runs the hotline from one YAML file. What is secret is not in that file but
in files of its own, named there or in the environment:

  SUAR_TELEGRAM_TOKEN_FILE            the bot's token from BotFather
  SUAR_TELEGRAM_WEBHOOK_SECRET_FILE   with telegram.mode: webhook
  SUAR_MATTERMOST_TOKEN_FILE          the access token of the bot account
  SUAR_MATTERMOST_COMMAND_TOKEN_FILE  with the slash command
  SUAR_VAULT_KEY_FILE                 32 bytes as 64 hexadecimal characters
  SUAR_REDIS_PASSWORD_FILE            with redis
  SUAR_REDIS_SENTINEL_PASSWORD_FILE   with redis.sentinel, if they have one

Each can also be given itself, without _FILE. On SIGTERM it finishes what is
under way and ends; whatever it had not confirmed to Telegram comes again.`,
		Example: `  suar serve --config /etc/suar/suar.yaml`,
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return serve(c.Context(), file, os.LookupEnv, c.ErrOrStderr())
		},
	}
	c.Flags().StringVar(&file, "config", "/etc/suar/suar.yaml", "the configuration, a YAML `file`")
	return c
}

func serve(ctx context.Context, file string, env lookup, log io.Writer) error {
	conf, err := loadConfig(file, env)
	if err != nil {
		return refuse(err)
	}
	settleMemory(ctx, env)
	s := setting{config: conf, log: newLog(conf.Log, log)}
	logProtections(ctx, protections(), s.log)
	if list := s.book.Unreviewed(); len(list) > 0 {
		s.log.Warn("no native speaker has reviewed the texts", "languages", strings.Join(list, ","))
	}
	for _, w := range lacking(s, time.Now()) {
		s.log.Warn("something is missing", "what", w)
	}
	a, err := newApp(ctx, s)
	if err != nil {
		err = plain(err)
		// Whoever holds the store may be a backup that is over in a moment: the
		// system is to try again.
		if unusable(err) && !errors.Is(err, storage.ErrLocked) || errors.Is(err, engine.ErrWrongKey) || errors.Is(err, engine.ErrOldRoster) {
			return refuse(err)
		}
		return err
	}
	defer func() {
		if err := a.Close(); err != nil {
			s.log.Error("the store was not closed cleanly", "class", fmt.Sprintf("%T", err))
		}
	}()
	go a.report(ctx)
	s.log.Info("serving", "listen", a.Address(), "telegram", conf.Telegram.Mode)
	if err := a.Run(ctx); err != nil {
		return err
	}
	s.log.Info("ended")
	return nil
}

// report says once whether Mattermost is as it should be, and whether it
// reaches the listening address, which is open and either served already or
// about to be. The hotline runs all the same: it takes in what people write, and
// tells them that no officer can be reached.
func (a *app) report(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	faults := a.desk.Check(ctx)
	unreached := a.desk.CheckCallback(ctx)
	if ctx.Err() != nil {
		return
	}
	if unreached != nil {
		faults = append(faults, *unreached)
	} else {
		a.log.InfoContext(ctx, "mattermost reaches the callback")
	}
	ready := true
	for _, f := range faults {
		switch {
		case f.Grave:
			a.log.ErrorContext(ctx, "mattermost is not as it should be", "fault", f.String())
		case f.Unseen:
			a.log.InfoContext(ctx, "mattermost does not show everything", "look", f.String())
			continue
		default:
			a.log.WarnContext(ctx, "mattermost is not as it should be", "fault", f.String())
		}
		ready = false
	}
	if ready {
		a.log.InfoContext(ctx, "mattermost is ready")
	}
}

// lacking says what a hotline can be opened without but should not be: a key for
// the day when the officers' are lost, and what people in danger are shown.
func lacking(s setting, at time.Time) []string {
	var out []string
	recovery := func(r seal.Recipient) bool { return r.Role == seal.RoleRecovery }
	if !slices.ContainsFunc(s.recipients.All(), recovery) {
		out = append(out, "the recipients hold no recovery key: when the officers' keys are lost, so are the cases")
	}
	if s.Redis != nil && s.Redis.TLS == nil && !slices.ContainsFunc(s.Redis.Addresses, isLoopback) {
		out = append(out, "redis is reached without tls: its password and the times of conversations can be read on the way; fit for a network that nobody else is on")
	}
	if s.Directory == "" {
		return append(out, "no directory is configured: people in danger see no telephone number")
	}
	d := s.book.Directory()
	if len(d.Numbers) == 0 {
		out = append(out, "the directory holds no number: people in danger see none")
	}
	for _, w := range staleEntries(d, at) {
		out = append(out, "in the directory "+w)
	}
	return out
}

func newLog(c logConfig, w io.Writer) *slog.Logger {
	var level slog.Level
	if c.Level != "" {
		if err := level.UnmarshalText([]byte(c.Level)); err != nil {
			panic("the configuration was not checked: " + err.Error())
		}
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
