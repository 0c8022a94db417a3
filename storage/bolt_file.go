package storage

import (
	"os"
	"sync"

	bolt "go.etcd.io/bbolt"
)

// An openFile is the open database. Compact puts another one in its place while
// nobody is at it.
type openFile struct {
	// gate is held for reading by whoever is at db and file, and for writing
	// while they are replaced.
	gate sync.RWMutex
	db   *bolt.DB
	file *os.File // for closing where bbolt cannot
}
