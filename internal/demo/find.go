package demo

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"
)

// shortest is the length of the shortest word to look for, in bytes: two or
// three of any kind are in random bytes by chance.
const shortest = 4

// Hits are how often a word was found, by how it would be written.
type Hits struct {
	Raw    int `json:"raw"` // as text, upper and lower case alike
	Base64 int `json:"base64"`
	Hex    int `json:"hex"`
	UTF16  int `json:"utf16"`
}

// Sum is all of them.
func (h Hits) Sum() int { return h.Raw + h.Base64 + h.Hex + h.UTF16 }

// find looks for a word in bytes. It finds base64 of either alphabet wherever
// in a longer text the word begins, and UTF-16 of either byte order.
func find(data []byte, word string) Hits {
	w := []byte(word)
	if len(w) < shortest {
		return Hits{}
	}
	var h Hits
	small := lower(data)
	h.Raw = bytes.Count(small, lower(w))
	h.Hex = bytes.Count(small, []byte(hex.EncodeToString(w)))
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		var wide []byte
		for _, unit := range utf16.Encode([]rune(word)) {
			wide = order.AppendUint16(wide, unit)
		}
		// Of ASCII one order holds the other, a byte further on.
		h.UTF16 = max(h.UTF16, bytes.Count(small, lower(wide)))
	}
	for shift := range 3 {
		std := inBase64(base64.StdEncoding, w, shift)
		h.Base64 += bytes.Count(data, std)
		if u := inBase64(base64.URLEncoding, w, shift); !bytes.Equal(u, std) {
			h.Base64 += bytes.Count(data, u)
		}
	}
	return h
}

// inBase64 is what base64 makes of a word that begins shift bytes into a group
// of three, without the characters that what is around it decides too.
func inBase64(e *base64.Encoding, word []byte, shift int) []byte {
	text := e.AppendEncode(nil, append(make([]byte, shift), word...))
	first := (8*shift + 5) / 6
	last := 8 * (shift + len(word)) / 6
	return text[first:last]
}

// lower makes ASCII letters small and leaves all else as it is, unlike
// bytes.ToLower, which would mend what is not UTF-8.
func lower(b []byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}

// Found is what a search came to.
type Found struct {
	Word string `json:"word"`
	// Short says that the word is too short to look for.
	Short bool `json:"short"`
	// Files are what the server wrote.
	Files []FileHits `json:"files"`
	Total int        `json:"total"`
	// Telegram and Mattermost are the hits in what those two keep, for
	// comparison.
	Telegram   int `json:"telegram"`
	Mattermost int `json:"mattermost"`
}

// FileHits are the hits in one file.
type FileHits struct {
	Name string `json:"name"`
	Size int    `json:"size"`
	Hits
}

// Find looks for a word in every file that the hotline writes: its store, its
// log and whatever else is in its data folder. person is whose chat is looked
// into for comparison.
func (h *Hotline) Find(word string, person int64) (Found, error) {
	f := Found{Word: word, Files: []FileHits{}, Short: len(word) < shortest}
	if f.Short {
		return f, nil
	}
	root, err := os.OpenRoot(filepath.Dir(h.store))
	if err != nil {
		return f, fmt.Errorf("demo: look for a word: %w", err)
	}
	defer root.Close()
	err = fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), "OPTIONS") {
			return err // The settings of Pebble are the same in every store.
		}
		data, err := fs.ReadFile(root.FS(), name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // The store has just erased it.
		}
		if err != nil {
			return err
		}
		one := FileHits{Name: name, Size: len(data), Hits: find(data, word)}
		f.Files = append(f.Files, one)
		f.Total += one.Sum()
		return nil
	})
	if err != nil {
		return f, fmt.Errorf("demo: look for a word: %w", err)
	}
	dump, err := h.mattermost.Dump()
	if err != nil {
		return f, fmt.Errorf("demo: look for a word: %w", err)
	}
	f.Mattermost = find(dump, word).Raw
	for _, m := range h.telegram.Person(person).Chat() {
		f.Telegram += find([]byte(m.Text), word).Raw
	}
	return f, nil
}
