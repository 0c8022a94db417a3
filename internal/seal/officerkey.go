package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/armor"
)

var (
	// ErrPassphrase says that the passphrase does not open the key file.
	ErrPassphrase = errors.New("seal: key file: wrong passphrase")
	// ErrKeyFile says that a file is neither an age identity file nor one that
	// age encrypted with a passphrase.
	ErrKeyFile = errors.New("seal: key file: want an age identity file, plain or encrypted with a passphrase")
)

// MinPassphrase is the length of the shortest passphrase that NewOfficerKey
// takes, in bytes.
const MinPassphrase = 12

// maxKeyFile bounds what is read of a key file.
const maxKeyFile = 1 << 20

// NewOfficerKey makes a hybrid key and returns its identity file, encrypted
// with the passphrase by age's scrypt and armored, and its public half. The age
// tool opens it as it is. cost is the binary logarithm of scrypt's work: 0 for
// age's default (18, about a second), anything lower in tests only.
func NewOfficerKey(passphrase string, cost int) (identityFile []byte, recipient string, err error) {
	if len(passphrase) < MinPassphrase {
		return nil, "", fmt.Errorf("seal: the passphrase is too short: want %d characters or more, such as five words", MinPassphrase)
	}
	key, err := age.GenerateHybridIdentity()
	if err != nil {
		return nil, "", fmt.Errorf("seal: officer's key: %w", err)
	}
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, "", fmt.Errorf("seal: passphrase: %w", err)
	}
	if cost != 0 {
		to.SetWorkFactor(cost)
	}
	recipient = key.Recipient().String()
	sealed, err := sealTo(fmt.Appendf(nil, "# public key: %s\n%s\n", recipient, key), to)
	if err != nil {
		return nil, "", fmt.Errorf("seal: officer's key: %w", err)
	}
	var out bytes.Buffer
	w := armor.NewWriter(&out)
	if _, err := w.Write(sealed); err != nil {
		return nil, "", err
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return out.Bytes(), recipient, nil
}

// Identities reads a key file: an age identity file, plain or encrypted with a
// passphrase, armored or not. passphrase is called when one is needed. Errors
// are ErrKeyFile, ErrPassphrase or passphrase's own, and hold nothing of the
// file.
func Identities(file []byte, passphrase func() (string, error)) ([]age.Identity, error) {
	if len(file) > maxKeyFile {
		return nil, ErrKeyFile
	}
	plain, err := decryptKeyFile(file, passphrase)
	if err != nil {
		return nil, err
	}
	ids, err := age.ParseIdentities(bytes.NewReader(plain))
	if err != nil {
		return nil, ErrKeyFile
	}
	return ids, nil
}

func decryptKeyFile(file []byte, passphrase func() (string, error)) ([]byte, error) {
	var sealed io.Reader = bytes.NewReader(file)
	switch {
	case bytes.HasPrefix(bytes.TrimSpace(file), []byte(armor.Header)):
		sealed = armor.NewReader(sealed)
	case !bytes.HasPrefix(file, []byte("age-encryption.org/")):
		return file, nil
	}
	asked := &askingIdentity{ask: passphrase}
	r, err := age.Decrypt(sealed, asked)
	switch {
	case asked.err != nil:
		return nil, asked.err
	case err != nil:
		return nil, ErrKeyFile
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxKeyFile))
	if err != nil {
		return nil, ErrKeyFile
	}
	return plain, nil
}

// An askingIdentity asks for the passphrase once it is known that one is
// needed.
type askingIdentity struct {
	ask func() (string, error)
	err error
}

// Unwrap implements age.Identity.
func (a *askingIdentity) Unwrap(stanzas []*age.Stanza) ([]byte, error) {
	if len(stanzas) != 1 || stanzas[0].Type != "scrypt" {
		return nil, age.ErrIncorrectIdentity
	}
	passphrase, err := a.ask()
	if err != nil {
		a.err = err
		return nil, err
	}
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		a.err = ErrPassphrase // It is empty.
		return nil, a.err
	}
	key, err := id.Unwrap(stanzas)
	if errors.Is(err, age.ErrIncorrectIdentity) {
		a.err = ErrPassphrase
	}
	return key, err
}

// PublicKey returns the public half of an identity of either kind.
func PublicKey(id age.Identity) (recipient string, ok bool) {
	switch id := id.(type) {
	case *age.HybridIdentity:
		return id.Recipient().String(), true
	case *age.X25519Identity:
		return id.Recipient().String(), true
	}
	return "", false
}
