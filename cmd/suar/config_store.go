package main

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"suar/internal/backup"
	"suar/internal/secret"
	"suar/storage"
)

// A redisConfig is the store that several processes share.
type redisConfig struct {
	// Addresses are host:port: one of a single server, the Sentinels' with
	// Sentinel, or some nodes' of a Cluster.
	Addresses []string `yaml:"addresses"`
	// Sentinel is the name by which the Sentinels know the master.
	Sentinel string `yaml:"sentinel"`
	Cluster  bool   `yaml:"cluster"`
	// Username is the ACL user; empty is the default one.
	Username             string `yaml:"username"`
	PasswordFile         string `yaml:"password_file"`
	SentinelUsername     string `yaml:"sentinel_username"`
	SentinelPasswordFile string `yaml:"sentinel_password_file"`
	// TLS, if it is there, encrypts the connections; empty it trusts the
	// system's authorities.
	TLS *tlsConfig `yaml:"tls"`
	// Prefix is what all keys begin with, suar if it is empty.
	Prefix string `yaml:"prefix"`
	// Replicas is how many replicas must have a commit before it counts.
	Replicas int `yaml:"replicas"`
	// Everysec accepts a Redis with appendfsync everysec.
	Everysec bool `yaml:"may_lose_a_second"`

	password, sentinelPassword secret.Secret
	tls                        *tls.Config
}

type tlsConfig struct {
	// CAFile is the authority that signed the servers' certificates; CertFile
	// and KeyFile are what Suar proves itself with.
	CAFile   string `yaml:"ca_file"`
	CertFile string `yaml:"cert_file"`
	KeyFile  string `yaml:"key_file"`
}

// A backupConfig is where the embedded store's nightly backups go, nowhere if
// Folder is empty, and how many are kept.
type backupConfig struct {
	Folder string `yaml:"folder"`
	Keep   int    `yaml:"keep"`
}

// mostBackups is how many nights' backups may be kept.
const mostBackups = int(backup.MaxAge / (24 * time.Hour))

// store checks where the store is.
func (l *loading) store() {
	c := &l.c
	switch {
	case c.Store == "" && c.Redis == nil:
		l.fault("store is missing: the folder that keeps the conversations, such as /var/lib/suar/store, or redis instead of it")
	case c.Store != "" && c.Redis != nil:
		l.fault("store and redis are both there: keep the one that has the conversations; suar store copy brings them from one to the other")
	}
	if c.Redis != nil {
		l.redis(c.Redis)
	}
}

// quarantine checks where updates go that cannot be read.
func (l *loading) quarantine() {
	if l.c.Redis != nil && l.c.Quarantine == "" {
		l.fault("quarantine is missing: with redis, name a folder of this machine for updates that cannot be read, such as /var/lib/suar/quarantine")
	}
}

func (l *loading) redis(r *redisConfig) {
	if len(r.Addresses) == 0 {
		l.fault("redis.addresses is empty: write [redis-1.example.org:6379], with sentinel the Sentinels', with cluster some nodes'")
	}
	for _, a := range r.Addresses {
		if host, port, err := net.SplitHostPort(a); err != nil || host == "" || port == "" {
			l.fault("redis.addresses: %q is no address; write host:port", a)
		}
	}
	switch {
	case r.Cluster && r.Sentinel != "":
		l.fault("redis: sentinel and cluster are both there: remove the one that it is not")
	case len(r.Addresses) > 1 && !r.Cluster && r.Sentinel == "":
		l.fault("redis.addresses: several addresses are Sentinels', then name their master at sentinel, or a Cluster's, then write cluster: true")
	}
	r.password = l.must("redis.password", "SUAR_REDIS_PASSWORD", r.PasswordFile, "the password of Redis's user")
	if r.Sentinel != "" {
		r.sentinelPassword, _ = l.secret("redis.sentinel_password", "SUAR_REDIS_SENTINEL_PASSWORD", r.SentinelPasswordFile, "the Sentinels' password")
	}
	if strings.ContainsFunc(r.Prefix, func(c rune) bool { return !strings.ContainsRune(lowerCase+"0123456789.-_", c) }) {
		l.fault("redis.prefix: %q has more than small letters, digits, dots, dashes and underscores", r.Prefix)
	}
	if r.Replicas < 0 {
		l.fault("redis.replicas: want how many replicas must have a commit, 0 for none")
	}
	if r.TLS != nil {
		l.tls(r)
	}
}

