package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"filippo.io/age"
)

// An Entry is one line of a transcript.
type Entry struct {
	// At is when it happened; only the hour is kept, in UTC.
	At time.Time
	// From is who: "person", "bot", "officer:" and a name, or "somebody".
	From string
	// Kind is what: said, replied, claimed and the like.
	Kind string
	// Text is what was said. Bytes that are not UTF-8 become U+FFFD.
	Text string
}

// maxEntry is the padded length of the longest entry; longer texts are kept in
// several records.
const maxEntry = 32 << 10

// entryJSON is an entry as it is encrypted.
type entryJSON struct {
	N    uint64    `json:"n"`
	T    time.Time `json:"t"`
	From string    `json:"from"`
	Kind string    `json:"kind"`
	Text string    `json:"text"`
	// Part counts the records of one entry from 1, Parts is how many there
	// are. Both are left out of an entry that is whole.
	Part  int `json:"part,omitempty"`
	Parts int `json:"parts,omitempty"`
}

// ErrEntry says that an entry cannot be written: its sender and kind alone are
// longer than a record, or its year is not within 0 to 9999.
var ErrEntry = errors.New("seal: entry: the sender and kind are too long, or the year has more than four digits")

// split returns the entries as which e is written from number n on: one, or as
// many as its text needs. Nothing is lost: their texts joined are e's.
func split(e Entry, n uint64) ([]entryJSON, error) {
	whole := entryJSON{N: n, T: e.At.UTC().Truncate(time.Hour), From: e.From, Kind: e.Kind, Text: e.Text}
	if y := whole.T.Year(); y < 0 || y > 9999 {
		return nil, ErrEntry
	}
	if !utf8.ValidString(whole.Text) {
		whole.Text = string([]rune(whole.Text)) // As JSON does it, but before the cuts.
	}
	if fits(whole) {
		return []entryJSON{whole}, nil
	}
	texts, err := halve(whole, whole.Text)
	if err != nil {
		return nil, err
	}
	parts := make([]entryJSON, len(texts))
	for i, text := range texts {
		parts[i] = whole
		parts[i].N, parts[i].Text, parts[i].Part, parts[i].Parts = n+uint64(i), text, i+1, len(texts)
	}
	return parts, nil
}

// halve cuts text between runes until each piece fits.
func halve(e entryJSON, text string) ([]string, error) {
	// Numbers as long as any, so that what fits here fits with its own.
	e.N, e.Part, e.Parts, e.Text = 1<<63, 1<<62, 1<<62, text
	if fits(e) {
		return []string{text}, nil
	}
	cut := len(text) / 2
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	if cut == 0 {
		return nil, ErrEntry
	}
	left, err := halve(e, text[:cut])
	if err != nil {
		return nil, err
	}
	right, err := halve(e, text[cut:])
	if err != nil {
		return nil, err
	}
	return append(left, right...), nil
}

func fits(e entryJSON) bool { return len(e.marshal()) <= maxEntry }

func (e entryJSON) marshal() []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		panic(err) // Only the years that split refuses.
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// seal pads the entry and encrypts it to the case key.
func (e entryJSON) seal(to age.Recipient) ([]byte, error) {
	plain := e.marshal()
	size := minPadded
	for size < len(plain) {
		size *= 2
	}
	padded := append(plain, bytes.Repeat([]byte(" "), size-len(plain))...)
	return sealTo(padded, to)
}

var errEntry = errors.New("seal: not an entry")

// openEntry decrypts what seal wrote.
func openEntry(sealed []byte, key age.Identity) (entryJSON, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), key)
	if err != nil {
		return entryJSON{}, fmt.Errorf("%w: %w", errEntry, err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxEntry+1))
	if err != nil {
		return entryJSON{}, fmt.Errorf("%w: %w", errEntry, err)
	}
	var e entryJSON
	if len(plain) > maxEntry || json.Unmarshal(plain, &e) != nil {
		return entryJSON{}, errEntry // The cause could quote the text.
	}
	return e, nil
}
