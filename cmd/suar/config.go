package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"suar/flows"
	"suar/handoff/roster"
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
	// Store is the folder of the embedded store, and Redis the store that several
	// processes share: one of the two.
	Store string       `yaml:"store"`
	Redis *redisConfig `yaml:"redis"`
	// Quarantine is the folder for updates that could not be read; beside the
	// embedded store if it is empty.
	Quarantine string `yaml:"quarantine"`
	// VaultKey is the file of the key that seals the store. It must not lie in
	// the store's folder or below it.
	VaultKey string `yaml:"vault_key_file"`
	// Recipients is the file of the officers' keys.
	Recipients string `yaml:"recipients"`
	// NoRecovery says that the deployer knows what it means that there is no
	// recovery key.
	NoRecovery bool `yaml:"no_recovery_key"`
	// Book is the folder of an intake; empty is the one built in. Directory is
	// the file of telephone numbers and consular pages.
	Book      string `yaml:"book"`
	Directory string `yaml:"directory"`
	// Languages are those that people can choose, in the order in which they are
	// offered; empty is what the book says.
	Languages  []string         `yaml:"languages"`
	Deliveries deliveriesConfig `yaml:"deliveries"`
	// Page is the second way to call officers, nil without one.
	Page   *pageConfig  `yaml:"page"`
	Backup backupConfig `yaml:"backup"`
	Log    logConfig    `yaml:"log"`
	// Metrics is where the hotline says how it does, nil for nowhere.
	Metrics *metricsConfig `yaml:"metrics"`
	// Traces is who is told how long what takes, nil for nobody.
	Traces *tracesConfig `yaml:"traces"`

	vaultKey   seal.VaultKey
	vaultFile  string // where it came from, "" if from the environment
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
	// Profile is what "suar setup telegram" sets in place of the book's texts.
	Profile profileConfig `yaml:"profile"`

	token, secret secret.Secret
}

type mattermostConfig struct {
	URL       string `yaml:"url"`
	TokenFile string `yaml:"token_file"`
	// CommandTokenFile holds what Mattermost made for the slash command, if there is
	// one.
	CommandTokenFile string `yaml:"command_token_file"`
	// Channel is the officers' private channel, "team/channel" or its id.
	Channel string `yaml:"channel"`
	// Callback is how Mattermost reaches Listen.
	Callback string `yaml:"callback"`
	// ServerKey pins the key that Mattermost signs presses with.
	ServerKey string `yaml:"server_key"`
	// OnCall are the user names that a new case calls, or else Roster is the file of
	// the roster that says whom it calls, and RosterKey the public key that signs it.
	OnCall    []string `yaml:"on_call"`
	Roster    string   `yaml:"roster"`
	RosterKey string   `yaml:"roster_key"`
	// Rate is how many actions a second one officer may do in the long run; zero is
	// two. More is for load tests.
	Rate float64 `yaml:"rate"`

	token, commandToken secret.Secret
	roster              *roster.Roster
}

