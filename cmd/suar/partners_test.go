package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"suar/internal/seal"
)

// partners runs suar partners check on a directory.
func partners(t *testing.T, directory string) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "directory.yaml")
	if err := os.WriteFile(path, []byte(directory), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := newPartnersCommand()
	c.SetArgs([]string{"check", path})
	c.SetOut(&out)
	c.SetErr(&out)
	c.SilenceErrors, c.SilenceUsage = true, true
	err := c.Execute()
	return out.String(), err
}

func TestPartnersCheck(t *testing.T) {
	key, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	old, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	entry := func(id, name, recipient string) string {
		return "  - {id: " + id + ", name: " + name + ", recipient: " + recipient + ", languages: [id, en]}\n"
	}
	public, classic := key.Recipient().String(), old.Recipient().String()
	right := "partners:\n" + entry("iom", "IOM Contoh", public) + entry("shelter", "Rumah Aman", classic)
	out, err := partners(t, right)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"iom  IOM Contoh  [id, en]  " + seal.Fingerprint(public) + "\n", seal.Fingerprint(classic) + "  (not a hybrid key"} {
		if !strings.Contains(out, want) {
			t.Errorf("it says %q, want %q", out, want)
		}
	}
	if out, err = partners(t, "numbers: []\n"); err != nil || !strings.Contains(out, "no partners") {
		t.Errorf("without partners: %q, %v", out, err)
	}
	for name, tt := range map[string]struct{ directory, want string }{
		"no key":         {"partners:\n" + entry("iom", "IOM", "age1nokey"), "no age key"},
		"a private key":  {"partners:\n" + entry("iom", "IOM", old.String()), "begins with age1"},
		"a key twice":    {"partners:\n" + entry("iom", "IOM", public) + entry("other", "Other", public), "the same recipient"},
		"an id twice":    {"partners:\n" + entry("iom", "IOM", public) + entry("iom", "Other", classic), "id of its own"},
		"no name":        {"partners:\n" + entry("iom", `""`, public), "needs a name"},
		"a mention":      {"partners:\n" + entry("iom", `"@all"`, public), "needs a name"},
		"a strange word": {"partners:\n  - {id: iom, naem: x}\n", "naem"},
	} {
		_, err := partners(t, tt.directory)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "AGE-SECRET-KEY") {
			t.Errorf("%s: the error holds a private key", name)
		}
	}
}
