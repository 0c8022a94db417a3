package standin

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// A Fault is something that goes wrong with requests on purpose.
type Fault struct {
	// Method and Path choose the requests: the method, and what the path
	// begins with after /api/v4, such as "/posts". Empty is any.
	Method, Path string
	// Times is how many requests it meets, 0 until it is removed.
	Times int

	// Status, Header and Body are answered instead.
	Status int
	Header http.Header
	Body   string
	// Hang answers nothing until the client gives up.
	Hang bool
	// Lose performs the request and then cuts the connection, so that the
	// client never learns what became of it.
	Lose bool
}

// Faults stands before an http.Handler and lets faults happen.
type Faults struct {
	// Next answers what no fault meets.
	Next http.Handler

	mu  sync.Mutex
	all []*fault
}

type fault struct {
	Fault
	met int
}

// Inject adds a fault. The first that meets a request happens. The function
// that it returns removes it.
func (f *Faults) Inject(x Fault) (remove func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	added := &fault{Fault: x}
	f.all = append(f.all, added)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.all = slices.DeleteFunc(f.all, func(g *fault) bool { return g == added })
	}
}

// Heal removes all faults.
func (f *Faults) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = nil
}

// meets returns the fault that happens to a request, or nil.
func (f *Faults) meets(r *http.Request) *fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/api/v4")
	for _, x := range f.all {
		if (x.Times == 0 || x.met < x.Times) && (x.Method == "" || x.Method == r.Method) && strings.HasPrefix(path, x.Path) {
			x.met++
			return x
		}
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (f *Faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := f.meets(r)
	switch {
	case x == nil:
		f.Next.ServeHTTP(w, r)
	case x.Hang:
		// That the client left is only noticed once its body was read.
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	case x.Lose:
		f.Next.ServeHTTP(nowhere{}, r)
		panic(http.ErrAbortHandler)
	default:
		maps.Copy(w.Header(), x.Header)
		w.WriteHeader(x.Status)
		// A client that is gone needs no answer.
		_, _ = w.Write([]byte(x.Body))
	}
}

// A nowhere is an answer that nobody reads.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}
