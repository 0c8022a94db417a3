package mattermosttest

import (
	"context"
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
	h := &small{server: s, address: address}
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

// A small is a stand-in as a host. It keeps its address through stops.
type small struct {
	server  *standin.Server
	address string
}

func (h *small) start() error {
	return h.server.Start(h.address)
}

func (h *small) stop() error                          { return h.server.Stop() }
func (h *small) kill() error                          { return h.server.Stop() }
func (h *small) dump(context.Context) ([]byte, error) { return h.server.Dump() }
func (h *small) log() ([]byte, error)                 { return nil, nil }
