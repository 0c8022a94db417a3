package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"suar/internal/seal"
)

// testPassphrase is what the tests' key files are encrypted with.
const testPassphrase = "lima kata yang mudah diingat"

// command runs suar with the arguments.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &out, &errOut)
	return code, out.String(), errOut.String()
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// newKey makes a key with the command and returns its file and its line.
func newKey(t *testing.T, name, role string) (path, line string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name+".key")
	code, out, errOut := command(t, "keys", "new", "--name", name, "--role", role, "-o", path, "--cost", "4",
		"--passphrase-file", writeFile(t, "passphrase", testPassphrase+"\n"))
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, errOut)
	}
	return path, out
}

// An officer makes a key, the operator checks the file, and both read the same
// fingerprint.
func TestKeys(t *testing.T) {
	siti, sitiLine := newKey(t, "siti", "officer")
	_, budiLine := newKey(t, "brankas", "recovery")
	info, err := os.Stat(siti)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file: %v, %v", info, err)
	}
	file, err := os.ReadFile(siti)
	if err != nil || bytes.Contains(file, []byte("SECRET")) || strings.Contains(sitiLine, "SECRET") {
		t.Errorf("the private key is to be seen: %v", err)
	}
	recipients := writeFile(t, "recipients", "# duty\n"+sitiLine+budiLine)
	code, out, errOut := command(t, "keys", "check", recipients)
	fingerprint := strings.Fields(sitiLine)[3]
	if code != exitOK || !strings.Contains(out, fingerprint+"  officer   siti\n") || !strings.Contains(errOut, "Nobody vouches for it that this is their key: siti, brankas.") {
		t.Errorf("check: exit code %d\n%s%s", code, out, errOut)
	}
	t.Setenv(passphraseFileVariable, writeFile(t, "passphrase", testPassphrase))
	for what, arg := range map[string]string{
		"key file": siti, "recipient": strings.Fields(sitiLine)[2], "recipients file": recipients,
		"file of a recipient": writeFile(t, "siti.pub", strings.Fields(sitiLine)[2]+"\n"),
	} {
		if code, out, errOut := command(t, "keys", "fingerprint", arg); code != exitOK || !strings.HasPrefix(out, fingerprint) {
			t.Errorf("fingerprint of a %s: exit code %d: %s%s", what, code, out, errOut)
		}
	}
}

func TestKeysWarn(t *testing.T) {
	_, line := newKey(t, "siti", "officer")
	code, _, errOut := command(t, "keys", "check", writeFile(t, "recipients", line))
	if code != exitOK || !strings.Contains(errOut, "no recovery key") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
	classic := seal.Recipient{Name: "tono", Role: seal.RoleOfficer, Key: "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"}
	if code, _, errOut := command(t, "keys", "check", writeFile(t, "recipients", classic.String())); code != exitOK || !strings.Contains(errOut, "classic") {
		t.Errorf("exit code %d: %s", code, errOut)
	}
}

func TestKeysRefuse(t *testing.T) {
	key, line := newKey(t, "siti", "officer")
	before, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	good := writeFile(t, "passphrase", testPassphrase)
	free := func() string { return filepath.Join(t.TempDir(), "new.key") }
	const private = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ"
	for name, try := range map[string]struct {
		args []string
		want string
	}{
		"overwriting":        {[]string{"new", "--name", "siti", "-o", key, "--passphrase-file", good}, "not overwritten"},
		"a dangling link":    {[]string{"new", "--name", "siti", "-o", link(t), "--passphrase-file", good}, "not overwritten"},
		"no name":            {[]string{"new", "-o", free(), "--passphrase-file", good}, "--name"},
		"a name with spaces": {[]string{"new", "--name", "si ti", "-o", free(), "--passphrase-file", good}, "--name"},
		"a path as a name":   {[]string{"new", "--name", "../siti", "--passphrase-file", good}, "--name"},
		"unknown role":       {[]string{"new", "--name", "siti", "--role", "boss", "-o", free(), "--passphrase-file", good}, "--role"},
		"short passphrase":   {[]string{"new", "--name", "siti", "-o", free(), "--passphrase-file", writeFile(t, "p", "hunter2")}, "too short"},
		"two lines":          {[]string{"new", "--name", "siti", "-o", free(), "--passphrase-file", writeFile(t, "p", "hunter2\nhunter3")}, "one line"},
		"no passphrase file": {[]string{"new", "--name", "siti", "-o", free(), "--passphrase-file", free()}, "passphrase file"},
		"no folder":          {[]string{"new", "--name", "siti", "-o", free() + "/x/y", "--passphrase-file", good, "--cost", "4"}, "y"},
		"unknown flag":       {[]string{"new", "--nome", "siti"}, "--nome"},
		"an argument":        {[]string{"new", "siti"}, "siti"},
		"private argument":   {[]string{"fingerprint", private}, "private key"},
		"cut recipient":      {[]string{"fingerprint", "age1pq1xyz"}, "malformed"},
		"another file":       {[]string{"fingerprint", writeFile(t, "x", "tolong")}, "neither"},
		"wrong passphrase":   {[]string{"fingerprint", key, "--passphrase-file", writeFile(t, "p", "hunter2 hunter2")}, "wrong passphrase"},
		"no file":            {[]string{"fingerprint", free()}, "no such file"},
		"nothing":            {[]string{"fingerprint"}, "1 arg"},
		"private line":       {[]string{"check", writeFile(t, "r", line+private+"\n")}, "line 2: this is a private key"},
		"all faults":         {[]string{"check", writeFile(t, "r", "x\ny\n")}, "line 2: want four"},
		"empty roster":       {[]string{"check", writeFile(t, "r", "# nobody\n")}, "nobody could open"},
	} {
		code, out, errOut := command(t, append([]string{"keys"}, try.args...)...)
		if code == exitOK || !strings.Contains(errOut, try.want) || out != "" {
			t.Errorf("%s: exit code %d\n%s%s", name, code, out, errOut)
		}
		if code != exitRefused && name != "no folder" {
			t.Errorf("%s: exit code %d, want %d", name, code, exitRefused)
		}
		if regexp.MustCompile("QQQQ|hunter").MatchString(errOut) {
			t.Errorf("%s: a secret is printed: %s", name, errOut)
		}
	}
	if after, err := os.ReadFile(key); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the key file was changed: %v", err)
	}
}

func link(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "link.key")
	if err := os.Symlink("nowhere", path); err != nil {
		t.Fatal(err)
	}
	return path
}

// processVariable makes the test program run suar itself, for what needs a
// process of its own with a terminal.
const processVariable = "SUAR_TEST_KEYS_PROCESS"

// TestKeysProcess is the program for TestKeysOnATerminal; alone it does nothing.
func TestKeysProcess(t *testing.T) {
	if os.Getenv(processVariable) == "" {
		return // It runs only from TestKeysOnATerminal.
	}
	args := os.Args[slices.Index(os.Args, "--")+1:]
	os.Exit(run(t.Context(), args, os.Stdin, os.Stdout, os.Stderr))
}

// The passphrase is asked for on the terminal, twice for a new key.
func TestKeysOnATerminal(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/terminal",
		Setup: func(env *testscript.Env) error {
			env.Setenv(processVariable, "1")
			env.Setenv(passphraseFileVariable, "")
			return os.WriteFile(filepath.Join(env.WorkDir, "suar"),
				fmt.Appendf(nil, "#!/bin/sh\nexec %q -test.run '^TestKeysProcess$' -- \"$@\"\n", self), 0o700)
		},
		RequireExplicitExec: true,
	})
}
