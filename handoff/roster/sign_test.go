package roster

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestVerify(t *testing.T) {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{2}, 32))
	public, err := ParsePublicKey(PublicKey(key.Public().(ed25519.PublicKey)))
	if err != nil {
		t.Fatal(err)
	}
	file := []byte(embassy)
	good := Sign(file, key)
	if err := Verify(file, good, public); err != nil {
		t.Errorf("its own signature: %v", err)
	}
	flipped := slices.Clone(file)
	flipped[len(flipped)/2] ^= 1
	for name, c := range map[string]struct{ file, signature []byte }{
		"another key's":       {file, Sign(file, other)},
		"of another file":     {flipped, good},
		"of a longer file":    {append(slices.Clone(file), '\n'), good},
		"none":                {file, nil},
		"no Base64":           {file, []byte("signed, dewi")},
		"cut":                 {file, good[:40]},
		"two":                 {file, append(slices.Clone(good), good...)},
		"all zero":            {file, []byte(strings.Repeat("A", 86) + "==")},
		"with other spelling": {file, bytes.Replace(good, []byte("="), []byte(""), 1)},
	} {
		if err := Verify(c.file, c.signature, public); !errors.Is(err, ErrUnsigned) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "ed25519:", "ed25519:AAAA", PublicKey(public)[1:], PublicKey(public) + "A", "age1abc"} {
		if _, err := ParsePublicKey(text); !errors.Is(err, ErrKey) {
			t.Errorf("key %q: %v", text, err)
		}
	}
}
