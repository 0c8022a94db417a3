package pager

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"suar/internal/secret"
)

// A mailer sends a mail whose subject is the case's code, and which says nothing.
type mailer struct {
	host, port, user string
	password         secret.Secret
	plain            bool
	from             string
	to               []string
	// trust, if not nil, is the TLS settings in place of the system's: for tests.
	trust *tls.Config
}

// implicit is the port on which a connection is TLS from its first byte.
const implicit = "465"

func newMailer(c SMTP) (*mailer, error) {
	m := &mailer{user: c.User, password: c.Password, plain: c.Plain}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf("pager: "+format, args...)) }
	var err error
	if m.host, m.port, err = net.SplitHostPort(c.Host); err != nil || m.host == "" || m.port == "" {
		fault("the mail server's host is no address; write host:port, such as mail.example.org:587")
	}
	if c.Plain && !here(m.host) {
		fault("the mail server must speak TLS, unless it is on this machine")
	}
	if m.from, err = address(c.From); err != nil {
		fault("from is no mail address")
	}
	for i, to := range c.To {
		a, err := address(to)
		if err != nil {
			fault("to: number %d is no mail address", i+1)
		}
		m.to = append(m.to, a)
	}
	if len(c.To) == 0 {
		fault("to is empty: name at least one address that wakes an officer")
	}
	if (c.User == "") != c.Password.Empty() {
		fault("the mail server's user and password belong together: give both or neither")
	}
	return m, errors.Join(faults...)
}

// address returns a bare mail address.
func address(text string) (string, error) {
	a, err := mail.ParseAddress(text)
	if err != nil {
		return "", err
	}
	if strings.ContainsAny(a.Address, "\r\n") {
		return "", errors.New("pager: a line break in an address")
	}
	return a.Address, nil
}

func (m *mailer) name() string { return "smtp" }

func (m *mailer) call(ctx context.Context, c call) error {
	return m.session(ctx, func(client *smtp.Client) error {
		w, err := client.Data()
		if err != nil {
			return err
		}
		if _, err := w.Write(m.message(c)); err != nil {
			return err
		}
		return w.Close()
	})
}

// try goes as far as a mail's addresses, and sends none.
func (m *mailer) try(ctx context.Context) error { return m.session(ctx, (*smtp.Client).Reset) }

// session connects, logs in, gives the addresses, and lets do go on.
func (m *mailer) session(ctx context.Context, do func(*smtp.Client) error) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(m.host, m.port))
	if err != nil {
		return &failure{what: "the mail server cannot be reached", err: err}
	}
	defer conn.Close()
	if end, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(end); err != nil {
			return &failure{what: "the mail server cannot be reached", err: err}
		}
	}
	if m.port == implicit && !m.plain {
		conn = tls.Client(conn, m.tls())
	}
	client, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return answer("the mail server does not greet", err)
	}
	defer client.Close()
	_, domain, _ := strings.Cut(m.from, "@")
	if err := client.Hello(domain); err != nil { // The machine's own name is nobody's business.
		return answer("the mail server refuses the greeting", err)
	}
	if m.port != implicit && !m.plain {
		if ok, _ := client.Extension("STARTTLS"); !ok {
			return &failure{what: "the mail server offers no STARTTLS", final: true}
		}
		if err := client.StartTLS(m.tls()); err != nil {
			return &failure{what: "the mail server's certificate is not accepted", err: err}
		}
	}
	if m.user != "" {
		if err := client.Auth(smtp.PlainAuth("", m.user, m.password.Reveal(), m.host)); err != nil {
			return answer("the mail server refuses the login", err)
		}
	}
	if err := client.Mail(m.from); err != nil {
		return answer("the mail server refuses the sender", err)
	}
	var refused error
	taken := 0
	for _, to := range m.to {
		if err := client.Rcpt(to); err != nil {
			refused = answer("the mail server refuses a recipient", err)
			continue // The others are to be woken.
		}
		taken++
	}
	if taken == 0 {
		return refused
	}
	if err := do(client); err != nil {
		return answer("the mail server does not take the mail", err)
	}
	_ = client.Quit() // It has the mail.
	return nil
}

func (m *mailer) tls() *tls.Config {
	if m.trust != nil {
		return m.trust
	}
	return &tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12}
}

// answer is a failure with the server's status, and none of its words. From 500 on
// it would be the same again.
func answer(what string, err error) error {
	f := &failure{what: what, err: err}
	if status, ok := errors.AsType[*textproto.Error](err); ok {
		f.what += ": status " + strconv.Itoa(status.Code)
		f.final = status.Code >= 500
	}
	return f
}

// message is a mail without content. Its Message-ID is the same for the same call, so
// that whoever gets it twice can tell.
func (m *mailer) message(c call) []byte {
	_, domain, _ := strings.Cut(m.from, "@")
	sum := sha256.Sum256([]byte(c.id))
	return []byte(strings.Join([]string{
		"From: Suar <" + m.from + ">",
		"To: " + strings.Join(m.to, ", "),
		"Subject: Suar: " + c.Case,
		"Date: " + c.At.Format(time.RFC1123Z),
		"Message-ID: <" + hex.EncodeToString(sum[:12]) + "@" + domain + ">",
		"Auto-Submitted: auto-generated",
		"Importance: high",
		"MIME-Version: 1.0",
		"Content-Type: text/plain; charset=us-ascii",
		"", "",
	}, "\r\n"))
}
