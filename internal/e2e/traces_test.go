package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
)

// traces are the forms in which a text can lie in a file: as it is, in hex,
// base64 at each of three alignments, UTF-16, and escaped in JSON. A number is
// looked for as a number, too.
func traces(needle string) [][]byte {
	raw := []byte(needle)
	all := [][]byte{
		raw,
		[]byte(hex.EncodeToString(raw)),
		[]byte(strings.ToUpper(hex.EncodeToString(raw))),
	}
	for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for pad := range 3 {
			// The characters at both ends depend on what is beside the needle.
			text := enc.EncodeToString(append(make([]byte, pad), raw...))
			begin := (pad*8 + 5) / 6
			end := (pad + len(raw)) * 8 / 6
			all = append(all, []byte(text[begin:end]))
		}
	}
	var little, big []byte
	for _, u := range utf16.Encode([]rune(needle)) {
		little = binary.LittleEndian.AppendUint16(little, u)
		big = binary.BigEndian.AppendUint16(big, u)
	}
	all = append(all, little, big)
	if quoted := strconv.QuoteToASCII(needle); quoted[1:len(quoted)-1] != needle {
		all = append(all, []byte(quoted[1:len(quoted)-1]))
	}
	if n, err := strconv.ParseInt(needle, 10, 64); err == nil && n > 1<<32 {
		all = append(all,
			bytes.TrimLeft(binary.BigEndian.AppendUint64(nil, uint64(n)), "\x00"),
			bytes.TrimRight(binary.LittleEndian.AppendUint64(nil, uint64(n)), "\x00"),
			binary.AppendUvarint(nil, uint64(n)), binary.AppendVarint(nil, n))
	}
	return all
}

// holds tells whether a text holds a needle in any form.
func holds(text []byte, needle string) bool {
	for _, form := range traces(needle) {
		if bytes.Contains(text, form) {
			return true
		}
	}
	return false
}

// absent fails for each needle that the text holds. The needle is named, the
// text is not shown.
func absent(t testing.TB, where string, text []byte, needles map[string]string) {
	t.Helper()
	for name, needle := range needles {
		if holds(text, needle) {
			t.Errorf("%s holds the %s (%q)", where, name, needle)
		}
	}
}

// files are the contents of all files under a folder, and their names.
func files(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		all[name] = append([]byte(name+"\n"), raw...) // a name can tell, too
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestTraces makes sure that the search would find what it looks for.
func TestTraces(t *testing.T) {
	const needle = "canary-Ω-7310045118"
	for _, around := range []string{"", "x", "xy", "xyz"} {
		plain := around + needle + "rest"
		wide := utf16.Encode([]rune(plain))
		var little []byte
		for _, u := range wide {
			little = binary.LittleEndian.AppendUint16(little, u)
		}
		for form, text := range map[string]string{
			"raw":     plain,
			"hex":     hex.EncodeToString([]byte(plain)),
			"base64":  base64.StdEncoding.EncodeToString([]byte(plain)),
			"url":     base64.URLEncoding.EncodeToString([]byte(plain)),
			"utf-16":  string(little),
			"escaped": strconv.QuoteToASCII(plain),
		} {
			if !holds([]byte("before "+text+" after"), needle) {
				t.Errorf("%s after %q is not found", form, around)
			}
		}
	}
	id := binary.BigEndian.AppendUint64(nil, 7310045118)
	if !holds(id, "7310045118") {
		t.Error("a number is not found")
	}
	if holds([]byte("canary-Ω-7310045119 and more"), needle) {
		t.Error("what is not there is found")
	}
}
