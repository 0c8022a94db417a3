package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"suar/flows"
	"suar/internal/seal"
	"suar/internal/secret"
)

// A config is the whole configuration of "suar serve". It is read from one
// YAML file; what is secret comes from the environment or from files of its
// own, never from that file.
type config struct {
	// Listen is where Mattermost's presses and Telegram's webhook arrive.
	Listen     string           `yaml:"listen"`
	Telegram   telegramConfig   `yaml:"telegram"`
	Mattermost mattermostConfig `yaml:"mattermost"`
	// Store is the file of the embedded store.
	Store string `yaml:"store"`
	// VaultKey is the file of the key that seals the store. It must not lie in
	// the store's folder or below it.
	VaultKey string `yaml:"vault_key_file"`
	// Recipients is the file of the officers' keys.
	Recipients string `yaml:"recipients"`
	// Book is the folder of an intake; empty is the one built in. Directory is
	// the file of telephone numbers and consular pages.
	Book      string    `yaml:"book"`
	Directory string    `yaml:"directory"`
	Log       logConfig `yaml:"log"`

	vaultKey   seal.VaultKey
	book       *flows.Book
	recipients seal.Recipients
}

type telegramConfig struct {
	// Mode is polling or webhook.
	Mode string `yaml:"mode"`
	// Server is the Bot API server; empty is Telegram's own.
	Server    string `yaml:"server"`
	TokenFile string `yaml:"token_file"`
	// WebhookURL is what Telegram is told; it must lead to /telegram here. It is
	// "none" in the file, and then empty, if somebody else tells it.
	WebhookURL        string `yaml:"webhook_url"`
	WebhookSecretFile string `yaml:"webhook_secret_file"`
	// Rate and ChatRate are messages a second in all and to one chat; zero is
	// Telegram's own limit, negative none. They are for a Bot API server of
	// your own, and for load tests.
	Rate     float64 `yaml:"rate"`
	ChatRate float64 `yaml:"chat_rate"`

	token, secret secret.Secret
}

type mattermostConfig struct {
	URL       string `yaml:"url"`
	TokenFile string `yaml:"token_file"`
	// Channel is the officers' private channel, "team/channel" or its id.
	Channel string `yaml:"channel"`
	// Callback is how Mattermost reaches Listen.
	Callback string `yaml:"callback"`
	// ServerKey pins the key that Mattermost signs presses with.
	ServerKey string `yaml:"server_key"`
	// OnCall are the user names that a new case calls.
	OnCall []string `yaml:"on_call"`

	token secret.Secret
}

type logConfig struct {
	// Format is text or json, Level debug, info, warn or error.
	Format string `yaml:"format"`
	Level  string `yaml:"level"`
}

// lookup is os.LookupEnv, or a test's.
type lookup func(name string) (string, bool)

// loadConfig reads a configuration file, and what is secret from the
// environment: SUAR_TELEGRAM_TOKEN, SUAR_TELEGRAM_WEBHOOK_SECRET,
// SUAR_MATTERMOST_TOKEN and SUAR_VAULT_KEY, each also with _FILE for the path
// of a file that holds it, which goes before the path in the YAML file. It
// returns every fault at once, those of the files that it names included; only
// a file that is no YAML at all hides what else is wrong.
func loadConfig(name string, env lookup) (config, error) {
	c := config{Listen: "127.0.0.1:8075"}
	raw, err := os.ReadFile(name)
	if err != nil {
		return c, missing(err, "the configuration belongs there; deploy/suar.yaml is an example")
	}
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
	}

	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		for _, what := range yamlFaults(err) {
			fault("%s", what)
		}
		if _, decoded := errors.AsType[*yaml.TypeError](err); !decoded {
			return c, errors.Join(faults...)
		}
	}

	secret := func(what, variable, file, belongs string) (secret.Secret, string) {
		s, path, err := readSecret(variable, file, env)
		belongs = "put " + belongs + " there, mode 0400"
		switch {
		case err != nil:
			fault("%s: %v", what, missing(err, belongs))
		case s.Empty() && path != "":
			fault("%s: %s is empty; %s", what, path, belongs)
		case s.Empty():
			fault("%s is missing: name the file that holds it at %s_file or in %s_FILE", what, what, variable)
		}
		return s, path
	}
	c.Telegram.token, _ = secret("telegram.token", "SUAR_TELEGRAM_TOKEN", c.Telegram.TokenFile, "the bot's token from BotFather")
	c.Mattermost.token, _ = secret("mattermost.token", "SUAR_MATTERMOST_TOKEN", c.Mattermost.TokenFile, "the access token of Mattermost's bot account")
	key, keyFile := secret("vault_key", "SUAR_VAULT_KEY", c.VaultKey, "32 random bytes (openssl rand -hex 32)")
	if !key.Empty() {
		if c.vaultKey, err = seal.ParseVaultKey([]byte(key.Reveal())); err != nil {
			fault("%v", plain(err))
		}
	}
	if keyFile != "" && c.Store != "" && besideStore(keyFile, c.Store) {
		fault("vault_key: its file lies in the folder of the store or below it: whoever copies the folder has both; put the key elsewhere")
	}
	switch c.Telegram.Mode {
	case "", "polling":
		c.Telegram.Mode = "polling"
	case "webhook":
		c.Telegram.secret, _ = secret("telegram.webhook_secret", "SUAR_TELEGRAM_WEBHOOK_SECRET", c.Telegram.WebhookSecretFile,
			"what Telegram proves itself with (openssl rand -hex 32)")
		switch c.Telegram.WebhookURL {
		case "":
			fault("telegram.webhook_url is missing: the public address that Telegram is told, such as https://hotline.example.org/telegram, or none if you tell it yourself")
		case "none":
			c.Telegram.WebhookURL = ""
		}
	default:
		fault("telegram.mode: %q is neither polling nor webhook", c.Telegram.Mode)
	}
	c.check(fault)
	return c, errors.Join(append(faults, c.readFiles())...)
}

