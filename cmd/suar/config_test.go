package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A deployment is a configuration that is right, in a folder of its own:
// etc/suar.yaml, etc/secrets/{telegram,mattermost,vault} and data.
type deployment struct {
	root   string
	values map[string]string
	env    map[string]string
}

func newDeployment(t *testing.T) *deployment {
	t.Helper()
	d := &deployment{root: t.TempDir(), env: map[string]string{}}
	for _, folder := range []string{"etc/secrets", "data"} {
		if err := os.MkdirAll(d.path(folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	d.file(t, "etc/secrets/telegram", "123456:TEST-TOKEN-canary", 0o400)
	d.file(t, "etc/secrets/mattermost", "canary-of-mattermost", 0o400)
	d.file(t, "etc/secrets/vault", strings.Repeat("0a", 31)+"0b", 0o400)
	d.file(t, "etc/recipients", testRecipients(t), 0o644)
	d.values = map[string]string{
		"listen": "127.0.0.1:8075", "telegram_mode": "polling", "telegram_file": d.path("etc/secrets/telegram"),
		"url": "https://chat.example.org", "callback": "http://127.0.0.2:8075", "channel": "embassy/hotline", "on_call": "[siti]",
		"mattermost_file": d.path("etc/secrets/mattermost"), "store": d.path("data/store"), "vault": d.path("etc/secrets/vault"),
		"recipients": d.path("etc/recipients"), "log": "{}",
	}
	return d
}

func (d *deployment) path(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

func (d *deployment) file(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := d.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	// Not what the mask of this process leaves of it.
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func (d *deployment) link(t *testing.T, name, to string) {
	t.Helper()
	if err := os.Symlink(d.path(to), d.path(name)); err != nil {
		t.Fatal(err)
	}
}

// testRecipients is a recipients file of one officer and no recovery key.
func testRecipients(t *testing.T) string {
	t.Helper()
	_, line := newKey(t, "siti", "officer")
	return line
}

// load reads the configuration and returns its faults, a line each, with the
// folder taken out.
func (d *deployment) load(t *testing.T) []string {
	t.Helper()
	d.write(t)
	_, err := loadConfig(d.path("etc/suar.yaml"), d.lookup)
	if err == nil {
		return nil
	}
	text := regexp.MustCompile(regexp.QuoteMeta(d.path("etc/suar.yaml"))+`(:\d+)?: `).ReplaceAllString(err.Error(), "")
	if strings.Contains(text, "canary") {
		t.Errorf("a secret is in the faults: %s", text)
	}
	return strings.Split(strings.ReplaceAll(text, d.root+string(filepath.Separator), ""), "\n")
}

func (d *deployment) lookup(name string) (string, bool) {
	value, ok := d.env[name]
	return value, ok
}

// write writes the configuration.
func (d *deployment) write(t *testing.T) {
	t.Helper()
	v := func(name string) string { return d.values[name] }
	d.file(t, "etc/suar.yaml", fmt.Sprintf(`
listen: %q
telegram: {mode: %q, token_file: %q, server: %q, webhook_url: %q}
mattermost: {url: %q, callback: %q, channel: %q, on_call: %s, token_file: %q}
%s
vault_key_file: %q
recipients: %q
directory: %q
log: %s
%s
no_recovery_key: true
`, v("listen"), v("telegram_mode"), v("telegram_file"), v("telegram_server"), v("webhook_url"), v("url"), v("callback"), v("channel"), v("on_call"), v("mattermost_file"),
		d.store(), v("vault"), v("recipients"), v("directory"), v("log"), v("more")), 0o644)
}

// store is the store's lines: "redis" goes before "store".
func (d *deployment) store() string {
	if redis, ok := d.values["redis"]; ok {
		return redis
	}
	return fmt.Sprintf("store: %q", d.values["store"])
}

// redis makes the deployment's store a Redis, with more keys in its section.
func (d *deployment) redis(more string) {
	d.values["redis"] = "redis: {addresses: [\"127.0.0.1:6379\"], " + more + "}\nquarantine: " + d.path("data/quarantine")
	d.env["SUAR_REDIS_PASSWORD"] = "canary"
}

const besideFault = "vault_key: its file lies in the folder of the store or below it"

// TestUnsafeConfigurations is the table of what a configuration is refused for.
func TestUnsafeConfigurations(t *testing.T) {
	vault := strings.Repeat("0a", 31) + "0b"
	for _, tt := range []struct {
		name   string
		change func(t *testing.T, d *deployment)
		want   []string // the beginning of each fault, in order
	}{
		{"nothing", func(*testing.T, *deployment) {}, nil},
		{"the key beside the store", func(t *testing.T, d *deployment) {
			d.file(t, "data/vault", vault, 0o400)
			d.values["vault"] = d.path("data/vault")
		}, []string{besideFault}},
		{"the key below the store's folder", func(t *testing.T, d *deployment) {
			d.file(t, "data/keys/a/vault", vault, 0o400)
			d.values["vault"] = d.path("data/keys/a/vault")
		}, []string{besideFault}},
		{"the key that the environment names, beside the store", func(t *testing.T, d *deployment) {
			d.file(t, "data/vault", vault, 0o400)
			d.env["SUAR_VAULT_KEY_FILE"] = d.path("data/vault")
		}, []string{besideFault}},
		{"the environment's key goes before one beside the store", func(t *testing.T, d *deployment) {
			d.file(t, "data/vault", vault, 0o400)
			d.values["vault"] = d.path("data/vault")
			d.env["SUAR_VAULT_KEY_FILE"] = d.path("etc/secrets/vault")
		}, nil},
		{"the key itself in the environment", func(_ *testing.T, d *deployment) {
			d.values["vault"] = ""
			d.env["SUAR_VAULT_KEY"] = vault
		}, nil},
		{"a link to the key beside the store", func(t *testing.T, d *deployment) {
			d.file(t, "data/vault", vault, 0o400)
			d.link(t, "etc/secrets/link", "data/vault")
			d.values["vault"] = d.path("etc/secrets/link")
		}, []string{besideFault}},
		{"a link to the store's folder", func(t *testing.T, d *deployment) {
			d.link(t, "elsewhere", "etc/secrets")
			d.values["store"] = d.path("elsewhere/store")
		}, []string{besideFault}},
		{"a link to the store, which is beside the key", func(t *testing.T, d *deployment) {
			d.file(t, "etc/secrets/store", "", 0o600)
			d.link(t, "data/store", "etc/secrets/store")
		}, []string{besideFault}},
		{"a link beside the store to a key elsewhere", func(t *testing.T, d *deployment) {
			d.link(t, "data/link", "etc/secrets/vault")
			d.values["vault"] = d.path("data/link")
		}, nil},
		{"a store's folder that is not there yet, in a linked one", func(t *testing.T, d *deployment) {
			d.link(t, "elsewhere", "etc")
			d.values["store"] = d.path("elsewhere/secrets/store")
		}, []string{besideFault}},
		{"a folder whose name only begins the same", func(t *testing.T, d *deployment) {
			d.file(t, "data-keys/vault", vault, 0o400)
			d.values["vault"] = d.path("data-keys/vault")
		}, nil},
		{"a key in the folder above the store", func(t *testing.T, d *deployment) {
			d.values["store"] = d.path("etc/secrets/data/store")
		}, nil},

		{"a secret that its group can read", func(t *testing.T, d *deployment) {
			d.file(t, "etc/secrets/telegram", "123456:TEST-TOKEN-canary", 0o440)
			d.file(t, "etc/secrets/vault", vault, 0o640)
		}, nil},
		{"secrets that are open", func(t *testing.T, d *deployment) {
			d.file(t, "etc/secrets/telegram", "123456:TEST-TOKEN-canary", 0o404)
			d.file(t, "etc/secrets/mattermost", "canary-of-mattermost", 0o460)
			d.file(t, "etc/secrets/vault", vault, 0o402)
		}, []string{
			"telegram.token: etc/secrets/telegram is open to everybody", "mattermost.token: etc/secrets/mattermost can be changed by its group",
			"vault_key: etc/secrets/vault is open to everybody",
		}},
		{"a secret twice", func(_ *testing.T, d *deployment) {
			d.env["SUAR_TELEGRAM_TOKEN"], d.env["SUAR_TELEGRAM_TOKEN_FILE"] = "canary", d.path("etc/secrets/telegram")
		}, []string{"telegram.token: both SUAR_TELEGRAM_TOKEN and SUAR_TELEGRAM_TOKEN_FILE are set"}},
		{"no vault key", func(t *testing.T, d *deployment) {
			d.file(t, "etc/secrets/vault", "canary", 0o400)
		}, []string{"vault key: want 32 random bytes"}},
		{"a vault key that is a placeholder", func(t *testing.T, d *deployment) {
			d.file(t, "etc/secrets/vault", strings.Repeat("00", 32), 0o400)
		}, []string{"vault key: want 32 random bytes"}},

		{"files that are not there", func(_ *testing.T, d *deployment) {
			d.values["telegram_file"], d.values["mattermost_file"], d.values["vault"] = d.path("a"), d.path("b"), d.path("c")
			d.values["recipients"], d.values["directory"] = d.path("d"), d.path("e")
		}, []string{
			"telegram.token: a: no such file or directory; put the bot's token from BotFather there, mode 0400",
			"mattermost.token: b: no such file or directory; put the access token of Mattermost's bot account there, mode 0400",
			"vault_key: c: no such file or directory; put 32 random bytes",
			"d: no such file or directory; the recipients belong there: each officer's suar keys new prints a line for it",
			"e: no such file or directory; your telephone numbers",
		}},
		{"a folder and nothing for secrets", func(t *testing.T, d *deployment) {
			d.values["telegram_file"] = d.path("data")
			d.file(t, "etc/secrets/mattermost", "\n", 0o400)
		}, []string{"telegram.token: data: is a folder; put the bot's token", "mattermost.token: etc/secrets/mattermost is empty; put the access token"}},
		{"files with faults", func(t *testing.T, d *deployment) {
			d.file(t, "etc/recipients", "siti officer\nbudi officer", 0o644)
			d.file(t, "etc/directory.yaml", "numbers: [{label: {id: x}, number: \"1\", verified_on: 9999-01-01, verified_by: A}]", 0o644)
			d.values["directory"] = d.path("etc/directory.yaml")
		}, []string{
			"etc/recipients: line 1: want four fields", "etc/recipients: line 2: want four fields",
			"etc/directory.yaml:1: verified_on 9999-01-01 is still to come", "etc/directory.yaml:1: the label is missing in: en",
		}},
		{"a fault of the YAML and one of a file", func(_ *testing.T, d *deployment) {
			d.values["more"] = "recipents: x\nbook: [canary]"
			d.values["telegram_file"] = d.path("nowhere")
		}, []string{"the key \"recipents\" is not known; is \"recipients\" meant?", "want a text", "telegram.token: nowhere: no such file"}},
		{"no YAML", func(_ *testing.T, d *deployment) { d.values["more"] = "]" }, []string{"did not find expected key"}},
		{"no form of a channel", func(_ *testing.T, d *deployment) { d.values["channel"] = "Hotline" }, []string{
			`mattermost.channel: "Hotline" is neither team/channel nor an id; write it like embassy/hotline`,
		}},
		{"a channel of three parts", func(_ *testing.T, d *deployment) { d.values["channel"] = "embassy/hotline/" }, []string{"mattermost.channel:"}},
		{"the id of a channel", func(_ *testing.T, d *deployment) { d.values["channel"] = strings.Repeat("a1", 13) }, nil},
		{"no user names", func(_ *testing.T, d *deployment) { d.values["on_call"] = `[siti, "@canary", ""]` }, []string{
			"mattermost.on_call: number 2 is no user name", "mattermost.on_call: number 3 is no user name",
		}},
		{"a webhook that nobody is told", func(t *testing.T, d *deployment) {
			d.values["telegram_mode"] = "webhook"
			d.env["SUAR_TELEGRAM_WEBHOOK_SECRET"] = "canary"
		}, []string{"telegram.webhook_url is missing"}},

		{"a webhook that somebody else tells of", func(t *testing.T, d *deployment) {
			d.values["telegram_mode"], d.values["webhook_url"] = "webhook", "none"
			d.env["SUAR_TELEGRAM_WEBHOOK_SECRET"] = "canary"
		}, nil},

		{"a Redis", func(_ *testing.T, d *deployment) { d.redis("") }, nil},
		{"a Redis with everything", func(t *testing.T, d *deployment) {
			cert, key := testCertificate(t)
			d.file(t, "etc/redis/ca.pem", cert, 0o644)
			d.file(t, "etc/redis/key.pem", key, 0o400)
			d.redis(fmt.Sprintf("sentinel: main, username: suar, sentinel_username: s, prefix: suar-2, replicas: 1, may_lose_a_second: true, tls: {ca_file: %q, cert_file: %q, key_file: %q}",
				d.path("etc/redis/ca.pem"), d.path("etc/redis/ca.pem"), d.path("etc/redis/key.pem")))
			d.env["SUAR_REDIS_SENTINEL_PASSWORD"] = "canary"
		}, nil},
		{"a Redis whose password is in a file that is open", func(t *testing.T, d *deployment) {
			d.redis("password_file: " + d.file(t, "etc/secrets/redis", "canary", 0o404))
			delete(d.env, "SUAR_REDIS_PASSWORD")
		}, []string{"redis.password: etc/secrets/redis is open to everybody"}},
		{"a Redis without a password", func(_ *testing.T, d *deployment) {
			d.redis("")
			delete(d.env, "SUAR_REDIS_PASSWORD")
		}, []string{"redis.password is missing: name the file that holds it at redis.password_file or in SUAR_REDIS_PASSWORD_FILE"}},
		{"both stores", func(_ *testing.T, d *deployment) {
			d.redis("")
			d.values["redis"] += "\nstore: " + d.path("data/store")
		}, []string{"store and redis are both there: keep the one that has the conversations"}},
		{"no store", func(_ *testing.T, d *deployment) { d.values["redis"] = "" }, []string{"store is missing"}},
		{"a Redis and a folder for backups", func(_ *testing.T, d *deployment) {
			d.redis("")
			d.values["more"] = "backup: {folder: " + d.path("data") + "}"
		}, []string{"backup.folder is for the embedded store; with redis have a timer"}},
		{"a Redis and no place for what cannot be read", func(_ *testing.T, d *deployment) {
			d.redis("")
			d.values["redis"], _, _ = strings.Cut(d.values["redis"], "\n")
		}, []string{"quarantine is missing: with redis, name a folder"}},
		{"several addresses of what", func(_ *testing.T, d *deployment) {
			d.redis("")
			d.values["redis"] = strings.Replace(d.values["redis"], "6379\"", "6379\", \"127.0.0.1:6380\"", 1)
		}, []string{"redis.addresses: several addresses are Sentinels'"}},
		{"a Redis with all faults", func(t *testing.T, d *deployment) {
			d.file(t, "etc/redis/ca.pem", "canary", 0o644)
			d.redis(fmt.Sprintf("sentinel: a, cluster: true, prefix: \"{A}\", replicas: -1, tls: {ca_file: %q, cert_file: x}, replica: 1, adresses: [x]", d.path("etc/redis/ca.pem")))
			d.values["redis"] = strings.Replace(d.values["redis"], "127.0.0.1:6379", "redis", 1)
		}, []string{
			"the key \"replica\" is not known; is \"replicas\" meant?", "the key \"adresses\" is not known; is \"addresses\" meant?",
			"redis.addresses: \"redis\" is no address", "redis: sentinel and cluster are both there", "redis.prefix:", "redis.replicas:",
			"redis.tls.ca_file: etc/redis/ca.pem holds no certificate", "redis.tls: cert_file and key_file belong together",
		}},
		{"a key of TLS that is open, and one of another certificate", func(t *testing.T, d *deployment) {
			cert, key := testCertificate(t)
			d.file(t, "etc/redis/cert.pem", cert, 0o644)
			d.redis(fmt.Sprintf("tls: {cert_file: %q, key_file: %q}", d.path("etc/redis/cert.pem"), d.file(t, "etc/redis/key.pem", key, 0o444)))
		}, []string{"redis.tls.key_file: etc/redis/key.pem is open to everybody"}},
		{"a certificate and another's key", func(t *testing.T, d *deployment) {
			cert, _ := testCertificate(t)
			_, key := testCertificate(t)
			d.file(t, "etc/redis/cert.pem", cert, 0o644)
			d.redis(fmt.Sprintf("tls: {cert_file: %q, key_file: %q}", d.path("etc/redis/cert.pem"), d.file(t, "etc/redis/key.pem", key, 0o400)))
		}, []string{"redis.tls: etc/redis/cert.pem and etc/redis/key.pem are no certificate and its key"}},
		{"kinds of values", func(_ *testing.T, d *deployment) {
			d.redis("replicas: x, cluster: 7")
		}, []string{"want a whole number", "want true or false"}},

		{"backups each night", func(_ *testing.T, d *deployment) {
			d.values["more"] = "backup: {folder: " + d.path("data") + ", keep: 3}"
		}, nil},
		{"too many backups in a folder that is not there", func(_ *testing.T, d *deployment) {
			d.values["more"] = "backup: {folder: " + d.path("nowhere") + ", keep: 15}"
		}, []string{"backup.keep: want 1 to 14", "backup.folder: nowhere: no such file or directory; make the folder"}},
		{"the key among the backups", func(t *testing.T, d *deployment) {
			d.values["vault"] = d.file(t, "backups/old/vault", vault, 0o400)
			d.values["more"] = "backup: {folder: " + d.path("backups") + "}"
		}, []string{"vault_key: its file lies in the folder of the backups or below it"}},
		{"backups to keep and no folder", func(_ *testing.T, d *deployment) { d.values["more"] = "backup: {keep: 5}" }, []string{"backup.keep is there and backup.folder is not"}},
		{"deliveries", func(_ *testing.T, d *deployment) { d.values["more"] = "deliveries: {callers: 32, officers: 8}" }, nil},
		{"fewer deliveries than none", func(_ *testing.T, d *deployment) { d.values["more"] = "deliveries: {callers: -1}" }, []string{"deliveries: want how many"}},

		{"everything at once", func(t *testing.T, d *deployment) {
			d.file(t, "data/vault", vault, 0o444)
			d.env["SUAR_VAULT_KEY_FILE"] = d.path("data/vault")
			d.values = map[string]string{
				"listen": "x", "telegram_mode": "webhook", "url": "chat", "callback": "ftp://x", "on_call": "[]",
				"store": d.path("data/store"), "log": "{format: xml, level: loud}",
			}
		}, []string{
			"telegram.token is missing", "mattermost.token is missing", "vault_key: data/vault is open to everybody", besideFault,
			"telegram.webhook_secret is missing", "telegram.webhook_url is missing", "listen:", "mattermost.url:", "mattermost.callback:", "mattermost.channel is missing",
			"mattermost.on_call is empty", "log.format:", "log.level:", "recipients is missing",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDeployment(t)
			tt.change(t, d)
			got := d.load(t)
			if !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
				t.Errorf("faults:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// testCertificate makes a certificate and its key, in PEM form.
func testCertificate(t *testing.T) (cert, key string) {
	t.Helper()
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, &pair.PublicKey, pair)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(pair)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, b []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
	}
	return block("CERTIFICATE", raw), block("PRIVATE KEY", private)
}

// TestFaultsHaveLines wants each fault to name the line of its key, or of the
// section that lacks it, and an unknown key the one that was meant.
func TestFaultsHaveLines(t *testing.T) {
	d := newDeployment(t)
	file := d.file(t, "etc/suar.yaml", `listen: nowhere
telegram:
  mode: polling
  token_file: etc/none
mattermost:
  url: chat
  on_cal: [siti]
log: {format: xml}
metrics: {publik: true}
`, 0o644)
	_, err := loadConfig(file, d.lookup)
	got := strings.Split(fmt.Sprint(err), "\n")
	for _, want := range []string{
		`:7: the key "on_cal" is not known; is "on_call" meant?`,
		`:9: the key "publik" is not known; is "public" meant?`,
		`:4: telegram.token: etc/none: no such file`,
		`:5: mattermost.token is missing`,
		`:1: listen: "nowhere" is no address`,
		`:6: mattermost.url: "chat" is no address`,
		`:8: log.format: "xml" is neither`,
		`: store is missing`,
	} {
		if !slices.ContainsFunc(got, func(line string) bool { return strings.HasPrefix(line, file+want) }) {
			t.Errorf("no fault begins with %q:\n%s", want, strings.ReplaceAll(err.Error(), d.root, ""))
		}
	}
}

// TestLanguagesOfTheConfiguration: the deployer says which languages are on.
func TestLanguagesOfTheConfiguration(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "id,en",
		"languages: [en, id, th]\n":    "en,id,th",
		"languages: [id, en, klingon]": `there is no catalogue for the language "klingon"`,
		"languages: [lo, id]":          "the catalogue is short; the officers' language and the first one must be complete",
	} {
		d := newDeployment(t)
		d.write(t)
		raw, err := os.ReadFile(d.path("etc/suar.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		d.file(t, "etc/suar.yaml", string(raw)+"\n"+text, 0o644)
		c, err := loadConfig(d.path("etc/suar.yaml"), d.lookup)
		got := fmt.Sprint(err)
		if err == nil {
			got = strings.Join(c.book.Languages(), ",")
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}
