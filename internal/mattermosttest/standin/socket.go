package standin

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"github.com/mattermost/mattermost/server/public/model"
)

const (
	// deadQueue is how many written events a connection can be resumed from,
	// sendQueue how many may wait for a connection that is away.
	deadQueue = 128
	sendQueue = 256
	// authPatience is how long a socket may take to say who it is.
	authPatience = 5 * time.Second
	// writePatience is how long a write may take.
	writePatience = 30 * time.Second
)

// A conn is a client's connection. It outlives its socket, so that it can be
// resumed; what is published meanwhile waits in its queue.
type conn struct {
	id   string
	user string
	tok  string

	// Guarded by the server's lock.
	socket  *websocket.Conn
	seq     int64                   // of the next event
	written []*model.WebSocketEvent // the last ones, oldest first
	waiting []any                   // events, and answers to requests
	wake    chan struct{}
}

// drop ends the socket.
func (c *conn) drop() {
	if c.socket != nil {
		_ = c.socket.UnderlyingConn().Close()
	}
}

func (s *Server) websocket(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	socket, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has answered
	}
	defer socket.Close()
	socket.SetReadLimit(8 * 1024)

	q := r.URL.Query()
	tok := bearer(r)
	s.mu.Lock()
	var c *conn
	var replay []*model.WebSocketEvent
	if u := s.who(tok); u != nil {
		c, replay = s.resume(u.Id, q.Get("connection_id"), q.Get("sequence_number"))
		if c == nil {
			s.mu.Unlock()
			return
		}
		c.user, c.tok, c.socket = u.Id, tok, socket
		s.conns[c.id] = c
		s.changed()
	}
	s.mu.Unlock()

	if c == nil {
		if c = s.challenge(socket); c == nil {
			return
		}
	}
	gone := make(chan struct{})
	go s.read(c, socket, gone)
	s.write(c, socket, replay, gone)

	s.mu.Lock()
	if c.socket == socket {
		c.socket = nil
	}
	s.changed()
	s.mu.Unlock()
}

// resume finds the connection to continue, and what of it must be sent again;
// or it makes a new one, which begins with a hello. It returns nil for a
// request that makes no sense.
func (s *Server) resume(userID, id, sequence string) (*conn, []*model.WebSocketEvent) {
	if id == "" {
		return s.fresh(userID), nil
	}
	seq, err := strconv.ParseInt(sequence, 10, 64)
	if err != nil || !model.IsValidId(id) {
		return nil, nil
	}
	c := s.conns[id]
	if c == nil || c.user != userID || c.socket != nil {
		return s.fresh(userID), nil
	}
	if seq == 0 {
		// As on the real server: no hello, and the numbers begin again.
		c.seq = 0
		return c, nil
	}
	for i, ev := range c.written {
		if ev.GetSequence() == seq {
			c.seq = c.written[len(c.written)-1].GetSequence() + 1
			return c, c.written[i:]
		}
	}
	if n := len(c.written); n == 0 || c.written[n-1].GetSequence() == seq-1 {
		c.seq = seq
		return c, nil
	}
	// Something was lost. The client learns that from a hello.
	delete(s.conns, id)
	waiting := c.waiting
	c = s.fresh(userID)
	c.waiting = append(c.waiting, waiting...)
	return c, nil
}

// fresh is a new connection with its hello.
func (s *Server) fresh(userID string) *conn {
	c := &conn{id: model.NewId(), user: userID, wake: make(chan struct{}, 1)}
	hello := model.NewWebSocketEvent(model.WebsocketEventHello, "", "", userID, nil, "")
	hello.Add("server_version", model.CurrentVersion+".standin.0.false")
	hello.Add("connection_id", c.id)
	c.waiting = append(c.waiting, hello)
	return c
}

// challenge waits for a socket to say who it is. It returns nil if it does not.
func (s *Server) challenge(socket *websocket.Conn) *conn {
	_ = socket.SetReadDeadline(time.Now().Add(authPatience))
	for {
		var req model.WebSocketRequest
		if err := socket.ReadJSON(&req); err != nil {
			return nil
		}
		if req.Action != string(model.WebsocketAuthenticationChallenge) {
			no := model.NewWebSocketError(req.Seq, model.NewAppError("", "api.web_socket_router.not_authenticated.app_error", nil, "", http.StatusUnauthorized))
			if socket.WriteJSON(no) != nil {
				return nil
			}
			continue
		}
		tok, _ := req.Data["token"].(string)
		s.mu.Lock()
		u := s.who(tok)
		if u == nil {
			s.mu.Unlock()
			return nil
		}
		c := s.fresh(u.Id)
		c.tok, c.socket = tok, socket
		c.waiting = append(c.waiting, model.NewWebSocketResponse(model.StatusOk, req.Seq, nil))
		s.conns[c.id] = c
		s.changed()
		s.mu.Unlock()
		_ = socket.SetReadDeadline(time.Time{})
		return c
	}
}

// read takes a client's requests until its socket ends.
func (s *Server) read(c *conn, socket *websocket.Conn, gone chan<- struct{}) {
	defer close(gone)
	for {
		var req model.WebSocketRequest
		if err := socket.ReadJSON(&req); err != nil {
			return
		}
		s.mu.Lock()
		if resp := s.request(c, &req); resp != nil {
			s.queue(c, resp)
		}
		s.mu.Unlock()
	}
}

