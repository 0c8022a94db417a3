package bot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// contentsOf returns so many contents that differ.
func contentsOf(n int) (contents [][]byte) {
	for i := range n {
		contents = append(contents, fmt.Appendf(nil, `{"n":%d}`, i))
	}
	return contents
}

// Calls in a row get an answer each, in their order, over one connection.
func TestFastWireInARow(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer srv.Close()
	w := newTestWire(t, srv.URL)
	contents := contentsOf(20)
	for range 3 {
		answers, err := w.postAll(t.Context(), "a", contents)
		if err != nil || len(answers) != len(contents) {
			t.Fatalf("%d answers, %v", len(answers), err)
		}
		for i, a := range answers {
			if string(a.body) != string(contents[i]) {
				t.Errorf("answer %d is %q", i, a.body)
			}
		}
	}
	if w.count != 1 {
		t.Errorf("%d connections", w.count)
	}
}

// The answers that came before the end of a connection count; a call by itself
// then gets a connection of its own.
func TestFastWireInARowThatBreaks(t *testing.T) {
	for name, tt := range map[string]struct {
		third string
		come  int
		lost  bool
	}{
		"closed":      {hangUp, 2, true},
		"half":        {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc" + hangUp, 2, true},
		"the last":    {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n" + hangUp, 3, false},
		"no protocol": {"220 mail ready\r\n\r\n" + hangUp, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTestWire(t, say(t, func(conn, request int) string {
				if conn == 1 && request == 3 {
					return tt.third
				}
				return plainAnswer("a")
			}))
			answers, err := w.postAll(t.Context(), "a", contentsOf(5))
			if len(answers) != tt.come || (err != nil) != tt.lost {
				t.Errorf("%d answers, %v", len(answers), err)
			}
			if got, err := w.post(t.Context(), "a", nil); err != nil || string(got.body) != "a" {
				t.Errorf("the next call: %q, %v", got.body, err)
			}
		})
	}
}

// What a server says unasked is nobody's answer.
func TestFastWireUnasked(t *testing.T) {
	w := newTestWire(t, say(t, func(conn, _ int) string {
		if conn == 1 {
			return plainAnswer("mine") + plainAnswer("nobody's")
		}
		return plainAnswer("mine")
	}))
	for range 2 {
		if got, err := w.post(t.Context(), "a", nil); err != nil || string(got.body) != "mine" {
			t.Errorf("got %q, %v", got.body, err)
		}
	}
}

// A connection that nobody uses is closed, and a call that was cancelled leaves
// none to the next.
func TestFastWireKeepsNoOldConnection(t *testing.T) {
	hold := make(chan struct{})
	asked := make(chan struct{}, 1)
	w := newTestWire(t, say(t, func(conn, _ int) string {
		if conn == 1 {
			asked <- struct{}{}
			<-hold
		}
		return plainAnswer("a")
	}))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	var l *lost
	if _, err := w.post(ctx, "a", nil); !errors.As(err, &l) || !l.sent || !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was cancelled: %v", err)
	}
	close(hold)
	if got, err := w.post(t.Context(), "a", nil); err != nil || string(got.body) != "a" || w.count != 1 {
		t.Errorf("got %q over %d connections, %v", got.body, w.count, err)
	}
	w.mu.Lock()
	w.idle[0].since = time.Now().Add(-2 * unused)
	w.mu.Unlock()
	w.closeIdle(unused)
	if w.count != 0 || len(w.idle) != 0 || w.clean != nil {
		t.Errorf("%d connections are left", w.count)
	}
}

// Presses that come together are all acknowledged, once each, also by a server
// that ends a connection after a few calls.
func TestPressesAreAcknowledgedTogether(t *testing.T) {
	const presses, eachConn = 47, 4
	var mu sync.Mutex
	var got []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, string(body))
		if len(got)%eachConn == 0 {
			w.Header().Set("Connection", "close")
		}
		_, _ = io.WriteString(w, `{"ok":true,"result":true}`)
	}))
	defer srv.Close()
	a, err := newAPI(nil, srv.URL, wireToken)
	if err != nil {
		t.Fatal(err)
	}
	var queries, want []string
	for i := range presses {
		queries = append(queries, fmt.Sprint("query ", i))
		want = append(want, fmt.Sprintf(`{"callback_query_id":"query %d"}`, i))
	}
	if errs := a.acknowledge(t.Context(), queries); len(errs) != 0 {
		t.Errorf("not acknowledged: %v", errs)
	}
	slices.Sort(got)
	slices.Sort(want)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("acknowledged:\n%s", strings.Join(got, "\n"))
	}
}

// A server that takes no calls in a row gets them one by one.
func TestPressesAreAcknowledgedOneByOne(t *testing.T) {
	var mu sync.Mutex
	var conns []int
	server := say(t, func(conn, _ int) string {
		if conn == 1 {
			return hangUp
		}
		mu.Lock()
		defer mu.Unlock()
		conns = append(conns, conn)
		return plainAnswer(`{"ok":true,"result":true}`)
	})
	a, err := newAPI(nil, server, wireToken)
	if err != nil {
		t.Fatal(err)
	}
	if errs := a.acknowledge(t.Context(), []string{"a", "b", "c"}); len(errs) != 0 {
		t.Errorf("not acknowledged: %v", errs)
	}
	if !slices.Equal(conns, []int{2, 2, 2}) {
		t.Errorf("calls over the connections %v", conns)
	}
}
