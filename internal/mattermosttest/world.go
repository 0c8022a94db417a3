// Package mattermosttest prepares a Mattermost with a team, an officers'
// channel, a bot and officers: Real runs the real server on PostgreSQL,
// StandIn the small one of package standin. Suite holds both to the same
// facts.
package mattermosttest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	neturl "net/url"
	"testing"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/internal/mattermosttest/standin"
)

// A World is a running Mattermost and who is in it. Its methods act as the
// officers' clients do, through the public API; they end the test when the
// server refuses, unless they say otherwise. They may be called from several
// goroutines, though a refusal then ends only the goroutine.
type World struct {
	// URL is the server's address, without a slash at the end. It stays the
	// same through Stop and Start.
	URL string
	// TeamID and ChannelID are the team and its private channel, of which the
	// bot and the officers are members.
	TeamID, ChannelID string
	// Bot is a bot account with the roles of an ordinary user.
	Bot Account
	// Officers are siti, budi and rina.
	Officers []Account
	// Outsider is in the team but not in the channel.
	Outsider Account
	// Admin is a system administrator and no member of the channel.
	Admin Account
	// Small is the stand-in itself, nil if the server is a real one.
	Small *standin.Server

	t    testing.TB
	host host
}

// An Account is someone who can call the API.
type Account struct {
	URL                 string
	ID, Username, Token string
}

// Client returns a new client of the account's own.
func (a Account) Client() *model.Client4 {
	c := model.NewAPIv4Client(a.URL)
	c.SetToken(a.Token)
	return c
}

// A host is what runs the server of a World.
type host interface {
	// start runs the server until it answers, at the address that it had
	// before.
	start() error
	// stop asks the server to end, and waits.
	stop() error
	// kill ends the server at once, as a crash would.
	kill() error
	// dump is all that the server keeps, as text.
	dump(context.Context) ([]byte, error)
	// local is the path of the local socket.
	local() string
	// log is what the server logged so far.
	log() ([]byte, error)
}

// Stop ends the server in order, as an administrator does.
func (w *World) Stop() {
	w.t.Helper()
	if err := w.host.stop(); err != nil {
		w.t.Fatalf("stop: %v", err)
	}
}

// Kill ends the server at once, as a crash does. What it only had in memory is
// lost.
func (w *World) Kill() {
	w.t.Helper()
	if err := w.host.kill(); err != nil {
		w.t.Fatalf("kill: %v", err)
	}
}

// Start runs a server again that was stopped or killed, at the same address,
// and returns when it answers.
func (w *World) Start() {
	w.t.Helper()
	if err := w.host.start(); err != nil {
		w.t.Fatalf("start: %v", err)
	}
	// Connections that the clients of the tests kept are dead.
	http.DefaultClient.CloseIdleConnections()
}

// Restart is Stop, then Start.
func (w *World) Restart() {
	w.t.Helper()
	w.Stop()
	w.Start()
}

// Dump returns everything that the server keeps, as text: the database's dump,
// in which a test looks for what must not be there.
func (w *World) Dump() []byte {
	w.t.Helper()
	dump, err := w.host.dump(context.Background())
	if err != nil {
		w.t.Fatalf("dump: %v", err)
	}
	return dump
}

// Socket is the path of the server's local socket, on which it asks for no login. The
// stand-in's answers only what a janitor asks.
func (w *World) Socket() string { return w.host.local() }

// Log returns what the server logged so far, at level DEBUG.
func (w *World) Log() []byte {
	w.t.Helper()
	log, err := w.host.log()
	if err != nil {
		w.t.Fatalf("log: %v", err)
	}
	return log
}

// For returns the same world as part of another test, a subtest as a rule:
// what goes wrong ends that one.
func (w *World) For(t testing.TB) *World {
	v := *w
	v.t = t
	return &v
}

// Channel returns the same world with another private channel in the place of
// ChannelID, which has the same members. It takes a few milliseconds, so that
// tests can share a server and yet have a channel each.
func (w *World) Channel(name string) *World {
	w.t.Helper()
	v := *w
	members := append([]Account{w.Bot}, w.Officers...)
	if w.Small != nil {
		v.ChannelID = w.Small.AddChannel(w.TeamID, name, name)
		for _, a := range members {
			w.Small.Join(v.ChannelID, a.ID)
		}
		return &v
	}
	ctx, c := context.Background(), w.Admin.Client()
	made, _, err := c.CreateChannel(ctx, &model.Channel{TeamId: w.TeamID, Name: name, DisplayName: name, Type: model.ChannelTypePrivate})
	w.must(err, "create a channel")
	v.ChannelID = made.Id
	for _, a := range members {
		v.AddMember(a)
	}
	v.RemoveMember(w.Admin)
	return &v
}

// until waits for something that the server does in its own time, and ends the
// test if it does not.
func (w *World) until(what string, done func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("it did not come to pass that %s", what)
		}
	}
}

// PublicKey is the key that the signatures of trigger ids verify with, as the
// server publishes it to everybody: base64 of a PKIX public key.
func (w *World) PublicKey() string {
	w.t.Helper()
	config, _, err := model.NewAPIv4Client(w.URL).GetClientConfig(context.Background(), "")
	w.must(err, "read the client configuration")
	return config["AsymmetricSigningPublicKey"]
}

// Proxy stands before the server, for faults between it and a client: a client
// that is given its address instead of URL meets what is injected. It ends
// with the test.
func (w *World) Proxy() (url string, faults *standin.Faults) {
	w.t.Helper()
	to, err := neturl.Parse(w.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(to)
	pass.ErrorHandler = func(rw http.ResponseWriter, _ *http.Request, _ error) {
		// That the server is away is part of the tests, not worth a line each.
		rw.WriteHeader(http.StatusBadGateway)
	}
	faults = &standin.Faults{Next: pass}
	srv := httptest.NewServer(faults)
	w.t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return srv.URL, faults
}

// Everyone is the bot, the officers, the outsider and the administrator.
func (w *World) Everyone() []Account {
	all := append([]Account{w.Bot}, w.Officers...)
	return append(all, w.Outsider, w.Admin)
}
