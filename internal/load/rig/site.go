// Package rig starts the program as it ships: it builds it, lays out the files
// that it reads, runs it as a process of its own and reads what it costs. The
// tests of the whole program and the load harness share it.
package rig

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"suar/internal/loopback"
	"suar/internal/seal"
)

// Needs are what a hotline talks to.
type Needs struct {
	// Telegram is the Bot API server's address.
	Telegram, TelegramToken string
	// Mattermost is the server's address, Channel the officers' channel's id.
	Mattermost, MattermostToken, Channel string
	// OnCall are the officers' names.
	OnCall []string
	// Passphrase is that of the officers' key files, Keys the folder that they
	// are put into, away from all that the hotline reads.
	Passphrase, Keys string
	// Edit, if not nil, changes the configuration before it is written.
	Edit func(s *Site, config map[string]any) error
}

// A Site is the files of one hotline, as its deployer would lay them out.
type Site struct {
	// Data is the folder of the store, Secrets that of the keys and tokens.
	Data, Secrets string
	// Store and Config are files, Address is where the hotline listens.
	Store, Config, Address string
	// Officer and Recovery are key files, which the hotline never sees;
	// PassphraseFile is what opens both.
	Officer, Recovery, PassphraseFile string
	VaultKey                          seal.VaultKey
}

// officerRate is how many actions a second each officer of a rig may do: one plays
// as many as there are people.
const officerRate = 1000

// Lay writes the files of a hotline that polls, without limits to the rate of
// messages, into an empty folder.
func Lay(folder string, n Needs) (*Site, error) {
	s := &Site{Data: filepath.Join(folder, "data"), Secrets: filepath.Join(folder, "secrets"), Config: filepath.Join(folder, "suar.yaml")}
	s.Store = filepath.Join(s.Data, "store")
	for _, dir := range []string{s.Data, s.Secrets} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return nil, fmt.Errorf("rig: %w", err)
		}
	}
	var err error
	if s.Address, err = loopback.FreeAddress(); err != nil {
		return nil, err
	}
	raw := make([]byte, seal.VaultKeySize)
	_, _ = rand.Read(raw) // It never fails.
	if s.VaultKey, err = seal.ParseVaultKey([]byte(hex.EncodeToString(raw))); err != nil {
		return nil, err
	}
	var recipients strings.Builder
	for _, k := range []struct {
		file *string
		name string
		role seal.Role
	}{{&s.Officer, "siti", seal.RoleOfficer}, {&s.Recovery, "brankas", seal.RoleRecovery}} {
		file, public, err := NewKey(n.Keys, k.name, n.Passphrase)
		if err != nil {
			return nil, err
		}
		*k.file = file
		recipients.WriteString(seal.Recipient{Name: k.name, Role: k.role, Key: public}.String() + "\n")
	}
	list := filepath.Join(folder, "recipients")
	if err := os.WriteFile(list, []byte(recipients.String()), 0o644); err != nil {
		return nil, fmt.Errorf("rig: %w", err)
	}
	files := map[string]string{}
	for name, content := range map[string]string{
		"passphrase": n.Passphrase, "vault": hex.EncodeToString(raw),
		"telegram": n.TelegramToken, "mattermost": n.MattermostToken,
	} {
		if files[name], err = s.Secret(name, content); err != nil {
			return nil, err
		}
	}
	s.PassphraseFile = files["passphrase"]
	config := map[string]any{
		"listen":         s.Address,
		"telegram":       map[string]any{"server": n.Telegram, "token_file": files["telegram"], "rate": -1, "chat_rate": -1},
		"mattermost":     map[string]any{"url": n.Mattermost, "token_file": files["mattermost"], "channel": n.Channel, "callback": "http://" + s.Address, "on_call": n.OnCall, "rate": officerRate},
		"store":          s.Store,
		"vault_key_file": files["vault"],
		"recipients":     list,
	}
	if n.Edit != nil {
		if err := n.Edit(s, config); err != nil {
			return nil, err
		}
	}
	return s, Configure(s.Config, config)
}

// Configure writes a configuration.
func Configure(path string, config map[string]any) error {
	text, err := yaml.Marshal(config)
	if err != nil {
		return fmt.Errorf("rig: %w", err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return fmt.Errorf("rig: %w", err)
	}
	return nil
}

// NewKey makes an officer's key file in a folder, cheap to open, and returns its
// path and the public half.
func NewKey(folder, name, passphrase string) (path, public string, err error) {
	file, public, err := seal.NewOfficerKey(passphrase, 10)
	if err != nil {
		return "", "", err
	}
	path = filepath.Join(folder, name+".key")
	if err := os.WriteFile(path, file, 0o400); err != nil {
		return "", "", fmt.Errorf("rig: %w", err)
	}
	return path, public, nil
}

// Secret writes a file that nobody else can read and returns its path.
func (s *Site) Secret(name, content string) (string, error) {
	path := filepath.Join(s.Secrets, name)
	if err := os.WriteFile(path, []byte(content+"\n"), 0o400); err != nil {
		return "", fmt.Errorf("rig: %w", err)
	}
	return path, nil
}

// Build builds a command into a folder and returns its path. It is built as it
// ships: without the race detector, which would slow down what is measured.
func Build(ctx context.Context, folder, name, path string) (string, error) {
	file := filepath.Join(folder, name)
	cmd := exec.CommandContext(ctx, "go", "build", "-race=false", "-trimpath", "-o", file, path) //nolint:gosec // our own names
	// As it ships: with cgo the embedded store's memory is not the Go runtime's.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("rig: build %s: %w", path, err), errors.New(string(out)))
	}
	return file, nil
}
