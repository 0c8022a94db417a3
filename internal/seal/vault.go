package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/chacha20poly1305"
)

var (
	// ErrSealed says that sealed bytes do not open: they were changed, were
	// sealed with another key, or belong to another place.
	ErrSealed = errors.New("seal: does not open: wrong key, wrong place or changed bytes")
	// ErrEpoch says that sealed bytes name a key epoch that this vault does not
	// have: the epoch's key was dropped.
	ErrEpoch = errors.New("seal: sealed in an epoch whose key is not here")
	// ErrNewerEpoch is the ErrEpoch of an epoch that comes after all that this
	// vault has: somebody rotated the key and this process has not got it yet. It
	// passes as soon as it has.
	ErrNewerEpoch = fmt.Errorf("%w yet: the vault key was rotated, and this process has the keyring from before", ErrEpoch)
	// ErrOtherKeyring says that a keyring is not the successor of the one in use:
	// under its names nothing in the store would be found.
	ErrOtherKeyring = errors.New("seal: this keyring is another store's: its index and derive lines are not those in use")
)

// lastingEpoch is that of SealLasting; the others count from 1.
const lastingEpoch uint32 = 0

const (
	epochSize    = 4
	sealOverhead = epochSize + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead
	minPadded    = 256
)

// A Vault seals what the server must reopen, binds it to the place where it is
// kept, and blinds names. All its methods may be called concurrently.
type Vault struct {
	// keys is a function because fmt prints what a pointer in an unexported
	// field points to when the verb is wrong, and a function never.
	keys func() *vaultKeys
	take func(*vaultKeys)
}

type vaultKeys struct {
	seals         uint32
	last          uint32
	aeads         map[uint32]cipher.AEAD // by epoch
	index, derive []byte
	blind         *Keyed // by index
}

// NewVault returns the vault of the key. It panics if the key is the zero
// VaultKey.
func NewVault(key VaultKey) *Vault {
	keys := new(atomic.Pointer[vaultKeys])
	keys.Store(key.open())
	return &Vault{keys: keys.Load, take: keys.Store}
}

// Take goes over to a keyring that was made from the one in use: from now on the
// vault seals with the epoch that it names, and opens what its epochs have
// sealed. Blind names and derived keys stay. It returns ErrOtherKeyring, and
// changes nothing, for a keyring of another store. What other goroutines are
// sealing at this moment is sealed by the one or the other. Take itself is called
// by one goroutine at a time.
func (v *Vault) Take(key VaultKey) error {
	now, next := v.keys(), key.open()
	if !bytes.Equal(now.index, next.index) || !bytes.Equal(now.derive, next.derive) {
		return ErrOtherKeyring
	}
	next.blind = now.blind
	v.take(next)
	return nil
}

// Epoch is the epoch with which the vault seals.
func (v *Vault) Epoch() uint32 { return v.keys().seals }

// SealedIn returns the epoch that sealed bytes name; 0 for what SealLasting made,
// and for what is too short to be sealed. It proves nothing.
func SealedIn(sealed []byte) uint32 {
	if len(sealed) < sealOverhead {
		return 0
	}
	return binary.BigEndian.Uint32(sealed)
}

// subkey derives 32 bytes from the root for one use.
func subkey(root []byte, label string) []byte {
	k, err := hkdf.Key(sha256.New, root, nil, label, sha256.Size)
	if err != nil {
		panic(err) // Only a length beyond 255 hashes is refused.
	}
	return k
}

// Seal seals plain for the place that bucket and key name:
//
//	u32 epoch ‖ nonce of 24 bytes ‖ XChaCha20-Poly1305(plain, padded)
//
// with "hl1" ‖ bucket ‖ 0 ‖ key ‖ u32 epoch as additional data. plain is padded
// to a power of two, 256 at least, so that sizes say little. A NUL in bucket is
// a programmer's error and panics.
func (v *Vault) Seal(bucket, key string, plain []byte) []byte {
	keys := v.keys()
	return keys.seal(keys.seals, bucket, key, plain)
}

