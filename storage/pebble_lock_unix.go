//go:build unix && !aix && !solaris

package storage

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks an open folder for one writer or for many readers, until it is
// closed. It is false if others have it.
func tryLock(folder *os.File, shared bool) (bool, error) {
	how := syscall.LOCK_EX
	if shared {
		how = syscall.LOCK_SH
	}
	for {
		err := syscall.Flock(int(folder.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		default:
			return false, &os.PathError{Op: "lock", Path: folder.Name(), Err: err}
		}
	}
}
