package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// keysCommand runs suar keys and wants an exit code and a text.
func keysCommand(t *testing.T, code int, want string, args ...string) {
	t.Helper()
	got, out, errOut := command(t, append([]string{"keys"}, args...)...)
	if got != code || !strings.Contains(out+errOut, want) {
		t.Errorf("keys %.40q: exit code %d, want %d and %q in\n%s%s", args, got, code, want, out, errOut)
	}
	if strings.Contains(errOut, "seal: ") || strings.Contains(out+errOut, "SECRET") {
		t.Errorf("keys %.40q prints what it must not: %s", args, errOut)
	}
}

// The ceremony: a line is added, two people confirm what they heard, the key
// counts; who leaves is removed and does not come back.
func TestKeysCeremony(t *testing.T) {
	_, siti := newKey(t, "siti", "officer")
	_, budi := newKey(t, "budi", "officer")
	file := filepath.Join(t.TempDir(), "recipients")
	heard := strings.Fields(siti)[3]

	keysCommand(t, exitRefused, "no such file", "list", file)
	keysCommand(t, exitOK, "siti waits.", "add", file, siti)
	keysCommand(t, exitRefused, "nobody counts yet", "check", file)
	keysCommand(t, exitRefused, "not this key's fingerprint", "confirm", file, "siti", "--by", "rani", "--heard", "0000"+heard[4:])
	keysCommand(t, exitRefused, "their own key", "confirm", file, "siti", "--by", "Siti", "--heard", heard)
	keysCommand(t, exitOK, "waits for one more", "confirm", file, "siti", "--by", "rani", "--heard", heard)
	keysCommand(t, exitRefused, "confirmed it already", "confirm", file, "siti", "--by", "rani", "--heard", heard)
	keysCommand(t, exitRefused, "nobody counts yet", "check", file)
	keysCommand(t, exitOK, "confirmed by rani and dewi and counts", "confirm", file, "siti", "--by", "dewi", "--heard", strings.ToUpper(heard))
	keysCommand(t, exitOK, "officer   siti", "check", file)
	keysCommand(t, exitRefused, "without siti the file would be refused", "remove", file, "siti")

	keysCommand(t, exitRefused, "the key is already in line 1", append([]string{"add", file, "tono"}, strings.Fields(siti)[1:]...)...)
	keysCommand(t, exitOK, "budi waits.", append([]string{"add", file}, strings.Fields(budi)...)...)
	keysCommand(t, exitOK, "Does not count yet: budi.", "check", file)
	keysCommand(t, exitOK, "removed", "remove", file, "budi")
	keysCommand(t, exitRefused, "the key was revoked in line 2", "add", file, budi)
	keysCommand(t, exitOK, "revoked  officer   hybrid", "list", file)
	keysCommand(t, exitOK, "(confirmed by rani, dewi)", "list", file)
	keysCommand(t, exitRefused, "there is no budi", "remove", file, "budi")
	keysCommand(t, exitRefused, "want one line", "add", file, siti+budi)
	keysCommand(t, exitRefused, "want --by", "confirm", file, "siti")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("the file: %v, %v", info, err)
	}
}

// A recovery key that two people share opens with both passphrases, and its drill
// shows that it opens what is sealed to its line.
func TestSharedRecovery(t *testing.T) {
	const second = "rahasia orang yang kedua"
	key := filepath.Join(t.TempDir(), "recovery.key")
	t.Setenv(passphraseFileVariable, writeFile(t, "p", testPassphrase))
	t.Setenv(secondPassphraseFileVariable, writeFile(t, "p", second))
	code, line, errOut := command(t, "keys", "new", "--name", "brankas", "--role", "recovery", "--shared", "-o", key, "--cost", "4")
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	siti, sitiLine := newKey(t, "siti", "officer")
	other, _ := newKey(t, "budi", "officer")
	recipients := writeFile(t, "recipients", sitiLine+line)
	keysCommand(t, exitOK, strings.Fields(line)[3], "fingerprint", key)
	keysCommand(t, exitOK, "The key opens what is sealed to brankas.", "check", recipients, "-i", key)
	keysCommand(t, exitOK, "The key opens what is sealed to siti.", "check", recipients, "-i", siti)
	keysCommand(t, exitRefused, "opens nothing that is sealed", "check", recipients, "-i", other)
	t.Setenv(secondPassphraseFileVariable, writeFile(t, "p", testPassphrase))
	keysCommand(t, exitRefused, "wrong passphrase", "check", recipients, "-i", key)
	keysCommand(t, exitRefused, "passphrases are the same", "new", "--name", "x", "--shared", "-o", key+"2", "--cost", "4")
}

