package seal

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// Rewrap returns a case's header sealed to other officers, for an officer's machine:
// one of the identities must open it. The case key and the chain stay, so that every
// record opens as before; who is not among the officers does not open the new header.
// Its errors are ErrNotRecipient, ErrHeader, or of the sealing.
func Rewrap(sealedHeader []byte, officers Recipients, identities ...age.Identity) ([]byte, error) {
	h, err := openHeader(sealedHeader, identities)
	if err != nil {
		return nil, err
	}
	to, err := officers.keys()
	if err != nil {
		return nil, err
	}
	h.roster = officers.sum()
	sealed, err := sealTo(h.marshal(), to...)
	if err != nil {
		return nil, fmt.Errorf("seal: header: %w", err)
	}
	return sealed, nil
}

// OpenedBy returns the name of the recipient to whom something sealed is opened by
// the identities, and an error that says so if there is none. It shows nothing of
// the keys.
func (r Recipients) OpenedBy(identities ...age.Identity) (name string, err error) {
	probe := []byte(rand.Text())
	for _, one := range r.list {
		key, err := parseKey(one.Key)
		if err != nil {
			return "", err
		}
		sealed, err := sealTo(probe, key)
		if err != nil {
			return "", fmt.Errorf("seal: recipients: nothing can be sealed to %s: %w", one.Name, err)
		}
		opened, err := age.Decrypt(bytes.NewReader(sealed), identities...)
		if none := new(age.NoIdentityMatchError); errors.As(err, &none) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("seal: %s: %w", one.Name, err)
		}
		if got, err := io.ReadAll(opened); err != nil || !bytes.Equal(got, probe) {
			return "", fmt.Errorf("seal: what was sealed to %s opens as something else", one.Name)
		}
		return one.Name, nil
	}
	return "", errors.New("seal: this key opens nothing that is sealed to those who count in the file")
}
