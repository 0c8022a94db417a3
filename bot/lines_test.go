package bot

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const lineToken = "123456:canary-token"

// newTestLines returns a wire to a server.
func newTestLines(t *testing.T, server string) *lines {
	t.Helper()
	base, err := url.Parse(server + "/bot" + lineToken + "/")
	if err != nil {
		t.Fatal(err)
	}
	w, ok := newWire(nil, *base).(*lines)
	if !ok {
		t.Fatal("the wire is not of our own: is a proxy set for loopback?")
	}
	return w
}

// hangUp at the end of an answer ends the connection after it.
const hangUp = "\x00"

// say listens and answers each request of each connection with what answer
// returns. It returns the address.
func say(t testing.TB, answer func(conn, request int) string) string {
	t.Helper()
	ctx, end := context.WithCancel(context.Background()) // A benchmark's own ends with its first run.
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for n := 1; ; n++ {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
				defer stop()
				in := bufio.NewReader(conn)
				for i := 1; ; i++ {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, r.Body)
					text, last := strings.CutSuffix(answer(n, i), hangUp)
					if _, err := io.WriteString(conn, text); err != nil || last {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		end()
		_ = listener.Close()
		serving.Wait()
	})
	return "http://" + listener.Addr().String()
}

func plainAnswer(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n%s", len(body), body)
}

