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

// inspectAll refuses a Redis of which any server is unsafe.
func (w *watch) inspectAll(ctx context.Context, client redis.UniversalClient) error {
	masters, replicas, err := w.nodes(ctx, client)
	if err != nil {
		return fmt.Errorf("storage: open the Redis: %w", err)
	}
	var unsafe []error
	for i, address := range slices.Concat(masters, replicas) {
		faults, err := w.inspectOne(ctx, address)
		switch {
		case err == nil:
			unsafe = append(unsafe, faults...)
		case i < len(masters):
			return fmt.Errorf("storage: open the Redis at %s: %w", address, err)
		default:
			// A hotline starts without a replica that is down. If it is the one
			// to take over, a new connection looks at it.
			w.config.Report(fmt.Errorf("storage: the replica at %s could not be looked at: %w", address, err))
		}
	}
	if len(unsafe) > 0 {
		return fmt.Errorf("%w:\n%w", ErrUnsafe, errors.Join(unsafe...))
	}
	return nil
}

// nodes finds the addresses of all servers.
func (w *watch) nodes(ctx context.Context, client redis.UniversalClient) (masters, replicas []string, err error) {
	cluster, ok := client.(*redis.ClusterClient)
	switch {
	case ok:
		return clusterNodes(ctx, cluster)
	case w.config.Master != "":
		return w.config.sentinelNodes(ctx)
	default:
		return w.config.Addresses, nil, nil
	}
}

func clusterNodes(ctx context.Context, cluster *redis.ClusterClient) (masters, replicas []string, err error) {
	var mu sync.Mutex
	note := func(list *[]string) func(context.Context, *redis.Client) error {
		return func(_ context.Context, node *redis.Client) error {
			mu.Lock()
			defer mu.Unlock()
			*list = append(*list, node.Options().Addr)
			return nil
		}
	}
	// A server that is no Cluster answers with an error that says so.
	if err := cluster.ForEachMaster(ctx, note(&masters)); err != nil {
		return nil, nil, advise(err)
	}
	if err := cluster.ForEachSlave(ctx, note(&replicas)); err != nil {
		return nil, nil, err
	}
	// What a client is told of are the replicas that are known to have some of
	// the data. One that is not yet may take over later.
	shards, err := cluster.ClusterShards(ctx).Result()
	if redis.HasErrorPrefix(err, "NOPERM") {
		return nil, nil, advise(err)
	}
	for _, shard := range shards {
		for _, node := range shard.Nodes {
			if a := nodeAddress(node, cluster.Options().TLSConfig != nil); !slices.Contains(masters, a) {
				replicas = append(replicas, a)
			}
		}
	}
	slices.Sort(masters)
	slices.Sort(replicas)
	return masters, slices.Compact(replicas), nil
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

// sentinelNodes asks the first Sentinel that answers.
func (c RedisConfig) sentinelNodes(ctx context.Context) (masters, replicas []string, err error) {
	var silent []error
	for _, address := range c.Addresses {
		master, replicas, err := c.askSentinel(ctx, address)
		if err == nil {
			return []string{master}, replicas, nil
		}
		silent = append(silent, fmt.Errorf("the Sentinel at %s: %w", address, err))
	}
	return nil, nil, errors.Join(silent...)
}

func (c RedisConfig) askSentinel(ctx context.Context, address string) (master string, replicas []string, err error) {
	s := c.sentinel(address)
	defer s.Close()
	where, err := s.GetMasterAddrByName(ctx, c.Master).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return "", nil, fmt.Errorf("it does not know a master %q", c.Master)
	case err != nil:
		return "", nil, advise(err)
	case len(where) != 2:
		return "", nil, errors.New("it does not say where the master is")
	}
	list, err := s.Replicas(ctx, c.Master).Result()
	if err != nil {
		return "", nil, advise(err)
	}
	for _, r := range list {
		replicas = append(replicas, net.JoinHostPort(r["ip"], r["port"]))
	}
	slices.Sort(replicas)
	return net.JoinHostPort(where[0], where[1]), replicas, nil
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
