package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"sync"
)

// Keyed makes HMAC-SHA256 with one key. It keeps what does not depend on the
// message, which is more than half of the work for a short one. Its methods may
// be called concurrently.
type Keyed struct {
	// idle is a function because fmt prints what a pointer in an unexported
	// field points to when the verb is wrong, and a function never.
	idle func() *sync.Pool
}

// NewKeyed returns the HMAC of the key.
func NewKeyed(key []byte) *Keyed {
	idle := &sync.Pool{New: func() any { return &keyedHash{Hash: hmac.New(sha256.New, key)} }}
	return &Keyed{func() *sync.Pool { return idle }}
}

// Sum returns the code of the message.
func (k *Keyed) Sum(message []byte) (code [sha256.Size]byte) {
	h := k.idle().Get().(*keyedHash)
	h.Reset()
	h.message = append(h.message[:0], message...)
	_, _ = h.Write(h.message)
	h.Hash.Sum(h.code[:0])
	code = h.code
	k.idle().Put(h)
	return code
}

// A keyedHash has room for a message and its code, so that they need not be where
// the garbage is collected.
type keyedHash struct {
	hash.Hash
	message []byte
	code    [sha256.Size]byte
}

// Format prints "<keyed>" whatever the verb.
func (*Keyed) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "<keyed>") }
