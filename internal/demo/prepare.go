package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"suar/flows"
	"suar/internal/mattermosttest/standin"
)

// people puts the bot and the officers into Mattermost, and returns the bot's
// token.
func (h *Hotline) people() (token string) {
	bot, token := h.mattermost.AddPerson(standin.Person{Username: "suar", Bot: true})
	ids := []string{bot}
	for _, name := range []string{"siti", "budi", "rina"} {
		id, secret := h.mattermost.AddPerson(standin.Person{Username: name})
		h.officers = append(h.officers, officer{Seat: h.mattermost.Seat(secret), id: id, name: name})
		ids = append(ids, id)
	}
	team := h.mattermost.AddTeam("embassy", "Embassy")
	h.channel = h.mattermost.AddChannel(team, "hotline", "Hotline")
	h.mattermost.Join(h.channel, ids...)
	return token
}

// prepare makes the keys and writes what "suar serve" reads.
func (h *Hotline) prepare(ctx context.Context, botToken, language string) error {
	keys := filepath.Join(h.server, "keys")
	for _, folder := range []string{keys, filepath.Dir(h.store), h.machine} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	book := filepath.Join(h.server, "book")
	if err := writeBook(book, language); err != nil {
		return err
	}
	vaultKey := make([]byte, 32)
	_, _ = rand.Read(vaultKey) // It never fails.
	passphrase := make([]byte, 16)
	_, _ = rand.Read(passphrase)
	address, err := freeAddress()
	if err != nil {
		return err
	}
	files := map[string]string{
		filepath.Join(keys, "vault.key"):          hex.EncodeToString(vaultKey),
		filepath.Join(keys, "telegram.token"):     h.telegram.Token,
		filepath.Join(keys, "mattermost.token"):   botToken,
		filepath.Join(h.server, "directory.yaml"): directory(time.Now()),
		h.passphrase: hex.EncodeToString(passphrase),
	}
	for path, text := range files {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	recipients, err := h.makeKeys(ctx)
	if err != nil {
		return err
	}
	path := filepath.Join(h.server, "recipients")
	if err := os.WriteFile(path, recipients, 0o600); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return h.writeConfig(map[string]any{
		"listen": address,
		"telegram": map[string]any{
			"server":     h.telegram.URL(),
			"token_file": filepath.Join(keys, "telegram.token"),
			"rate":       -1, // The stand-in has no limits.
			"chat_rate":  -1,
		},
		"mattermost": map[string]any{
			"url":        h.mattermost.URL(),
			"token_file": filepath.Join(keys, "mattermost.token"),
			"channel":    h.channel,
			"callback":   "http://" + address,
			"on_call":    []string{h.officers[0].name, h.officers[1].name},
		},
		"store":          h.store,
		"vault_key_file": filepath.Join(keys, "vault.key"),
		"recipients":     path,
		"book":           book,
		"directory":      filepath.Join(h.server, "directory.yaml"),
	})
}

func (h *Hotline) writeConfig(config map[string]any) error {
	text, err := yaml.Marshal(config)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	if err := os.WriteFile(h.config, text, 0o600); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

// makeKeys makes an officer's key and a recovery key with "suar keys new", and
// returns the recipients file. The keys live as long as the demo does, so
// their passphrase is cheap.
func (h *Hotline) makeKeys(ctx context.Context) ([]byte, error) {
	var recipients, faults bytes.Buffer
	for _, key := range [][2]string{{h.key, "officer"}, {filepath.Join(h.machine, "recovery.key"), "recovery"}} {
		name, _, _ := strings.Cut(filepath.Base(key[0]), ".")
		args := []string{"keys", "new", "--name", name, "--role", key[1], "--output", key[0], "--passphrase-file", h.passphrase, "--cost", "10"}
		if h.commands.Run(ctx, args, &recipients, &faults) != 0 {
			return nil, fmt.Errorf("demo: make a key: %s", strings.TrimSpace(faults.String()))
		}
	}
	return recipients.Bytes(), nil
}

// writeBook writes the book that is built in, with the officers' language.
func writeBook(folder, language string) error {
	if err := os.CopyFS(folder, flows.Shipped()); err != nil {
		return fmt.Errorf("demo: write the book: %w", err)
	}
	path := filepath.Join(folder, "policy.yaml")
	policy, err := fs.ReadFile(flows.Shipped(), "policy.yaml")
	if err != nil {
		return fmt.Errorf("demo: write the book: %w", err)
	}
	var lines []string
	found := false
	for line := range strings.SplitSeq(string(policy), "\n") {
		if strings.HasPrefix(line, "officers:") {
			line, found = "officers: "+language, true
		}
		lines = append(lines, line)
	}
	if !found {
		return errors.New("demo: the book does not say which language the officers have")
	}
	// What the book holds is read-only, and so is its copy.
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("demo: write the book: %w", err)
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		return fmt.Errorf("demo: write the book: %w", err)
	}
	return nil
}

// freeAddress returns an address that nobody listens at. Somebody else could
// take it before the hotline does; then the hotline says so and ends.
func freeAddress() (string, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("demo: %w", err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return "", fmt.Errorf("demo: %w", err)
	}
	return address, nil
}

// directory is what a deployer would write, with nothing in it that could be
// taken for real.
func directory(now time.Time) string {
	return strings.ReplaceAll(`numbers:
  - label: {id: "Contoh: petugas jaga", en: "Example: officer on duty"}
    number: "000 0000"
    verified_on: DAY
    verified_by: demo
  - label: {id: "Contoh: polisi", en: "Example: police"}
    number: "000 0001"
    verified_on: DAY
    verified_by: demo
pages:
  - id: hours
    title: {id: "Jam buka (contoh)", en: "Opening hours (example)"}
    text: {id: "Ini contoh untuk demo. Hari kerja, 00.00 sampai 00.00.", en: "This is an example for the demo. Working days, 00:00 to 00:00."}
    verified_on: DAY
    verified_by: demo
  - id: passport
    title: {id: "Paspor (contoh)", en: "Passports (example)"}
    text: {id: "Ini contoh untuk demo. Di sini ada keterangan dari kantor konsuler.", en: "This is an example for the demo. The consular section's own words stand here."}
    verified_on: DAY
    verified_by: demo
`, "DAY", `"`+now.UTC().Format(time.DateOnly)+`"`)
}
