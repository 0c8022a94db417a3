package telegramtest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// A Failure is an answer other than the one that the method gives.
type Failure struct {
	// Delay is waited before anything else is done.
	Delay time.Duration
	// Status and Description are those of an answer in JSON, RetryAfter its
	// retry_after in seconds.
	Status      int
	Description string
	RetryAfter  int
	// Body, if not empty, is sent as text/html in place of JSON.
	Body string
	// Cut resets the connection in place of any answer.
	Cut bool
	// Performed says that the method is performed all the same, before.
	Performed bool
}

// TooManyRequests is 429 with retry_after in seconds.
func TooManyRequests(seconds int) *Failure {
	return &Failure{Status: 429, RetryAfter: seconds, Description: fmt.Sprintf("Too Many Requests: retry after %d", seconds)}
}

// Broken is an answer of a gateway before the server, as a page.
func Broken(status int) *Failure {
	return &Failure{Status: status, Body: fmt.Sprintf("<html><head><title>%d</title></head><body>nginx</body></html>", status)}
}

// CutBefore resets the connection before the method is performed.
func CutBefore() *Failure { return &Failure{Cut: true} }

// CutAfter performs the method and resets the connection.
func CutAfter() *Failure { return &Failure{Cut: true, Performed: true} }

// Slow performs and answers after a delay.
func Slow(d time.Duration) *Failure { return &Failure{Delay: d} }

// Refused is an error of the Bot API.
func Refused(status int, description string) *Failure {
	return &Failure{Status: status, Description: description}
}

// Times returns a function for [Server.Fail] that gives the failures one after
// the other, and none from then on.
func Times(failures ...*Failure) func(Call) *Failure {
	var mu sync.Mutex
	return func(Call) *Failure {
		mu.Lock()
		defer mu.Unlock()
		if len(failures) == 0 {
			return nil
		}
		f := failures[0]
		failures = failures[1:]
		return f
	}
}

// Always returns a function for [Server.Fail] that gives one failure for ever.
func Always(f *Failure) func(Call) *Failure { return func(Call) *Failure { return f } }

// Fail asks f about each call of the method from now on, or of each method
// without one of its own if it is empty; where f gives a failure, that is what
// the bot gets. A nil f ends it. f may be called by several goroutines.
func (s *Server) Fail(method string, f func(Call) *Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f == nil {
		delete(s.failures, method)
		return
	}
	s.failures[method] = f
}

func (f *Failure) fails() bool { return f.Status != 0 || f.Cut }

func (f *Failure) write(w http.ResponseWriter) {
	switch {
	case f.Cut:
		cut(w)
	case f.Body != "":
		w.Header().Set("Content-Type", "text/html")
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", fmt.Sprint(f.RetryAfter))
		}
		w.WriteHeader(f.Status)
		_, _ = w.Write([]byte(f.Body))
	case f.Status == 200:
		answer(w, json.RawMessage(f.Description), nil)
	default:
		answer(w, nil, &apiError{Code: f.Status, Description: f.Description, RetryAfter: f.RetryAfter})
	}
}

// cut resets the connection.
func cut(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}
