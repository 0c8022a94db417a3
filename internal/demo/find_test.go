package demo

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"
	"unicode/utf16"
)

func TestFind(t *testing.T) {
	wide := func(order binary.AppendByteOrder, text string) string {
		var b []byte
		for _, u := range utf16.Encode([]rune(text)) {
			b = order.AppendUint16(b, u)
		}
		return string(b)
	}
	const word = "Tolong?~"
	for _, c := range []struct {
		name, data string
		want       Hits
	}{
		{"as it is", "…" + word + "…", Hits{Raw: 1}},
		{"in other letters", "TOLONG?~ tolong?~", Hits{Raw: 2}},
		{"hex", hex.EncodeToString([]byte("a" + word)), Hits{Hex: 1}},
		{"large hex", strings.ToUpper(hex.EncodeToString([]byte("a" + word))), Hits{Hex: 1}},
		{"UTF-16, little end first", wide(binary.LittleEndian, "x"+word), Hits{UTF16: 1}},
		{"UTF-16, big end first", wide(binary.BigEndian, "x"+word), Hits{UTF16: 1}},
		{"base64 at the start of a group", base64.StdEncoding.EncodeToString([]byte("abc" + word + "ab")), Hits{Base64: 1}},
		{"base64 one later", base64.StdEncoding.EncodeToString([]byte("a" + word + "ab")), Hits{Base64: 1}},
		{"base64 two later", base64.RawStdEncoding.EncodeToString([]byte("ab" + word)), Hits{Base64: 1}},
		{"base64 for addresses", base64.RawURLEncoding.EncodeToString([]byte("ab" + word + "c")), Hits{Base64: 1}},
		{"only a part of it", "Tolong", Hits{}},
		{"nothing", "", Hits{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := find([]byte(c.data), word); got != c.want {
				t.Errorf("find = %+v, want %+v", got, c.want)
			}
		})
	}
	if got := find([]byte("abc abc"), "abc"); got != (Hits{}) {
		t.Errorf("a word that is too short is found: %+v", got)
	}
}

func TestLegible(t *testing.T) {
	for _, c := range []struct{ key, want string }{
		{"0a1b2c3d", "0a1b2c3d"},
		{"\x200a1b2c3d\x00\x09", "‹20›0a1b2c3d‹0009›"},
		{"\x00\xff", "‹00ff›"},
		{"ab", "ab"},
		{"", ""},
	} {
		if got := legible([]byte(c.key)); got != c.want {
			t.Errorf("legible(%q) = %q, want %q", c.key, got, c.want)
		}
	}
}
