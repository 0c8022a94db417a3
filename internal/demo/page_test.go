package demo

import (
	"context"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

// idle is a hotline that does nothing, for tests of what is around it.
func idle() Commands {
	return Commands{
		Serve: func(ctx context.Context, _ string, _ io.Writer) error {
			<-ctx.Done()
			return nil
		},
		Run: func(context.Context, []string, io.Writer, io.Writer) int { return 0 },
	}
}

func startIdle(t *testing.T) *Hotline {
	t.Helper()
	h, err := Start(t.Context(), idle(), "en")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(h.folder); !os.IsNotExist(err) {
			t.Errorf("the folder is not erased: %v", err)
		}
	})
	return h
}

func newTestPage(t *testing.T) *Page {
	t.Helper()
	p, err := NewPage(t.Context(), startIdle(t), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.listener.Close() })
	return p
}

// Nothing but the page itself, by its secret address, may act on the demo.
func TestWhoMayAct(t *testing.T) {
	p := newTestPage(t)
	host := p.listener.Addr().String()
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		want   int
	}{
		{"the page itself", func(*http.Request) {}, http.StatusOK},
		{"another address", func(r *http.Request) { r.URL.Path = "/guess/act" }, http.StatusNotFound},
		{"no secret", func(r *http.Request) { r.URL.Path = "/act" }, http.StatusNotFound},
		{"a name that leads here", func(r *http.Request) { r.Host = "evil.example:80" }, http.StatusNotFound},
		{"another site", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, http.StatusForbidden},
		{"another page of this machine", func(r *http.Request) {
			r.Header.Set("Origin", "http://127.0.0.1:1")
			r.Header.Del("Sec-Fetch-Site")
		}, http.StatusForbidden},
		{"a form", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, http.StatusForbidden},
		{"a link", func(r *http.Request) { r.Method = http.MethodGet }, http.StatusForbidden},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, p.URL()+"act", strings.NewReader(`{"do":"phone.block"}`))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Origin", "http://"+host)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			c.change(r)
			p.stage.blocked[firstPerson] = false
			w := httptest.NewRecorder()
			p.ServeHTTP(w, r)
			if w.Code != c.want {
				t.Errorf("status %d, want %d", w.Code, c.want)
			}
			if acted := p.stage.blocked[firstPerson]; acted != (c.want == http.StatusOK) {
				t.Errorf("acted: %v", acted)
			}
		})
	}
}

// The page's files name no other place, and each is sent with what keeps the
// page from going to one.
func TestFiles(t *testing.T) {
	p := newTestPage(t)
	// A namespace is a name and not a place; a comment is no request.
	elsewhere := regexp.MustCompile(`(https?:)?//[a-z]+[.:]`)
	err := fs.WalkDir(pageFiles, "page", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := strings.TrimPrefix(path, "page/")
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, p.URL()+name, nil))
		if w.Code != http.StatusOK || w.Header().Get("Content-Security-Policy") != policy || w.Header().Get("Content-Type") == "" {
			t.Errorf("%s: status %d, headers %v", name, w.Code, w.Header())
		}
		text := strings.ReplaceAll(w.Body.String(), "http://www.w3.org/2000/svg", "")
		if found := elsewhere.FindString(text); found != "" {
			t.Errorf("%s names %q", name, found)
		}
		for _, inline := range []string{"innerHTML", "eval(", "style=", " onclick=\"", "<script>"} {
			if strings.Contains(text, inline) {
				t.Errorf("%s holds %s", name, inline)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, p.URL()+"../page.go", nil))
	if w.Code != http.StatusNotFound {
		t.Errorf("a file that is not the page's: status %d", w.Code)
	}
}

// Both languages have the same words, and the page asks for none that is not
// there.
func TestWords(t *testing.T) {
	raw, err := fs.ReadFile(pageFiles, "page/words.js")
	if err != nil {
		t.Fatal(err)
	}
	en, id, ok := strings.Cut(string(raw), "\n  id: {")
	if !ok {
		t.Fatal("words.js is not as this test knows it")
	}
	names := regexp.MustCompile(`(?m)(?:^    |, )"?([a-z][A-Za-z0-9_.]*)"?: "`)
	collect := func(text string) map[string]bool {
		set := map[string]bool{}
		text, _, _ = strings.Cut(text, "\n  },")
		for _, m := range names.FindAllStringSubmatch(text, -1) {
			set[m[1]] = true
		}
		return set
	}
	english, indonesian := collect(en), collect(id)
	if len(english) < 80 {
		t.Fatalf("only %d words were found", len(english))
	}
	for name := range english {
		if !indonesian[name] {
			t.Errorf("%s is not in Indonesian", name)
		}
	}
	for name := range indonesian {
		if !english[name] {
			t.Errorf("%s is not in English", name)
		}
	}
	used := regexp.MustCompile(`(?:\bt\("|data-[tlp]=")([a-zA-Z.]+[a-zA-Z])"`)
	for _, pattern := range []string{"page/*.js", "page/*.html"} {
		files, err := fs.Glob(pageFiles, pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			raw, err := fs.ReadFile(pageFiles, file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range used.FindAllStringSubmatch(string(raw), -1) {
				if !english[m[1]] {
					t.Errorf("%s asks for %q", file, m[1])
				}
			}
		}
	}
}

func TestOnlyThisMachine(t *testing.T) {
	h := startIdle(t)
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.org:80", "127.0.0.1"} {
		if p, err := NewPage(t.Context(), h, address); err == nil {
			_ = p.listener.Close()
			t.Errorf("the page listens at %s", address)
		}
	}
}
