package roster

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the vector anew")

// TestSignatureVector: the signed roster in testdata/signed verifies in every
// later version, and by a plain Ed25519 signature over its bytes. Its key, 32
// bytes of 1, is known to everybody.
func TestSignatureVector(t *testing.T) {
	const folder = "testdata/signed"
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	if *update {
		for name, data := range map[string][]byte{
			"roster.yaml": []byte(embassy), "roster.yaml" + Signature: Sign([]byte(embassy), key),
			"roster_key": []byte(PublicKey(key.Public().(ed25519.PublicKey)) + "\n"),
		} {
			if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	file, signature, named := read("roster.yaml"), read("roster.yaml"+Signature), bytes.TrimSpace(read("roster_key"))
	public, err := ParsePublicKey(string(named))
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(file, signature, public); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(Sign(file, key), signature) {
		t.Error("the same file and key give another signature")
	}
	// As docs/formats.md says it.
	raw, err := base64.RawStdEncoding.DecodeString(string(named[len("ed25519:"):]))
	if err != nil {
		t.Fatal(err)
	}
	sum, err := base64.StdEncoding.DecodeString(string(bytes.TrimSuffix(signature, []byte("\n"))))
	if err != nil || !ed25519.Verify(raw, file, sum) {
		t.Errorf("it is no plain Ed25519 signature: %v", err)
	}
}