func TestLinesSendWhatTelegramTakes(t *testing.T) {
	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+r.URL.Path+" "+r.Host+" "+r.Header.Get("Content-Type")+" "+string(body))
	}))
	defer srv.Close()
	w := newTestLines(t, srv.URL)
	for _, content := range []string{`{"a":1}`, `{}`} {
		if _, err := w.post(t.Context(), "sendMessage", []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	host := strings.TrimPrefix(srv.URL, "http://")
	want := []string{
		"POST /bot" + lineToken + "/sendMessage " + host + ` application/json {"a":1}`,
		"POST /bot" + lineToken + "/sendMessage " + host + ` application/json {}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Whatever the form of an answer, the next call gets its own.
func TestLinesReadAnswers(t *testing.T) {
	long := strings.Repeat("x", 5000)
	tests := map[string]struct {
		sent   string
		want   answer
		reused bool
	}{
		"plain":              {plainAnswer(`{"ok":true}`), answer{status: 200, body: []byte(`{"ok":true}`)}, true},
		"longer than buffer": {plainAnswer(long), answer{status: 200, body: []byte(long)}, true},
		"empty":              {plainAnswer(""), answer{status: 200, body: []byte{}}, true},
		"too many requests": {
			"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\nRetry-After: 7\r\n\r\n{}",
			answer{status: 429, after: 7 * time.Second, body: []byte("{}")},
			true,
		},
		"a redirect": {
			"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
			answer{status: 302, body: []byte{}},
			true,
		},
		"in chunks": {
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
			answer{status: 200, body: []byte("abcde")},
			true,
		},
		"after another": {
			"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" + plainAnswer("a"),
			answer{status: 200, body: []byte("a")},
			true,
		},
		"with a long head": {
			"HTTP/1.1 502 Bad Gateway\r\nX: " + long + "\r\nContent-Length: 1\r\nRetry-After: 3\r\n\r\na",
			answer{status: 502, after: 3 * time.Second, body: []byte("a")},
			true,
		},
		"the last of its connection": {
			"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na",
			answer{status: 200, body: []byte("a")},
			false,
		},
		"of an old server": {
			"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
			answer{status: 200, body: []byte("a")},
			false,
		},
		"without a body": {"HTTP/1.1 204 No Content\r\n\r\n", answer{status: 204, body: []byte{}}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			conns := make(chan int, 2)
			w := newTestLines(t, say(t, func(conn, request int) string {
				conns <- conn
				if conn == 1 && request == 1 {
					return tt.sent
				}
				return plainAnswer("the next one's")
			}))
			got, err := w.post(t.Context(), "a", nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(answer{})); diff != "" {
				t.Error(diff)
			}
			next, err := w.post(t.Context(), "a", nil)
			if err != nil || string(next.body) != "the next one's" {
				t.Errorf("the next call got %q, %v", next.body, err)
			}
			if first, second := <-conns, <-conns; (first == second) != tt.reused {
				t.Errorf("connections %d and %d", first, second)
			}
		})
	}
}

func TestLinesReadNoMoreThanABody(t *testing.T) {
	for name, head := range map[string]string{
		"with a length":  fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", maxBody+10),
		"until its end":  "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
		"a head for all": "HTTP/1.1 200 OK\r\nX: ",
	} {
		t.Run(name, func(t *testing.T) {
			sent := head + strings.Repeat("x", maxBody+maxHead)
			w := newTestLines(t, say(t, func(int, int) string { return sent }))
			got, err := w.post(t.Context(), "a", nil)
			if strings.HasPrefix(name, "a head") {
				if err == nil {
					t.Error("a head without an end was read")
				}
				return
			}
			if err != nil || len(got.body) != maxBody {
				t.Errorf("%d bytes were read, %v", len(got.body), err)
			}
			if len(w.idle) != 0 {
				t.Error("the connection is used again although a part of the answer is still to come")
			}
		})
	}
}

// A connection that the other side closed while it was idle is not used: a
// message must not be sent twice because of it, nor lost.
func TestLinesThatWereHungUp(t *testing.T) {
	hungUp := make(chan struct{})
	w := newTestLines(t, say(t, func(conn, request int) string {
		if conn == 1 && request == 2 {
			t.Error("the connection was used again")
		}
		if conn == 1 {
			defer close(hungUp)
			return "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naand something that nobody asked for"
		}
		return plainAnswer("b")
	}))
	if _, err := w.post(t.Context(), "a", nil); err != nil {
		t.Fatal(err)
	}
	<-hungUp
	w.idle[0].last = time.Time{} // It was not used for long.
	if got, err := w.post(t.Context(), "a", nil); err != nil || string(got.body) != "b" {
		t.Errorf("got %q, %v", got.body, err)
	}
}

func TestLinesGlance(t *testing.T) {
	asked := 0
	w := newTestLines(t, say(t, func(conn, _ int) string {
		asked += conn
		return plainAnswer("a")
	}))
	for range 3 {
		if _, err := w.post(t.Context(), "a", nil); err != nil {
			t.Fatal(err)
		}
		w.idle[0].last = time.Time{}
	}
	if asked != 3 {
		t.Error("a connection that is open was not used again")
	}
	for range connections {
		w.giveBack(w.idle[0])
	}
	if len(w.idle) != connections {
		t.Errorf("%d connections are kept", len(w.idle))
	}
	w.idle = w.idle[:1]
	w.idle[0].last = time.Now().Add(-2 * unused)
	w.hangUp()
	if len(w.idle) != 0 {
		t.Error("a connection that was not used for long is kept")
	}
}

func TestLinesThatBreak(t *testing.T) {
	closed, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + closed.Addr().String()
	_ = closed.Close()
	for name, tt := range map[string]struct {
		server string
		sent   bool
	}{
		"nobody listens":   {nobody, false},
		"no answer":        {say(t, func(int, int) string { return hangUp }), true},
		"half an answer":   {say(t, func(int, int) string { return "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc" + hangUp }), true},
		"half a head":      {say(t, func(int, int) string { return "HTTP/1.1 200 OK\r\nCont" + hangUp }), true},
		"another protocol": {say(t, func(int, int) string { return "220 mail ready\r\n\r\n" }), true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := newTestLines(t, tt.server).post(t.Context(), "a", nil)
			var l *lost
			if !errors.As(err, &l) || l.sent != tt.sent {
				t.Fatalf("got %#v, want a lost with sent %v", err, tt.sent)
			}
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), "canary") {
				t.Error("the error holds the token")
			}
		})
	}
}

func TestLinesEndWithTheContext(t *testing.T) {
	asked := make(chan struct{}, 2)
	hold := make(chan struct{})
	w := newTestLines(t, say(t, func(int, int) string {
		asked <- struct{}{}
		<-hold
		return hangUp
	}))
	defer close(hold)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	_, err := w.post(ctx, "a", nil)
	var l *lost
	if !errors.Is(err, context.Canceled) || !errors.As(err, &l) || !l.sent {
		t.Errorf("a call that was cancelled: %v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := w.post(ctx, "a", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call whose time was over: %v", err)
	}
	if len(w.idle) != 0 {
		t.Error("a connection is used again although an answer is still to come")
	}
}

func TestLinesAreSecure(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a") }))
	srv.Config.ErrorLog = nil
	defer srv.Close()
	w := newTestLines(t, srv.URL)
	_, err := w.post(t.Context(), "a", nil)
	var l *lost
	if !errors.As(err, &l) || l.sent {
		t.Fatalf("a server whose certificate nobody signed: %v", err)
	}
	w.secure.RootCAs = x509.NewCertPool()
	w.secure.RootCAs.AddCert(srv.Certificate())
	for range 2 {
		if got, err := w.post(t.Context(), "a", nil); err != nil || string(got.body) != "a" {
			t.Fatalf("got %q, %v", got.body, err)
		}
		w.idle[0].last = time.Time{} // It is looked at before it is used again.
	}
	conn, ok := w.idle[0].Conn.(*tls.Conn)
	if !ok || conn.ConnectionState().Version < tls.VersionTLS12 || len(w.idle) != 1 {
		t.Error("the connection is not secure, or was not used again")
	}
}

func TestLinesInParallel(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer srv.Close()
	w := newTestLines(t, srv.URL)
	var running sync.WaitGroup
	for i := range 16 {
		running.Go(func() {
			for j := range 50 {
				want := strings.Repeat(fmt.Sprint(i, ",", j), j)
				if got, err := w.post(t.Context(), "a", []byte(want)); err != nil || string(got.body) != want {
					t.Errorf("got %q, %v, want %q", got.body, err, want)
				}
			}
		})
	}
	running.Wait()
}

// What is read as plain is read alike by net/http.
func FuzzPlain(f *testing.F) {
	for _, s := range []string{
		plainAnswer("a"), "HTTP/1.1 429 \r\nRetry-After: 1\r\ncontent-length:0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "HTTP/1.1 2000\r\nContent-Length: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\n", "HTTP/1.1 200 \n\r\nContent-Length:00\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 1\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		if i := bytes.Index(head, []byte("\r\n\r\n")); i < 0 || i+4 != len(head) {
			return // It is not what is looked at.
		}
		got, ok := parsePlain(head)
		if !ok {
			return
		}
		resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), nil)
		if err != nil {
			t.Skip("net/http is stricter about what is of no interest")
		}
		defer resp.Body.Close()
		want := plain{resp.StatusCode, int(resp.ContentLength), retryAfter(resp.Header.Get("Retry-After")), !resp.Close}
		if got != want {
			t.Errorf("%q is read as %+v, want %+v", head, got, want)
		}
	})
}