// deliveriesConfig is how many deliveries run at once to each side, in this
// process; zero is the engine's own number.
type deliveriesConfig struct {
	Callers  int `yaml:"callers"`
	Officers int `yaml:"officers"`
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
// SUAR_MATTERMOST_TOKEN, SUAR_MATTERMOST_COMMAND_TOKEN if there is a slash
// command, SUAR_VAULT_KEY and, with Redis, SUAR_REDIS_PASSWORD and SUAR_REDIS_SENTINEL_PASSWORD, each also with _FILE for the path of a file
// that holds it, which goes before the path in the YAML file. It returns every
// fault at once, those of the files that it names included; only a file that is
// no YAML at all hides what else is wrong.
func loadConfig(name string, env lookup) (config, error) {
	l := loading{name: name, env: env, c: config{Listen: "127.0.0.1:8075"}}
	if !l.decode() {
		return l.result()
	}
	l.c.Telegram.token = l.must("telegram.token", "SUAR_TELEGRAM_TOKEN", l.c.Telegram.TokenFile, "the bot's token from BotFather")
	l.c.Mattermost.token = l.must("mattermost.token", "SUAR_MATTERMOST_TOKEN", l.c.Mattermost.TokenFile, "the access token of Mattermost's bot account")
	l.c.Mattermost.commandToken, _ = l.secret("mattermost.command_token", "SUAR_MATTERMOST_COMMAND_TOKEN", l.c.Mattermost.CommandTokenFile, "what Mattermost shows of the slash command")
	l.vault()
	l.telegram()
	l.c.check(l.fault)
	l.store()
	l.quarantine()
	l.backup()
	l.files()
	l.roster()
	l.page()
	l.metrics()
	l.traces()
	return l.result()
}

// loadStoreConfig reads of a configuration what says where its store is, and
// nothing else: whoever copies a store needs no token.
func loadStoreConfig(name string, env lookup) (config, error) {
	l := loading{name: name, env: env}
	if l.decode() {
		l.store()
	}
	return l.result()
}

// loadEngineConfig reads of a configuration what the engine needs to work on a
// store, without the edges: the store, the vault's key, the recipients and the
// book.
func loadEngineConfig(name string, env lookup) (config, error) {
	l := loading{name: name, env: env}
	if l.decode() {
		l.vault()
		l.store()
		l.files()
	}
	return l.result()
}

// loadProfileConfig reads of a configuration what says how the bot is shown: its
// token, the book and the languages.
func loadProfileConfig(name string, env lookup) (config, error) {
	l := loading{name: name, env: env}
	if l.decode() {
		l.c.Telegram.token = l.must("telegram.token", "SUAR_TELEGRAM_TOKEN", l.c.Telegram.TokenFile, "the bot's token from BotFather")
		l.loadBook()
	}
	return l.result()
}

// A loading is a configuration while it is read, with what is wrong with it.
type loading struct {
	name   string
	env    lookup
	c      config
	root   *yaml.Node // the document, nil if it could not be read
	faults []error
}

func (l *loading) result() (config, error) { return l.c, errors.Join(l.faults...) }

func (l *loading) fault(format string, args ...any) {
	what, where := fmt.Sprintf(format, args...), l.name
	if line := l.at(what); line > 0 {
		where += fmt.Sprintf(":%d", line)
	}
	l.faults = append(l.faults, fmt.Errorf("%s: %s", where, what))
}

// decode reads the YAML. It reports whether there is anything to go on with.
func (l *loading) decode() bool {
	raw, err := os.ReadFile(l.name)
	if err != nil {
		l.faults = append(l.faults, missing(err, "the configuration belongs there; deploy/suar.yaml is an example"))
		return false
	}
	if root := new(yaml.Node); yaml.Unmarshal(raw, root) == nil {
		l.root = root
	}
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&l.c); err != nil && !errors.Is(err, io.EOF) {
		for _, what := range yamlFaults(err) {
			l.faults = append(l.faults, fmt.Errorf("%s%s", l.name, what))
		}
		if _, decoded := errors.AsType[*yaml.TypeError](err); !decoded {
			return false
		}
	}
	return true
}

// secret reads a secret and tells the file that it comes from, "" if there is
// none.
func (l *loading) secret(what, variable, file, belongs string) (s secret.Secret, path string) {
	s, path, err := readSecret(variable, file, l.env)
	belongs = "put " + belongs + " there, mode 0400"
	switch {
	case err != nil:
		l.fault("%s: %v", what, missing(err, belongs))
	case s.Empty() && path != "":
		l.fault("%s: %s is empty; %s", what, path, belongs)
	}
	return s, path
}

// must is secret for one that has to be there.
func (l *loading) must(what, variable, file, belongs string) secret.Secret {
	before := len(l.faults)
	s, _ := l.secret(what, variable, file, belongs)
	if s.Empty() && len(l.faults) == before {
		l.absent(what, variable)
	}
	return s
}

func (l *loading) absent(what, variable string) {
	l.fault("%s is missing: name the file that holds it at %s_file or in %s_FILE", what, what, variable)
}

