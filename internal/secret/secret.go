// Package secret is a text that must not be printed.
package secret

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// secretText is what a secret prints as.
const secretText = "<secret>"

// A Secret is a text that must not be printed: a token, a password, a key. It
// prints as "<secret>" by every verb of fmt, in JSON, as text and in slog, also
// inside other values. The zero Secret is empty and prints the same.
type Secret struct {
	// value is behind a pointer because fmt calls no methods on unexported
	// fields: a Secret in such a field then prints as an address.
	value *string
}

// New returns a Secret that holds value.
func New(value string) Secret { return Secret{value: &value} }

// Reveal returns the text. Call it where the text is used and nowhere else.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty reports whether the text is empty.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// Equal reports whether both texts are the same, in a time that depends on
// their lengths only.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// Format prints "<secret>" whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, secretText) }

// String returns "<secret>".
func (Secret) String() string { return secretText }

// MarshalText returns "<secret>": a Secret is read from a file, never written
// to one.
func (Secret) MarshalText() ([]byte, error) { return []byte(secretText), nil }

// UnmarshalText makes text the secret.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = New(string(text))
	return nil
}

// LogValue returns "<secret>".
func (Secret) LogValue() slog.Value { return slog.StringValue(secretText) }
