package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"suar/flows"
)

// A notebook is a tracer that writes each span down when it ends, behind those that it
// is part of.
type notebook struct {
	mu    sync.Mutex
	spans []string
}

type pageKey struct{}

func (n *notebook) Begin(ctx context.Context, s Span) (context.Context, func(string)) {
	above, _ := ctx.Value(pageKey{}).(string)
	here := above + strings.TrimSpace(fmt.Sprint(s.Name, " ", s.Kind, " ", s.Side)) + ": "
	return context.WithValue(ctx, pageKey{}, here), func(outcome string) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.spans = append(n.spans, here+outcome)
	}
}

// TestTracer: what is done for a message is told, with what is part of it, and nothing
// that was said.
func TestTracer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		book := &notebook{}
		c := w.config(w.store)
		c.Tracer = book
		e, err := New(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		w.channel.answer = func(_ context.Context, d Delivery) error {
			if _, is := d.Effect.(flows.Relay); is && d.Tries == 1 {
				return &Failure{Status: 502}
			}
			return nil
		}
		w.run(e)
		w.handle(e, said(1, 1, "help "+canary))
		w.handle(e, said(1, 1, "help "+canary)) // The same event again.
		if err := e.Handle(t.Context(), said(2, 1, "panic")); err == nil {
			t.Error("a panic is taken")
		}
		if err := e.HandleAll(t.Context(), []Inbound{said(3, 1, canary), said(3, 2, canary)}); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		book.mu.Lock()
		defer book.mu.Unlock()
		for _, want := range []string{
			"handle said: done", "handle said: commit: kept", "handle said: commit: refused", "handle said: step",
			"deliver open officers: done", "deliver relay officers: delivery", "deliver show caller: done", "commit: kept",
		} {
			if !slices.Contains(book.spans, want) {
				t.Errorf("no %q in %q", want, book.spans)
			}
		}
		if all := fmt.Sprint(book.spans); strings.Contains(all, canary) || strings.Contains(all, "555001") {
			t.Errorf("the spans hold what was said, or who said it: %s", all)
		}
	})
}
