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

// A VaultKey is all that a [Vault] seals with: a keyring. It prints as
// "<secret>".
type VaultKey struct {
	// secret is the keyring's file, as keyring.String writes it.
	secret secret.Secret
}

var errVaultKey = errors.New("seal: vault key: want 32 random bytes as 64 hexadecimal digits or as base64, or a keyring as suar keys rotate writes it; make one with: head -c 32 /dev/urandom | base64")

// ParseVaultKey reads a vault key: a keyring, or 32 bytes as 64 hexadecimal digits
// or as base64, white space around it allowed, which is the keyring of one epoch
// that is derived from them. Its error says how to make a key, or which line of a
// keyring is wrong, and holds nothing of text. A key whose bytes are all the same
// is refused: it is a placeholder.
func ParseVaultKey(text []byte) (VaultKey, error) {
	text = bytes.TrimSpace(text)
	if bytes.HasPrefix(text, []byte("suar keyring")) {
		ring, err := parseKeyring(text)
		if err != nil {
			return VaultKey{}, err
		}
		return ring.key(), nil
	}
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
	if err != nil || len(key) != VaultKeySize || placeholder(key) {
		return VaultKey{}, errVaultKey // The cause would quote the text.
	}
	return keyringOf(key).key(), nil
}

// placeholder reports whether the bytes are all the same.
func placeholder(key []byte) bool { return bytes.Count(key, key[:1]) == len(key) }

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
