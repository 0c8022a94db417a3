package pager

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/secret"
)

const key = "0123456789abcdef0123456789abcdef"

// A gateway is a webhook's other side; it answers with the next status, 200 when
// there is none.
type gateway struct {
	*httptest.Server
	mu     sync.Mutex
	status []int
	got    []request
}

type request struct {
	body, signature, raw string
}

func newGateway(t *testing.T, status ...int) *gateway {
	g := &gateway{status: status}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var raw strings.Builder
		_ = r.Header.Write(&raw)
		g.mu.Lock()
		defer g.mu.Unlock()
		g.got = append(g.got, request{string(body), r.Header.Get(Signature), r.Method + " " + r.URL.String() + "\n" + raw.String() + string(body)})
		if len(g.status) > 0 {
			w.WriteHeader(g.status[0])
			g.status = g.status[1:]
		}
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) requests() []request {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]request(nil), g.got...)
}

// A sink is a mail server that keeps what it is told.
type sink struct {
	net.Listener
	config *tls.Config
	// starttls says that it offers it, refuse is what it answers to a recipient.
	starttls bool
	refuse   map[string]string

	mu    sync.Mutex
	said  []string // every line outside of a mail, TLS or not
	mails []string
}

func newSink(t *testing.T, starttls bool) *sink {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &priv.PublicKey, priv)
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{
		Listener: l, starttls: starttls, refuse: map[string]string{},
		config: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: priv}}},
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

func (s *sink) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	say := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	say("220 sink")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		s.mu.Lock()
		s.said = append(s.said, line)
		refusal := s.refuse[line]
		s.mu.Unlock()
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		switch {
		case refusal != "":
			say(refusal)
		case verb == "EHLO":
			if s.starttls {
				say("250-sink\r\n250-AUTH PLAIN\r\n250 STARTTLS")
			} else {
				say("250 sink")
			}
		case verb == "STARTTLS":
			say("220 go on")
			secured := tls.Server(conn, s.config)
			if secured.Handshake() != nil {
				return
			}
			conn, in = secured, bufio.NewReader(secured)
		case verb == "AUTH":
			say("235 ok")
		case verb == "DATA":
			say("354 go on")
			var mail strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				mail.WriteString(line)
			}
			s.mu.Lock()
			s.mails = append(s.mails, mail.String())
			s.mu.Unlock()
			say("250 taken")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (s *sink) inbox() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.mails...)
}

func (s *sink) smtp() *SMTP {
	return &SMTP{Host: s.Addr().String(), From: "suar@example.org", To: []string{"duty@example.org", "lead@example.org"}}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

var instant = time.Date(2026, 3, 2, 3, 4, 5, 0, time.UTC)

func summon(id, code string, level int) engine.Delivery {
	return engine.Delivery{
		ID: id, Conversation: "canary-conversation", Caller: "canary-caller", Thread: "canary-thread", Urgent: true, Tries: 1,
		Effect: flows.Summon{Level: level, Code: code},
		Card:   flows.Card{Title: "canary-card"}, Witness: "canary-witness",
	}
}

func newPager(t *testing.T, c Config) *Pager {
	t.Helper()
	c.Log, c.Now = quiet(), func() time.Time { return instant }
	p, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range p.ways {
		if m, ok := w.(*mailer); ok {
			m.trust = &tls.Config{InsecureSkipVerify: true}
		}
	}
	return p
}

// TestCall: a webhook gets the code under a signature that its documentation's lines
// verify, the mail is nothing but a subject, and nothing else of the case leaves.
func TestCall(t *testing.T) {
	g, s := newGateway(t), newSink(t, true)
	mail := s.smtp()
	mail.User, mail.Password = "suar", secret.New("canary-password")
	p := newPager(t, Config{Webhook: &Webhook{URL: g.URL + "/suar", Secret: secret.New(key)}, SMTP: mail})
	if _, err := p.Deliver(t.Context(), summon("canary-item", "H3VC-1EXD", 2)); err != nil {
		t.Fatal(err)
	}

	got := g.requests()
	if len(got) != 1 || got[0].body != `{"case":"H3VC-1EXD","level":2,"at":"2026-03-02T03:04:05Z"}` {
		t.Fatalf("the webhook got %+v", got)
	}
	stamp, sum, ok := strings.Cut(strings.TrimPrefix(got[0].signature, "t="), ",v1=")
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(stamp + "." + got[0].body))
	if !ok || stamp != strconv.FormatInt(instant.Unix(), 10) || sum != hex.EncodeToString(mac.Sum(nil)) {
		t.Errorf("the signature is %q", got[0].signature)
	}
	mails := s.inbox()
	if len(mails) != 1 || !strings.Contains(mails[0], "\r\nSubject: Suar: H3VC-1EXD\r\n") || !strings.HasSuffix(mails[0], "\r\n\r\n") {
		t.Fatalf("the mail is %q", mails)
	}
	if _, body, _ := strings.Cut(mails[0], "\r\n\r\n"); body != "" {
		t.Errorf("the mail says %q", body)
	}
	for _, left := range []string{got[0].raw, mails[0], strings.Join(s.said, "\n")} {
		if strings.Contains(left, "canary") || strings.Contains(left, key) {
			t.Errorf("something leaves that must not: %q", left)
		}
	}
	if strings.Index(strings.Join(s.said, "\n"), "AUTH") < strings.Index(strings.Join(s.said, "\n"), "STARTTLS") {
		t.Errorf("the login comes before TLS: %q", s.said)
	}
}