// tls reads the certificates.
func (l *loading) tls(r *redisConfig) {
	r.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	if r.TLS.CAFile != "" {
		r.tls.RootCAs = x509.NewCertPool()
		if raw, err := os.ReadFile(r.TLS.CAFile); err != nil {
			l.fault("redis.tls.ca_file: %v", missing(err, "the certificate of the authority that signed Redis's belongs there"))
		} else if !r.tls.RootCAs.AppendCertsFromPEM(raw) {
			l.fault("redis.tls.ca_file: %s holds no certificate in PEM form", r.TLS.CAFile)
		}
	}
	if r.TLS.CertFile == "" && r.TLS.KeyFile == "" {
		return
	}
	if r.TLS.CertFile == "" || r.TLS.KeyFile == "" {
		l.fault("redis.tls: cert_file and key_file belong together: one of them is missing")
		return
	}
	// The key is read like a secret, and refused as one if it lies open.
	key, path, err := readSecret("", r.TLS.KeyFile, func(string) (string, bool) { return "", false })
	if err != nil {
		l.fault("redis.tls.key_file: %v", missing(err, "the key of Suar's certificate belongs there, mode 0400"))
		return
	}
	cert, err := os.ReadFile(r.TLS.CertFile)
	if err != nil {
		l.fault("redis.tls.cert_file: %v", missing(err, "Suar's certificate belongs there"))
		return
	}
	pair, err := tls.X509KeyPair(cert, []byte(key.Reveal()))
	if err != nil {
		// What it says could quote the key.
		l.fault("redis.tls: %s and %s are no certificate and its key in PEM form", r.TLS.CertFile, path)
		return
	}
	r.tls.Certificates = []tls.Certificate{pair}
}

// backup checks where the nightly backups go.
func (l *loading) backup() {
	b := &l.c.Backup
	if b.Keep != 0 && b.Folder == "" {
		l.fault("backup.keep is there and backup.folder is not, so that there are no backups: name a folder for them, better on another disk than the store")
	}
	switch {
	case b.Keep == 0:
		b.Keep = mostBackups
	case b.Keep < 0 || b.Keep > mostBackups:
		l.fault("backup.keep: want 1 to %d, one each night: what a person erased is in every older one, so none is kept for more than %d days", mostBackups, mostBackups)
	}
	if b.Folder == "" {
		return
	}
	if l.c.Redis != nil {
		l.fault("backup.folder is for the embedded store; with redis have a timer of one machine call suar backup, which needs nothing to be stopped")
		return
	}
	if info, err := os.Stat(b.Folder); err != nil {
		l.fault("backup.folder: %v", missing(err, "make the folder, mode 0700, better on another disk than the store"))
	} else if !info.IsDir() {
		l.fault("backup.folder: %s is no folder", b.Folder)
	}
}

// quarantineFolder is where updates go that cannot be read.
func (c config) quarantineFolder() string {
	if c.Quarantine != "" {
		return c.Quarantine
	}
	return c.Store + ".quarantine"
}

// beside reports whether the file lies in the folder of the store or below it,
// links followed.
func beside(file, store string) bool {
	return within(file, filepath.Dir(store)) || within(file, filepath.Dir(realPath(store)))
}

// within reports whether the file lies in the folder or below it, links
// followed.
func within(file, folder string) bool {
	way, err := filepath.Rel(realPath(folder), realPath(file))
	return err == nil && filepath.IsLocal(way)
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

// settings are what the store is opened with.
func (r *redisConfig) settings() storage.RedisConfig {
	return storage.RedisConfig{
		Addresses:        r.Addresses,
		Master:           r.Sentinel,
		Cluster:          r.Cluster,
		Username:         r.Username,
		Password:         r.password.Reveal(),
		SentinelUsername: r.SentinelUsername,
		SentinelPassword: r.sentinelPassword.Reveal(),
		TLS:              r.tls,
		Prefix:           r.prefix(),
		Everysec:         r.Everysec,
		Replicas:         r.Replicas,
	}
}

func (r *redisConfig) prefix() string {
	if r.Prefix == "" {
		return "suar"
	}
	return r.Prefix
}

// isLoopback reports whether an address, host:port, is of this machine.
func isLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
