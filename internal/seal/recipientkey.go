package seal

import (
	"errors"
	"fmt"
	"strings"

	"filippo.io/age"
	"filippo.io/age/plugin"
	"filippo.io/age/tag"
)

// isHybrid reports whether the key withstands a quantum computer, as its beginning
// says. Of a plugin's own kind nothing is known, so it counts as classic.
func isHybrid(key string) bool {
	return strings.HasPrefix(key, "age1pq1") || strings.HasPrefix(key, "age1tagpq1")
}

// parseKey reads a recipient: hybrid, classic, a hardware key's that age knows
// itself (age1tag1…, age1tagpq1…), or that of a plugin (age1NAME1…), which is
// asked at each sealing. Its error holds nothing of key.
func parseKey(key string) (age.Recipient, error) {
	var r interface {
		age.Recipient
		String() string
	}
	var err error
	switch {
	case strings.HasPrefix(key, "age1pq1"):
		r, err = age.ParseHybridRecipient(key)
	case strings.HasPrefix(key, "age1tag1"), strings.HasPrefix(key, "age1tagpq1"):
		r, err = tag.ParseRecipient(key)
	default:
		if r, err = age.ParseX25519Recipient(key); err != nil {
			r, err = plugin.NewRecipient(key, &plugin.ClientUI{})
		}
	}
	if err != nil || r.String() != key {
		return nil, errors.New("seal: malformed recipient")
	}
	return r, nil
}

// ValidRecipient reports whether key is the public half of an age key of any kind,
// as age prints it.
func ValidRecipient(key string) bool {
	_, err := parseKey(key)
	return err == nil
}

// Try seals nothing to all the recipients and returns why that fails: a plugin that
// is not installed where cases are sealed, or does not do what it should. A case
// that cannot be sealed cannot open, so try before there is one.
func (r Recipients) Try() error {
	keys, err := r.keys()
	if err != nil {
		return err
	}
	for i, key := range keys {
		if _, err := sealTo(nil, key); err != nil {
			return fmt.Errorf("seal: recipients: nothing can be sealed to %s: %w", r.list[i].Name, err)
		}
	}
	if _, err := sealTo(nil, keys...); err != nil {
		return fmt.Errorf("seal: recipients: nothing can be sealed to all of them at once: %w", err)
	}
	return nil
}
