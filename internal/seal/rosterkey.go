package seal

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// ErrRosterKey says that a file is no key that rosters are signed with.
var ErrRosterKey = errors.New("seal: want a roster key file, as suar roster keygen writes it")

// rosterKeyLine begins the line of a roster key file that holds the seed.
const rosterKeyLine = "SUAR-ROSTER-KEY-1 "

// NewRosterKey makes a key that signs rosters and returns its file, encrypted with
// the passphrase by age's scrypt and armored, and its public half. cost is as for
// NewOfficerKey.
func NewRosterKey(passphrase string, cost int) (file []byte, public ed25519.PublicKey, err error) {
	if len(passphrase) < MinPassphrase {
		return nil, nil, fmt.Errorf("seal: the passphrase is too short: want %d characters or more, such as five words", MinPassphrase)
	}
	public, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, nil, fmt.Errorf("seal: roster key: %w", err)
	}
	to, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, nil, fmt.Errorf("seal: passphrase: %w", err)
	}
	if cost != 0 {
		to.SetWorkFactor(cost)
	}
	sealed, err := sealTo([]byte(rosterKeyLine+base64.RawStdEncoding.EncodeToString(key.Seed())+"\n"), to)
	if err != nil {
		return nil, nil, fmt.Errorf("seal: roster key: %w", err)
	}
	var out bytes.Buffer
	w := armor.NewWriter(&out)
	if _, err := w.Write(sealed); err != nil {
		return nil, nil, err
	}
	if err := w.Close(); err != nil {
		return nil, nil, err
	}
	return out.Bytes(), public, nil
}

// RosterKey reads a roster key file. Errors are ErrRosterKey, ErrKeyFile,
// ErrPassphrase or passphrase's own, and hold nothing of the file.
func RosterKey(file []byte, passphrase func() (string, error)) (ed25519.PrivateKey, error) {
	if len(file) > maxKeyFile {
		return nil, ErrRosterKey
	}
	plain, err := decryptKeyFile(file, passphrase)
	if err != nil {
		return nil, err
	}
	text, ok := bytes.CutPrefix(bytes.TrimSpace(plain), []byte(rosterKeyLine))
	seed, err := base64.RawStdEncoding.DecodeString(string(text))
	if !ok || err != nil || len(seed) != ed25519.SeedSize {
		return nil, ErrRosterKey
	}
	return ed25519.NewKeyFromSeed(seed), nil
}
