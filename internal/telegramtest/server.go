// Package telegramtest is a Telegram Bot API server on loopback: for tests, for
// the demo and for load. It keeps the chats of simulated persons as Telegram
// shows them, hands out updates by long polling and by webhook, and refuses
// what Telegram refuses.
//
// What keeps it honest is not its own tests only: every request, every answer
// and every update is checked against a schema of the Bot API that others made,
// and two foreign clients run against it unchanged.
//
// It differs from Telegram in these points: a parameter or a field that the Bot
// API does not know is refused, where Telegram ignores it; a webhook may be
// plain http; an update may be of any size; and nothing is limited in its rate
// unless [Server.Fail] says so.
package telegramtest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// DefaultToken is the bot's token if Options names none. It is a canary: no
// log, error or file may ever hold it.
const DefaultToken = "123456:TEST-TOKEN-canary"

// Options say how a Server behaves. The zero value is a checked server on a
// free port of the loopback interface.
type Options struct {
	// Addr is where it listens, "127.0.0.1:0" if empty.
	Addr string
	// Token is the bot's token, DefaultToken if empty.
	Token string
	// Now is the server's clock, time.Now if nil. Ages are counted by it: 48 h
	// for deleting, 24 h for updates, 150 s for button presses.
	Now func() time.Time
	// Unchecked leaves the schema out, for load.
	Unchecked bool
	// Keep is how many of the latest requests Requests can tell of; 4,096 if
	// zero, none if negative.
	Keep int
	// Open is a bot as BotFather makes it: it can be added to groups.
	Open bool
	// Unserved says that there is no listener: requests come by ServeHTTP only,
	// and Addr and URL mean nothing.
	Unserved bool
	// Transport carries what is sent to a webhook; nil is one of the server's
	// own.
	Transport http.RoundTripper
	// Redeliver is the pause before a webhook is tried again, doubled each
	// time up to 64 times as long; one second if zero, as Telegram's.
	Redeliver time.Duration
}

// A Server is a Bot API server for one bot. All methods may be called by any
// number of goroutines.
type Server struct {
	// Token is the bot's token.
	Token string

	opts    Options
	addr    string
	http    *http.Server
	methods map[string]method
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	wg      sync.WaitGroup

	mu       sync.Mutex
	chats    map[int64]*chat
	nextID   int // message ids are one sequence for all private chats of a bot
	queries  map[string]*query
	files    map[string]*stored
	pressed  []string       // their ids, the oldest first
	account  map[string]any // what setMyName and its like set
	feeds    map[*feed]struct{}
	failures map[string]func(Call) *Failure
	counts   map[string]int
	log      []Request
	faults   []string

	nextUpdate int64
	queue      []*update
	allowed    []string
	arrived    chan struct{} // closed and replaced with each update
	poll       *poll
	lastPoll   time.Time
	lastOffset int64
	hook       *webhook
}

// New starts a server. It panics if the address cannot be listened on, as
// net/http/httptest does.
func New(o Options) *Server {
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	if o.Token == "" {
		o.Token = DefaultToken
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Keep == 0 {
		o.Keep = 4096
	}
	if o.Redeliver == 0 {
		o.Redeliver = time.Second
	}
	s := &Server{
		Token:      o.Token,
		opts:       o,
		methods:    methods(),
		chats:      map[int64]*chat{},
		nextID:     1000,
		queries:    map[string]*query{},
		files:      map[string]*stored{},
		account:    map[string]any{},
		feeds:      map[*feed]struct{}{},
		failures:   map[string]func(Call) *Failure{},
		counts:     map[string]int{},
		nextUpdate: 500_000_001,
		arrived:    make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	if o.Unserved {
		return s
	}
	l, err := net.Listen("tcp", o.Addr)
	if err != nil {
		panic("telegramtest: " + err.Error())
	}
	s.addr = l.Addr().String()
	s.wg.Go(func() { _ = s.http.Serve(l) })
	return s
}

// URL is the server's base, without a slash at its end: what a client has
// instead of https://api.telegram.org.
func (s *Server) URL() string { return "http://" + s.addr }

// Close ends every connection and waits for what the server had under way.
func (s *Server) Close() {
	s.cancel()
	_ = s.http.Close()
	s.wg.Wait()
}

// A Call is a request to the bot's API.
type Call struct {
	Method string
	// N counts the calls of this method, this one included.
	N int
	// Chat is the chat that the call is about, 0 if none.
	Chat int64
	// Params are the decoded parameters.
	Params map[string]any
}

// A Request is a Call and what became of it.
type Request struct {
	Call
	At time.Time
	// Status is the answer's code; 0 if the connection was cut.
	Status int
	// Description is the error's, empty for a success.
	Description string
}

// Requests returns the latest calls of the method, the oldest first; of every
// method if it is empty.
func (s *Server) Requests(method string) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Request
	for _, r := range s.log {
		if method == "" || r.Method == method {
			out = append(out, r)
		}
	}
	return out
}

// Count returns how often a method was called. The method "file" counts
// downloads.
func (s *Server) Count(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[method]
}

// Faults returns what broke the schema so far, in either direction. A test
// ends by asserting that it is empty.
func (s *Server) Faults() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// Account returns what the bot set about itself: its name, its descriptions,
// its commands, by the name of the parameter.
func (s *Server) Account() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.account)
}

