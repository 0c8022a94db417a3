package scrub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

const (
	// childTime is how long a child may take.
	childTime = 10 * time.Second
	// exitRefused is how Main says that it refuses; whatever else a child ends
	// with is a failure.
	exitRefused = 3
)

// ErrFailed says that the process that cleans could not be begun, died or said
// what makes no sense. The file must not be passed on; another one may be
// cleaned, and this one at another time, unless it is what killed the process.
var ErrFailed = errors.New("scrub: the process that cleans failed")

// A Child cleans in a process of its own: it has no environment, no file or
// connection of its parent's and, on Linux, can open none.
type Child struct {
	// Path is the program and Args its arguments: they must come to call Main
	// before anything else.
	Path string
	Args []string
}

// Clean is the function of the same name, in the child. Its error is
// ErrRefused, ErrFailed or the context's; none holds a byte of the file.
func (c Child) Clean(ctx context.Context, raw []byte) ([]byte, Type, error) {
	if len(raw) > MaxBytes || Sniff(raw) == "" {
		return nil, "", ErrRefused // It need not be begun for that.
	}
	ctx, cancel := context.WithTimeout(ctx, childTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Path, c.Args...) //nolint:gosec // Whoever makes a Child says what it is.
	cmd.Env = []string{}                               // nil would be the parent's.
	cmd.Dir = "/"
	cmd.Stdin = bytes.NewReader(raw)
	cmd.WaitDelay = time.Second
	var out capped
	cmd.Stdout = &out
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil, "", fmt.Errorf("%w: %w", ErrFailed, context.Cause(ctx))
	case errors.As(err, &exit) && exit.ExitCode() == exitRefused:
		return nil, "", ErrRefused
	case err != nil:
		return nil, "", ErrFailed // The cause names a path.
	}
	// What the child says is not believed further than it must be.
	kind := Sniff(out.Bytes())
	if kind == "" || kind != Sniff(raw) || out.Len() > MaxBytes {
		return nil, "", ErrFailed
	}
	return out.Bytes(), kind, nil
}

// A capped buffer takes no more than a clean file can be, and one byte that says
// that it was more.
type capped struct{ bytes.Buffer }

// ReadFrom is what the parent copies by.
func (c *capped) ReadFrom(r io.Reader) (int64, error) {
	return c.Buffer.ReadFrom(io.LimitReader(r, MaxBytes+1))
}

// Main is the whole life of a child: it gives up what it could do to others,
// reads the file from in, cleans it and writes it to out. It returns the exit
// code of the process.
func Main(in io.Reader, out io.Writer) int {
	if err := confine(); err != nil {
		return 1
	}
	raw, err := io.ReadAll(io.LimitReader(in, MaxBytes+1))
	if err != nil {
		return 1
	}
	clean, _, err := Clean(raw)
	if err != nil {
		return exitRefused
	}
	if _, err := out.Write(clean); err != nil {
		return 1
	}
	return 0
}

// Self is a Child that is the running program again, called with args. It is the
// same program also where its file was replaced meanwhile, on Linux.
func Self(args ...string) (Child, error) {
	if _, err := os.Stat(selfPath); selfPath != "" && err == nil {
		return Child{Path: selfPath, Args: args}, nil
	}
	path, err := os.Executable()
	if err != nil {
		return Child{}, fmt.Errorf("scrub: find the running program: %w", err)
	}
	return Child{Path: path, Args: args}, nil
}
