package bot

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// maxBody bounds what is read of an answer. A hundred updates of the 64 KiB
// that Telegram allows are less than half.
const maxBody = 16 << 20

// A wire carries requests to Telegram. It sees to it that no error holds the
// address, which contains the token, or a body.
type wire struct{ http *http.Client }

func newWire(c *http.Client) *wire {
	if c == nil {
		t := http.DefaultTransport.(*http.Transport).Clone() //nolint:forbidigo // A copy of its settings.
		t.MaxIdleConns = connections
		t.MaxIdleConnsPerHost = connections
		t.MaxConnsPerHost = 2 * connections
		c = &http.Client{Transport: t}
	}
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &wire{http: &own}
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

func lostAnswer(resp *http.Response) *lost {
	// A page with a client error comes from a gateway that passed nothing on.
	l := &lost{status: resp.StatusCode, sent: resp.StatusCode >= 500 || resp.StatusCode < 300}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		l.after = time.Duration(min(max(n, 0), 3600)) * time.Second
	}
	return l
}

// roundTrip performs a request and reads at most maxBody of the answer.
func (w *wire) roundTrip(r *http.Request) (*http.Response, []byte, error) {
	resp, err := w.http.Do(r)
	if err != nil {
		return nil, nil, &lost{sent: reached(err), cause: contextError(r.Context(), err)}
	}
	defer resp.Body.Close()
	body, err := readBody(resp)
	if err != nil {
		return nil, nil, &lost{status: resp.StatusCode, sent: true, cause: contextError(r.Context(), err)}
	}
	return resp, body, nil
}

// readBody reads at most maxBody.
func readBody(resp *http.Response) ([]byte, error) {
	if n := resp.ContentLength; n > 0 && n <= maxBody {
		body := make([]byte, n)
		_, err := io.ReadFull(resp.Body, body)
		return body, err
	}
	return io.ReadAll(io.LimitReader(resp.Body, maxBody))
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
