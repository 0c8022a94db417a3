package seal

import (
	"crypto/ecdh"
	"crypto/mlkem"
	"crypto/rand"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/plugin"
	"filippo.io/age/tag"
)

// pluginName is that of the tests' age plugin. Its keys are X25519 keys in a
// plugin's clothes, as a hardware key's would be.
const pluginName = "suartest"

// TestMain is the plugin when it is called as one.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) != "age-plugin-"+pluginName {
		os.Exit(m.Run())
	}
	p, err := plugin.New(pluginName)
	if err != nil {
		panic(err)
	}
	p.HandleRecipient(func(data []byte) (age.Recipient, error) { return age.ParseX25519Recipient(string(data)) })
	p.HandleIdentity(func(data []byte) (age.Identity, error) { return age.ParseX25519Identity(string(data)) })
	p.RegisterFlags(nil)
	flag.Parse()
	os.Exit(p.Main())
}

// installPlugin puts the plugin on the path.
func installPlugin(t *testing.T) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "age-plugin-"+pluginName)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
}

// A case is sealed to an officer whose key only a plugin can use, beside another's,
// and that officer opens it.
func TestPlugin(t *testing.T) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	recipient := plugin.EncodeRecipient(pluginName, []byte(key.Recipient().String()))
	identity := plugin.EncodeIdentity(pluginName, []byte(key.String()))
	siti := Recipient{"siti", RoleOfficer, recipient}
	desk, err := ParseRecipients([]byte(siti.String() + "\n" + Recipient{"budi", RoleOfficer, newClassic(t)}.String()))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	if err := desk.Try(); err == nil || !strings.Contains(err.Error(), "sealed to siti") || !strings.Contains(err.Error(), "age-plugin-suartest") {
		t.Errorf("a plugin that is not installed: %v", err)
	}
	installPlugin(t)
	if err := desk.Try(); err != nil {
		t.Fatal(err)
	}
	c := writeCase(t, caseA, desk, lines(3)...)
	for name, file := range map[string]string{"alone": identity, "with a comment": "# my token\n" + identity + "\n"} {
		ids, err := Identities([]byte(file), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := ReadTranscript(caseA, c.header, c.records, ids...)
		if err != nil || got.Proven != 3 || len(got.Faults) > 0 {
			t.Errorf("%s: %d proven, %v", name, got.Proven, err)
		}
	}
	// With a passphrase around it, and beside a key of age's own.
	own, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	file, err := lock([]byte(own.String()+"\n"+identity+"\n"), passphrase, cheap)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := Identities(file, knows(passphrase))
	if err != nil || len(ids) != 2 {
		t.Fatalf("%d identities, %v", len(ids), err)
	}
	for _, bad := range []string{identity[:40], identity + "\ntolong", "AGE-PLUGIN-"} {
		if _, err := Identities([]byte(bad), nil); err == nil || strings.Contains(err.Error(), identity[:30]) {
			t.Errorf("%.12q: %v", bad, err)
		}
	}
}

// Recipients of hardware keys that age knows itself need no plugin to be sealed to.
func TestTaggedRecipients(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	kem, err := mlkem.GenerateKey768()
	if err != nil {
		t.Fatal(err)
	}
	ecdhKey, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	full := ecdhKey.PublicKey().Bytes() // 4, x, y
	point := append([]byte{2 | full[64]&1}, full[1:33]...)
	classic, err := tag.NewClassicRecipient(point)
	if err != nil {
		t.Fatal(err)
	}
	hybrid, err := tag.NewHybridRecipient(append(kem.EncapsulationKey().Bytes(), full...))
	if err != nil {
		t.Fatal(err)
	}
	for _, try := range []struct {
		key, beside string
		hybrid      bool
	}{{classic.String(), newClassic(t), false}, {hybrid.String(), newHybrid(t), true}} {
		r := Recipient{"siti", RoleOfficer, try.key}
		if r.Hybrid() != try.hybrid {
			t.Errorf("%.10s…: hybrid %t", try.key, r.Hybrid())
		}
		desk, err := ParseRecipients([]byte(r.String() + "\n" + Recipient{"brankas", RoleRecovery, try.beside}.String()))
		if err != nil {
			t.Fatal(err)
		}
		if err := desk.Try(); err != nil {
			t.Error(err)
		}
		if _, _, err := NewTape(caseA, desk, atNoon, rand.Reader); err != nil {
			t.Error(err)
		}
	}
}

// TestSharedKey: what two people locked opens with both passphrases and in their
// order only.
func TestSharedKey(t *testing.T) {
	const first, second = "kata sandi orang pertama", "kata sandi orang kedua"
	file, recipient, err := NewSharedKey(first, second, cheap)
	if err != nil {
		t.Fatal(err)
	}
	say := func(words ...string) func() (string, error) {
		return func() (string, error) {
			if len(words) == 0 {
				t.Fatal("a third passphrase is asked for")
			}
			w := words[0]
			words = words[1:]
			return w, nil
		}
	}
	ids, err := Identities(file, say(second, first))
	if err != nil || len(ids) != 1 {
		t.Fatalf("%d identities, %v", len(ids), err)
	}
	if got, ok := PublicKey(ids[0]); !ok || got != recipient {
		t.Error("another key")
	}
	for name, words := range map[string][]string{"the first alone": {first}, "the second twice": {second, second}, "the first twice": {first, first}} {
		if _, err := Identities(file, say(words...)); err != ErrPassphrase { //nolint:errorlint // It is as it is.
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := NewSharedKey(first, first, cheap); err == nil {
		t.Error("one passphrase for both is taken")
	}
	if _, _, err := NewSharedKey(first, "pendek", cheap); err == nil {
		t.Error("a short one is taken")
	}
}
