//go:build !unix || aix || solaris

package storage

import (
	"errors"
	"os"
)

// tryLock cannot keep a second process out here, and so lets none in.
func tryLock(folder *os.File, _ bool) (bool, error) {
	return false, &os.PathError{Op: "lock", Path: folder.Name(), Err: errors.ErrUnsupported}
}
