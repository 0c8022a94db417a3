package engine

import (
	"errors"
	"testing"
	"testing/synctest"

	"suar/flows"
)

// TestEventOfAnotherConversation: what was made for one case does nothing to
// another, whoever swapped the thread's name.
func TestEventOfAnotherConversation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		w.run(e)
		w.handle(e, said(1, 1, "a"))
		w.handle(e, said(2, 1, "a"))
		synctest.Wait()
		threads := map[string]string{} // by conversation
		for _, d := range w.channel.deliveries() {
			if d.Thread != "" {
				threads[d.Conversation] = string(d.Thread)
			}
		}
		if len(threads) != 2 {
			t.Fatalf("%d threads, want 2", len(threads))
		}
		for conversation := range threads {
			for other, thread := range threads {
				in := replied(flows.PostID(thread), 1, "x")
				in.ID += conversation // each is an event of its own
				in.Conversation = conversation
				err := e.Handle(t.Context(), in)
				if same := conversation == other; same && err != nil || !same && !errors.Is(err, ErrUnknown) {
					t.Errorf("an event of the same conversation %t: %v", same, err)
				}
			}
		}
	})
}