// TestOneWayFails: the way that took a call gets it once, the other one until it
// takes it; one that refuses for good holds up nothing as long as another works.
func TestOneWayFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		status []int
		tries  int
		mails  int
	}{
		{"a server's fault", []int{500, 503, 200}, 3, 1},
		{"a refusal", []int{404}, 1, 1},
		{"a redirect", []int{302}, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, s := newGateway(t, c.status...), newSink(t, true)
			p := newPager(t, Config{Webhook: &Webhook{URL: g.URL, Secret: secret.New(key)}, SMTP: s.smtp()})
			for try := 1; ; try++ {
				_, err := p.Deliver(t.Context(), summon("i", "H3VC-1EXD", 1))
				if err == nil {
					if try != c.tries {
						t.Errorf("%d tries, want %d", try, c.tries)
					}
					break
				}
				f, ok := errors.AsType[*engine.Failure](err)
				if !ok || f.Final || f.After <= 0 || try >= c.tries {
					t.Fatalf("try %d: %v", try, err)
				}
			}
			if got := s.inbox(); len(got) != c.mails {
				t.Errorf("%d mails, want %d", len(got), c.mails)
			}
			if len(p.done) != 0 {
				t.Errorf("%d calls are remembered", len(p.done))
			}
		})
	}
}

// TestAllRefuse: a call that no way took is never given up.
func TestAllRefuse(t *testing.T) {
	g := newGateway(t, 403)
	p := newPager(t, Config{Webhook: &Webhook{URL: g.URL, Secret: secret.New(key)}})
	_, err := p.Deliver(t.Context(), summon("i", "H3VC-1EXD", 1))
	if f, ok := errors.AsType[*engine.Failure](err); !ok || f.Final {
		t.Errorf("%v, want a failure that is tried again", err)
	}
}

