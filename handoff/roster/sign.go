package roster

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"strings"
)

// Signature is how the file that holds a roster's signature is called: the
// roster's name and this.
const Signature = ".sig"

// ErrUnsigned says that a signature is not that of the roster's key.
var ErrUnsigned = errors.New("roster: the signature is not one of this key for this file")

// ErrKey says that a text is no public key of a roster.
var ErrKey = errors.New("roster: want a roster's public key, ed25519: and 43 characters, as suar roster keygen prints it")

// keyPrefix begins a public key, so that it is not taken for another.
const keyPrefix = "ed25519:"

// PublicKey is the text by which a configuration names the key that signs its
// rosters.
func PublicKey(key ed25519.PublicKey) string {
	return keyPrefix + base64.RawStdEncoding.EncodeToString(key)
}

// ParsePublicKey reads what PublicKey writes.
func ParsePublicKey(text string) (ed25519.PublicKey, error) {
	rest, ok := strings.CutPrefix(text, keyPrefix)
	key, err := base64.RawStdEncoding.Strict().DecodeString(rest)
	if !ok || err != nil || len(key) != ed25519.PublicKeySize {
		return nil, ErrKey
	}
	return key, nil
}

// Sign returns the content of a roster's signature file: a plain Ed25519
// signature of the file's bytes, in Base64, and a newline.
func Sign(file []byte, key ed25519.PrivateKey) []byte {
	return []byte(base64.StdEncoding.EncodeToString(ed25519.Sign(key, file)) + "\n")
}

// Verify returns ErrUnsigned unless the signature is the key's for just this file.
func Verify(file, signature []byte, key ed25519.PublicKey) error {
	sum, err := base64.StdEncoding.Strict().DecodeString(string(bytes.TrimSpace(signature)))
	if err != nil || !ed25519.Verify(key, file, sum) {
		return ErrUnsigned
	}
	return nil
}
