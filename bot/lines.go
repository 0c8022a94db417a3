package bot

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
	"time"
)

const (
	// dialTimeout bounds the making of a connection.
	dialTimeout = 30 * time.Second
	// fresh is for how long after its last use a connection is believed to be
	// open; after it that is looked at before it is used.
	fresh = time.Second
	// glance is how long such a look takes where the connection is open.
	glance = time.Millisecond
	// unused is for how long a connection that is not used is kept.
	unused = 90 * time.Second
)

// lines is a wire of connections of its own, HTTP/1.1 with one call at a time on
// each. The call is written and its answer is read by the goroutine that makes
// it, where net/http has two more for each connection: that costs a third, and
// the calls are the greatest part of what an update costs. Answers that are not
// of the plainest form are read by net/http.
type lines struct {
	path    string // ends with the token and a slash: never print it
	host    string // for the header
	address string // host:port
	secure  *tls.Config
	dialer  net.Dialer

	mu    sync.Mutex
	idle  []*line // the one used last is the last
	prune *time.Timer
}

func newLines(base url.URL) *lines {
	l := &lines{path: base.EscapedPath(), host: base.Host, dialer: net.Dialer{Timeout: dialTimeout, KeepAlive: dialTimeout}}
	port := base.Port()
	if base.Scheme == "https" {
		l.secure = &tls.Config{ServerName: base.Hostname(), MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
		if port == "" {
			port = "443"
		}
	}
	if port == "" {
		port = "80"
	}
	l.address = net.JoinHostPort(base.Hostname(), port)
	return l
}

// A line is one connection.
type line struct {
	net.Conn
	in   *bufio.Reader
	room io.LimitedReader // what is between in and the connection
	out  []byte           // the request, kept for the next one's
	used bool
	last time.Time
}

// post implements wire.
func (l *lines) post(ctx context.Context, method string, content []byte) (answer, error) {
	for {
		c, err := l.take(ctx)
		if err != nil {
			return answer{}, &lost{cause: contextError(ctx, err)}
		}
		a, sent, err := l.call(ctx, c, method, content)
		switch {
		case err == nil:
			return a, nil
		case !sent && c.used && ctx.Err() == nil:
			// The other side has hung up meanwhile. A request of which a part is
			// missing is performed by nobody.
			continue
		}
		return answer{}, &lost{status: a.status, sent: sent, cause: contextError(ctx, err)}
	}
}

// call makes a call on a line, and gives that back or ends it. sent says that
// all of the request went out.
func (l *lines) call(ctx context.Context, c *line, method string, content []byte) (a answer, sent bool, err error) {
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	open := false
	defer func() {
		// Once the deadline is on its way the line is of no use any more.
		if !stop() || !open {
			_ = c.Close()
			return
		}
		l.giveBack(c)
	}()
	b := append(c.out[:0], "POST "...)
	b = append(b, l.path...)
	b = append(b, method...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, l.host...)
	b = append(b, "\r\nContent-Type: application/json\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(content)), 10)
	b = append(b, "\r\n\r\n"...)
	c.out = append(b, content...)
	if _, err := c.Write(c.out); err != nil {
		return a, false, err
	}
	c.room.N = maxHead + maxBody
	a, open, err = c.answer()
	return a, true, err
}

// take returns a line: the one that was used last, or a new one.
func (l *lines) take(ctx context.Context) (*line, error) {
	for {
		l.mu.Lock()
		n := len(l.idle)
		if n == 0 {
			l.mu.Unlock()
			return l.dial(ctx)
		}
		c := l.idle[n-1]
		l.idle[n-1] = nil
		l.idle = l.idle[:n-1]
		l.mu.Unlock()
		if time.Since(c.last) < fresh || c.silent() {
			return c, nil
		}
		_ = c.Close()
	}
}

// silent reports whether the other side has neither hung up nor said anything
// that nobody asked for.
func (c *line) silent() bool {
	c.room.N = maxHead
	if c.in.Buffered() > 0 || c.SetReadDeadline(time.Now().Add(glance)) != nil {
		return false
	}
	_, err := c.in.Peek(1)
	return errors.Is(err, os.ErrDeadlineExceeded) && c.SetReadDeadline(time.Time{}) == nil
}

func (l *lines) dial(ctx context.Context) (*line, error) {
	conn, err := l.dialer.DialContext(ctx, "tcp", l.address)
	if err != nil {
		return nil, err
	}
	if l.secure != nil {
		ctx, cancel := context.WithTimeout(ctx, dialTimeout)
		defer cancel()
		t := tls.Client(conn, l.secure)
		if err := t.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		conn = t
	}
	c := &line{Conn: conn}
	c.room.R = conn
	c.in = bufio.NewReader(&c.room)
	return c, nil
}

// giveBack keeps a line for the next call.
func (l *lines) giveBack(c *line) {
	c.used, c.last = true, time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.idle) >= connections {
		_ = c.Close()
		return
	}
	l.idle = append(l.idle, c)
	if l.prune == nil {
		l.prune = time.AfterFunc(unused, l.hangUp)
	}
}

// hangUp closes the lines that were not used for a while.
func (l *lines) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for n < len(l.idle) && time.Since(l.idle[n].last) >= unused {
		_ = l.idle[n].Close()
		n++
	}
	l.idle = append([]*line(nil), l.idle[n:]...)
	l.prune = nil
	if len(l.idle) > 0 {
		l.prune = time.AfterFunc(unused, l.hangUp)
	}
}

// answer reads an answer. open says that the line can be used again.
func (c *line) answer() (a answer, open bool, err error) {
	head, err := c.head()
	if err != nil {
		return a, false, err
	}
	if p, ok := parsePlain(head); ok {
		_, _ = c.in.Discard(len(head)) // It is in the buffer.
		a.status, a.after = p.status, p.after
		a.body = make([]byte, min(p.length, maxBody))
		_, err = io.ReadFull(c.in, a.body)
		return a, err == nil && p.open && p.length <= maxBody, err
	}
	for {
		resp, err := http.ReadResponse(c.in, nil)
		if err != nil {
			return a, false, err
		}
		if resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
			continue // The answer itself is still to come.
		}
		a, err = readAnswer(resp)
		_ = resp.Body.Close() // It is the line.
		if err != nil {
			return answer{status: resp.StatusCode}, false, err
		}
		return a, !resp.Close && len(a.body) < maxBody && resp.StatusCode >= 200, nil
	}
}