// A newcomer reads an older case once an officer has wrapped it anew, and one who
// was removed does not open the new folder.
func TestKeysRewrap(t *testing.T) {
	k := keep(t)
	dir := t.TempDir()
	old, fresh := filepath.Join(dir, "old"), filepath.Join(dir, "new")
	if code, _, errOut := command(t, "open", k.code, "--store", k.store, "--export", old); code != exitOK {
		t.Fatal(errOut)
	}
	newcomer, line := newKey(t, "rina", "officer")
	recipients := writeFile(t, "recipients", line)
	rewrap := func(code int, want string, args ...string) {
		t.Helper()
		keysCommand(t, code, want, append([]string{"rewrap"}, args...)...)
	}
	base := []string{"--folder", old, "--recipients", recipients, "-o", fresh}
	rewrap(exitRefused, "want the case with --folder")
	rewrap(exitRefused, "sealed to others", append(base, "-i", newcomer)...)
	rewrap(exitRefused, "nothing was written", append(base, "-i", k.key, "--witness", "#9·0000000000000000")...)
	rewrap(exitOK, "sealed to rina", append(base, "-i", k.key, "--witness", k.witness)...)
	rewrap(exitRefused, "not overwritten", append(base, "-i", k.key)...)

	t.Setenv(passphraseFileVariable, writeFile(t, "p", testPassphrase))
	_, want, _ := command(t, "open", "--folder", old, "-i", k.key, "--witness", k.witness)
	code, got, errOut := command(t, "open", "--folder", fresh, "-i", newcomer, "--witness", k.witness)
	if code != exitOK || got != want || got == "" {
		t.Errorf("the newcomer: exit code %d: %s%s", code, got, errOut)
	}
	if code, _, errOut := command(t, "open", "--folder", fresh, "-i", k.key); code != exitRefused || !strings.Contains(errOut, "sealed to others") {
		t.Errorf("who was left out: exit code %d: %s", code, errOut)
	}
	if err := os.Remove(filepath.Join(old, "00000001.age")); err != nil {
		t.Fatal(err)
	}
	rewrap(exitRefused, "not whole, nothing was written", "--folder", old, "--recipients", recipients, "-o", fresh+"2", "-i", k.key)
	if _, err := os.Lstat(fresh + "2"); err == nil {
		t.Error("something was written")
	}
}

// Without a recovery key a configuration is refused, unless it says so.
func TestRecoveryIsDemanded(t *testing.T) {
	d := newDeployment(t)
	d.write(t)
	path := d.path("etc/suar.yaml")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	without := strings.Replace(string(raw), "no_recovery_key: true\n", "", 1)
	check := func() string {
		t.Helper()
		if err := os.WriteFile(path, []byte(without), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := loadConfig(path, d.lookup); err != nil {
			return err.Error()
		}
		return ""
	}
	if got := check(); !strings.Contains(got, "there is no recovery key") {
		t.Errorf("without one: %q", got)
	}
	_, siti := newKey(t, "siti", "officer")
	_, recovery := newKey(t, "brankas", "recovery")
	d.file(t, "etc/recipients", siti+recovery, 0o644)
	if got := check(); got != "" {
		t.Errorf("with one: %q", got)
	}
}
