package storage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	bolt "go.etcd.io/bbolt"
)

// renew puts a file of this version's format in the place of an open one of
// format 1. Whenever the process or the power ends, there is either the old
// file or the new one, whole, under the name. After an error the old one is.
// Leases are given up, as the next process does in any case.
func renew(path string, old *openFile, size int64) (*openFile, error) {
	db, file, err := draft(path, size, func(to *bolt.DB) error { return convert(to, old.db) })
	if err != nil {
		return nil, fmt.Errorf("storage: bring the file to this version's format: %w", err)
	}
	if err := os.Rename(path+draftSuffix, path); err != nil {
		return nil, errors.Join(fmt.Errorf("storage: bring the file to this version's format: %w", err), closeDB(db, file), removeDraft(path))
	}
	if err := errors.Join(closeDB(old.db, old.file), syncFolder(filepath.Dir(path))); err != nil {
		return nil, errors.Join(err, closeDB(db, file))
	}
	return &openFile{db: db, file: file}, nil
}

// convert fills an empty database with what one of format 1 keeps.
func convert(to, from *bolt.DB) error {
	if err := to.Update(initialize); err != nil {
		return err
	}
	f := newFiller(func(change func(*table) error) error {
		return to.Update(func(tx *bolt.Tx) error {
			t := &table{bucket: tx.Bucket([]byte(bucketName))}
			if err := change(t); err != nil {
				return err
			}
			t.flush()
			return t.err
		})
	})
	return from.View(func(tx *bolt.Tx) error {
		t := &table1{table{bucket: tx.Bucket([]byte(bucketName))}}
		if err := dump(context.Background(), t, f.add); err != nil {
			return err
		}
		return f.finish()
	})
}

// A table1 is a table of format 1, which differs in this:
//
//	'r' id                → version, alarm, names, state
//	'e' len id event      → the instant at which the event was handled
//	'q' len id lane seq   → an item without its body
//	'h' and 'w'           → the id instead of the serial
//	't' instant len id event
type table1 struct{ table }

const (
	formatName1 = "1"
	kindRecord1 = 'r'
	kindEvent1  = 'e'
	kindItem1   = 'q'
)

// pieces yields all conversations: those with a record, those without one that
// have items, and those that only have events.
func (t *table1) pieces(yield func(Piece) bool) {
	for k := range t.all([]byte{kindRecord1}) {
		if !yield(t.piece(string(k[1:]))) {
			return
		}
	}
	recorded := func(id string) bool { return t.get(key(kindRecord1, id)) != nil }
	if !t.conversations(kindItem1, func(id string) bool { return recorded(id) || yield(t.piece(id)) }) {
		return
	}
	t.conversations(kindEvent1, func(id string) bool {
		item, _ := t.first(appendName([]byte{kindItem1}, id))
		return item != nil || recorded(id) || yield(t.piece(id))
	})
}

// conversations calls visit with each conversation that has keys of the kind,
// until it returns false, and returns what it returned last.
func (t *table1) conversations(kind byte, visit func(id string) bool) bool {
	c := t.bucket.Cursor()
	for k, _ := c.Seek([]byte{kind}); k != nil && k[0] == kind; {
		end := 2 + int(k[1])
		prefix := slices.Clone(k[:end])
		if !visit(string(k[2:end])) {
			return false
		}
		k, _ = c.Seek(behind(prefix))
	}
	return true
}

// behind returns the first key after all that begin with prefix, which has a
// byte that is not 0xff.
func behind(prefix []byte) []byte {
	for i := len(prefix) - 1; ; i-- {
		if prefix[i]++; prefix[i] != 0 {
			return prefix[:i+1]
		}
	}
}

func (t *table1) piece(id string) Piece {
	p := Piece{ID: id}
	if value := t.get(key(kindRecord1, id)); value != nil {
		r := decodeRecord(value)
		p.Version, p.State, p.Names, p.Alarm = r.version, slices.Clone(r.state), r.names, r.alarm
	}
	events := appendName([]byte{kindEvent1}, id)
	for k, v := range t.all(events) {
		p.Events = append(p.Events, Handled{Event: string(k[len(events):]), At: instantOf(v)})
	}
	lanes := appendName([]byte{kindItem1}, id)
	for k, v := range t.all(lanes) {
		item, ok := decodeItem(k, v)
		if !ok {
			panic("an item of the outbox cannot be read")
		}
		p.Items = append(p.Items, t.queued(Lane(k[len(lanes)]), item))
	}
	return p
}