func (s *Server) fault(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faultLocked(fmt.Sprintf(format, args...))
}

func (s *Server) faultLocked(text string) {
	if len(s.faults) < 100 {
		s.faults = append(s.faults, text)
	}
}

func (s *Server) now() time.Time { return s.opts.Now() }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/file/") {
		s.serveFile(w, r)
		return
	}
	rest, _ := strings.CutPrefix(r.URL.Path, "/bot")
	token, name, _ := strings.Cut(rest, "/")
	if token != s.Token {
		answer(w, nil, &apiError{Code: 401, Description: "Unauthorized"})
		return
	}
	method, known := schema().method(name)
	if !known {
		answer(w, nil, &apiError{Code: 404, Description: "Not Found"})
		return
	}
	p, err := readParams(r, schema().properties(method))
	if err != nil {
		answer(w, nil, &apiError{Code: 400, Description: "Bad Request: " + err.Error()})
		return
	}
	s.mu.Lock()
	s.counts[method]++
	call := Call{Method: method, N: s.counts[method], Chat: p.chat(), Params: p}
	fail := s.failures[method]
	if fail == nil {
		fail = s.failures[""]
	}
	s.mu.Unlock()
	var failure *Failure
	if fail != nil {
		failure = fail(call)
	}
	if failure != nil {
		if !wait(r.Context(), s.ctx, failure.Delay) {
			return
		}
		if failure.fails() && !failure.Performed {
			s.keep(call, failure.Status, failure.Description)
			failure.write(w)
			return
		}
	}
	result, e := s.perform(r.Context(), method, p)
	if failure != nil && failure.fails() {
		s.keep(call, failure.Status, failure.Description)
		failure.write(w)
		return
	}
	if e != nil {
		s.keep(call, e.Code, e.Description)
	} else {
		s.keep(call, 200, "")
	}
	answer(w, result, e)
}

// perform checks the parameters, runs the method and checks its result.
func (s *Server) perform(ctx context.Context, method string, p params) (json.RawMessage, *apiError) {
	if !s.opts.Unchecked {
		if err := schema().validate("params:"+method, map[string]any(p)); err != nil {
			s.fault("%s: request: %v", method, err)
			return nil, &apiError{Code: 400, Description: "Bad Request: against the schema"}
		}
	}
	f, ok := s.methods[method]
	if !ok {
		s.fault("%s: not implemented by this server", method)
		return nil, &apiError{Code: 400, Description: "Bad Request: not implemented"}
	}
	out, e := f(s, ctx, p)
	if e != nil {
		return nil, e
	}
	raw, ok := out.(json.RawMessage)
	if !ok {
		var err error
		if raw, err = json.Marshal(out); err != nil {
			s.fault("%s: result: %v", method, err)
			return nil, &apiError{Code: 500, Description: "Internal Server Error"}
		}
	}
	// Updates were checked when they came in; raw ones are not to be checked.
	if !s.opts.Unchecked && method != "getUpdates" {
		if err := schema().validateJSON("result:"+method, raw); err != nil {
			s.fault("%s: result: %v", method, err)
			return nil, &apiError{Code: 400, Description: "Bad Request: result against the schema"}
		}
	}
	return raw, nil
}

func (s *Server) keep(c Call, status int, description string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opts.Keep < 0 {
		return
	}
	if len(s.log) >= s.opts.Keep {
		s.log = slices.Delete(s.log, 0, len(s.log)-s.opts.Keep/2)
	}
	s.log = append(s.log, Request{Call: c, At: s.now(), Status: status, Description: description})
}

// An apiError is an answer with "ok": false.
type apiError struct {
	Code        int
	Description string
	RetryAfter  int
}

func bad(description string) *apiError {
	return &apiError{Code: 400, Description: "Bad Request: " + description}
}

func answer(w http.ResponseWriter, result json.RawMessage, e *apiError) {
	w.Header().Set("Content-Type", "application/json")
	if e == nil {
		// Assembled and not encoded: a raw update need not be JSON.
		_, _ = w.Write([]byte(`{"ok":true,"result":`))
		_, _ = w.Write(result)
		_, _ = w.Write([]byte(`}`))
		return
	}
	body := map[string]any{"ok": false, "error_code": e.Code, "description": e.Description}
	if e.RetryAfter > 0 {
		body["parameters"] = map[string]any{"retry_after": e.RetryAfter}
	}
	w.WriteHeader(e.Code)
	_ = json.NewEncoder(w).Encode(body)
}

// wait waits for d and reports whether neither context ended before.
func wait(a, b context.Context, d time.Duration) bool {
	if d <= 0 {
		return a.Err() == nil && b.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-a.Done():
		return false
	case <-b.Done():
		return false
	}
}
