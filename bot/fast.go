package bot

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// dialTimeout bounds the making of a connection.
	dialTimeout = 10 * time.Second
	// unused is for how long a connection that is not used is kept. Telegram
	// keeps it for longer, so that none is used that is closed already: such a
	// call is lost, and tried again later.
	unused = 20 * time.Second
	// maxAnswer bounds the answer to a call that sends something.
	maxAnswer = 1 << 20
)

// A fastWire is a wire that writes requests by itself and reads answers with
// fasthttp: a call costs a quarter of what it does by net/http, and the calls are
// the greatest part of what an update costs. It reads no answer larger than
// maxAnswer, which is too little for updates.
type fastWire struct {
	address string
	secure  *tls.Config // nil for a server without
	// before and after are what a request has before the method's name and
	// behind it, up to the length of its content: never print them.
	before, after string
	exchanges     sync.Pool // of *exchange
	rooms         sync.Pool // of *[]byte, for contents

	mu    sync.Mutex
	idle  []fastConn // the one used last is the last
	count int        // connections, the idle ones included
	clean *time.Timer
}

// A fastConn is a connection and since when it is idle.
type fastConn struct {
	net.Conn
	since time.Time
}

// errCrowded says that there are as many connections as there may be.
var errCrowded = errors.New("bot: too many connections")

func newFastWire(base url.URL) *fastWire {
	host, port := base.Hostname(), base.Port()
	w := &fastWire{
		before: "POST " + base.EscapedPath(),
		after:  " HTTP/1.1\r\nHost: " + base.Host + "\r\nContent-Type: application/json\r\nContent-Length: ",
	}
	if port == "" {
		port = "80"
	}
	if base.Scheme == "https" {
		if base.Port() == "" {
			port = "443"
		}
		w.secure = &tls.Config{
			ServerName: host, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, ClientSessionCache: tls.NewLRUClientSessionCache(0),
		}
	}
	w.address = net.JoinHostPort(host, port)
	w.rooms.New = func() any { return new(make([]byte, 0, roomForParams)) }
	w.exchanges.New = func() any { return &exchange{in: bufio.NewReader(nil)} }
	return w
}

// post implements wire.
func (w *fastWire) post(ctx context.Context, method string, content []byte) (a answer, err error) {
	err = w.talk(ctx, func(x *exchange) (bool, error) {
		x.write(w, method, content)
		if err := x.send(); err != nil {
			return false, err
		}
		var more bool
		a, more, err = x.receive()
		return more, err
	})
	if err != nil {
		return answer{}, err
	}
	return a, nil
}

// postAll calls a method with each content, one after the other over one
// connection, without waiting for the answers in between. It returns those that
// came, in their order, and why the others did not. A server may end a connection
// between two calls: it is for what may be performed twice.
func (w *fastWire) postAll(ctx context.Context, method string, contents [][]byte) (answers []answer, err error) {
	err = w.talk(ctx, func(x *exchange) (bool, error) {
		for _, content := range contents {
			x.write(w, method, content)
		}
		if err := x.send(); err != nil {
			return false, err
		}
		for range contents {
			a, more, err := x.receive()
			if err != nil {
				return false, err
			}
			answers = append(answers, a)
			if !more {
				return false, nil
			}
		}
		return true, nil
	})
	return answers, err
}

// talk lets f use a connection until ctx ends, callTimeout at most. f reports
// whether the connection may be used again. The error is a *lost.
func (w *fastWire) talk(ctx context.Context, f func(*exchange) (more bool, err error)) error {
	if ctx.Err() != nil {
		return &lost{cause: ctx.Err()}
	}
	if _, ok := ctx.Deadline(); !ok {
		limited, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		ctx = limited
	}
	conn, err := w.take(ctx)
	if err != nil {
		return &lost{cause: contextError(ctx, err)}
	}
	// Whoever reads or writes when ctx ends fails then.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	x := w.exchanges.Get().(*exchange)
	x.conn, x.out = conn, x.out[:0]
	x.in.Reset(conn)
	more, err := f(x)
	more = more && x.in.Buffered() == 0 // It says nothing unasked.
	x.conn = nil
	x.in.Reset(nil)
	w.exchanges.Put(x)
	if !stop() || err != nil || !more {
		w.drop(conn)
	} else {
		w.giveBack(conn)
	}
	if err != nil {
		return &lost{sent: true, cause: contextError(ctx, err)}
	}
	return nil
}

// take returns a connection that nobody uses.
func (w *fastWire) take(ctx context.Context) (net.Conn, error) {
	w.mu.Lock()
	if n := len(w.idle); n > 0 && time.Since(w.idle[n-1].since) < unused {
		conn := w.idle[n-1].Conn
		w.idle[n-1] = fastConn{}
		w.idle = w.idle[:n-1]
		w.mu.Unlock()
		return conn, nil
	}
	if w.count >= 2*connections {
		w.mu.Unlock()
		return nil, errCrowded
	}
	w.count++
	w.mu.Unlock()
	conn, err := w.dial(ctx)
	if err != nil {
		w.mu.Lock()
		w.count--
		w.mu.Unlock()
		return nil, err
	}
	return conn, nil
}

func (w *fastWire) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", w.address)
	if err != nil || w.secure == nil {
		return conn, err
	}
	secure := tls.Client(conn, w.secure)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

// drop closes a connection.
func (w *fastWire) drop(conn net.Conn) {
	_ = conn.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.count--
}

// giveBack keeps a connection for the next call.
func (w *fastWire) giveBack(conn net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle = append(w.idle, fastConn{conn, time.Now()})
	if w.clean == nil {
		w.clean = time.AfterFunc(unused, func() { w.closeIdle(unused) })
	}
}

// closeIdle closes the connections that were not used for so long.
func (w *fastWire) closeIdle(since time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for n < len(w.idle) && time.Since(w.idle[n].since) >= since {
		_ = w.idle[n].Close()
		n++
	}
	w.idle = append(w.idle[:0:0], w.idle[n:]...)
	w.count -= n
	if w.clean != nil {
		w.clean.Stop()
		w.clean = nil
	}
	if len(w.idle) > 0 {
		wait := max(unused-time.Since(w.idle[0].since), time.Second)
		w.clean = time.AfterFunc(wait, func() { w.closeIdle(unused) })
	}
}

// An exchange is what a call needs besides a connection.
type exchange struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte
	head fasthttp.Response
}

// write adds a request to those that send sends.
func (x *exchange) write(w *fastWire, method string, content []byte) {
	x.out = append(x.out, w.before...)
	x.out = append(x.out, method...)
	x.out = append(x.out, w.after...)
	x.out = strconv.AppendInt(x.out, int64(len(content)), 10)
	x.out = append(x.out, "\r\n\r\n"...)
	x.out = append(x.out, content...)
}

func (x *exchange) send() error {
	_, err := x.conn.Write(x.out)
	return err
}

// receive reads the next answer, and whether another may follow.
func (x *exchange) receive() (answer, bool, error) {
	resp := &x.head
	defer resp.Reset()
	if err := resp.ReadLimitBody(x.in, maxAnswer); err != nil {
		return answer{}, false, err
	}
	a := answer{status: resp.StatusCode(), body: append([]byte(nil), resp.Body()...)}
	if after := resp.Header.Peek(fasthttp.HeaderRetryAfter); len(after) > 0 {
		a.after = retryAfter(string(after))
	}
	return a, !resp.ConnectionClose(), nil
}
