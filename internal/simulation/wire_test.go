package simulation

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A wire carries one process's requests to a server, in memory: each waits for
// its turn and then meets its fate.
type wire struct {
	proc   *process
	side   string // "telegram" or "mattermost"
	server http.Handler
	// done is told of each request that the server performed, after it did.
	done func(r *http.Request, body []byte, status int, answer []byte)
}

// RoundTrip implements http.RoundTripper.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
		_ = r.Body.Close()
	}
	world := w.proc.world
	f, err := world.turn(r.Context(), w.proc, w.name(r, body))
	if err != nil {
		return nil, err
	}
	if f.crashBefore {
		w.proc.kill()
		return nil, errDead
	}
	switch f.verdict {
	case refused:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case reset:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	case page:
		return gatewayPage(r, http.StatusBadGateway), nil
	case broken:
		return w.broken(r), nil
	case tooMany:
		return w.tooMany(r, f.wait), nil
	}
	resp := perform(w.server, r, body)
	if w.done != nil {
		w.done(r, body, resp.status, resp.body.Bytes())
	}
	if f.crashAfter {
		w.proc.kill()
	}
	if w.proc.dead.Load() {
		return nil, errDead
	}
	switch f.verdict {
	case lost:
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	case gateway:
		return gatewayPage(r, http.StatusGatewayTimeout), nil
	case half:
		resp.body.Truncate(resp.body.Len() / 2)
	}
	return resp.response(r), nil
}

// name says what is asked, the same in each play of a seed.
func (w *wire) name(r *http.Request, body []byte) string {
	path := r.URL.Path
	if i := strings.LastIndex(path, "/"); w.side == "telegram" {
		path = path[i+1:]
	} else {
		path = strings.TrimPrefix(path, "/api/v4")
	}
	// The boundary is random, and two requests may draw theirs in any order.
	if _, boundary, ok := strings.Cut(r.Header.Get("Content-Type"), "boundary="); ok {
		body = bytes.ReplaceAll(body, []byte(boundary), nil)
	}
	h := fnv.New32a()
	_, _ = h.Write(body)
	_, _ = io.WriteString(h, r.URL.RawQuery)
	return fmt.Sprintf("%s %s %s %08x", w.side, r.Method, path, h.Sum32())
}

func gatewayPage(r *http.Request, status int) *http.Response {
	a := newSheet()
	a.header.Set("Content-Type", "text/html")
	a.status = status
	_, _ = io.WriteString(a, "<html><head><title>Bad gateway</title></head><body>nginx</body></html>")
	return a.response(r)
}

func (w *wire) broken(r *http.Request) *http.Response {
	a := newSheet()
	a.header.Set("Content-Type", "application/json")
	a.status = http.StatusInternalServerError
	text := `{"id":"app.post.save.app_error","message":"no","status_code":500}`
	if w.side == "telegram" {
		text = `{"ok":false,"error_code":500,"description":"Internal Server Error"}`
	}
	_, _ = io.WriteString(a, text)
	return a.response(r)
}

func (w *wire) tooMany(r *http.Request, wait time.Duration) *http.Response {
	a := newSheet()
	a.header.Set("Content-Type", "application/json")
	a.status = http.StatusTooManyRequests
	seconds := strconv.Itoa(int(wait / time.Second))
	a.header.Set("Retry-After", seconds)
	text := `{"id":"limit","message":"no","status_code":429}`
	if w.side == "telegram" {
		text = `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after ` + seconds + `","parameters":{"retry_after":` + seconds + `}}`
	}
	_, _ = io.WriteString(a, text)
	return a.response(r)
}

// perform has a handler answer a request.
func perform(h http.Handler, r *http.Request, body []byte) *sheet {
	in := r.Clone(r.Context())
	in.Body = io.NopCloser(bytes.NewReader(body))
	in.ContentLength = int64(len(body))
	in.RequestURI = r.URL.RequestURI()
	a := newSheet()
	h.ServeHTTP(a, in)
	return a
}

// A sheet is an answer as it is written.
type sheet struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func newSheet() *sheet { return &sheet{header: http.Header{}, status: http.StatusOK} }

func (a *sheet) Header() http.Header         { return a.header }
func (a *sheet) Write(b []byte) (int, error) { return a.body.Write(b) }
func (a *sheet) WriteHeader(status int)      { a.status = status }

func (a *sheet) response(r *http.Request) *http.Response {
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(bytes.NewReader(a.body.Bytes())), ContentLength: int64(a.body.Len()), Request: r,
	}
}

// dial opens a websocket to Mattermost: a pipe whose other end the stand-in
// serves.
func (w *wire) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	world := w.proc.world
	f, err := world.turn(ctx, w.proc, "mattermost dial")
	if err != nil {
		return nil, err
	}
	if f.crashBefore || f.crashAfter {
		w.proc.kill()
		return nil, errDead
	}
	if f.verdict != through {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	ours, theirs := net.Pipe()
	w.proc.connected(ours)
	go func() {
		defer theirs.Close()
		in := bufio.NewReader(theirs)
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		w.server.ServeHTTP(&hijacked{sheet: newSheet(), conn: theirs, in: in}, r)
	}()
	return ours, nil
}

// A hijacked is an answer whose connection can be taken over.
type hijacked struct {
	*sheet
	conn net.Conn
	in   *bufio.Reader
}

// Hijack implements http.Hijacker.
func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(h.in, bufio.NewWriter(h.conn)), nil
}

// pass hands a request to the process that the driver chose.
func (in inbound) pass(r *http.Request, body []byte) (*http.Response, error) {
	h := fnv.New32a()
	_, _ = h.Write(body)
	f, err := in.world.turn(r.Context(), nil, fmt.Sprintf("%s %s %08x", in.side, r.URL.Path, h.Sum32()))
	if err != nil {
		return nil, err
	}
	if f.to == nil || f.verdict == refused {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	var server http.Handler
	bot, desk := f.to.parts()
	if server = bot; in.side == "press" {
		server = desk
	}
	resp := perform(server, r, body)
	if f.verdict == lost || f.to.dead.Load() {
		return nil, &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	return resp.response(r), nil
}