// SealLasting is Seal for what must open as long as the store lives, and is never
// sealed anew: a key that no rotation changes seals it, in epoch 0.
func (v *Vault) SealLasting(bucket, key string, plain []byte) []byte {
	return v.keys().seal(lastingEpoch, bucket, key, plain)
}

func (k *vaultKeys) seal(epoch uint32, bucket, key string, plain []byte) []byte {
	const head = epochSize + chacha20poly1305.NonceSizeX
	size := padded(len(plain))
	out := make([]byte, head, sealOverhead+size)
	binary.BigEndian.PutUint32(out, epoch)
	nonce := out[epochSize:]
	_, _ = rand.Read(nonce) // It never fails.
	// It is sealed where it is.
	text := out[head : head+size]
	copy(text, plain)
	text[len(plain)] = 0x80
	return k.aeads[epoch].Seal(out, nonce, text, place(bucket, key, epoch))
}

// Open returns what was sealed for the same bucket and key. It returns ErrEpoch
// if the bytes name an epoch that the vault has no key for, as ErrNewerEpoch if it
// comes after all that it has, and ErrSealed for anything else that does not open.
func (v *Vault) Open(bucket, key string, sealed []byte) ([]byte, error) {
	if len(sealed) < sealOverhead {
		return nil, ErrSealed
	}
	keys, e := v.keys(), binary.BigEndian.Uint32(sealed)
	aead := keys.aeads[e]
	switch {
	case aead == nil && e > keys.last:
		return nil, ErrNewerEpoch
	case aead == nil:
		return nil, ErrEpoch
	}
	nonce, box := sealed[epochSize:epochSize+chacha20poly1305.NonceSizeX], sealed[epochSize+chacha20poly1305.NonceSizeX:]
	padded, err := aead.Open(nil, nonce, box, place(bucket, key, e))
	if err != nil {
		return nil, ErrSealed
	}
	plain, ok := unpad(padded)
	if !ok {
		return nil, ErrSealed
	}
	return plain, nil
}

// Blind returns the name under which the store may know name: 32 hexadecimal
// digits of HMAC-SHA256(K_index, space ‖ 0 ‖ name). The same name in another
// space has another blind name. A NUL in space is a programmer's error and
// panics.
func (v *Vault) Blind(space, name string) string {
	mustHoldNoNUL(space)
	var room [128]byte
	code := v.keys().blind.Sum(append(append(append(room[:0], space...), 0), name...))
	return hex.EncodeToString(code[:16])
}

// Derive returns 32 bytes that only this vault's key gives for label: the keys
// of button codes and the like.
func (v *Vault) Derive(label string) []byte {
	k, err := hkdf.Expand(sha256.New, v.keys().derive, label, sha256.Size)
	if err != nil {
		panic(err) // Only a length beyond 255 hashes is refused.
	}
	return k
}

// Format prints "<vault>" whatever the verb.
func (Vault) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "<vault>") }

func place(bucket, key string, epoch uint32) []byte {
	mustHoldNoNUL(bucket)
	aad := make([]byte, 0, 3+len(bucket)+1+len(key)+epochSize)
	aad = append(aad, "hl1"...)
	aad = append(aad, bucket...)
	aad = append(aad, 0)
	aad = append(aad, key...)
	return binary.BigEndian.AppendUint32(aad, epoch)
}

// mustHoldNoNUL keeps two places from being written the same way.
func mustHoldNoNUL(s string) {
	if strings.IndexByte(s, 0) >= 0 {
		panic("seal: NUL in the name of a bucket or a space")
	}
}

// padded is how long a text of n bytes is with a one bit and zeros up to a power
// of two after it (ISO/IEC 7816-4).
func padded(n int) int {
	size := minPadded
	for size < n+1 {
		size *= 2
	}
	return size
}

func unpad(padded []byte) (plain []byte, ok bool) {
	end := len(bytes.TrimRight(padded, "\x00")) - 1
	if end < 0 || padded[end] != 0x80 {
		return nil, false
	}
	return padded[:end:end], true
}
