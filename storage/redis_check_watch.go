package storage

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// A watch looks at every server that the store may come to write to: at all of
// them when it opens, and later at each that it makes a new connection to, so
// that the one that takes over in a failover is looked at too.
type watch struct {
	config RedisConfig
	// open says that the store is open, and what is found goes to Report.
	open atomic.Bool

	mu   sync.Mutex
	told map[string]struct{}
}

// A topology is where the servers are.
type topology struct {
	// master is who the store is to be kept by now. It must answer.
	master string
	// others may come to have the store: its replicas, and in a Cluster
	// everybody, since slots are moved.
	others []string
}

// inspectAll refuses a Redis of which any server is unsafe, and one whose master
// does not answer.
func (w *watch) inspectAll(ctx context.Context, client redis.UniversalClient) error {
	at, err := w.topology(ctx, client)
	if err != nil {
		return fmt.Errorf("storage: open the Redis: %w", err)
	}
	unsafe, err := w.inspectOne(ctx, at.master)
	if err != nil {
		return fmt.Errorf("storage: open the Redis at %s: %w", at.master, err)
	}
	for _, address := range at.others {
		faults, err := w.inspectOne(ctx, address)
		if err != nil {
			// A hotline starts without those that are down. If one of them is to
			// take over, a new connection looks at it.
			w.config.Report(fmt.Errorf("storage: the Redis at %s, which is not the hotline's master now, could not be looked at: %w", address, err))
		}
		unsafe = append(unsafe, faults...)
	}
	if len(unsafe) > 0 {
		return fmt.Errorf("%w:\n%w", ErrUnsafe, errors.Join(unsafe...))
	}
	return nil
}

// topology finds the addresses of all servers.
func (w *watch) topology(ctx context.Context, client redis.UniversalClient) (topology, error) {
	cluster, ok := client.(*redis.ClusterClient)
	switch {
	case ok:
		return w.config.clusterTopology(ctx, cluster)
	case w.config.Master != "":
		return w.config.sentinelTopology(ctx)
	default:
		return topology{master: w.config.Addresses[0]}, nil
	}
}

func (c RedisConfig) clusterTopology(ctx context.Context, cluster *redis.ClusterClient) (topology, error) {
	var mu sync.Mutex
	var known []string
	note := func(_ context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		known = append(known, node.Options().Addr)
		return nil
	}
	// A server that is no Cluster answers with an error that says so.
	if err := cluster.ForEachMaster(ctx, note); err != nil {
		return topology{}, c.advise(err)
	}
	if err := cluster.ForEachSlave(ctx, note); err != nil {
		return topology{}, err
	}
	own, err := cluster.MasterForKey(ctx, "{"+c.Prefix+"}:store")
	if err != nil {
		return topology{}, err
	}
	// What a client is told of are the replicas that are known to have some of
	// the data. One that is not yet may take over later. If the master does not
	// answer now, it is refused for that.
	shards, err := own.ClusterShards(ctx).Result()
	if redis.HasErrorPrefix(err, "NOPERM") {
		return topology{}, c.advise(err)
	}
	for _, shard := range shards {
		for _, node := range shard.Nodes {
			known = append(known, nodeAddress(node, cluster.Options().TLSConfig != nil))
		}
	}
	at := topology{master: own.Options().Addr}
	slices.Sort(known)
	for _, address := range slices.Compact(known) {
		if address != at.master {
			at.others = append(at.others, address)
		}
	}
	return at, nil
}

func nodeAddress(node redis.Node, secret bool) string {
	host, port := node.Endpoint, node.Port
	if host == "" || host == "?" {
		host = node.IP
	}
	if secret {
		port = node.TLSPort
	}
	return net.JoinHostPort(host, strconv.FormatInt(port, 10))
}

// sentinelTopology asks the first Sentinel that answers.
func (c RedisConfig) sentinelTopology(ctx context.Context) (topology, error) {
	var silent []error
	for _, address := range c.Addresses {
		at, err := c.askSentinel(ctx, address)
		if err == nil {
			return at, nil
		}
		silent = append(silent, fmt.Errorf("the Sentinel at %s: %w", address, err))
	}
	return topology{}, errors.Join(silent...)
}

func (c RedisConfig) askSentinel(ctx context.Context, address string) (topology, error) {
	s := c.sentinel(address)
	defer s.Close()
	where, err := s.GetMasterAddrByName(ctx, c.Master).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return topology{}, fmt.Errorf("it does not know a master %q", c.Master)
	case err != nil:
		return topology{}, c.advise(err)
	case len(where) != 2:
		return topology{}, errors.New("it does not say where the master is")
	}
	list, err := s.Replicas(ctx, c.Master).Result()
	if err != nil {
		return topology{}, c.advise(err)
	}
	at := topology{master: net.JoinHostPort(where[0], where[1])}
	for _, r := range list {
		at.others = append(at.others, net.JoinHostPort(r["ip"], r["port"]))
	}
	slices.Sort(at.others)
	return at, nil
}

// inspectOne looks at one server, and tries whether a stranger may.
func (w *watch) inspectOne(ctx context.Context, address string) (faults []error, err error) {
	node := w.config.alone(address)
	defer node.Close()
	report, err := w.config.inspect(ctx, node)
	if err != nil {
		return nil, err
	}
	if report.sentinel {
		report.faults = append(report.faults, errors.New("it is a Sentinel: set the master's name"))
	}
	if report.replica && !w.config.Cluster && w.config.Master == "" {
		report.faults = append(report.faults, errors.New("it is a replica, which takes no writes: name the master, or the Sentinels"))
	}
	welcome, err := w.config.welcomesStrangers(ctx, address)
	if err != nil {
		return nil, err
	}
	if welcome {
		report.faults = append(report.faults, errors.New("it answers without a password: set requirepass, or users with passwords and the default user off"))
	}
	for _, f := range report.faults {
		faults = append(faults, fmt.Errorf("%s: %w", address, f))
	}
	return faults, nil
}

// connected looks at the server behind a new connection. What it finds is
// reported and does not stop a hotline that is running: its people are better
// served by one that may forget than by none.
func (w *watch) connected(ctx context.Context, conn *redis.Conn) error {
	if !w.open.Load() {
		return nil
	}
	report, err := w.config.inspect(ctx, conn)
	var refused redis.Error
	switch {
	case err != nil && !errors.As(err, &refused):
		return nil // It says so itself to whoever needs it.
	case err != nil:
		w.tell(fmt.Errorf("storage: a Redis could not be looked at: %w", err))
	case len(report.faults) > 0:
		w.tell(fmt.Errorf("%w: the server on port %s (run %s):\n%w", ErrUnsafe, report.port, report.run, errors.Join(report.faults...)))
	}
	return nil
}

// tell reports each thing once.
func (w *watch) tell(err error) {
	w.mu.Lock()
	_, known := w.told[err.Error()]
	w.told[err.Error()] = struct{}{}
	w.mu.Unlock()
	if !known {
		w.config.Report(err)
	}
}