// vault reads the vault's key, which must not lie with what it opens.
func (l *loading) vault() {
	before := len(l.faults)
	key, file := l.secret("vault_key", "SUAR_VAULT_KEY", l.c.VaultKey, "32 random bytes (openssl rand -hex 32)")
	switch {
	case !key.Empty():
		var err error
		if l.c.vaultKey, err = seal.ParseVaultKey([]byte(key.Reveal())); err != nil {
			l.fault("%v", plain(err))
		}
	case len(l.faults) == before:
		l.absent("vault_key", "SUAR_VAULT_KEY")
	}
	if l.c.vaultFile = file; file == "" {
		return
	}
	if l.c.Store != "" && beside(file, l.c.Store) {
		l.fault("vault_key: its file lies in the folder of the store or below it: whoever copies the folder has both; put the key elsewhere")
	}
	if l.c.Backup.Folder != "" && within(file, l.c.Backup.Folder) {
		l.fault("vault_key: its file lies in the folder of the backups or below it: whoever copies the folder has both; put the key elsewhere")
	}
}

func (l *loading) telegram() {
	t := &l.c.Telegram
	switch t.Mode {
	case "", "polling":
		t.Mode = "polling"
	case "webhook":
		t.secret = l.must("telegram.webhook_secret", "SUAR_TELEGRAM_WEBHOOK_SECRET", t.WebhookSecretFile,
			"what Telegram proves itself with (openssl rand -hex 32)")
		switch t.WebhookURL {
		case "":
			l.fault("telegram.webhook_url is missing: the public address that Telegram is told, such as https://hotline.example.org/telegram, or none if you tell it yourself")
		case "none":
			t.WebhookURL = ""
		}
	default:
		l.fault("telegram.mode: %q is neither polling nor webhook", t.Mode)
	}
}

// files reads the files that are no secrets, and reports every fault in them.
func (l *loading) files() {
	c := &l.c
	if c.Recipients == "" {
		l.fault("recipients is missing: the file with the officers' keys; suar keys new makes a line for it")
	} else {
		if raw, err := os.ReadFile(c.Recipients); err != nil {
			l.faults = append(l.faults, missing(err, wantRecipients))
		} else if c.recipients, err = seal.ParseRecipients(raw); err != nil {
			for line := range strings.SplitSeq(plain(err).Error(), "\n") {
				l.faults = append(l.faults, fmt.Errorf("%s: %s", c.Recipients, line))
			}
		} else {
			l.readers(c)
		}
	}
	l.loadBook()
}

// roster reads the roster, if there is one.
func (l *loading) roster() {
	m := &l.c.Mattermost
	switch {
	case m.Roster == "" && m.RosterKey != "":
		l.fault("mattermost.roster is missing: name the roster's file, or take out roster_key")
	case m.Roster == "":
	case m.RosterKey == "":
		l.fault("mattermost.roster_key is missing: the public key that suar roster keygen prints; without it nobody could tell whether the roster was changed")
	default:
		var err error
		if m.roster, err = loadRoster(m.Roster, m.RosterKey); err != nil {
			l.faults = append(l.faults, plain(err))
		}
	}
}

func (l *loading) loadBook() {
	c := &l.c
	var err error
	if c.book, err = loadBook(c.Book, c.Directory, c.Languages...); err != nil {
		l.faults = append(l.faults, plain(err))
	}
}

// readers reports what is wrong with those to whom cases are sealed.
func (l *loading) readers(c *config) {
	recovery := func(r seal.Recipient) bool { return r.Role == seal.RoleRecovery }
	if !c.NoRecovery && !slices.ContainsFunc(c.recipients.All(), recovery) {
		l.fault("recipients: there is no recovery key in %s: when the officers' keys are lost, so are the cases; make one with suar keys new --role recovery --shared, or say no_recovery_key: true", c.Recipients)
	}
	if err := c.recipients.Try(); err != nil {
		l.fault("%s: %v", c.Recipients, plain(err))
	}
}

// wantRecipients says what a recipients file is.
const wantRecipients = "the recipients belong there: each officer's suar keys new prints a line for it"
