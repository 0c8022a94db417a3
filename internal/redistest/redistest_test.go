package redistest

import (
	"errors"
	"strings"
	"testing"
)

func TestServerKeepsItsDataAndItsAddress(t *testing.T) {
	for _, tls := range []bool{false, true} {
		s := Start(t, Options{TLS: tls, Users: []string{"ann on >word ~ann:* +get"}})
		s.Do("SET", "ann:1", "here")
		addr := s.Addr
		s.Kill()
		if _, err := s.try("PING"); err == nil {
			t.Error("a killed server answers")
		}
		s.Restart()
		if s.Addr != addr {
			t.Errorf("the address is %s, want %s", s.Addr, addr)
		}
		if v, err := s.As("ann", "word", "GET", "ann:1"); v != "here" || err != nil {
			t.Errorf("got %v, %v", v, err)
		}
		if _, err := s.As("ann", "word", "GET", "bob:1"); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("another's key: %v", err)
		}
	}
}

func TestSharedIsOne(t *testing.T) {
	a, b := Shared(t), Shared(t)
	if a != b {
		t.Errorf("%s and %s are two servers", a.Addr, b.Addr)
	}
	if _, err := a.try("PING"); err != nil {
		t.Error(err)
	}
}

func TestSentinelsReplaceTheMaster(t *testing.T) {
	x := StartSentinel(t, Options{}, 1)
	old := x.Master()
	old.Do("SET", "a", "1")
	if got := old.Do("WAIT", "1", "0"); got == int64(0) {
		t.Fatal("the replica has not got it")
	}
	x.KillMaster()
	now := x.NewMaster(old)
	if got := now.Do("GET", "a"); got != "1" {
		t.Errorf("the new master has %v", got)
	}
}

func TestClusterReplacesTheOwner(t *testing.T) {
	c := StartCluster(t, Options{})
	old := c.Owner("{suar}:a")
	old.Do("SET", "{suar}:a", "1")
	until(t, "a replica has it", func() error {
		for _, s := range c.Nodes {
			if v, err := s.exchange([][]string{{"AUTH", Password}, {"READONLY"}, {"GET", "{suar}:a"}}); s != old && v == "1" {
				return err
			}
		}
		return errors.New("none has")
	})
	c.KillOwner("{suar}:a")
	now := c.Owner("{suar}:a")
	if now == old {
		t.Error("the owner was not replaced")
	}
	if got := now.Do("GET", "{suar}:a"); got != "1" {
		t.Errorf("the new owner has %v", got)
	}
}
