package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// TestCommandsReference holds docs/commands.md and the man page to the commands.
// Write them anew with SUAR_UPDATE=1 go test ./cmd/suar -run TestCommandsReference.
func TestCommandsReference(t *testing.T) {
	for name, want := range map[string]string{
		"docs/commands.md":  commandsPage(),
		"deploy/man/suar.1": manPage(),
	} {
		path := filepath.Join("..", "..", filepath.FromSlash(name))
		if os.Getenv("SUAR_UPDATE") != "" {
			if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is not what the commands say (-commands +file); write it anew with SUAR_UPDATE=1:\n%s", name, diff)
		}
	}
}

// eachCommand calls f with every command that somebody can call, in order.
func eachCommand(f func(*cobra.Command)) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.IsAvailableCommand() || !c.HasParent() {
			f(c)
		}
		for _, below := range c.Commands() {
			walk(below)
		}
	}
	walk(newRootCommand())
}

func commandsPage() string {
	var b strings.Builder
	b.WriteString("# The commands\n\nThis page is made from the program and held to it by a test: each text is what\n`--help` says.\n")
	eachCommand(func(c *cobra.Command) {
		fmt.Fprintf(&b, "\n## %s\n\n    %s\n\n```text\n%s\n```\n", c.CommandPath(), c.UseLine(), strings.TrimSpace(c.Long))
		if flags := c.NonInheritedFlags().FlagUsages(); flags != "" {
			fmt.Fprintf(&b, "\n```text\n%s\n```\n", strings.TrimRight(flags, "\n"))
		}
		if c.Example != "" {
			fmt.Fprintf(&b, "\nFor example:\n\n```sh\n%s\n```\n", strings.TrimRight(c.Example, "\n"))
		}
	})
	return b.String()
}

// manPage is all commands on one page of the manual, in man(7).
func manPage() string {
	var b strings.Builder
	b.WriteString(".\\\" Made from the program's commands and held to them by a test.\n.TH SUAR 1\n.SH NAME\nsuar \\- a secure hotline between Telegram and Mattermost\n.SH SYNOPSIS\n.B suar\nCOMMAND [FLAGS]\n.SH COMMANDS\n")
	eachCommand(func(c *cobra.Command) {
		fmt.Fprintf(&b, ".SS %s\n.nf\n%s\n", roff(c.UseLine()), roff(strings.TrimSpace(c.Long)))
		if c.Example != "" {
			fmt.Fprintf(&b, "\n%s\n", roff(strings.TrimRight(c.Example, "\n")))
		}
		if flags := c.NonInheritedFlags().FlagUsages(); flags != "" {
			fmt.Fprintf(&b, "\n%s\n", roff(strings.TrimRight(flags, "\n")))
		}
		b.WriteString(".fi\n")
	})
	return b.String()
}

// roff is a text without what troff takes for its own.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", `\[u2026]`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}
