package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"suar/internal/engine"
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
  SUAR_VAULT_KEY_FILE                 32 bytes as 64 hexadecimal characters

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
	s, err := readSetting(conf)
	if err != nil {
		return refuse(err)
	}
	s.log = newLog(conf.Log, log)
	if list := s.book.Unreviewed(); len(list) > 0 {
		s.log.Warn("no native speaker has reviewed the texts", "languages", strings.Join(list, ","))
	}
	a, err := newApp(ctx, s)
	if err != nil {
		if errors.Is(err, engine.ErrWrongKey) || errors.Is(err, storage.ErrDamaged) || errors.Is(err, storage.ErrFormat) || errors.Is(err, storage.ErrLocked) {
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
	return a.Run(ctx)
}

// report says once whether Mattermost is as it should be. The hotline runs all
// the same: it takes in what people write, and tells them that no officer can
// be reached.
func (a *app) report(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	faults := a.desk.Check(ctx)
	if ctx.Err() != nil {
		return
	}
	for _, f := range faults {
		level := slog.LevelWarn
		if f.Grave {
			level = slog.LevelError
		}
		a.log.Log(ctx, level, "mattermost is not as it should be", "fault", f.String())
	}
	if len(faults) == 0 {
		a.log.InfoContext(ctx, "mattermost is ready")
	}
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
