package mattermosttest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"suar/internal/loopback"
	"suar/internal/mattermosttest/standin"
)

// StandIn starts the small server in memory, with the same world as Real's. It
// needs nothing installed and is up in a few milliseconds. It ends with the
// test.
func StandIn(t testing.TB) *World {
	t.Helper()
	s, err := standin.New()
	if err != nil {
		t.Fatalf("prepare the stand-in: %v", err)
	}
	var p prepared
	person := func(x standin.Person) Account {
		id, token := s.AddPerson(x)
		return Account{ID: id, Username: x.Username, Token: token}
	}
	p.admin = person(standin.Person{Username: "admin", Admin: true})
	for _, name := range []string{"siti", "budi", "rina"} {
		p.officers = append(p.officers, person(standin.Person{Username: name}))
	}
	p.outsider = person(standin.Person{Username: "outsider"})
	p.bot = person(standin.Person{Username: "suar", Bot: true})
	p.team = s.AddTeam("embassy", "Embassy")
	p.channel = s.AddChannel(p.team, "hotline", "Hotline")
	s.Join(p.channel, p.bot.ID, p.officers[0].ID, p.officers[1].ID, p.officers[2].ID)

	address, err := loopback.FreeAddress()
	if err != nil {
		t.Fatalf("start the stand-in: %v", err)
	}
	h := &small{server: s, address: address, socket: filepath.Join(shortDir(t), "local.socket")}
	if err := h.start(); err != nil {
		t.Fatalf("start the stand-in: %v", err)
	}
	t.Cleanup(func() {
		if err := h.kill(); err != nil {
			t.Errorf("end the stand-in: %v", err)
		}
	})
	w := p.world(t, s.URL(), h)
	w.Small = s
	return w
}

// shortDir is a folder of the test's own. The path of a socket may have a
// hundred bytes, and t.TempDir has the test's name in it.
func shortDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "standin") //nolint:usetesting // t.TempDir's path can be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A small is a stand-in as a host. It keeps its address through stops.
type small struct {
	server  *standin.Server
	address string
	socket  string
	close   func() error // of the socket
}

func (h *small) start() error {
	if err := h.server.Start(h.address); err != nil {
		return err
	}
	var err error
	h.close, err = h.server.Local(h.socket)
	return err
}

func (h *small) stop() error {
	err := h.server.Stop()
	if h.close != nil {
		err = errors.Join(err, h.close())
		h.close = nil
	}
	return err
}

func (h *small) kill() error                          { return h.stop() }
func (h *small) local() string                        { return h.socket }
func (h *small) dump(context.Context) ([]byte, error) { return h.server.Dump() }
func (h *small) log() ([]byte, error)                 { return nil, nil }
