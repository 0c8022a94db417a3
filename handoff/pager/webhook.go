package pager

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"suar/internal/secret"
)

// Signature is the header that proves that a call is ours: "t=", the time in seconds
// since 1970, ",v1=", and in hexadecimal the HMAC-SHA256 under the secret of that
// time as it is written there, a full stop, and the body.
const Signature = "Suar-Signature"

// leastSecret is the least length of the secret, in bytes.
const leastSecret = 16

// A hook is the webhook.
type hook struct {
	address *url.URL
	secret  secret.Secret
	client  *http.Client
	now     func() time.Time
}

func newHook(w Webhook, now func() time.Time) (*hook, error) {
	u, err := url.Parse(w.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("pager: the webhook's url is no address; write it like https://gateway.example.org/suar")
	case u.Scheme == "http" && !here(u.Hostname()):
		return nil, errors.New("pager: the webhook's url must be https, unless it is on this machine")
	case u.User != nil:
		return nil, errors.New("pager: the webhook's url holds a name or a password, which would be in logs; the signature proves who calls")
	case len(w.Secret.Reveal()) < leastSecret:
		return nil, fmt.Errorf("pager: the webhook's secret is shorter than %d bytes; openssl rand -hex 32 makes one", leastSecret)
	}
	return &hook{address: u, secret: w.Secret, now: now, client: &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout: 10 * time.Second,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:   true,
		},
		// What is signed for one address is for no other.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// here reports whether a host is this machine.
func here(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (h *hook) name() string { return "webhook" }

// sign returns the signature of a body at an instant.
func sign(key secret.Secret, body []byte, at time.Time) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(key.Reveal()))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

func (h *hook) call(ctx context.Context, c call) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.address.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "suar")
	r.Header.Set(Signature, sign(h.secret, body, h.now()))
	resp, err := h.client.Do(r)
	if err != nil {
		return &failure{what: "the webhook cannot be reached", err: err}
	}
	defer resp.Body.Close()
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code >= 500:
		return &failure{what: fmt.Sprintf("the webhook answers with status %d", code)}
	default:
		return &failure{what: fmt.Sprintf("the webhook refuses with status %d", code), final: true}
	}
}

// try connects, and with https shakes hands; a request would call somebody.
func (h *hook) try(ctx context.Context) error {
	port := h.address.Port()
	if port == "" {
		port = h.address.Scheme
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(h.address.Hostname(), port))
	if err != nil {
		return &failure{what: "the webhook's host cannot be reached", err: err}
	}
	defer conn.Close()
	if h.address.Scheme == "http" {
		return nil
	}
	t := tls.Client(conn, &tls.Config{ServerName: h.address.Hostname(), MinVersion: tls.VersionTLS12})
	if err := t.HandshakeContext(ctx); err != nil {
		return &failure{what: "the webhook's certificate is not accepted", err: err}
	}
	return nil
}
