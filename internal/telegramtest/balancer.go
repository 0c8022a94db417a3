package telegramtest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
	"syscall"
)

// A Balancer stands between Telegram and several receivers of a webhook, as an
// [Options.Transport]: whatever the address of the webhook, each update goes to
// one of the receivers. Where nobody listens it goes to another; a receiver
// that takes the update and breaks off is a bad gateway, since it may have
// handled it.
type Balancer struct {
	// Pick returns which of n receivers is next. It is asked one at a time.
	Pick func(n int) int

	mu        sync.Mutex
	receivers []string
	transport http.Transport
}

// Set makes host:port of the receivers the ones to pick from.
func (b *Balancer) Set(receivers ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.receivers = receivers
}

// choose returns a receiver that was not tried.
func (b *Balancer) choose(tried map[string]bool) (string, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var left []string
	for _, r := range b.receivers {
		if !tried[r] {
			left = append(left, r)
		}
	}
	if len(left) == 0 {
		return "", false
	}
	return left[b.Pick(len(left))], true
}

// RoundTrip implements http.RoundTripper.
func (b *Balancer) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		return nil, err
	}
	tried := map[string]bool{}
	for {
		receiver, ok := b.choose(tried)
		if !ok {
			return gateway(r, http.StatusServiceUnavailable), nil
		}
		tried[receiver] = true
		to := r.Clone(r.Context())
		to.URL.Scheme, to.URL.Host = "http", receiver
		to.Body = io.NopCloser(bytes.NewReader(body))
		resp, err := b.transport.RoundTrip(to)
		switch {
		case err == nil:
			return resp, nil
		case !errors.Is(err, syscall.ECONNREFUSED):
			return gateway(r, http.StatusBadGateway), nil
		}
	}
}

// gateway is an answer of the balancer's own.
func gateway(r *http.Request, status int) *http.Response {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Request: r,
	}
}