// TestMailServers: nothing is said without TLS but on this machine, and one recipient
// that is refused does not keep the mail from the others.
func TestMailServers(t *testing.T) {
	t.Run("no STARTTLS", func(t *testing.T) {
		s := newSink(t, false)
		p := newPager(t, Config{SMTP: s.smtp()})
		if _, err := p.Deliver(t.Context(), summon("i", "H3VC-1EXD", 1)); err == nil {
			t.Error("it was sent")
		}
		for _, line := range s.said {
			if strings.HasPrefix(line, "MAIL") || strings.HasPrefix(line, "AUTH") {
				t.Errorf("it said %q", line)
			}
		}
	})
	t.Run("an unknown certificate", func(t *testing.T) {
		s := newSink(t, true)
		p := newPager(t, Config{SMTP: s.smtp()})
		p.ways[0].(*mailer).trust = nil
		if _, err := p.Deliver(t.Context(), summon("i", "H3VC-1EXD", 1)); err == nil || len(s.inbox()) > 0 {
			t.Errorf("%v, %d mails", err, len(s.inbox()))
		}
	})
	t.Run("plain on this machine", func(t *testing.T) {
		s := newSink(t, false)
		c := s.smtp()
		c.Plain = true
		p := newPager(t, Config{SMTP: c})
		if _, err := p.Deliver(t.Context(), summon("i", "H3VC-1EXD", 1)); err != nil || len(s.inbox()) != 1 {
			t.Errorf("%v, %d mails", err, len(s.inbox()))
		}
	})
	t.Run("one recipient", func(t *testing.T) {
		s := newSink(t, true)
		s.refuse["RCPT TO:<duty@example.org>"] = "550 canary: no such user"
		p := newPager(t, Config{SMTP: s.smtp()})
		if _, err := p.Deliver(t.Context(), summon("i", "H3VC-1EXD", 1)); err != nil || len(s.inbox()) != 1 {
			t.Errorf("%v, %d mails", err, len(s.inbox()))
		}
	})
	t.Run("no recipient", func(t *testing.T) {
		s := newSink(t, true)
		s.refuse["RCPT TO:<duty@example.org>"] = "550 canary: no such user"
		s.refuse["RCPT TO:<lead@example.org>"] = "550 canary: no such user"
		err := newPager(t, Config{SMTP: s.smtp()}).Drill(t.Context())["smtp"]
		if err == nil || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "550") {
			t.Errorf("%v, want the status and no word of the server's", err)
		}
	})
}

// TestCheckCallsNobody: looking whether the ways work brings no call.
func TestCheckCallsNobody(t *testing.T) {
	g, s := newGateway(t), newSink(t, true)
	p := newPager(t, Config{Webhook: &Webhook{URL: g.URL, Secret: secret.New(key)}, SMTP: s.smtp()})
	if err := p.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(g.requests()) != 0 || len(s.inbox()) != 0 {
		t.Error("somebody was called")
	}
	for way, err := range p.Drill(t.Context()) {
		if err != nil {
			t.Errorf("%s: %v", way, err)
		}
	}
	var body struct{ Case string }
	if got := g.requests(); len(got) != 1 || json.Unmarshal([]byte(got[0].body), &body) != nil || body.Case != Drill || len(s.inbox()) != 1 {
		t.Errorf("the drill was %+v and %d mails", got, len(s.inbox()))
	}
	g.Close()
	s.Close()
	if err := p.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "page.webhook") || !strings.Contains(err.Error(), "page.smtp") {
		t.Errorf("with both away: %v", err)
	}
}

// TestRefusals: a configuration that would call nobody, or say too much, is refused.
func TestRefusals(t *testing.T) {
	good := func() Config {
		return Config{
			Log:     quiet(),
			Webhook: &Webhook{URL: "https://gateway.example.org/suar", Secret: secret.New(key)},
			SMTP:    &SMTP{Host: "mail.example.org:587", From: "suar@example.org", To: []string{"duty@example.org"}},
		}
	}
	if _, err := New(good()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		want string
		harm func(*Config)
	}{
		{"neither", func(c *Config) { c.Webhook, c.SMTP = nil, nil }},
		{"must be https", func(c *Config) { c.Webhook.URL = "http://gateway.example.org" }},
		{"no address", func(c *Config) { c.Webhook.URL = "gateway" }},
		{"a name or a password", func(c *Config) { c.Webhook.URL = "https://me:word@gateway.example.org" }},
		{"shorter than 16", func(c *Config) { c.Webhook.Secret = secret.New("short") }},
		{"host:port", func(c *Config) { c.SMTP.Host = "mail.example.org" }},
		{"must speak TLS", func(c *Config) { c.SMTP.Plain = true }},
		{"from is no mail", func(c *Config) { c.SMTP.From = "suar" }},
		{"number 2", func(c *Config) { c.SMTP.To = append(c.SMTP.To, "x\r\nBcc: y@example.org") }},
		{"to is empty", func(c *Config) { c.SMTP.To = nil }},
		{"belong together", func(c *Config) { c.SMTP.User = "suar" }},
	} {
		cfg := good()
		c.harm(&cfg)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "word@") {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}
