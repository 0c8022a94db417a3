// Package caseid is how a case is named: 16 random bytes, in hexadecimal for
// programs and the first five of them as a code for people.
package caseid

import (
	"encoding/base32"
	"encoding/hex"
	"errors"
	"strings"
)

// An ID is a case's 16 random bytes.
type ID [16]byte

// String returns the 32 hexadecimal digits that name the case's transcript in
// the store.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText is String.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText is Parse.
func (id *ID) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*id = parsed
	return nil
}

// Parse reads what ID.String gives.
func Parse(name string) (ID, error) {
	var id ID
	b, err := hex.DecodeString(name)
	if err != nil || len(b) != len(id) || name != strings.ToLower(name) {
		return id, errors.New("case id: want 32 hexadecimal digits")
	}
	copy(id[:], b)
	return id, nil
}

// codeBytes is how many bytes of the case id the code shows.
const codeBytes = 5

// crockford is Crockford's base 32, which has no I, L, O and U. It is a
// function because a package-level encoding would be a variable.
func crockford() *base32.Encoding {
	return base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)
}

// Code returns the code by which people name the case: its first 5 bytes in
// Crockford's base 32, as "XXXX-XXXX".
func (id ID) Code() string {
	s := crockford().EncodeToString(id[:codeBytes])
	return s[:4] + "-" + s[4:]
}

var errCode = errors.New("case code: want 8 letters and digits such as 7H2K-9QXM (no U)")

// ParseCode reads a code as people write it: in any case, with or without
// spaces and dashes, O for 0, and I or L for 1. It returns the 10 hexadecimal
// digits that the transcript's name begins with.
func ParseCode(code string) (prefix string, err error) {
	if len(code) > 64 {
		return "", errCode
	}
	var b strings.Builder
	for _, r := range code {
		switch r {
		case ' ', '-', '\t', '\u00a0', '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2212':
			continue
		case 'o', 'O':
			r = '0'
		case 'i', 'I', 'l', 'L':
			r = '1'
		}
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		b.WriteRune(r)
	}
	if b.Len() != base32.HexEncoding.WithPadding(base32.NoPadding).EncodedLen(codeBytes) {
		return "", errCode
	}
	raw, err := crockford().DecodeString(b.String())
	if err != nil || len(raw) != codeBytes {
		return "", errCode
	}
	return hex.EncodeToString(raw), nil
}
