//go:build unix && !aix && !solaris

package storage

import (
	"errors"
	"os"
	"syscall"
)

// abandon closes a file that bbolt can no longer close. Its map stays, and
// would keep the lock with it, until the process ends.
func abandon(file *os.File) error {
	return errors.Join(syscall.Flock(int(file.Fd()), syscall.LOCK_UN), file.Close())
}
