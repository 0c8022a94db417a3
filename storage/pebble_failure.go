package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

// A breakage is what ends all writing: after a failed write or fsync the
// operating system may have dropped what it could not write, and only a fresh
// start sees what is really there.
type breakage struct {
	failed chan struct{} // closed when err is set

	mu  sync.Mutex
	err error
}

// happened returns ErrFailed with its cause once the store has failed.
func (b *breakage) happened() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// fail ends all writing.
func (b *breakage) fail(cause error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = fmt.Errorf("%w: %w", ErrFailed, plain(cause))
		close(b.failed)
	}
	return b.err
}

// guard does what writes. An error of it, or a panic, ends all writing.
func (e *Embedded) guard(write func() error) error {
	err := guarded(write)
	if err != nil && !errors.Is(err, ErrFailed) {
		err = e.breakage.fail(err)
	}
	return err
}

// errStopped is what is said where Pebble's own words are not passed on.
var errStopped = errors.New("the database stopped")

// guarded calls Pebble. A panic is an error.
func guarded(call func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case error:
			err = p
		default:
			err = errStopped
		}
	}()
	return call()
}

// unopened is why a store could not be opened.
func unopened(err error, path string) error {
	err = plain(err)
	if errors.Is(err, errStopped) {
		return fmt.Errorf("%w: %s", ErrDamaged, path)
	}
	return fmt.Errorf("storage: open: %w", err)
}

// plain is what the operating system says of an error, without what the
// libraries between say: they may quote keys.
func plain(err error) error {
	if pebble.IsCorruptionError(err) {
		return fmt.Errorf("%w (a block of a file)", ErrDamaged)
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (a file is missing)", ErrDamaged)
	}
	return errStopped
}

// A listener hears what Pebble says in the background. It keeps nothing of its
// words.
type listener struct{ breakage *breakage }

// Infof implements pebble.Logger.
func (listener) Infof(string, ...any) {}

// Errorf implements pebble.Logger.
func (listener) Errorf(string, ...any) {}

// Fatalf implements pebble.Logger: Pebble cannot go on, and the call must not
// return. Where it was the store that called Pebble, the call ends with
// the failure; where it was Pebble's own goroutine, that ends.
func (l listener) Fatalf(_ string, args ...any) {
	cause := errStopped
	for _, arg := range args {
		if err, ok := arg.(error); ok {
			cause = err
		}
	}
	err := l.breakage.fail(cause)
	if callerIsGuarded() {
		panic(err)
	}
	runtime.Goexit()
}

// events are what Pebble tells.
func (l listener) events() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: l.background,
		// Whoever reads what is damaged gets an error of it.
		DataCorruption: func(pebble.DataCorruptionInfo) {},
	}
}

// background is told of what Pebble could not do by itself. A damaged block
// stops the rewriting of its file and nothing else; the next Compact tells of
// it. Anything else would stop writers sooner or later.
func (l listener) background(err error) {
	if !pebble.IsCorruptionError(err) {
		_ = l.breakage.fail(err)
	}
}

// callerIsGuarded tells whether guarded is among the callers.
func callerIsGuarded() bool {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for {
		frame, more := frames.Next()
		if strings.HasSuffix(frame.Function, "storage.guarded") {
			return true
		}
		if !more {
			return false
		}
	}
}
