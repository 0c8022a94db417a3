package seal

import (
	"bytes"
	"io"
	"testing"

	"filippo.io/age"
)

// TestPacket: the partner's key opens a packet, of either kind, and no other does.
func TestPacket(t *testing.T) {
	t.Parallel()
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	classic, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	content := []byte(`{"case":"kenari-4417"}`)
	for _, tt := range []struct {
		recipient   string
		opens, shut age.Identity
	}{
		{hybrid.Recipient().String(), hybrid, classic},
		{classic.Recipient().String(), classic, hybrid},
	} {
		sealed, err := Packet(tt.recipient, content)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(sealed, []byte("kenari")) {
			t.Error("the packet is not sealed")
		}
		r, err := age.Decrypt(bytes.NewReader(sealed), tt.opens)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content) {
			t.Errorf("opened %q, %v", got, err)
		}
		if _, err := age.Decrypt(bytes.NewReader(sealed), tt.shut); err == nil {
			t.Error("another key opens the packet")
		}
	}
	for _, recipient := range []string{"", "age1", "AGE-SECRET-KEY-1", hybrid.Recipient().String() + "x"} {
		if _, err := Packet(recipient, content); err == nil {
			t.Errorf("it is sealed to %.10q", recipient)
		}
	}
}
