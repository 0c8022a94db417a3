package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed page
var pageFiles embed.FS

const (
	// policy lets the page load and call nothing but this server, and make no
	// markup of text.
	policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	maxAct    = 64 << 10
	heartbeat = 15 * time.Second
)

// A Page is the web page on which one plays both sides.
type Page struct {
	stage    *stage
	listener net.Listener
	token    string
}

// NewPage listens at a loopback address such as "127.0.0.1:0". The page's
// address holds a secret, so that no other page that runs on this machine can
// act on this one.
func NewPage(ctx context.Context, h *Hotline, address string) (*Page, error) {
	if err := CheckAddress(address); err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("demo: %w", err)
	}
	return &Page{stage: newStage(h), listener: l, token: rand.Text()}, nil
}

// CheckAddress returns what is wrong with an address for the page.
func CheckAddress(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("demo: %q is no address; write host:port", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("demo: %q is not this machine alone; the page is for who sits before it, so listen at 127.0.0.1", address)
	}
	return nil
}

// URL is the page's address.
func (p *Page) URL() string { return "http://" + p.listener.Addr().String() + "/" + p.token + "/" }

// Run serves the page until ctx ends.
func (p *Page) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		p.stage.watch(ctx)
	}()
	defer func() { <-watched }()
	defer stop()
	server := &http.Server{
		Handler:           p,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		// The streams of events end with it.
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	closed := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, end := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer end()
		if err := server.Shutdown(grace); err != nil {
			closed <- server.Close()
			return
		}
		closed <- nil
	}()
	if err := server.Serve(p.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("demo: %w", err)
	}
	return <-closed
}

// ServeHTTP serves the page to who knows its address.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cache-Control", "no-store")
	token, rest, found := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	// The host is compared so that no name of somebody else's that leads here
	// (DNS rebinding) passes for this page.
	if !found || r.Host != p.listener.Addr().String() || subtle.ConstantTimeCompare([]byte(token), []byte(p.token)) != 1 {
		http.NotFound(w, r)
		return
	}
	switch {
	case rest == "act":
		p.act(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "GET only", http.StatusMethodNotAllowed)
	case rest == "events":
		p.events(w, r)
	default:
		p.file(w, r, rest)
	}
}

// file sends one of the page's own files.
func (p *Page) file(w http.ResponseWriter, r *http.Request, name string) {
	if name == "" {
		name = "index.html"
	}
	text, err := fs.ReadFile(pageFiles, path.Join("page", path.Clean("/"+name)))
	if err != nil {
		http.Error(w, "no such file", http.StatusNotFound)
		return
	}
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(text))
}

// act does what the page asks. A request from another origin is refused: it
// cannot know the address, and a guess must not be enough.
func (p *Page) act(w http.ResponseWriter, r *http.Request) {
	if err := http.NewCrossOriginProtection().Check(r); err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "not from this page", http.StatusForbidden)
		return
	}
	var a act
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxAct)).Decode(&a); err != nil {
		http.Error(w, "not an act", http.StatusBadRequest)
		return
	}
	answer, err := p.stage.perform(r.Context(), a)
	if err != nil {
		// What went wrong is told to who did it, and to nobody else.
		answer = map[string]string{"error": strings.TrimPrefix(err.Error(), "demo: ")}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// events tells the page what there is to see, and again whenever it changes.
func (p *Page) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	told := map[string]string{}
	for {
		parts, changed, err := p.stage.parts()
		if err != nil {
			return
		}
		for _, part := range parts {
			if told[part.name] == string(part.data) {
				continue
			}
			told[part.name] = string(part.data)
			if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", part.name, part.data); err != nil {
				return
			}
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-time.After(heartbeat):
			if _, err := fmt.Fprint(w, ": still here\n\n"); err != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}
