package redistest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A Replicated is a master and its replicas.
type Replicated struct {
	Master   *Server
	Replicas []*Server
}

// StartReplicated starts a master and n replicas, and returns when the replicas
// have all that the master has.
func StartReplicated(t testing.TB, o Options, n int) *Replicated {
	t.Helper()
	r := &Replicated{Master: Start(t, o)}
	of := o
	of.Config = append([]string{"replicaof " + host + " " + port(r.Master.Addr)}, o.Config...)
	for range n {
		r.Replicas = append(r.Replicas, Start(t, of))
	}
	for _, s := range r.Replicas {
		until(t, "a replica is linked", func() error {
			return want("up", s.info("replication", "master_link_status"))
		})
	}
	until(t, "the master counts its replicas", func() error { return r.Master.counts(n) })
	return r
}

// counts tells whether a master has n replicas, and counts them for
// min-replicas-to-write, if it is set: it does so only each second, and from
// what they last said.
func (s *Server) counts(n int) error {
	err := want(strconv.Itoa(n), s.info("replication", "connected_slaves"))
	if good := s.info("replication", "min_slaves_good_slaves"); good != "" {
		err = errors.Join(err, want(strconv.Itoa(n), good))
	}
	return err
}

// MasterName is the name that Sentinels know the master by.
const MasterName = "hotline"

// A Sentinel is a master and its replicas behind three Sentinels.
type Sentinel struct {
	// Nodes are the servers with data, whichever is the master now.
	Nodes []*Server
	// Sentinels ask for the same password as the nodes.
	Sentinels []*Server
	// Addresses are the Sentinels'.
	Addresses []string

	t testing.TB
}

// StartSentinel starts a master, n replicas and three Sentinels, and returns
// when the Sentinels know everybody. A master that is silent for two seconds is
// replaced.
func StartSentinel(t testing.TB, o Options, n int) *Sentinel {
	t.Helper()
	if o.TLS {
		t.Fatal("Sentinels are started without TLS only")
	}
	r := StartReplicated(t, o, n)
	x := &Sentinel{Nodes: append([]*Server{r.Master}, r.Replicas...), t: t}
	for range 3 {
		s := x.startOne(r.Master, o.SentinelUser)
		x.Sentinels = append(x.Sentinels, s)
		x.Addresses = append(x.Addresses, s.Addr)
	}
	for _, s := range x.Sentinels {
		until(t, "a Sentinel knows the others and the replicas", func() error {
			v, err := s.try("SENTINEL", "MASTER", MasterName)
			if err != nil {
				return err
			}
			m := pairs(v)
			return errors.Join(want("2", m["num-other-sentinels"]), want(strconv.Itoa(n), m["num-slaves"]))
		})
	}
	return x
}

// startOne starts one Sentinel that watches the master.
func (x *Sentinel) startOne(master *Server, user string) *Server {
	x.t.Helper()
	s, err := newServer(x.t, need(x.t), Options{NoPassword: master.Password == ""})
	if err != nil {
		x.t.Fatalf("start a Sentinel: %v", err)
	}
	s.sentinel = true
	s.lines = []string{
		"sentinel monitor " + MasterName + " " + host + " " + port(master.Addr) + " 2",
		"sentinel down-after-milliseconds " + MasterName + " 2000",
		"sentinel failover-timeout " + MasterName + " 10000",
		"sentinel parallel-syncs " + MasterName + " 1",
	}
	if s.Password != "" {
		s.lines = append(s.lines, "requirepass "+s.Password, "sentinel sentinel-pass "+s.Password,
			"sentinel auth-pass "+MasterName+" "+s.Password)
	}
	if user != "" {
		s.lines = append(s.lines, "sentinel auth-user "+MasterName+" "+user)
	}
	x.t.Cleanup(s.end)
	s.Restart()
	return s
}

// Master is the node that most Sentinels take for the master.
func (x *Sentinel) Master() *Server {
	x.t.Helper()
	var master *Server
	until(x.t, "the Sentinels agree on a master", func() error {
		votes := make(map[string]int)
		for _, s := range x.Sentinels {
			v, err := s.try("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MasterName)
			if list, ok := v.([]any); err == nil && ok && len(list) == 2 {
				votes[fmt.Sprint(list[0], ":", list[1])]++
			}
		}
		for _, n := range x.Nodes {
			if votes[n.Addr] >= 2 {
				master = n
				return nil
			}
		}
		return fmt.Errorf("the votes are %v", votes)
	})
	return master
}

// KillMaster kills the master and returns it.
func (x *Sentinel) KillMaster() *Server {
	x.t.Helper()
	m := x.Master()
	m.Kill()
	return m
}

// NewMaster returns the node that took the old one's place, when it did.
func (x *Sentinel) NewMaster(old *Server) *Server {
	x.t.Helper()
	var now *Server
	until(x.t, "a replica takes the master's place", func() error {
		now = x.Master()
		if now == old {
			return errors.New("it is the old one")
		}
		return want("master", now.info("replication", "role"))
	})
	return now
}

// until tries until there is no error, and fails the test if there always is.
func until(t testing.TB, what string, try func() error) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited until %s: %v", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func want(want, got string) error {
	if got != want {
		return fmt.Errorf("got %q, want %q", got, want)
	}
	return nil
}

// pairs reads a list of names and values.
func pairs(v any) map[string]string {
	list, _ := v.([]any)
	m := make(map[string]string)
	for i := 0; i+1 < len(list); i += 2 {
		m[strings.ToLower(fmt.Sprint(list[i]))] = fmt.Sprint(list[i+1])
	}
	return m
}
