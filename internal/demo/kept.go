package demo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt" //nolint:depguard // The demo looks at the file as a thief does, past the store.

	"suar/internal/caseid"
)

// Kept is what the server keeps at this moment, as whoever copies its file sees
// it.
type Kept struct {
	Size    int      `json:"size"` // of the file, in bytes
	Records []Record `json:"records"`
	// Cases are the codes of the transcripts.
	Cases []string `json:"cases"`
}

// A Record is one key of the store and the beginning of what is under it.
type Record struct {
	// Kind is the byte of the key that says what it is: the storage package lists
	// them. What is of a conversation has it after the conversation's number;
	// its name is "i" there and in the list of names.
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

const (
	headBytes = 24
	// kindConversation begins the keys of a conversation, then come the eight
	// bytes of its number.
	kindConversation = 'd'
	// kindTranscript is the kind of a transcript's header: its key ends with
	// the transcript's name.
	kindTranscript = 'x'
)

// errBusy says that the store was written to whenever it was copied.
var errBusy = errors.New("demo: the store changes faster than it can be copied")

// snapshot returns the store's file as one transaction left it. bbolt never
// writes to a page that the last transaction needs, so a copy is whole if no
// transaction ended meanwhile; that would have changed a meta page.
func (h *Hotline) snapshot() ([]byte, error) {
	for range 50 {
		before, err := h.meta()
		if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(h.store)
		if err != nil {
			return nil, err
		}
		after, err := h.meta()
		if err != nil {
			return nil, err
		}
		if bytes.Equal(before, after) {
			return data, nil
		}
	}
	return nil, errBusy
}

// meta is the beginning of the store's file. It changes with each transaction.
func (h *Hotline) meta() ([]byte, error) {
	f, err := os.Open(h.store)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, 2*os.Getpagesize())
	n, err := f.ReadAt(b, 0)
	if n == 0 && err != nil {
		return nil, err
	}
	return b[:n], nil
}

// copyStore writes a copy of the store's file to an officer's machine and
// returns its path, and what erases it.
func (h *Hotline) copyStore() (path string, erase func() error, err error) {
	h.opening.Lock()
	path = filepath.Join(h.machine, "suar.db")
	erase = func() error {
		defer h.opening.Unlock()
		return os.Remove(path)
	}
	data, err := h.snapshot()
	if err == nil {
		err = writeSparse(path, data)
	}
	if err != nil {
		h.opening.Unlock()
		return "", nil, fmt.Errorf("demo: copy the store: %w", err)
	}
	return path, erase, nil
}

// writeSparse writes a file without the zeros at its end, of which a young store
// is full, and then makes it as long as it is.
func writeSparse(path string, data []byte) error {
	if err := os.WriteFile(path, bytes.TrimRight(data, "\x00"), 0o600); err != nil {
		return err
	}
	return os.Truncate(path, int64(len(data)))
}

// Kept lists every record of the store.
func (h *Hotline) Kept() (_ Kept, err error) {
	path, erase, err := h.copyStore()
	if err != nil {
		return Kept{}, err
	}
	defer func() { err = errors.Join(err, erase()) }()
	info, err := os.Stat(path)
	if err != nil {
		return Kept{}, fmt.Errorf("demo: %w", err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		return Kept{}, fmt.Errorf("demo: read the copy: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	k := Kept{Size: int(info.Size()), Records: []Record{}, Cases: []string{}}
	err = db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bolt.Bucket) error {
			return b.ForEach(func(key, value []byte) error {
				k.add(key, value)
				return nil
			})
		})
	})
	return k, err
}

func (k *Kept) add(key, value []byte) {
	if len(key) == 0 {
		return
	}
	kind, rest := key[:1], key[1:]
	if key[0] == kindConversation && len(key) > 9 {
		kind, rest = key[9:10], slices.Concat(key[1:9], key[10:])
		if kind[0] == 'a' {
			kind = []byte("i")
		}
	}
	name, sum := sha256.Sum256(key), sha256.Sum256(value)
	k.Records = append(k.Records, Record{
		Kind: string(kind), Name: legible(rest), Size: len(value),
		Head: hex.EncodeToString(value[:min(len(value), headBytes)]),
		ID:   hex.EncodeToString(name[:8]), Sum: hex.EncodeToString(sum[:8]),
	})
	if key[0] == kindTranscript {
		if id, err := caseid.Parse(string(key[1:])); err == nil {
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
