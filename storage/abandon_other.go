//go:build !unix || aix || solaris

package storage

import "os"

// abandon closes a file that bbolt can no longer close. Its lock may last until
// the process ends.
func abandon(file *os.File) error { return file.Close() }
