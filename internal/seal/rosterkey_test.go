package seal

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"testing"
)

func TestRosterKey(t *testing.T) {
	if _, _, err := NewRosterKey("short", 2); err == nil {
		t.Error("a short passphrase is taken")
	}
	const passphrase = "five words of a canary"
	file, public, err := NewRosterKey(passphrase, 2)
	if err != nil {
		t.Fatal(err)
	}
	say := func(what string) func() (string, error) { return func() (string, error) { return what, nil } }
	key, err := RosterKey(file, say(passphrase))
	if err != nil || !key.Public().(ed25519.PublicKey).Equal(public) {
		t.Fatalf("the key is not what was made: %v", err)
	}
	if bytes.Contains(file, key.Seed()) {
		t.Error("the seed lies open in the file")
	}
	if _, err := RosterKey(file, say("another canary's words")); !errors.Is(err, ErrPassphrase) {
		t.Errorf("another passphrase: %v", err)
	}
	officer, _, err := NewOfficerKey(passphrase, 2)
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"an officer's key": officer, "nothing": nil, "half a line": []byte("SUAR-ROSTER-KEY-1 AAAA")} {
		if _, err := RosterKey(file, say(passphrase)); !errors.Is(err, ErrRosterKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
