package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"
	"filippo.io/age/plugin"
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
	return newKey(cost, passphrase)
}

// NewSharedKey is NewOfficerKey for a key that two people can only open together:
// the file is encrypted with the second one's passphrase, and what is in it with
// the first one's. The two must differ.
func NewSharedKey(first, second string, cost int) (identityFile []byte, recipient string, err error) {
	if first == second {
		return nil, "", errors.New("seal: the two people's passphrases are the same: each chooses one that the other does not know")
	}
	return newKey(cost, first, second)
}

func newKey(cost int, passphrases ...string) (identityFile []byte, recipient string, err error) {
	for _, p := range passphrases {
		if len(p) < MinPassphrase {
			return nil, "", fmt.Errorf("seal: the passphrase is too short: want %d characters or more, such as five words", MinPassphrase)
		}
	}
	key, err := age.GenerateHybridIdentity()
	if err != nil {
		return nil, "", fmt.Errorf("seal: officer's key: %w", err)
	}
	recipient = key.Recipient().String()
	file := fmt.Appendf(nil, "# public key: %s\n%s\n", recipient, key)
	for _, p := range passphrases {
		if file, err = lock(file, p, cost); err != nil {
			return nil, "", err
		}
	}
	return file, recipient, nil
}

// lock encrypts a file with a passphrase and armors it.
func lock(file []byte, passphrase string, cost int) ([]byte, error) {
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, fmt.Errorf("seal: passphrase: %w", err)
	}
	if cost != 0 {
		to.SetWorkFactor(cost)
	}
	sealed, err := sealTo(file, to)
	if err != nil {
		return nil, fmt.Errorf("seal: officer's key: %w", err)
	}
	var out bytes.Buffer
	w := armor.NewWriter(&out)
	if _, err := w.Write(sealed); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// Identities reads a key file: an age identity file, plain or encrypted with a
// passphrase, or with two, one within the other; armored or not. passphrase is
// called for each that is needed, the outer one first. Errors are ErrKeyFile,
// ErrPassphrase or passphrase's own, and hold nothing of the file.
func Identities(file []byte, passphrase func() (string, error)) ([]age.Identity, error) {
	return IdentitiesWith(file, passphrase, &plugin.ClientUI{})
}

// IdentitiesWith is Identities for files that may name age plugins, such as those of
// hardware keys, which ask and tell through ui.
func IdentitiesWith(file []byte, passphrase func() (string, error), ui *plugin.ClientUI) ([]age.Identity, error) {
	for range maxPassphrases {
		if len(file) > maxKeyFile {
			return nil, ErrKeyFile
		}
		plain, err := decryptKeyFile(file, passphrase)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(plain, file) {
			return parseIdentities(file, ui)
		}
		file = plain
	}
	return parseIdentities(file, ui)
}

// maxPassphrases is how many passphrases may be around a key.
const maxPassphrases = 2

// parseIdentities reads an identity file.
func parseIdentities(file []byte, ui *plugin.ClientUI) ([]age.Identity, error) {
	var own bytes.Buffer
	var out []age.Identity
	hasLine := false // of an identity that is no plugin's
	for line := range bytes.SplitSeq(file, []byte("\n")) {
		text := string(bytes.TrimSpace(line))
		if !strings.HasPrefix(text, "AGE-PLUGIN-") {
			own.Write(line)
			own.WriteByte('\n')
			hasLine = hasLine || text != "" && text[0] != '#'
			continue
		}
		id, err := plugin.NewIdentity(text, ui)
		if err != nil {
			return nil, ErrKeyFile
		}
		out = append(out, id)
	}
	if len(out) > 0 && !hasLine {
		return out, nil
	}
	ids, err := age.ParseIdentities(&own)
	if err != nil {
		return nil, ErrKeyFile
	}
	return append(ids, out...), nil
}

// decryptKeyFile takes one passphrase off a file, and returns a file that has none
// as it is.
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