// request answers one request of a client. Nil is no answer.
func (s *Server) request(c *conn, req *model.WebSocketRequest) any {
	if req.Action == string(model.WebsocketAuthenticationChallenge) {
		return nil // it is authenticated already
	}
	refuse := func(id string, status int) any {
		return model.NewWebSocketError(req.Seq, model.NewAppError("", id, nil, "", status))
	}
	if req.Seq <= 0 || req.Action == "" {
		return refuse("api.web_socket_router.bad_seq.app_error", http.StatusBadRequest)
	}
	if s.who(c.tok) == nil {
		return refuse("api.web_socket_router.not_authenticated.app_error", http.StatusUnauthorized)
	}
	switch req.Action {
	case "ping":
		return model.NewWebSocketResponse(model.StatusOk, req.Seq, map[string]any{"text": "pong", "version": model.CurrentVersion, "server_time": millis()})
	case "user_typing":
		id, _ := req.Data["channel_id"].(string)
		if ch := s.channels[id]; ch == nil || ch.members[c.user] == nil {
			return refuse("api.websocket_handler.invalid_param.app_error", http.StatusBadRequest)
		}
		parent, _ := req.Data["parent_id"].(string)
		ev := model.NewWebSocketEvent(model.WebsocketEventTyping, "", id, "", map[string]bool{c.user: true}, "")
		ev.Add("parent_id", parent)
		ev.Add("user_id", c.user)
		s.publish(ev)
	case "get_statuses", "get_statuses_by_ids", string(model.WebsocketPresenceIndicator):
	default:
		return refuse("api.web_socket_router.bad_action.app_error", http.StatusInternalServerError)
	}
	return model.NewWebSocketResponse(model.StatusOk, req.Seq, nil)
}

// write sends what waits until the socket ends.
func (s *Server) write(c *conn, socket *websocket.Conn, replay []*model.WebSocketEvent, gone <-chan struct{}) {
	send := func(v any) bool {
		raw, err := encode(v)
		if err != nil {
			return false
		}
		_ = socket.SetWriteDeadline(time.Now().Add(writePatience))
		return socket.WriteMessage(websocket.TextMessage, raw) == nil
	}
	for _, ev := range replay {
		if !send(ev) {
			return
		}
	}
	ping := time.NewTicker(time.Minute)
	defer ping.Stop()
	for {
		s.mu.Lock()
		var next any
		if len(c.waiting) > 0 && c.socket == socket {
			next = c.waiting[0]
			c.waiting = c.waiting[1:]
			if ev, is := next.(*model.WebSocketEvent); is {
				ev = ev.SetSequence(c.seq)
				c.seq++
				c.written = append(c.written, ev)
				if len(c.written) > deadQueue {
					c.written = c.written[1:]
				}
				next = ev
			}
		}
		s.mu.Unlock()
		if next != nil {
			if !send(next) {
				return
			}
			continue
		}
		select {
		case <-c.wake:
		case <-ping.C:
			if socket.WriteControl(websocket.PingMessage, nil, time.Now().Add(writePatience)) != nil {
				return
			}
		case <-gone:
			return
		}
	}
}

func encode(v any) ([]byte, error) {
	if ev, is := v.(*model.WebSocketEvent); is {
		return ev.ToJSON()
	}
	return json.Marshal(v)
}

// publish hands an event to everyone whom it concerns.
func (s *Server) publish(ev *model.WebSocketEvent) {
	b := ev.GetBroadcast()
	concerns := func(userID string) bool {
		if b.UserId != "" {
			return b.UserId == userID
		}
		if b.OmitUsers[userID] {
			return false
		}
		ch := s.channels[b.ChannelId]
		return ch != nil && ch.members[userID] != nil
	}
	for _, c := range s.conns {
		if concerns(c.user) && s.who(c.tok) != nil {
			s.queue(c, s.addressed(ev, c.user))
		}
	}
	for x := range s.boxes {
		if concerns(x.user) {
			x.put(s.addressed(ev, x.user))
		}
	}
}

// queue lets something wait for a connection's writer. A connection that is too
// far behind is forgotten.
func (s *Server) queue(c *conn, v any) {
	if len(c.waiting) >= sendQueue {
		delete(s.conns, c.id)
		c.drop()
		return
	}
	c.waiting = append(c.waiting, v)
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// addressed adds to a new post's event whether it mentions the one who gets it.
func (s *Server) addressed(ev *model.WebSocketEvent, userID string) *model.WebSocketEvent {
	if ev.EventType() != model.WebsocketEventPosted {
		return ev
	}
	text, _ := ev.GetData()["post"].(string)
	var p model.Post
	if json.Unmarshal([]byte(text), &p) != nil || p.UserId == userID {
		return ev
	}
	for _, found := range mention.FindAllStringSubmatch(p.Message, -1) {
		if u := s.users[userID]; u != nil && strings.EqualFold(strings.TrimRight(found[1], ".-_"), u.Username) {
			ev = ev.DeepCopy()
			ev.Add("mentions", `["`+userID+`"]`)
			break
		}
	}
	return ev
}

// mention is a name that a message calls.
var mention = regexp.MustCompile(`(?:^|[^A-Za-z0-9_])@([A-Za-z0-9._-]+)`)
