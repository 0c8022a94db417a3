package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// missing says of a file that could not be read what belongs there.
func missing(err error, belongs string) error {
	pe, ok := errors.AsType[*fs.PathError](err)
	switch {
	case !ok:
		return err
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w for the user that runs suar", pe.Path, pe.Err)
	}
	return fmt.Errorf("%s: %w; %s", pe.Path, pe.Err, belongs)
}

// plain is an error without the names of the program's parts, for people.
func plain(err error) error {
	if err == nil {
		return nil
	}
	return plainError{err}
}

type plainError struct{ error }

func (p plainError) Error() string {
	lines := strings.Split(p.error.Error(), "\n")
	for i, line := range lines {
		for _, part := range []string{"seal: recipients: ", "seal: ", "storage: ", "flows: ", "engine: ", "handoff: ", "roster: ", "bot: ", "backup: ", "pager: "} {
			line = strings.TrimPrefix(strings.ReplaceAll(line, ": "+part, ": "), part)
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

func (p plainError) Unwrap() error { return p.error }
