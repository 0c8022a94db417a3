package redistest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// A Cluster is three masters, each with one replica.
type Cluster struct {
	Nodes     []*Server
	Addresses []string

	t testing.TB
}

// slots is the number of hash slots, masters how many share them.
const (
	slots   = 16384
	masters = 3
)

// StartCluster starts three masters and three replicas, and returns when each
// node finds the Cluster whole. A master that is silent for three seconds is
// replaced by its replica.
func StartCluster(t testing.TB, o Options) *Cluster {
	t.Helper()
	if o.TLS {
		t.Fatal("a Cluster is started without TLS only")
	}
	c := &Cluster{t: t}
	o.Config = append([]string{
		"cluster-enabled yes",
		"cluster-node-timeout 3000",
		// A replica takes over however long ago it heard of its master: the
		// machine may be busy.
		"cluster-replica-validity-factor 0",
		"cluster-allow-replica-migration no",
	}, o.Config...)
	for range 2 * masters {
		s, err := newServer(t, need(t), o)
		if err != nil {
			t.Fatalf("start a Redis: %v", err)
		}
		s.clustered = true
		t.Cleanup(s.end)
		s.Restart()
		c.Nodes = append(c.Nodes, s)
		c.Addresses = append(c.Addresses, s.Addr)
	}
	first := c.Nodes[0]
	bus := configured(t, first, "cluster-port")
	for i, s := range c.Nodes {
		s.Do("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		if i < masters {
			s.Do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/masters), strconv.Itoa((i+1)*slots/masters-1))
		}
		if i > 0 {
			s.Do("CLUSTER", "MEET", host, port(first.Addr), bus)
		}
	}
	for i, s := range c.Nodes[masters:] {
		id := fmt.Sprint(c.Nodes[i].Do("CLUSTER", "MYID"))
		until(t, "a replica knows its master", func() error {
			_, err := s.try("CLUSTER", "REPLICATE", id)
			return err
		})
	}
	for _, s := range c.Nodes {
		until(t, "a node finds the Cluster whole", func() error { return s.whole() })
	}
	for _, s := range c.Nodes[masters:] {
		until(t, "a replica is linked", func() error {
			return want("up", s.info("replication", "master_link_status"))
		})
	}
	for _, s := range c.Nodes[:masters] {
		until(t, "a master counts its replica", func() error { return s.counts(1) })
	}
	return c
}

// whole says what the node misses of the Cluster.
func (s *Server) whole() error {
	v, err := s.try("CLUSTER", "INFO")
	if err != nil {
		return err
	}
	if text := fmt.Sprint(v); !strings.Contains(text, "cluster_state:ok") {
		return fmt.Errorf("its state is %q", text)
	}
	if v, err = s.try("CLUSTER", "NODES"); err != nil {
		return err
	}
	text := fmt.Sprint(v)
	if replicas := strings.Count(text, "slave "); replicas != masters {
		return fmt.Errorf("it knows %d replicas:\n%s", replicas, text)
	}
	return nil
}

// Owner is the node that the key is kept on.
func (c *Cluster) Owner(key string) *Server {
	c.t.Helper()
	var owner *Server
	until(c.t, "the nodes agree on an owner", func() error {
		for _, s := range c.Nodes {
			if !s.Running() || s.info("replication", "role") != "master" {
				continue
			}
			// Only the owner does not point to another.
			if _, err := s.try("EXISTS", key); err == nil {
				owner = s
				return nil
			}
		}
		return errors.New("nobody answers for the key")
	})
	return owner
}

// KillOwner kills the node that the key is kept on and returns it.
func (c *Cluster) KillOwner(key string) *Server {
	c.t.Helper()
	s := c.Owner(key)
	s.Kill()
	return s
}

// configured is a setting as the server has it.
func configured(t testing.TB, s *Server, name string) string {
	t.Helper()
	m := pairs(s.Do("CONFIG", "GET", name))
	if m[name] == "" {
		t.Fatalf("the server has no %s", name)
	}
	return m[name]
}
