package bot

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxBody bounds what is read of an answer. A hundred updates of the 64 KiB
// that Telegram allows are less than half.
const maxBody = 16 << 20

// A wire carries calls to Telegram. No error of it holds the address, which
// contains the token, or a body: what it returns instead of an answer is a
// *lost. It follows no redirect.
type wire interface {
	// post calls a method with content, which is JSON and does not change, and
	// returns the answer with at most maxBody of its body, whatever its status.
	// A fastWire does not look at the content any more when it returns.
	post(ctx context.Context, method string, content []byte) (answer, error)
}

// An answer is what came back, of the Bot API or of something before it.
type answer struct {
	status int
	after  time.Duration // its Retry-After
	body   []byte
}

// newWires returns two wires to the methods below base, which ends with the
// token and a slash: a quick one for the calls that send something, and one that
// reads whatever there is, for updates. Without a client of somebody's they are
// of our own; net/http alone knows the proxies that the environment may name.
func newWires(c *http.Client, base url.URL) (quick, slow wire) {
	if c != nil {
		w := newClientWire(*c, base)
		return w, w
	}
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:forbidigo // A copy of its settings.
	t.MaxIdleConns = connections
	t.MaxIdleConnsPerHost = connections
	t.MaxConnsPerHost = 2 * connections
	slow = newClientWire(http.Client{Transport: t}, base)
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: &base}); err != nil || proxy != nil {
		return slow, slow
	}
	return newFastWire(base), slow
}

// A clientWire sends by a client of net/http.
type clientWire struct {
	http *http.Client
	base url.URL // never print it
}

func newClientWire(c http.Client, base url.URL) *clientWire {
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &clientWire{&c, base}
}

func (w *clientWire) post(ctx context.Context, method string, content []byte) (answer, error) {
	address := w.base
	address.Path += method
	r := (&http.Request{
		Method:        http.MethodPost,
		URL:           &address,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(bytes.NewReader(content)),
		ContentLength: int64(len(content)),
		// With it a request that met a connection just closed is sent again.
		GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
	}).WithContext(ctx)
	resp, err := w.http.Do(r)
	if err != nil {
		return answer{}, &lost{sent: reached(err), cause: contextError(ctx, err)}
	}
	defer resp.Body.Close()
	a, err := readAnswer(resp)
	if err != nil {
		return answer{}, &lost{status: resp.StatusCode, sent: true, cause: contextError(ctx, err)}
	}
	return a, nil
}

// readAnswer reads at most maxBody of an answer.
func readAnswer(resp *http.Response) (a answer, err error) {
	a.status, a.after = resp.StatusCode, retryAfter(resp.Header.Get("Retry-After"))
	if n := resp.ContentLength; n > 0 && n <= maxBody {
		a.body = make([]byte, n)
		_, err = io.ReadFull(resp.Body, a.body)
		return a, err
	}
	a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody))
	return a, err
}

// retryAfter reads the header of the name; a date in it counts for nothing.
func retryAfter(value string) time.Duration {
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0
	}
	return time.Duration(min(max(n, 0), 3600)) * time.Second
}

// A lost is a call that got no answer of the Bot API: none at all, or one of
// something before it.
type lost struct {
	status int           // of the answer, 0 if there was none
	after  time.Duration // its Retry-After
	sent   bool          // the call may have been performed
	cause  error         // context.Canceled, context.DeadlineExceeded or nil
}

func (l *lost) Error() string {
	if l.status != 0 {
		return "bot: no answer of telegram's (status " + strconv.Itoa(l.status) + ")"
	}
	return "bot: no answer of telegram's"
}

func (l *lost) Unwrap() error { return l.cause }

func lostAnswer(a answer) *lost {
	// A page with a client error comes from a gateway that passed nothing on.
	return &lost{status: a.status, after: a.after, sent: a.status >= 500 || a.status < 300}
}

// reached says whether a request that failed may have got to the other side.
func reached(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return false
	}
	var dns *net.DNSError
	return !errors.As(err, &dns)
}

func contextError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var n net.Error
	if errors.As(err, &n) && n.Timeout() {
		return context.DeadlineExceeded
	}
	return nil
}
