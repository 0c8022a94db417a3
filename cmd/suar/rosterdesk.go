package main

import (
	"context"
	"errors"
	"log/slog"

	"suar/handoff"
	"suar/internal/engine"
)

// loadDeskConfig reads of a configuration what it takes to ask Mattermost
// something.
func loadDeskConfig(name string, env lookup) (config, error) {
	l := loading{name: name, env: env}
	if l.decode() {
		l.c.Mattermost.token = l.must("mattermost.token", "SUAR_MATTERMOST_TOKEN", l.c.Mattermost.TokenFile, "the access token of Mattermost's bot account")
	}
	return l.result()
}

// newCheckingDesk returns a desk that only looks.
func newCheckingDesk(file string, env lookup) (*handoff.Desk, error) {
	c, err := loadDeskConfig(file, env)
	if err != nil {
		return nil, err
	}
	return handoff.New(handoff.Config{
		URL:         c.Mattermost.URL,
		Token:       c.Mattermost.token,
		Channel:     c.Mattermost.Channel,
		CallbackURL: c.Mattermost.Callback,
		Key:         make([]byte, 32), // It signs no button.
		ServerKey:   c.Mattermost.ServerKey,
		Handler:     deaf{},
		Log:         slog.New(slog.DiscardHandler),
	})
}

// A deaf handler is of a desk that does not listen.
type deaf struct{}

func (deaf) Handle(context.Context, engine.Inbound) error {
	return errors.New("this desk does not listen")
}
