package metrics

import (
	"context"
	"fmt"
	"net/http"
	"net/http/pprof"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// A Part is one of those that a hotline is ready with, and whether it is.
type Part struct {
	Name  string
	Ready bool
}

// Handler serves GET /metrics; /healthz, which says ok for as long as the process
// lives; /readyz, which has a line for each part and the status 503 if one is not
// ready; and with profile /debug/pprof/. It is for a listener that only those
// reach who run the hotline.
func (s *Set) Handler(ready func(ctx context.Context) []Part, profile bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		parts := ready(r.Context())
		for _, p := range parts {
			if !p.Ready {
				w.WriteHeader(http.StatusServiceUnavailable)
				break
			}
		}
		for _, p := range parts {
			word := "ready"
			if !p.Ready {
				word = "not ready"
			}
			fmt.Fprintf(w, "%s: %s\n", p.Name, word)
		}
	})
	if profile {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}
