package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"

	"suar/internal/secret"
)

// VaultKeySize is the length of a vault key in bytes.
const VaultKeySize = 32

// A VaultKey is the root of all that a [Vault] seals. It prints as "<secret>".
type VaultKey struct{ secret secret.Secret }

var errVaultKey = errors.New("seal: vault key: want 32 random bytes as 64 hexadecimal digits or as base64; make one with: head -c 32 /dev/urandom | base64")

// ParseVaultKey reads a vault key: 32 bytes as 64 hexadecimal digits or as
// base64, white space around it allowed. Its error says how to make a key and
// holds nothing of text. A key whose bytes are all the same is refused: it is a
// placeholder.
func ParseVaultKey(text []byte) (VaultKey, error) {
	text = bytes.TrimSpace(text)
	var key []byte
	var err error
	switch len(text) {
	case hex.EncodedLen(VaultKeySize):
		key, err = hex.AppendDecode(nil, text)
	case base64.StdEncoding.EncodedLen(VaultKeySize):
		key, err = base64.StdEncoding.Strict().AppendDecode(nil, text)
	case base64.RawStdEncoding.EncodedLen(VaultKeySize):
		key, err = base64.RawStdEncoding.Strict().AppendDecode(nil, text)
	}
	if err != nil || len(key) != VaultKeySize || bytes.Count(key, key[:1]) == VaultKeySize {
		return VaultKey{}, errVaultKey // The cause would quote the text.
	}
	return VaultKey{secret.New(string(key))}, nil
}

// Format prints "<secret>" whatever the verb.
func (k VaultKey) Format(f fmt.State, verb rune) { k.secret.Format(f, verb) }

// MarshalText returns "<secret>".
func (k VaultKey) MarshalText() ([]byte, error) { return k.secret.MarshalText() }

// UnmarshalText is ParseVaultKey.
func (k *VaultKey) UnmarshalText(text []byte) error {
	parsed, err := ParseVaultKey(text)
	if err != nil {
		return err
	}
	*k = parsed
	return nil
}

// LogValue returns "<secret>".
func (k VaultKey) LogValue() slog.Value { return k.secret.LogValue() }
