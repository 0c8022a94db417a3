// Package demo shows the hotline to somebody who has no account, no network and
// nothing installed: "suar demo". It runs the real program, by the commands
// that an operator and an officer type, between a stand-in for Telegram and one
// for Mattermost, in a folder that is erased at the end. What it adds is a page
// on which one plays both sides, and a script that plays a whole case in the
// terminal.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"suar/internal/mattermosttest/standin"
	"suar/internal/telegramtest"
)

// Commands are the program that is shown.
type Commands struct {
	// Serve is "suar serve" of a configuration file, with nothing taken from
	// the environment. It returns when ctx ends, or when it cannot go on.
	Serve func(ctx context.Context, config string, log io.Writer) error
	// Run is any other command line of suar; it returns the exit code.
	Run func(ctx context.Context, args []string, stdout, stderr io.Writer) int
}

// Languages are what the officers' cards can be written in.
func Languages() []string { return []string{"en", "id"} }

// A Hotline is a running hotline with both sides of it. Close ends it and
// erases its folder.
type Hotline struct {
	paths
	commands   Commands
	telegram   *telegramtest.Server
	mattermost *standin.Server
	channel    string
	officers   []officer

	stop   context.CancelFunc
	served chan struct{}
	err    error // of Serve, once served is closed

	opening sync.Mutex // one copy of the store at a time
}

// paths are where things lie. What a thief of the server gets is under server;
// the officers' keys are not there.
type paths struct {
	folder, server, machine string // machine is an officer's
	store, log, config      string
	key, passphrase         string // an officer's
}

// Start makes a folder, keys and a configuration, starts both stand-ins, and
// then the hotline between them. language is that of the officers' cards.
func Start(ctx context.Context, c Commands, language string) (_ *Hotline, err error) {
	folder, err := os.MkdirTemp("", "suar-demo-")
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	server, machine := filepath.Join(folder, "server"), filepath.Join(folder, "officer")
	h := &Hotline{
		paths: paths{
			folder: folder, server: server, machine: machine,
			store:      filepath.Join(server, "data", "store"),
			log:        filepath.Join(server, "data", "suar.log"),
			config:     filepath.Join(server, "suar.yaml"),
			key:        filepath.Join(machine, "siti.key"),
			passphrase: filepath.Join(machine, "passphrase"),
		},
		commands: c,
		served:   make(chan struct{}),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.Close())
		}
	}()
	if h.mattermost, err = standin.New(); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	if err := h.mattermost.Start("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	h.telegram = telegramtest.New(telegramtest.Options{})
	bot := h.people()
	if err := h.prepare(ctx, bot, language); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(h.log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	ctx, h.stop = context.WithCancel(ctx)
	go func() {
		defer close(h.served)
		h.err = errors.Join(c.Serve(ctx, h.config, log), log.Close())
	}()
	return h, nil
}

// Served is closed when the hotline ended, whether or not it was asked to.
func (h *Hotline) Served() <-chan struct{} { return h.served }

// Close ends the hotline and both stand-ins, and erases the folder. It returns
// why the hotline ended, if not by Close.
func (h *Hotline) Close() error {
	var errs []error
	if h.stop != nil {
		h.stop()
		<-h.served
		if !errors.Is(h.err, context.Canceled) {
			errs = append(errs, h.err)
		}
	}
	if h.telegram != nil {
		h.telegram.Close()
	}
	if h.mattermost != nil {
		errs = append(errs, h.mattermost.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(h.folder))...)
}
