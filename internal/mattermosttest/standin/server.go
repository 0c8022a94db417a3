// Package standin is a small Mattermost in memory: as much of its REST and
// websocket API as a hotline's bot, its officers' clients and an administrator
// use, for the demo and for fast tests. It is held to the behaviour of the real
// server by the suite of package mattermosttest; where the two differ, this one
// is wrong.
//
// It knows a team, private channels, members, posts with their history,
// threads, reactions, files, message buttons, dialogs and slash commands, and
// websockets that can be resumed. It has no roles beyond "administrator" and "everybody else",
// who may read, post, edit and delete their own posts and react in channels
// that they are members of.
package standin

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
)

// A Server is a Mattermost. It is an http.Handler; Start serves it on an
// address of its own. All methods may be called at any time from any
// goroutine.
type Server struct {
	// Faults are what goes wrong on purpose.
	Faults
	// Transport carries the calls to the bot's endpoint; nil is
	// http.DefaultTransport. It is set before the first request.
	Transport http.RoundTripper
	// KeepsDeleted is the shipped setting under which nobody deletes a post for good
	// but through the local socket. It is set before the first request.
	KeepsDeleted bool

	key    *ecdsa.PrivateKey
	public string

	mu       sync.Mutex
	users    map[string]*user
	tokens   map[string]*token // by what is sent
	teams    map[string]*model.Team
	channels map[string]*channel
	posts    map[string]*model.Post // edit history and deleted posts included
	rows     []string               // the posts in the order in which they came to be
	priority map[string]*model.PostPriority
	reacted  map[string][]*model.Reaction
	replied  map[string]int64 // the time of a thread's last reply
	files    map[string]*file

	preferences map[preferenceKey]model.Preference
	commands    []*model.Command

	// What follows is lost when the server stops.
	pending  map[string]*pendingPost
	conns    map[string]*conn
	boxes    map[*box]bool
	watchers map[chan struct{}]bool

	http *http.Server
	url  string
}

type user struct {
	model.User
	bot    bool
	status string // empty for what the websockets say
}

type token struct {
	id   string
	user string
	bot  bool
}

type channel struct {
	model.Channel
	members map[string]*model.ChannelMember
}

// New returns an empty server with a signing key of its own.
func New() (*Server, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("standin: make the signing key: %w", err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("standin: write the signing key: %w", err)
	}
	s := &Server{
		key:      key,
		public:   base64.StdEncoding.EncodeToString(der),
		users:    map[string]*user{},
		tokens:   map[string]*token{},
		teams:    map[string]*model.Team{},
		channels: map[string]*channel{},
		posts:    map[string]*model.Post{},
		priority: map[string]*model.PostPriority{},
		reacted:  map[string][]*model.Reaction{},
		replied:  map[string]int64{},
		files:    map[string]*file{},

		preferences: map[preferenceKey]model.Preference{},

		pending:  map[string]*pendingPost{},
		conns:    map[string]*conn{},
		boxes:    map[*box]bool{},
		watchers: map[chan struct{}]bool{},
	}
	s.Next = s.routes()
	return s, nil
}

// PublicKey is the key that the signatures of trigger ids verify with, as the
// server publishes it: base64 of a PKIX public key.
func (s *Server) PublicKey() string { return s.public }

// Start serves at an address such as "127.0.0.1:0". After Stop it may be
// started again, with all that it kept.
func (s *Server) Start(address string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.http != nil {
		return errors.New("standin: it is started already")
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("standin: %w", err)
	}
	s.url = "http://" + l.Addr().String()
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go func(h *http.Server) {
		// It ends by Stop; there is nobody to tell of another end.
		_ = h.Serve(l)
	}(s.http)
	return nil
}

// URL is the address served at, without a slash at the end, or empty.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// Stop ends serving at once, as a crash does: requests and websockets are cut,
// and what a real server has only in memory is forgotten. It does nothing to a
// server that is not started.
func (s *Server) Stop() error {
	s.mu.Lock()
	h := s.http
	s.http = nil
	for _, c := range s.conns {
		c.drop()
	}
	s.conns = map[string]*conn{}
	s.pending = map[string]*pendingPost{}
	s.mu.Unlock()
	if h == nil {
		return nil
	}
	return h.Close()
}

// Shutdown is Stop that lets running requests finish, until the context ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	h := s.http
	s.mu.Unlock()
	if h == nil {
		return nil
	}
	err := h.Shutdown(ctx)
	return errors.Join(err, s.Stop())
}

// millis is the time of an event, as Mattermost counts it.
func millis() int64 { return time.Now().UnixMilli() }
