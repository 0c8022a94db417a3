package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"suar/internal/engine"
	"suar/internal/seal"
	"suar/storage"
)

// checkTimeout is how long a store may take to answer.
const checkTimeout = 15 * time.Second

// checkConfig checks a whole configuration: its own faults, those of the files
// that it names, and whether its store can be opened.
func checkConfig(ctx context.Context, file string, env lookup, out, errOut io.Writer) error {
	conf, err := loadConfig(file, env)
	if err != nil {
		return refuse(err)
	}
	fmt.Fprintf(out, "The configuration %s is right.\n", file)
	sayBook(conf.book, out)
	sayProtections(protections(), out, errOut)
	for _, w := range lacking(setting{config: conf}, time.Now()) {
		fmt.Fprintf(errOut, "To look at: %s.\n", w)
	}
	ctx, stop := context.WithTimeout(ctx, checkTimeout)
	defer stop()
	if conf.Page != nil {
		if err := conf.Page.pager.Check(ctx); err != nil {
			return refuse(plain(err))
		}
		fmt.Fprintln(out, "The second way to call officers answers; suar page test calls them once.")
	}
	what, err := checkStore(ctx, conf)
	if err != nil {
		return refuse(plain(err))
	}
	fmt.Fprintln(out, what)
	return nil
}

// checkStore opens the store and says what it found. It begins no embedded
// store.
func checkStore(ctx context.Context, c config) (what string, err error) {
	name := "The store " + c.Store
	if c.Redis != nil {
		name = fmt.Sprintf("The Redis at %s, prefix %s,", strings.Join(c.Redis.Addresses, " "), c.Redis.prefix())
	} else if begun, err := c.begun(); err != nil {
		return "", err
	} else if !begun {
		return name + " is not there: suar serve begins a new, empty one. If this hotline had one, restore it first.", nil
	}
	store, err := openToRead(ctx, c)
	if errors.Is(err, storage.ErrLocked) {
		return name + " is in use, by a suar serve that runs.", nil
	}
	if errors.Is(err, storage.ErrNone) {
		return fmt.Sprintf("%s is safe; %v", name, plain(err)), nil
	}
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if c.Redis != nil {
		name += " is safe"
	} else {
		name += " opens"
	}
	switch err := engine.CheckKey(ctx, store, seal.NewVault(c.vaultKey)); {
	case errors.Is(err, storage.ErrNotFound):
		return name + "; nothing was ever served from it.", nil
	case err != nil:
		return "", err
	}
	callers, _, err := store.Waiting(ctx, storage.LaneCaller)
	if err != nil {
		return "", err
	}
	officers, _, err := store.Waiting(ctx, storage.LaneOfficers)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, and the vault key opens it; waiting: %s to people, %d to officers.", name, plural(callers, "effect"), officers), nil
}
