package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"suar/handoff/roster"
	"suar/internal/engine"
)

const (
	// rosterEvery is how often the roster's file is looked at: a new one counts within
	// that time, without a restart. Who is taken off it is out within a second.
	rosterEvery = 500 * time.Millisecond
	// rosterRead is how often it is read although it looks the same.
	rosterRead = 20 * time.Second
)

// serveRoster serves the roster of the configuration, unless a newer one was served
// before, and returns how it is asked for, nil without one.
func (a *app) serveRoster(ctx context.Context) (func() *roster.Roster, error) {
	r := a.Mattermost.roster
	if r == nil {
		return nil, nil //nolint:nilnil // That there is none is no error.
	}
	if err := a.engine.ServeRoster(ctx, r.Version); err != nil {
		return nil, err
	}
	a.duty.Store(r)
	a.sayDuty(ctx)
	if err := a.loadChanges(ctx); err != nil {
		return nil, err
	}
	return a.onDuty, nil
}

// followRoster takes over each new roster, until ctx ends.
func (a *app) followRoster(ctx context.Context) error {
	if a.duty.Load() == nil {
		return nil
	}
	var looks string
	var read time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(rosterEvery):
		}
		if now := looksOf(a.Mattermost.Roster); now != looks || time.Since(read) >= rosterRead {
			a.lookAtRoster(ctx)
			if err := a.loadChanges(ctx); err != nil && ctx.Err() == nil { // Another process may have made some.
				a.log.WarnContext(ctx, "the changes of the duty cannot be read, those from before count", "class", fmt.Sprintf("%T", err))
			}
			looks, read = now, time.Now()
		}
	}
}

// looksOf is how a roster's files look from outside: other looks are another roster.
func looksOf(path string) string {
	var looks strings.Builder
	for _, name := range []string{path, path + roster.Signature} {
		if info, err := os.Stat(name); err == nil {
			fmt.Fprintf(&looks, "%d %v;", info.Size(), info.ModTime().UnixNano())
		}
	}
	return looks.String()
}

// lookAtRoster takes over the roster in the file if it is a new one. One that is not
// right is not served, and said once: the one before stays. It is for one goroutine.
func (a *app) lookAtRoster(ctx context.Context) {
	fresh, err := a.newRoster(ctx)
	switch {
	case ctx.Err() != nil:
	case err == nil:
		a.refused = ""
		if fresh != nil {
			a.duty.Store(fresh)
			a.sayDuty(ctx)
		}
	case err.Error() != a.refused:
		a.refused = err.Error()
		a.log.ErrorContext(ctx, "the new roster is not served, the one before stays", "fault", rosterFault(err))
	}
}

// newRoster is the roster in the file, nil if it is the one that is served.
func (a *app) newRoster(ctx context.Context) (*roster.Roster, error) {
	r, err := loadRoster(a.Mattermost.Roster, a.Mattermost.RosterKey)
	if err != nil {
		return nil, err
	}
	if now := a.duty.Load(); r.Version == now.Version {
		if bytes.Equal(r.YAML(), now.YAML()) {
			return nil, nil //nolint:nilnil // That there is none is no error.
		}
		return nil, errSameVersion
	}
	return r, a.engine.ServeRoster(ctx, r.Version)
}

// errSameVersion says that a roster was changed and its version was not.
var errSameVersion = errors.New("the roster was changed, but has the version of the one before: raise it and sign again")

// rosterFault is why a roster is not served, in one line of the log.
func rosterFault(err error) string {
	if errors.Is(err, engine.ErrOldRoster) || errors.Is(err, errSameVersion) {
		return plain(err).Error()
	}
	return "suar check --config says what is wrong with it"
}

// gapsAhead is how far ahead gaps are said in the log.
const gapsAhead = 14 * 24 * time.Hour

// sayDuty says which roster is served, and whether nobody is on duty at times.
func (a *app) sayDuty(ctx context.Context) {
	r, now := a.duty.Load(), time.Now()
	gaps := 0
	for _, s := range r.Coverage(now, now.Add(gapsAhead)) {
		if s.Nobody() {
			gaps++
		}
	}
	a.log.InfoContext(ctx, "roster", "version", r.Version)
	if gaps > 0 {
		a.log.WarnContext(ctx, "in the next 14 days nobody is on duty at times; suar roster check shows them", "gaps", gaps)
	}
}
