//go:build linux

package main

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// They make the test's own program harden itself, say what holds, and end; the second
// becomes nobody with a small limit before.
const (
	hardenedArgument = "harden-and-tell"
	limitedArgument  = "harden-limited"
)

// hardenAndTell is the life of a child of TestHarden and TestHardenLimited.
func hardenAndTell(limited bool) {
	if limited {
		small := unix.Rlimit{Cur: 64 << 10, Max: 64 << 10}
		if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &small); err != nil {
			panic(err)
		}
		if os.Getuid() == 0 {
			if err := unix.Setuid(65534); err != nil {
				panic(err)
			}
		}
	}
	harden()
	// It is touched, so that it is needed.
	more := make([]byte, 256<<20)
	for i := 0; i < len(more); i += 4096 {
		more[i] = 1
	}
	if mayLock() {
		fmt.Println("It may lock.")
	}
	sayProtections(protections(), os.Stdout, os.Stdout)
	fmt.Printf("%d MB more are there.\n", len(more)>>20)
}

// mayLock reports whether the limit is endless, or a mapping of more than the limit
// can be locked.
func mayLock() bool {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		panic(err)
	}
	if limit.Cur == unix.RLIM_INFINITY {
		return true
	}
	if limit.Cur > surelyReserved {
		return false
	}
	room, err := unix.Mmap(-1, 0, 2*surelyReserved, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return false
	}
	_, _, errno := unix.Syscall(unix.SYS_MLOCK2, uintptr(unsafe.Pointer(&room[0])), uintptr(len(room)), unix.MLOCK_ONFAULT)
	return errno == 0 && unix.Munmap(room) == nil
}
