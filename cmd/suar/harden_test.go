//go:build linux

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// hardened is what a child says that harden made of it.
func hardened(t *testing.T, argument string) string {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), own, argument).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// TestHarden: no dump and no reading by others, anywhere on Linux; memory is locked
// where the limit or the capability allows it, which the child finds out by itself.
func TestHarden(t *testing.T) {
	said := hardened(t, hardenedArgument)
	for _, want := range []string{"no core dump is written", "other processes of the same user cannot read"} {
		if !strings.Contains(said, want) || strings.Contains(said, "not so: "+want) {
			t.Errorf("want that %s: %s", want, said)
		}
	}
	if may := strings.Contains(said, "It may lock"); may == strings.Contains(said, "not so: memory is locked") {
		t.Errorf("locked although it may not, or not although it may: %s", said)
	}
	if !strings.Contains(said, "256 MB more") {
		t.Errorf("the program does not live on: %s", said)
	}
}

// TestHardenLimited: under a limit memory is not locked, which would end the process
// at the next thing that it needs, and what to do is said.
func TestHardenLimited(t *testing.T) {
	said := hardened(t, limitedArgument)
	for _, want := range []string{"not so: memory is locked", "LimitMEMLOCK=infinity", "256 MB more"} {
		if !strings.Contains(said, want) {
			t.Errorf("want %q: %s", want, said)
		}
	}
}

func TestLocked(t *testing.T) {
	for status, want := range map[string]bool{
		"": false, "VmLck:\t       0 kB\n": false, "Name:\tsuar\nVmLck:\t 1280036 kB\nVmRSS:\t4 kB\n": true,
	} {
		if got := locked(status); got != want {
			t.Errorf("locked(%q) = %v", status, got)
		}
	}
}

// TestDeployLimits: the unit and the containers give what is needed to lock memory.
func TestDeployLimits(t *testing.T) {
	for name, want := range map[string]string{
		"suar.service": "\nLimitMEMLOCK=infinity\n", "compose.yaml": "memlock: {soft: -1, hard: -1}",
		"../Dockerfile": "--ulimit memlock=-1:-1", "../docs/install.md": "--ulimit memlock=-1:-1",
	} {
		if !strings.Contains(example(t, name), want) {
			t.Errorf("%s lacks %q", name, want)
		}
	}
}
