package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A lazy context ends as one of the standard library does, whether or not
// somebody waits for it.
func TestLazyContext(t *testing.T) {
	type key struct{}
	ends := map[string]struct {
		by   func(parent, own context.CancelFunc)
		want error
	}{
		"its own":      {func(_, own context.CancelFunc) { own() }, context.Canceled},
		"its parent's": {func(parent, _ context.CancelFunc) { parent() }, context.Canceled},
		"its time's":   {func(_, _ context.CancelFunc) { time.Sleep(time.Minute) }, context.DeadlineExceeded},
	}
	for name, end := range ends {
		for _, when := range []string{"nobody waits", "waited before", "waited after", "another is made of it"} {
			t.Run(name+", "+when, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					parent, stop := context.WithCancel(context.WithValue(t.Context(), key{}, "kept"))
					defer stop()
					ctx := &lazy{Context: parent, end: time.Now().Add(time.Minute)}
					defer ctx.cancel()
					at, ok := ctx.Deadline()
					if ctx.Err() != nil || !ok || time.Until(at) != time.Minute || ctx.Value(key{}) != "kept" {
						t.Fatalf("a new one: %v, %v", ctx.Err(), at)
					}
					var child context.Context = ctx
					switch when {
					case "waited before":
						ctx.Done()
					case "another is made of it":
						c, cancel := context.WithCancel(ctx)
						defer cancel()
						child = c
					}
					end.by(stop, ctx.cancel)
					synctest.Wait()
					if when != "nobody waits" {
						select {
						case <-child.Done():
						default:
							t.Error("whoever waits for it waits on")
						}
					}
					if !errors.Is(child.Err(), end.want) || !errors.Is(ctx.Err(), end.want) {
						t.Errorf("ended with %v, want %v", child.Err(), end.want)
					}
					if ctx.Value(key{}) != "kept" {
						t.Error("its value is lost")
					}
				})
			})
		}
	}
}
