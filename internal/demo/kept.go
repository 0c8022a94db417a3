package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2" //nolint:depguard // The demo looks at the files as a thief does, past the store.

	"suar/internal/caseid"
)

// Kept is what the server keeps at this moment, as whoever copies its files sees
// it.
type Kept struct {
	Size    int      `json:"size"` // of all files, in bytes
	Records []Record `json:"records"`
	// Cases are the codes of the transcripts.
	Cases []string `json:"cases"`
}

// A Record is one key of the store and the beginning of what is under it.
type Record struct {
	// Kind is what the key is: the storage package lists them. What is of a
	// conversation or a transcript has a second letter, which part it is.
	Kind string `json:"kind"`
	// Name is the rest of the key, bytes that are no text as ‹hex›.
	Name string `json:"name"`
	Size int    `json:"size"`
	// Head are the first bytes of the value, in hexadecimal digits.
	Head string `json:"head"`
	// ID names the key and Sum the value, to see what is new and what changed.
	ID  string `json:"id"`
	Sum string `json:"sum"`
}

const headBytes = 24

// errBusy says that the store's files came and went whenever they were copied.
var errBusy = errors.New("demo: the store changes faster than it can be copied")

// A listing is the store's files by their names, and how large they are.
type listing map[string]int64

// list lists the store's files.
func (h *Hotline) list() (listing, error) {
	entries, err := os.ReadDir(h.store)
	if err != nil {
		return nil, err
	}
	files := make(listing, len(entries))
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		files[e.Name()] = info.Size()
	}
	return files, nil
}

// equal reports whether both have the same files, of the same sizes but for the
// logs: those only grow, and any beginning of one is the store at some moment.
func (l listing) equal(other listing) bool {
	if len(l) != len(other) {
		return false
	}
	for name, size := range l {
		if now, ok := other[name]; !ok || now != size && filepath.Ext(name) != ".log" {
			return false
		}
	}
	return true
}

// copyTo copies the store's files to a folder, as they are at one moment.
func (h *Hotline) copyTo(folder string) error {
	for range 50 {
		if err := h.tryCopy(folder); !errors.Is(err, errBusy) && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return errBusy
}

// tryCopy copies the store's files, or returns errBusy if some came or went
// meanwhile.
func (h *Hotline) tryCopy(folder string) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	before, err := h.list()
	if err != nil {
		return err
	}
	if err := os.CopyFS(folder, os.DirFS(h.store)); err != nil {
		return err
	}
	after, err := h.list()
	if err == nil && !before.equal(after) {
		err = errBusy
	}
	return err
}

// copyStore writes a copy of the store to an officer's machine and returns its
// path, and what erases it.
func (h *Hotline) copyStore() (path string, erase func() error, err error) {
	h.opening.Lock()
	path = filepath.Join(h.machine, "store")
	erase = func() error {
		defer h.opening.Unlock()
		return os.RemoveAll(path)
	}
	if err := h.copyTo(path); err != nil {
		h.opening.Unlock()
		return "", nil, fmt.Errorf("demo: copy the store: %w", err)
	}
	return path, erase, nil
}

// Kept lists every record of the store.
func (h *Hotline) Kept() (_ Kept, err error) {
	path, erase, err := h.copyStore()
	if err != nil {
		return Kept{}, err
	}
	defer func() { err = errors.Join(err, erase()) }()
	k := Kept{Records: []Record{}, Cases: []string{}}
	entries, err := os.ReadDir(path)
	if err != nil {
		return Kept{}, fmt.Errorf("demo: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return Kept{}, fmt.Errorf("demo: %w", err)
		}
		k.Size += int(info.Size())
	}
	if err := k.read(path); err != nil {
		return Kept{}, fmt.Errorf("demo: read the copy: %w", err)
	}
	return k, nil
}

// read adds all records of a copy.
func (k *Kept) read(path string) (err error) {
	db, err := pebble.Open(path, &pebble.Options{ReadOnly: true, Logger: unheard{}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	it, err := db.NewIter(nil)
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		k.add(it.Key(), it.Value())
	}
	return it.Close()
}

// unheard hears what Pebble says of its work, which is nothing to the demo.
type unheard struct{}

func (unheard) Infof(string, ...any)        {}
func (unheard) Errorf(string, ...any)       {}
func (unheard) Fatalf(how string, a ...any) { panic(fmt.Sprintf(how, a...)) }

// The kinds of keys that have parts: a byte and eight of a number come before
// the part.
const (
	kindConversation = 'c'
	kindContent      = 'w'
)

// kindOf is what a key is, and the rest of the key.
func kindOf(key []byte) (kind string, rest []byte) {
	if len(key) > 9 && (key[0] == kindConversation || key[0] == kindContent) {
		return string([]byte{key[0], key[9]}), slices.Concat(key[1:9], key[10:])
	}
	return string(key[:1]), key[1:]
}

func (k *Kept) add(key, value []byte) {
	kind, rest := kindOf(key)
	name, sum := sha256.Sum256(key), sha256.Sum256(value)
	k.Records = append(k.Records, Record{
		Kind: kind, Name: legible(rest), Size: len(value),
		Head: hex.EncodeToString(value[:min(len(value), headBytes)]),
		ID:   hex.EncodeToString(name[:8]), Sum: hex.EncodeToString(sum[:8]),
	})
	if kind == "t" {
		if id, err := caseid.Parse(string(rest)); err == nil {
			k.Cases = append(k.Cases, id.Code())
		}
	}
}

// legible shows the text in a key as it is and other bytes as ‹hex›.
func legible(key []byte) string {
	var out strings.Builder
	for len(key) > 0 {
		n := 0
		for n < len(key) && key[n] > ' ' && key[n] < 0x7f {
			n++
		}
		if n >= 4 || n == len(key) {
			out.Write(key[:n])
			key = key[n:]
			continue
		}
		end := n
		for end < len(key) && (key[end] <= ' ' || key[end] >= 0x7f || !textFollows(key[end:])) {
			end++
		}
		out.WriteString("‹" + hex.EncodeToString(key[:end]) + "›")
		key = key[end:]
	}
	return out.String()
}

// textFollows says whether four or more letters, digits or signs come next.
func textFollows(b []byte) bool {
	for i := range 4 {
		if i >= len(b) || b[i] <= ' ' || b[i] >= 0x7f {
			return false
		}
	}
	return true
}