// readFiles reads the files that are no secrets, and reports every fault in them.
func (c *config) readFiles() error {
	var faults []error
	var err error
	if c.Recipients != "" {
		if raw, err := os.ReadFile(c.Recipients); err != nil {
			faults = append(faults, missing(err, wantRecipients))
		} else if c.recipients, err = seal.ParseRecipients(raw); err != nil {
			for line := range strings.SplitSeq(plain(err).Error(), "\n") {
				faults = append(faults, fmt.Errorf("%s: %s", c.Recipients, line))
			}
		}
	}
	if c.book, err = loadBook(c.Book, c.Directory); err != nil {
		faults = append(faults, plain(err))
	}
	return errors.Join(faults...)
}

// wantRecipients says what a recipients file is.
const wantRecipients = "the recipients belong there: each officer's suar keys new prints a line for it"

// missing says of a file that could not be read what belongs there.
func missing(err error, belongs string) error {
	pe, ok := errors.AsType[*fs.PathError](err)
	switch {
	case !ok:
		return err
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w for the user that runs suar", pe.Path, pe.Err)
	}
	return fmt.Errorf("%s: %w; %s", pe.Path, pe.Err, belongs)
}

// plain is an error without the names of the program's parts, for people.
func plain(err error) error {
	if err == nil {
		return nil
	}
	return plainError{err}
}

type plainError struct{ error }

func (p plainError) Error() string {
	lines := strings.Split(p.error.Error(), "\n")
	for i, line := range lines {
		for _, part := range []string{"seal: recipients: ", "seal: ", "storage: ", "flows: ", "engine: ", "handoff: ", "bot: "} {
			line = strings.TrimPrefix(strings.ReplaceAll(line, ": "+part, ": "), part)
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

func (p plainError) Unwrap() error { return p.error }

func (c config) check(fault func(string, ...any)) {
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		fault("listen: %q is no address; write host:port", c.Listen)
	}
	web := func(what, address string, must bool) {
		if address == "" && !must {
			return
		}
		if u, err := url.Parse(address); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			fault("%s: %q is no address; write it like https://chat.example.org", what, address)
		}
	}
	web("mattermost.url", c.Mattermost.URL, true)
	web("mattermost.callback", c.Mattermost.Callback, true)
	web("telegram.server", c.Telegram.Server, false)
	web("telegram.webhook_url", c.Telegram.WebhookURL, false)
	switch channel := c.Mattermost.Channel; {
	case channel == "":
		fault("mattermost.channel is missing: the officers' private channel, as team/channel")
	case !isChannel(channel):
		fault("mattermost.channel: %q is neither team/channel nor an id; write it like embassy/hotline", channel)
	}
	for i, name := range c.Mattermost.OnCall {
		if name == "" || strings.Trim(name, lowerCase+"0123456789.-_") != "" {
			fault("mattermost.on_call: number %d is no user name; write it in lower case and without @, like siti", i+1)
		}
	}
	if len(c.Mattermost.OnCall) == 0 {
		fault("mattermost.on_call is empty: name at least one officer, or nobody is called when a case comes")
	}
	if c.Store == "" {
		fault("store is missing: the file that keeps the conversations, such as /var/lib/suar/suar.db")
	}
	if c.Recipients == "" {
		fault("recipients is missing: the file with the officers' keys; suar keys new makes a line for it")
	}
	if !slices.Contains([]string{"", "text", "json"}, c.Log.Format) {
		fault("log.format: %q is neither text nor json", c.Log.Format)
	}
	if !slices.Contains([]string{"", "debug", "info", "warn", "error"}, c.Log.Level) {
		fault("log.level: %q is none of debug, info, warn, error", c.Log.Level)
	}
}

const lowerCase = "abcdefghijklmnopqrstuvwxyz"

// isChannel reports whether a text has the form of team/channel or of a
// Mattermost id, 26 letters and digits.
func isChannel(text string) bool {
	team, channel, ok := strings.Cut(text, "/")
	if !ok {
		return len(text) == 26 && strings.Trim(text, lowerCase+"0123456789") == ""
	}
	return team != "" && channel != "" && strings.Trim(team+channel, lowerCase+"0123456789.-_") == ""
}

// besideStore reports whether the key's file lies in the folder of the store or
// below it, links followed.
func besideStore(key, store string) bool {
	key = realPath(key)
	for _, folder := range []string{realPath(filepath.Dir(store)), filepath.Dir(realPath(store))} {
		if way, err := filepath.Rel(folder, key); err == nil && filepath.IsLocal(way) {
			return true
		}
	}
	return false
}

// realPath is the path without links, as far as there is something at it.
func realPath(path string) string {
	path, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		return resolved
	}
	if parent := filepath.Dir(path); parent != path {
		return filepath.Join(realPath(parent), filepath.Base(path))
	}
	return path
}

