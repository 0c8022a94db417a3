package main

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// surelyReserved is less than what the Go runtime reserves at its start, in bytes:
// more than a gigabyte.
const surelyReserved = 256 << 20

// harden keeps what is in the memory of this process from its disk and from other
// processes, as far as the system lets it: no core dump, no reading by another
// process of the same user, no swap. What does not succeed is left: protections
// tells what holds. It is for the beginning of main.
func harden() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	// It also forbids a debugger of the same user, and a core dump that is handed
	// to a program, for which the limit does not count.
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	// Whoever may raise it; root, as a rule.
	endless := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &endless)
	// Under a limit the first memory that is needed beyond it would end the process,
	// perhaps in the middle of a night: the Go runtime reserves far more than it uses,
	// and all of it counts. Only the capability to lock (CAP_IPC_LOCK) lifts it, and
	// whether that counts here the system says best itself: under a limit that the
	// process is beyond already it locks nothing for anybody without.
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit) != nil || limit.Cur != unix.RLIM_INFINITY && limit.Cur > surelyReserved {
		return
	}
	// On fault: pages that are reserved and never touched take no memory.
	_ = unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
}

// protections asks the system what holds.
func protections() []protection {
	var core unix.Rlimit
	noCore := unix.Getrlimit(unix.RLIMIT_CORE, &core) == nil && core.Cur == 0 && core.Max == 0
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	status, _ := os.ReadFile("/proc/self/status") // Where there is none, nothing is known to be locked.
	swaps, noSwaps := os.ReadFile("/proc/swaps")
	memory := protection{
		What:  "memory is locked, so that nothing of it is swapped to a disk",
		Holds: locked(string(status)),
		Todo:  "Give it an endless limit: LimitMEMLOCK=infinity in the systemd unit, --ulimit memlock=-1:-1 with docker, ulimits in a compose file",
	}
	if !memory.Holds && noSwaps == nil && strings.Count(strings.TrimSpace(string(swaps)), "\n") == 0 {
		memory.Todo += "; this machine has no swap now, so nothing is swapped until somebody adds one"
	}
	return []protection{
		{
			What:  "no core dump is written",
			Holds: noCore,
			Todo:  "The system refused the limit: set LimitCORE=0 in the systemd unit, --ulimit core=0 with docker",
		},
		{
			What:  "other processes of the same user cannot read the memory",
			Holds: err == nil && dumpable == 0,
			Todo:  "The system refused it: look whether a system call filter forbids prctl",
		},
		memory,
	}
}

// locked reports whether the status of a process says that memory is locked.
func locked(status string) bool {
	for line := range strings.Lines(status) {
		if amount, ok := strings.CutPrefix(line, "VmLck:"); ok {
			return strings.TrimSpace(amount) != "0 kB"
		}
	}
	return false
}
