package scrub

import (
	"fmt"
	"syscall"
	"time"
)

// selfPath is the running program, whatever became of its file.
const selfPath = "/proc/self/exe"

// The most that a child may use.
const (
	mostMemory  = 256 << 20 * raceFactor // bytes that can be written to
	mostSeconds = 5                      // of a processor
)

// Numbers of prctl(2).
const (
	prSetDumpable   = 4
	prSetNoNewPrivs = 38
)

// confine takes from the process what reading a file does not need: to open
// anything (files, connections, other processes' memory), to write a file, to
// become somebody else, much memory and much time.
func confine() error {
	// The runtime opens what it waits with when the first timer that has a
	// function begins, its own for collecting garbage among them; later it could
	// not, and the process would die of it.
	time.AfterFunc(time.Hour, func() {}).Stop()
	for _, l := range []struct {
		what  int
		limit uint64
	}{
		{syscall.RLIMIT_CORE, 0},
		{syscall.RLIMIT_CPU, mostSeconds},
		{syscall.RLIMIT_DATA, mostMemory},
		{syscall.RLIMIT_FSIZE, 0}, // It does not hold for pipes.
		{syscall.RLIMIT_NOFILE, 0},
	} {
		if err := syscall.Setrlimit(l.what, &syscall.Rlimit{Cur: l.limit, Max: l.limit}); err != nil {
			return fmt.Errorf("scrub: limit %d: %w", l.what, err)
		}
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0); errno != 0 {
		return fmt.Errorf("scrub: no dumps: %w", errno)
	}
	// Under cgo, which only tests are built with, it cannot be done for all
	// threads.
	_, _, errno := syscall.AllThreadsSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0)
	if errno != 0 && errno != syscall.ENOTSUP {
		return fmt.Errorf("scrub: no new privileges: %w", errno)
	}
	return nil
}
