// Command secondreader reads an exported case with nothing of Suar but
// docs/formats.md: it was written from that page, imports age and the standard
// library only, and its test holds it against the program's own reader. Where the
// two disagree, the page is wrong.
//
//	secondreader FOLDER IDENTITY-FILE [WITNESS]
//
// The identity file is not protected by a passphrase. It prints a line of JSON
// for each record and ends with 1 if not all of it is proven.
package main

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"filippo.io/age"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: secondreader FOLDER IDENTITY-FILE [WITNESS]")
		os.Exit(2)
	}
	witness := ""
	if len(os.Args) > 3 {
		witness = os.Args[3]
	}
	lines, err := Read(os.Args[1], os.Args[2], witness)
	out := json.NewEncoder(os.Stdout)
	for _, l := range lines {
		if err := out.Encode(l); err != nil {
			os.Exit(2)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "secondreader:", err)
		os.Exit(1)
	}
}

// A Line is a record as it was read.
type Line struct {
	N      uint64 `json:"n"`
	Hour   string `json:"t"`
	From   string `json:"from"`
	Kind   string `json:"kind"`
	Text   string `json:"text"`
	Part   int    `json:"part"`
	Parts  int    `json:"parts"`
	Proven bool   `json:"-"`
}

// Read returns the records of the folder and an error that says what is not
// proven.
func Read(folder, identityFile, witness string) ([]Line, error) {
	key, err := os.Open(identityFile) //nolint:gosec // Whoever runs it names the file.
	if err != nil {
		return nil, err
	}
	defer key.Close()
	identities, err := age.ParseIdentities(key)
	if err != nil {
		return nil, err
	}
	head, err := decrypt(filepath.Join(folder, "header.age"), identities...)
	if err != nil {
		return nil, err
	}
	c, err := begin(head)
	if err != nil {
		return nil, err
	}
	list, err := os.ReadFile(filepath.Join(folder, "CHAIN")) //nolint:gosec // As above.
	if err != nil {
		return nil, err
	}
	rows := strings.Split(strings.TrimSuffix(string(list), "\n"), "\n")
	if rows[0] != "HL1 "+hex.EncodeToString(c.id) {
		return nil, errors.New("the header is of another case, or the folder of another format")
	}
	var lines []Line
	var broken error
	for _, row := range rows[1:] {
		l, err := c.record(folder, strings.Fields(row), broken == nil)
		if err != nil && broken == nil {
			broken = fmt.Errorf("after %d records nothing is proven: %w", c.count, err)
		}
		if l != nil {
			lines = append(lines, *l)
		}
	}
	if broken == nil && witness != "" {
		broken = c.compare(witness)
	}
	return lines, broken
}

// A chain is where the proof stands.
type chain struct {
	id, a, head []byte
	epoch       uint32
	caseKey     age.Identity
	count       uint64
	heads       []string // after count records
}

// begin reads the plain text of a header.
func begin(header []byte) (*chain, error) {
	f := map[string]string{}
	for row := range strings.SplitSeq(string(header), "\n") {
		name, value, ok := strings.Cut(strings.TrimPrefix(row, "# "), ": ")
		if !strings.HasPrefix(row, "# ") || !ok {
			continue
		}
		if _, twice := f[name]; twice {
			return nil, errors.New("header: a name is there twice")
		}
		f[name] = value
	}
	id, err1 := hex.DecodeString(f["case"])
	a0, err2 := hex.DecodeString(f["mac0"])
	before, err3 := hex.DecodeString(f["prev-head"])
	epoch, err4 := strconv.ParseUint(f["epoch"], 10, 32)
	keys, err5 := age.ParseIdentities(strings.NewReader(string(header)))
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	if f["version"] != "HL1" || len(id) != 16 || len(a0) != 32 || len(before) != 32 || len(keys) != 1 {
		return nil, errors.New("header: not HL1")
	}
	hybrid, ok := keys[0].(*age.HybridIdentity)
	if !ok {
		return nil, errors.New("header: the case key is not hybrid")
	}
	c := &chain{id: id, a: a0, epoch: uint32(epoch), caseKey: hybrid}
	c.head = hash([]byte("hl1 head"), id, binary.BigEndian.AppendUint32(nil, c.epoch), before, []byte(hybrid.Recipient().String()))
	c.heads = []string{hex.EncodeToString(c.head)}
	return c, nil
}

// record reads the record of a row of CHAIN, and follows the chain if prove.
func (c *chain) record(folder string, row []string, prove bool) (*Line, error) {
	if len(row) != 3 {
		return nil, errors.New("a record is damaged")
	}
	entry, err := os.ReadFile(filepath.Join(folder, filepath.Base(row[0]))) //nolint:gosec // As above.
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(row[1], 10, 64)
	if err != nil {
		return nil, err
	}
	tag, err := hex.DecodeString(row[2])
	if err != nil {
		return nil, err
	}
	plain, err := decrypt(filepath.Join(folder, filepath.Base(row[0])), c.caseKey)
	if err != nil {
		return nil, err
	}
	var l Line
	if err := json.Unmarshal(plain, &l); err != nil {
		return nil, errors.New("an entry is no JSON")
	}
	switch {
	case !prove:
		return &l, errors.New("the chain is broken before")
	case number != c.count+1 || l.N != number:
		return &l, errors.New("a record is not the next one")
	}
	untagged := append([]byte("HLE1"), binary.BigEndian.AppendUint64(nil, number)...)
	untagged = binary.BigEndian.AppendUint32(untagged, uint32(len(entry)))
	untagged = append(untagged, entry...)
	m := hmac.New(sha256.New, expand(c.a, "hl1 mac tag"))
	m.Write(c.id)
	m.Write(binary.BigEndian.AppendUint32(nil, c.epoch))
	m.Write(c.head)
	m.Write(untagged)
	if !hmac.Equal(m.Sum(nil), tag) {
		return &l, errors.New("a tag does not fit")
	}
	c.a, c.head = expand(c.a, "hl1 mac next"), hash(c.head, untagged, tag)
	c.count++
	c.heads = append(c.heads, hex.EncodeToString(c.head))
	l.Proven = true
	return &l, nil
}

// compare looks at a witness such as #12·0a1b2c3d4e5f6071.
func (c *chain) compare(witness string) error {
	count, digits, _ := strings.Cut(strings.TrimPrefix(witness, "#"), "·")
	n, err := strconv.ParseUint(count, 10, 64)
	switch {
	case err != nil || len(digits) < 16:
		return errors.New("not a witness")
	case n > c.count:
		return errors.New("the end is missing")
	case !strings.HasPrefix(c.heads[n], digits):
		return errors.New("another transcript was witnessed")
	}
	return nil
}

func decrypt(path string, keys ...age.Identity) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // As above.
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := age.Decrypt(f, keys...)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, 1<<16))
}

func hash(parts ...[]byte) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

func expand(key []byte, label string) []byte {
	out, err := hkdf.Expand(sha256.New, key, label, 32)
	if err != nil {
		panic(err) // Only of a length beyond what HKDF gives.
	}
	return out
}
