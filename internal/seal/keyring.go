package seal

import (
	"bytes"
	"crypto/cipher"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"suar/internal/secret"
)

// keyringName is the first line of a keyring.
const keyringName = "suar keyring 1"

// A keyring is the keys of a vault, an epoch's each, and the two that no
// rotation changes, because the names in the store are made with them: those of
// the first root, from which nobody gets back to it or to the first epoch's key.
type keyring struct {
	index, derive []byte
	epochs        []epochKey // ascending
	seals         uint32     // one of them
}

type epochKey struct {
	n   uint32
	key []byte
}

// keyringOf derives the keyring of one root.
func keyringOf(root []byte) keyring {
	return keyring{
		index:  subkey(root, "hl1 vault index"),
		derive: subkey(root, "hl1 vault derive"),
		epochs: []epochKey{{1, subkey(root, "hl1 vault seal 1")}},
		seals:  1,
	}
}

// String writes the keyring's file.
func (r keyring) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nindex %x\nderive %x\nseal %d\n", keyringName, r.index, r.derive, r.seals)
	for _, e := range r.epochs {
		fmt.Fprintf(&b, "epoch %d %x\n", e.n, e.key)
	}
	return b.String()
}

func (r keyring) key() VaultKey { return VaultKey{secret.New(r.String())} }

// parseKeyring reads what String writes, with empty lines and lines that begin
// with '#' between. Its errors name the line and hold nothing of it.
func parseKeyring(text []byte) (keyring, error) {
	var r keyring
	fault := func(n int, what string) (keyring, error) {
		return keyring{}, fmt.Errorf("seal: keyring: line %d: %s", n+1, what)
	}
	lines := strings.Split(string(text), "\n")
	if strings.TrimSpace(lines[0]) != keyringName {
		return fault(0, "want "+keyringName)
	}
	var known [][]byte
	for i, line := range lines[1:] {
		n := i + 1
		f := strings.Fields(line)
		if len(f) == 0 || f[0][0] == '#' {
			continue
		}
		want := map[string]int{"index": 2, "derive": 2, "seal": 2, "epoch": 3}[f[0]]
		switch {
		case want == 0:
			return fault(n, "want index, derive, seal or epoch")
		case len(f) != want:
			return fault(n, fmt.Sprintf("%s: want %d words", f[0], want))
		}
		var number uint32
		if f[0] == "seal" || f[0] == "epoch" {
			e, err := strconv.ParseUint(f[1], 10, 32)
			if err != nil || e == 0 {
				return fault(n, f[0]+": want the number of an epoch, from 1")
			}
			number = uint32(e)
		}
		if f[0] == "seal" {
			if r.seals != 0 {
				return fault(n, "seal is there twice")
			}
			r.seals = number
			continue
		}
		key, err := hex.DecodeString(f[len(f)-1])
		if err != nil || len(key) != VaultKeySize || placeholder(key) {
			return fault(n, f[0]+": want a key of 64 hexadecimal digits that is no placeholder")
		}
		if slices.ContainsFunc(known, func(k []byte) bool { return bytes.Equal(k, key) }) {
			return fault(n, f[0]+": this key is there twice")
		}
		known = append(known, key)
		switch {
		case f[0] == "index" && r.index == nil:
			r.index = key
		case f[0] == "derive" && r.derive == nil:
			r.derive = key
		case f[0] != "epoch":
			return fault(n, f[0]+" is there twice")
		case len(r.epochs) > 0 && r.epochs[len(r.epochs)-1].n >= number:
			return fault(n, "epoch: the numbers must rise")
		default:
			r.epochs = append(r.epochs, epochKey{number, key})
		}
	}
	switch {
	case r.index == nil || r.derive == nil:
		return keyring{}, errors.New("seal: keyring: the line index or derive is missing: without it nothing in the store is found")
	case !r.has(r.seals):
		return keyring{}, errors.New("seal: keyring: the line seal must name an epoch whose key is here")
	}
	return r, nil
}

func (r keyring) has(epoch uint32) bool {
	return slices.ContainsFunc(r.epochs, func(e epochKey) bool { return e.n == epoch })
}

// ring reads the key's keyring. It panics if the key is the zero VaultKey.
func (k VaultKey) ring() keyring {
	r, err := parseKeyring([]byte(k.secret.Reveal()))
	if err != nil {
		panic("seal: NewVault without a key")
	}
	return r
}

// open makes the ciphers.
func (k VaultKey) open() *vaultKeys {
	r := k.ring()
	keys := &vaultKeys{seals: r.seals, index: r.index, derive: r.derive, blind: NewKeyed(r.index), aeads: map[uint32]cipher.AEAD{}}
	lasting := epochKey{lastingEpoch, expand([32]byte(r.derive), "hl1 vault lasting")}
	for _, e := range append([]epochKey{lasting}, r.epochs...) {
		aead, err := chacha20poly1305.NewX(e.key)
		if err != nil {
			panic(err) // Only a key of another size is refused.
		}
		keys.aeads[e.n], keys.last = aead, e.n
	}
	return keys
}

// Epochs returns the epochs whose keys are here, ascending, and the one that is
// sealed with.
func (k VaultKey) Epochs() (all []uint32, seals uint32) {
	r := k.ring()
	for _, e := range r.epochs {
		all = append(all, e.n)
	}
	return all, r.seals
}

// WithEpoch returns the key with a further epoch, which is not sealed with yet,
// and its number. rand must be cryptographically random.
func (k VaultKey) WithEpoch(rand io.Reader) (VaultKey, uint32, error) {
	r := k.ring()
	e := epochKey{r.epochs[len(r.epochs)-1].n + 1, make([]byte, VaultKeySize)}
	if _, err := io.ReadFull(rand, e.key); err != nil {
		return VaultKey{}, 0, fmt.Errorf("seal: randomness: %w", err)
	}
	r.epochs = append(r.epochs, e)
	return r.key(), e.n, nil
}

// SealWith returns the key that seals with the epoch, which is a later one.
func (k VaultKey) SealWith(epoch uint32) (VaultKey, error) {
	r := k.ring()
	switch {
	case !r.has(epoch):
		return VaultKey{}, fmt.Errorf("seal: keyring: there is no epoch %d", epoch)
	case epoch <= r.seals:
		return VaultKey{}, fmt.Errorf("seal: keyring: epoch %d is not later than epoch %d, with which is sealed", epoch, r.seals)
	}
	r.seals = epoch
	return r.key(), nil
}

// Without returns the key without the epoch, which is an earlier one than that
// which is sealed with. What it sealed opens never again.
func (k VaultKey) Without(epoch uint32) (VaultKey, error) {
	r := k.ring()
	switch {
	case !r.has(epoch):
		return VaultKey{}, fmt.Errorf("seal: keyring: there is no epoch %d", epoch)
	case epoch >= r.seals:
		return VaultKey{}, fmt.Errorf("seal: keyring: epoch %d is not over: epoch %d is sealed with", epoch, r.seals)
	}
	r.epochs = slices.DeleteFunc(r.epochs, func(e epochKey) bool { return e.n == epoch })
	return r.key(), nil
}

// File returns the keyring's file, for its owner only.
func (k VaultKey) File() []byte { return []byte(k.ring().String()) }
