package bot

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
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

// A fastWire is a wire of fasthttp's: a call costs a third of what it does by
// net/http, and the calls are the greatest part of what an update costs. It reads
// no answer larger than maxAnswer, which is too little for updates.
type fastWire struct {
	client fasthttp.HostClient
	base   string // ends with the token and a slash: never print it
	crew   *crew
}

func newFastWire(base url.URL) *fastWire {
	secure := base.Scheme == "https"
	host, port := base.Hostname(), base.Port()
	switch {
	case port != "":
	case secure:
		port = "443"
	default:
		port = "80"
	}
	w := &fastWire{base: base.String(), crew: newCrew()}
	w.client = fasthttp.HostClient{
		Addr:  net.JoinHostPort(host, port),
		IsTLS: secure,
		TLSConfig: &tls.Config{
			ServerName: host, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, ClientSessionCache: tls.NewLRUClientSessionCache(0),
		},
		DialTimeout:              w.dial,
		MaxConns:                 2 * connections,
		MaxIdleConnDuration:      unused,
		MaxResponseBodySize:      maxAnswer,
		NoDefaultUserAgentHeader: true,
		// Nothing is sent twice by itself.
		MaxIdemponentCallAttempts: 1,
	}
	return w
}

// dial makes a connection. Whatever fails before there is one, is an error of
// dialing: no call was sent.
func (w *fastWire) dial(address string, limit time.Duration) (net.Conn, error) {
	if limit <= 0 || limit > dialTimeout {
		limit = dialTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil || !w.client.IsTLS {
		return conn, err
	}
	secure := tls.Client(conn, w.client.TLSConfig)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
	return secure, nil
}

// post implements wire. fasthttp knows deadlines and no contexts, so a call is
// left to itself when its context is cancelled, and ends with its deadline.
func (w *fastWire) post(ctx context.Context, method string, content []byte) (answer, error) {
	if ctx.Err() != nil {
		return answer{}, &lost{cause: ctx.Err()}
	}
	end, ok := ctx.Deadline()
	if !ok {
		end = time.Now().Add(callTimeout)
	}
	c := &fastCall{wire: w, method: method, content: content, end: end, done: make(chan struct{})}
	w.crew.do(c.run)
	select {
	case <-c.done:
	case <-ctx.Done():
		return answer{}, &lost{sent: true, cause: ctx.Err()}
	}
	if errors.Is(c.err, fasthttp.ErrTimeout) {
		return answer{}, &lost{sent: true, cause: context.DeadlineExceeded}
	}
	if c.err != nil {
		sent := reached(c.err) && !errors.Is(c.err, fasthttp.ErrNoFreeConns)
		return answer{}, &lost{sent: sent, cause: contextError(ctx, c.err)}
	}
	return c.answer, nil
}

// A fastCall is one call under way. What came of it may be read when it is done.
type fastCall struct {
	wire    *fastWire
	method  string
	content []byte
	end     time.Time
	done    chan struct{}
	answer  answer
	err     error
}

func (c *fastCall) run() {
	defer close(c.done)
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI(c.wire.base + c.method)
	req.Header.SetMethod(fasthttp.MethodPost)
	req.Header.SetContentType("application/json")
	req.SetBodyRaw(c.content)
	if c.err = c.wire.client.DoDeadline(req, resp, c.end); c.err != nil {
		return
	}
	c.answer = answer{
		status: resp.StatusCode(),
		after:  retryAfter(string(resp.Header.Peek(fasthttp.HeaderRetryAfter))),
		body:   append([]byte(nil), resp.Body()...),
	}
}
