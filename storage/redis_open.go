package storage

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// ErrUnsafe says that a Redis is set up so that it may lose a hotline or show
// it to strangers. Whoever runs it mends what the error lists.
var ErrUnsafe = errors.New("storage: this Redis is not safe to keep a hotline in")

const (
	// dialTimeout and callTimeout are how long a connection may take to be
	// made, and a reply to come, if the configuration does not say.
	dialTimeout = 3 * time.Second
	callTimeout = 5 * time.Second
	// replicaTimeout is how long a commit waits for the replicas, if the
	// configuration does not say.
	replicaTimeout = time.Second
	// connections is how many there may be to one server.
	connections = 128
	// connectionLife is how long one is used. Each new one looks at the
	// server's settings again.
	connectionLife = 10 * time.Minute
)

// A RedisConfig says where a Redis is and what is demanded of it.
type RedisConfig struct {
	// Addresses are host:port: one of a single server, the Sentinels' with
	// Master, or some nodes' of a Cluster.
	Addresses []string
	// Master is the name by which Sentinels know the master; empty without
	// Sentinels.
	Master string
	// Cluster says that the addresses are of a Redis Cluster.
	Cluster bool
	// Username is the ACL user, empty for the default one.
	Username, Password string
	// SentinelUsername and SentinelPassword are for the Sentinels themselves.
	SentinelUsername, SentinelPassword string
	// TLS is nil for connections in the clear, fit for a loopback interface or
	// a network of one's own only. It holds for the Sentinels too.
	TLS *tls.Config
	// Prefix is what all keys begin with, "suar" if it is empty. Hotlines with
	// different prefixes share a Redis without seeing each other.
	Prefix string
	// Everysec accepts a Redis with appendfsync everysec: up to the last second
	// before a crash of its machine may be lost, although it was confirmed.
	Everysec bool
	// Replicas is how many replicas must have a write before it counts.
	Replicas int
	// ReplicaTimeout is how long a write waits for them.
	ReplicaTimeout time.Duration
	// DialTimeout and Timeout are how long a connection may take to be made and
	// a reply to come, whatever the context allows.
	DialTimeout, Timeout time.Duration
	// Existing refuses to begin a store where there is none, with ErrNone: an
	// emptied Redis, or another one's prefix, must not be taken for a new hotline.
	Existing bool
	// Report is told when a server turns out to be unsafe after the store was
	// opened, as the one that took over in a failover may, once for each reason;
	// and of replicas that could not be looked at. It may be nil.
	Report func(error)
}

// OpenRedis opens the store in a Redis, and begins one if there is none and it
// need not exist. It
// refuses a Redis that is not safe, with all faults at once: see ErrUnsafe,
// and ErrFormat for a store of a newer version.
func OpenRedis(ctx context.Context, c RedisConfig) (*Redis, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("storage: open the Redis: %w", err)
	}
	c = c.withDefaults()
	// The library writes to the standard error on its own account. All that
	// matters of it comes back as an error too.
	logging.Disable()

	w := &watch{config: c, told: make(map[string]struct{})}
	client := c.client(w)
	if err := w.inspectAll(ctx, client); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	r, err := NewRedis(ctx, client, RedisOptions{
		Prefix: c.Prefix, Replicas: c.Replicas, ReplicaTimeout: c.ReplicaTimeout, Existing: c.Existing,
	})
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	w.open.Store(true)
	return r, nil
}

// validate returns every fault of the configuration.
func (c RedisConfig) validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if len(c.Addresses) == 0 {
		fault("no addresses: name one as host:port")
	}
	for _, a := range c.Addresses {
		if _, port, err := net.SplitHostPort(a); err != nil || port == "" {
			fault("the address %q is not host:port", a)
		}
	}
	switch {
	case c.Cluster && c.Master != "":
		fault("a Redis is a Cluster or behind Sentinels, not both: remove one of the two")
	case len(c.Addresses) > 1 && !c.Cluster && c.Master == "":
		fault("several addresses are Sentinels', with the master's name, or a Cluster's: say which")
	}
	if strings.ContainsAny(c.Prefix, `{}*?[]\`) || strings.ContainsFunc(c.Prefix, func(r rune) bool { return r <= ' ' || r > '~' }) {
		fault("the prefix may have letters, digits and the like, no blanks and none of {}*?[]\\")
	}
	if c.Replicas < 0 || c.ReplicaTimeout < 0 || c.DialTimeout < 0 || c.Timeout < 0 {
		fault("the number of replicas and the timeouts cannot be negative")
	}
	if c.Username != "" && c.Password == "" {
		fault("the user has no password")
	}
	return errors.Join(faults...)
}

func (c RedisConfig) withDefaults() RedisConfig {
	if c.Prefix == "" {
		c.Prefix = "suar"
	}
	if c.ReplicaTimeout == 0 {
		c.ReplicaTimeout = replicaTimeout
	}
	if c.DialTimeout == 0 {
		c.DialTimeout = dialTimeout
	}
	if c.Timeout == 0 {
		c.Timeout = callTimeout
	}
	if c.Report == nil {
		c.Report = func(error) {}
	}
	return c
}

// client is a client of the Redis that tells w of each connection.
func (c RedisConfig) client(w *watch) redis.UniversalClient {
	o := &redis.UniversalOptions{
		Addrs: c.Addresses, MasterName: c.Master, IsClusterMode: c.Cluster,
		Username: c.Username, Password: c.Password,
		SentinelUsername: c.SentinelUsername, SentinelPassword: c.SentinelPassword,
		TLSConfig: c.TLS,
		OnConnect: w.connected,

		// A repetition is the caller's decision: a silent one loses leases.
		MaxRetries:            -1,
		DialerRetries:         1,
		ContextTimeoutEnabled: true,
		DialTimeout:           c.DialTimeout,
		ReadTimeout:           max(c.Timeout, c.ReplicaTimeout+2*time.Second),
		WriteTimeout:          c.Timeout,
		PoolSize:              connections,
		ConnMaxLifetime:       connectionLife,
		ConnMaxLifetimeJitter: connectionLife / 5,

		// Neither is needed, and each is a command more to be allowed.
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	switch {
	case c.Cluster:
		return redis.NewClusterClient(o.Cluster())
	case c.Master != "":
		return redis.NewFailoverClient(o.Failover())
	default:
		return redis.NewClient(o.Simple())
	}
}

// alone is a client of one node.
func (c RedisConfig) alone(address string) *redis.Client {
	c.Addresses, c.Master, c.Cluster = []string{address}, "", false
	client, _ := c.client(&watch{config: c}).(*redis.Client)
	return client
}

// sentinel is a client of one Sentinel.
func (c RedisConfig) sentinel(address string) *redis.SentinelClient {
	return redis.NewSentinelClient(&redis.Options{
		Addr: address, Username: c.SentinelUsername, Password: c.SentinelPassword, TLSConfig: c.TLS,
		MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
		DialTimeout: c.DialTimeout, ReadTimeout: c.Timeout, WriteTimeout: c.Timeout,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}
