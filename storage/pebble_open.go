package storage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// OpenEmbedded opens the store in the folder, and creates it, for its owner
// only, if there is none or if it is empty. It never changes what it does not
// know: see ErrDamaged, ErrFormat and ErrLocked.
func OpenEmbedded(path string) (*Embedded, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return nil, notFolder(path)
	}
	if err := makeFolder(path); err != nil {
		return nil, fmt.Errorf("storage: make the folder: %w", err)
	}
	f, err := lockFolder(path, false)
	if err != nil {
		return nil, err
	}
	e, err := openEmbedded(f, onDisk())
	if err != nil {
		return nil, errors.Join(err, f.unlock())
	}
	return e, nil
}

// ReadEmbedded opens an existing store for reading only: every write is
// ErrReadOnly. It needs no right to write, and changes and creates nothing.
// Several processes may read at once; while one writes it is ErrLocked, and
// while one reads nobody can open the store for writing. Otherwise the errors
// are those of OpenEmbedded.
func ReadEmbedded(path string) (*Embedded, error) {
	switch info, err := os.Stat(path); {
	case err != nil:
		return nil, fmt.Errorf("storage: open: %w", err)
	case !info.IsDir():
		return nil, notFolder(path)
	}
	f, err := lockFolder(path, true)
	if err != nil {
		return nil, err
	}
	e, err := readEmbedded(f)
	if err != nil {
		return nil, errors.Join(err, f.unlock())
	}
	return e, nil
}

func readEmbedded(f folder) (*Embedded, error) {
	format, err := f.format()
	if err != nil {
		return nil, err
	}
	if format == beginningFormat {
		return nil, fmt.Errorf("storage: open: %w", &fs.PathError{Op: "open", Path: filepath.Join(f.path, formatFile), Err: fs.ErrNotExist})
	}
	return open(f, onDisk(), toRead)
}

// openEmbedded opens the store in a folder that is locked.
func openEmbedded(f folder, files *files) (*Embedded, error) {
	format, err := f.format()
	if err != nil {
		return nil, err
	}
	if format == formatName {
		return open(f, files, toWrite)
	}
	err = f.setFormat(beginningFormat)
	if err == nil {
		err = f.clear()
	}
	if err != nil {
		return nil, fmt.Errorf("storage: create the store: %w", err)
	}
	e, err := open(f, files, toBegin)
	if err != nil {
		return nil, err
	}
	if err := f.setFormat(formatName); err != nil {
		return nil, fmt.Errorf("storage: create the store: %w", errors.Join(err, e.db.Close()))
	}
	return e, nil
}

const (
	// memTable is how much is kept in memory until it becomes tables on the disk,
	// one of each kind of keys: each of them costs an fsync. At most two and a half
	// are there.
	memTable = 8 << 20
	// blockCache is how much of the tables is kept in memory.
	blockCache = 12 << 20
)

// options are how Pebble keeps the store.
func options(files vfs.FS, l listener) *pebble.Options {
	o := &pebble.Options{
		FS:                          files,
		Logger:                      l,
		EventListener:               l.events(),
		FormatMajorVersion:          pebble.FormatTableFormatV6,
		MemTableSize:                memTable,
		MemTableStopWritesThreshold: 4,
		CacheSize:                   blockCache,
		MaxOpenFiles:                500,
		// Twice as many and twice as much as by default, so that what returns
		// anywhere among a million is written again less often; the filters spare
		// looking into most of them.
		L0CompactionThreshold: 8,
		LBaseMaxBytes:         128 << 20,
		// Writers never wait for the background to catch up: it does before long,
		// and a person does not wait for it.
		L0StopWritesThreshold: 1000,
		MaxManifestFileSize:   1 << 20,
	}
	// What is in memory becomes no more tables than there are kinds of keys.
	o.TargetFileSizes[0], o.TargetFileSizes[1] = memTable, 4<<20
	o.Levels[0].FilterPolicy = bloom.FilterPolicy(10)
	o.Experimental.SpanPolicyFunc = func(start []byte) (pebble.SpanPolicy, []byte, error) {
		next := strings.IndexFunc(spans, func(kind rune) bool { return byte(kind) > start[0] })
		if next < 0 {
			return pebble.SpanPolicy{}, nil, nil
		}
		return pebble.SpanPolicy{}, []byte{spans[next]}, nil
	}
	// What is kept is sealed: it cannot be compressed.
	o.Levels[0].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	return o
}

// An opening is what a store is opened for.
type opening int

const (
	toRead opening = iota
	toWrite
	toBegin
)

// open opens the database of a store.
func open(f folder, files *files, how opening) (*Embedded, error) {
	e := &Embedded{
		folder:   f,
		files:    files,
		readOnly: how == toRead,
		breakage: files.breakage,
		known:    newKnown(),
		outbox:   newOutbox(),
		told:     make(map[uint64]struct{}),
	}
	o := options(files, listener{e.breakage})
	o.ReadOnly = how == toRead
	o.ErrorIfNotExists = how != toBegin
	err := guarded(func() (err error) {
		e.db, err = pebble.Open(f.path, o)
		return err
	})
	if err != nil {
		return nil, unopened(err, f.path)
	}
	if err := e.survey(); err != nil {
		return nil, errors.Join(err, e.db.Close())
	}
	return e, nil
}

// survey reads what is kept in memory: the order of the outbox, and the number
// that comes next.
func (e *Embedded) survey() (err error) {
	if e.next, err = e.lookNumber([]byte{keyNumbers}); err != nil {
		return err
	}
	e.next = max(e.next, 1)
	e.reserved = e.next
	for found, err := range scan(e.db, []byte{keyItem}) {
		if err != nil {
			return err
		}
		if len(found.key) != itemSize {
			return fmt.Errorf("%w (%w)", ErrDamaged, errValue)
		}
		e.surveyItem(found)
	}
	if e.readOnly {
		return nil
	}
	e.names = newNames()
	for _, kind := range []byte{keySerial, keyName, keyTranscript} {
		for found, err := range scan(e.db, []byte{kind}) {
			if err != nil {
				return err
			}
			e.names.add(kind, string(found.key[1:]))
		}
	}
	return nil
}

// surveyItem puts an item into the order of the outbox. The items of a lane come
// in their order. One of a lane that this version does not know waits for one
// that does.
func (e *Embedded) surveyItem(found pair) {
	lane, serial, age := Lane(found.key[1]), binary.BigEndian.Uint64(found.key[2:]), seqOf(found.key)
	if e.outbox.lanes[lane] == nil {
		return
	}
	var head headItem
	if e.outbox.queue(serial, lane) == nil {
		item, err := decodeItem(found.value)
		if err != nil {
			item = keptItem{}
		}
		head = headOf(&item)
	}
	q, first := e.outbox.add(serial, lane, age, head)
	switch {
	case !first:
	case head.lease.token == 0:
		e.outbox.listReady(q)
	default:
		// Whether its instant has come, the next lease finds.
		e.outbox.listWaiting(q)
	}
}