// readSecret returns a secret from the environment, from the file that the
// environment names, or from the file that the configuration names, and the
// path of the file, "" if there is none. A file is refused that everybody can
// read, or that others than its owner can change; that its group can read is
// how systemd and container runtimes hand over secrets.
func readSecret(variable, file string, env lookup) (s secret.Secret, path string, err error) {
	value, direct := env(variable)
	if named, ok := env(variable + "_FILE"); ok && named != "" {
		if direct {
			return s, named, fmt.Errorf("both %s and %s_FILE are set; keep one", variable, variable)
		}
		file = named
	}
	if direct {
		return secret.New(strings.TrimSpace(value)), "", nil
	}
	if file == "" {
		return s, "", nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return s, file, err
	}
	if info.IsDir() {
		return s, file, &fs.PathError{Op: "read", Path: file, Err: errors.New("is a folder")}
	}
	switch mode := info.Mode().Perm(); {
	case mode&0o007 != 0:
		return s, file, fmt.Errorf("%s is open to everybody on this machine; chmod 0400 %s", file, file)
	case mode&0o020 != 0:
		return s, file, fmt.Errorf("%s can be changed by its group; chmod 0440 %s", file, file)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return s, file, err
	}
	return secret.New(strings.TrimSpace(string(raw))), file, nil
}

// yamlFaults are a parser's errors, with the nearest known key where one is
// not known. What stands in the file is not repeated: it could be a token in the
// wrong place.
func yamlFaults(err error) []string {
	var te *yaml.TypeError
	if !errors.As(err, &te) {
		return []string{strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	var out []string
	for _, what := range te.Errors {
		if before, rest, ok := strings.Cut(what, "field "); ok {
			if key, _, ok := strings.Cut(rest, " not found in type "); ok {
				what = fmt.Sprintf("%sthe key %q is not known%s", before, key, nearest(key))
			}
		}
		if before, rest, ok := strings.Cut(what, "cannot unmarshal "); ok {
			what = before + "want " + kindOf(rest[strings.LastIndexByte(rest, ' ')+1:])
		}
		out = append(out, what)
	}
	return out
}

// kindOf says what belongs where a Go type is read.
func kindOf(goType string) string {
	switch {
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case strings.HasPrefix(goType, "float"):
		return "a number"
	case goType == "string":
		return "a text"
	}
	return "keys with their values"
}

// keys are the keys of the configuration file.
func keys() []string {
	return []string{
		"listen", "telegram", "mattermost", "store", "vault_key_file", "recipients", "book", "directory", "log",
		"mode", "server", "token_file", "webhook_url", "webhook_secret_file", "rate", "chat_rate",
		"url", "channel", "callback", "server_key", "on_call", "format", "level",
	}
}

func nearest(key string) string {
	best, at := "", 4
	for _, k := range keys() {
		if d := distance(key, k); d < at {
			best, at = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; is %q meant?", best)
}

// distance counts the letters to change, add or leave out to come from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
