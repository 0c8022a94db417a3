package seal

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// cheap is a work factor for tests.
const cheap = 4

const passphrase = "lima kata yang mudah diingat"

func knows(p string) func() (string, error) { return func() (string, error) { return p, nil } }

func TestOfficerKey(t *testing.T) {
	file, recipient, err := NewOfficerKey(passphrase, cheap)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(file, []byte("SECRET")) || !isHybrid(recipient) {
		t.Error("the file is not encrypted, or the key is not hybrid")
	}
	raw, err := io.ReadAll(armor.NewReader(bytes.NewReader(file)))
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{"armored": file, "binary": raw, "with white space": append([]byte("\n\n"), file...)} {
		ids, err := Identities(file, knows(passphrase))
		if err != nil || len(ids) != 1 {
			t.Fatalf("%s: %v", name, err)
		}
		if got, ok := PublicKey(ids[0]); !ok || got != recipient {
			t.Errorf("%s: another key", name)
		}
	}
	if _, err := Identities(file, knows("another passphrase")); !errors.Is(err, ErrPassphrase) {
		t.Errorf("a wrong passphrase: got %v", err)
	}
	if _, err := Identities(file, knows("")); !errors.Is(err, ErrPassphrase) {
		t.Errorf("no passphrase: got %v", err)
	}
	stop := errors.New("stop")
	if _, err := Identities(file, func() (string, error) { return "", stop }); !errors.Is(err, stop) {
		t.Errorf("nobody to ask: got %v", err)
	}
}

func TestOfficerKeyRefusesAShortPassphrase(t *testing.T) {
	for _, p := range []string{"", "hunter2"} {
		if _, _, err := NewOfficerKey(p, cheap); err == nil || p != "" && strings.Contains(err.Error(), p) {
			t.Errorf("%d characters: got %v", len(p), err)
		}
	}
}

func TestIdentities(t *testing.T) {
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	classic, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	never := func() (string, error) { t.Error("a passphrase is asked for"); return "", nil }
	ids, err := Identities([]byte("# two\n"+hybrid.String()+"\n"+classic.String()+"\n"), never)
	if err != nil || len(ids) != 2 {
		t.Fatalf("a plain file: %v", err)
	}
	for i, want := range []string{hybrid.Recipient().String(), classic.Recipient().String()} {
		if got, ok := PublicKey(ids[i]); !ok || got != want {
			t.Errorf("identity %d is another", i)
		}
	}
	other, err := sealTo([]byte(hybrid.String()), hybrid.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string]string{
		"empty": "", "a recipient": hybrid.Recipient().String(), "cut": hybrid.String()[:60], "text": "tolong",
		"sealed to a key": string(other), "cut armor": armor.Header + "\nAAAA\n", "enormous": strings.Repeat("#\n", maxKeyFile),
		"cut age file": "age-encryption.org/v1\n",
	} {
		if _, err := Identities([]byte(file), never); !errors.Is(err, ErrKeyFile) || len(file) > 30 && strings.Contains(err.Error(), file[:30]) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
