package scrub_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"suar/internal/scrub"
	"suar/internal/scrub/scrubtest"
)

// TestMain makes the test's own program the child, and others that a child must
// not be.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 {
		if child, ok := children()[os.Args[1]]; ok {
			os.Exit(child())
		}
	}
	os.Exit(m.Run())
}

func children() map[string]func() int {
	return map[string]func() int{
		"child:clean":  func() int { return scrub.Main(os.Stdin, os.Stdout) },
		"child:dies":   func() int { panic("canary of a panic") },
		"child:lies":   func() int { _, _ = os.Stdout.WriteString("#!/bin/sh\n"); return 0 },
		"child:floods": func() int { _, _ = os.Stdout.Write(bytes.Repeat([]byte{0xff, 0xd8, 0xff}, 2_000_000)); return 0 },
		"child:silent": func() int { return 0 },
		"child:hangs":  func() int { select {} },
		"child:prison": prisoner,
	}
}

func child(t *testing.T, name string) scrub.Child {
	t.Helper()
	c, err := scrub.Self(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChildCleansAsCleanDoes(t *testing.T) {
	c := child(t, "child:clean")
	for _, f := range files() {
		t.Run(f.name, func(t *testing.T) {
			want, _, err := scrub.Clean(f.raw)
			if err != nil {
				t.Fatal(err)
			}
			got, kind, err := c.Clean(t.Context(), f.raw)
			if err != nil || kind != f.kind || !bytes.Equal(got, want) {
				t.Errorf("the child: %d bytes, %q, %v; want %d, %q", len(got), kind, err, len(want), f.kind)
			}
		})
	}
}

func TestChildRefuses(t *testing.T) {
	c := child(t, "child:clean")
	for name, raw := range map[string][]byte{
		"nothing":     nil,
		"a PDF":       []byte("%PDF-1.7"),
		"a cut photo": scrubtest.JPEG(8, 8)[:60],
		"too long":    append(scrubtest.JPEG(8, 8), make([]byte, scrub.MaxBytes)...),
	} {
		if _, _, err := c.Clean(t.Context(), raw); !errors.Is(err, scrub.ErrRefused) {
			t.Errorf("%s: %v; want ErrRefused", name, err)
		}
	}
}

// Whatever becomes of the child is a failure of this one file, and its error
// says nothing of it.
func TestChildFails(t *testing.T) {
	photo := scrubtest.JPEG(8, 8)
	for _, name := range []string{"child:dies", "child:lies", "child:floods", "child:silent"} {
		_, _, err := child(t, name).Clean(t.Context(), photo)
		if !errors.Is(err, scrub.ErrFailed) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v; want ErrFailed alone", name, err)
		}
	}
	if _, _, err := (scrub.Child{Path: "/nonexistent/canary"}).Clean(t.Context(), photo); !errors.Is(err, scrub.ErrFailed) || strings.Contains(err.Error(), "canary") {
		t.Errorf("no program: %v; want ErrFailed alone", err)
	}
}

func TestChildThatHangsIsEnded(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	c := child(t, "child:hangs")
	ended := make(chan error, 1)
	go func() {
		_, _, err := c.Clean(ctx, scrubtest.JPEG(8, 8))
		ended <- err
	}()
	cancel(errors.New("enough"))
	if err := <-ended; !errors.Is(err, scrub.ErrFailed) {
		t.Errorf("%v; want ErrFailed", err)
	}
}

// A child can do nothing but compute: it sees no environment, and opens no
// file, no connection and no program. What it finds that it can do it tells as
// the kind of a file that would be refused.
func TestChildIsConfined(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no confinement but on Linux")
	}
	t.Setenv("SUAR_VAULT_KEY", "canary")
	// The prisoner answers with a photo if everything was refused to it.
	if _, _, err := child(t, "child:prison").Clean(t.Context(), scrubtest.JPEG(8, 8)); err != nil {
		t.Errorf("the child could do something: %v", err)
	}
}

func prisoner() int {
	if len(os.Environ()) > 0 {
		return 10
	}
	if dir, err := os.Getwd(); err != nil || dir != "/" {
		return 11
	}
	var tried int
	code := scrub.Main(os.Stdin, writer(func(p []byte) (int, error) {
		// Whatever the runtime does by itself it must still be able to do.
		time.Sleep(time.Millisecond)
		runtime.GC()
		if _, err := os.Open("/proc/self/environ"); err == nil {
			tried = 12
		}
		if _, err := os.Create("/tmp/canary"); err == nil {
			tried = 13
		}
		if _, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
			tried = 14
		}
		if _, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{}); err == nil {
			tried = 15
		}
		return os.Stdout.Write(p)
	}))
	return max(code, tried)
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }
