package bot

import (
	"bufio"
	"context"
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

const wireToken = "123456:canary-token"

// newTestWire returns a wire to a server.
func newTestWire(t testing.TB, server string) *fastWire {
	t.Helper()
	base, err := url.Parse(server + "/bot" + wireToken + "/")
	if err != nil {
		t.Fatal(err)
	}
	quick, _ := newWires(nil, *base)
	w, ok := quick.(*fastWire)
	if !ok {
		t.Fatal("the wire is not of our own: is a proxy set for loopback?")
	}
	t.Cleanup(func() { w.closeIdle(0) })
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

func TestFastWireSendWhatTelegramTakes(t *testing.T) {
	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, r.Method+" "+r.URL.Path+" "+r.Host+" "+r.Header.Get("Content-Type")+" "+string(body))
	}))
	defer srv.Close()
	w := newTestWire(t, srv.URL)
	for _, content := range []string{`{"a":1}`, `{}`} {
		if _, err := w.post(t.Context(), "sendMessage", []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	host := strings.TrimPrefix(srv.URL, "http://")
	want := []string{
		"POST /bot" + wireToken + "/sendMessage " + host + ` application/json {"a":1}`,
		"POST /bot" + wireToken + "/sendMessage " + host + ` application/json {}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Whatever the form of an answer, the next call gets its own.
func TestFastWireReadAnswers(t *testing.T) {
	long := strings.Repeat("x", 5000)
	tests := map[string]struct {
		sent   string
		want   answer
		reused bool
	}{
		"plain":              {plainAnswer(`{"ok":true}`), answer{status: 200, body: []byte(`{"ok":true}`)}, true},
		"longer than buffer": {plainAnswer(long), answer{status: 200, body: []byte(long)}, true},
		"empty":              {plainAnswer(""), answer{status: 200}, true},
		"too many requests": {
			"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\nRetry-After: 7\r\n\r\n{}",
			answer{status: 429, after: 7 * time.Second, body: []byte("{}")},
			true,
		},
		"a redirect": {
			"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
			answer{status: 302},
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
			"HTTP/1.1 502 Bad Gateway\r\nX: " + long[:3000] + "\r\nContent-Length: 1\r\nRetry-After: 3\r\n\r\na",
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
		"without a body": {"HTTP/1.1 204 No Content\r\n\r\n", answer{status: 204}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			conns := make(chan int, 2)
			w := newTestWire(t, say(t, func(conn, request int) string {
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

func TestFastWireReadsNoMoreThanAnAnswer(t *testing.T) {
	for name, head := range map[string]string{
		"with a length":  fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", maxAnswer+10),
		"until its end":  "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
		"a head for all": "HTTP/1.1 200 OK\r\nX: ",
	} {
		t.Run(name, func(t *testing.T) {
			sent := head + strings.Repeat("x", 2*maxAnswer)
			w := newTestWire(t, say(t, func(int, int) string { return sent }))
			got, err := w.post(t.Context(), "a", nil)
			var l *lost
			if !errors.As(err, &l) || !l.sent {
				t.Errorf("%d bytes were read, %v", len(got.body), err)
			}
		})
	}
}

func TestFastWireThatBreak(t *testing.T) {
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
			_, err := newTestWire(t, tt.server).post(t.Context(), "a", nil)
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

func TestFastWireEndWithTheContext(t *testing.T) {
	asked := make(chan struct{}, 2)
	hold := make(chan struct{})
	w := newTestWire(t, say(t, func(int, int) string {
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
}

func TestFastWireAreSecure(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a") }))
	srv.Config.ErrorLog = nil
	defer srv.Close()
	w := newTestWire(t, srv.URL)
	_, err := w.post(t.Context(), "a", nil)
	var l *lost
	if !errors.As(err, &l) || l.sent {
		t.Fatalf("a server whose certificate nobody signed: %v", err)
	}
	w = newTestWire(t, srv.URL)
	w.secure.RootCAs = x509.NewCertPool()
	w.secure.RootCAs.AddCert(srv.Certificate())
	for range 2 {
		if got, err := w.post(t.Context(), "a", nil); err != nil || string(got.body) != "a" {
			t.Fatalf("got %q, %v", got.body, err)
		}
	}
	if n := w.count; n != 1 {
		t.Errorf("%d connections for two calls", n)
	}
}

func TestFastWireInParallel(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer srv.Close()
	w := newTestWire(t, srv.URL)
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
