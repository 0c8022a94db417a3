package engine

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
)

// What was kept is there after a restart, sealed, and two processes that change it at
// once lose nothing.
func TestChangeDuty(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e, other := w.engine(), w.engine()
		if kept, err := e.Duty(t.Context()); err != nil || kept != nil {
			t.Fatalf("at first: %q, %v", kept, err)
		}
		add := func(text string) func([]byte) ([]byte, error) {
			return func(old []byte) ([]byte, error) { return append(bytes.Clone(old), text...), nil }
		}
		if err := e.ChangeDuty(t.Context(), add("siti ")); err != nil {
			t.Fatal(err)
		}
		calls := 0
		err := e.ChangeDuty(t.Context(), func(old []byte) ([]byte, error) {
			if calls++; calls == 1 { // Another process is faster.
				if err := other.ChangeDuty(t.Context(), add("budi ")); err != nil {
					t.Fatal(err)
				}
			}
			return add("rina ")(old)
		})
		if err != nil || calls != 2 {
			t.Errorf("called %d times, %v", calls, err)
		}
		wrong := errors.New("wrong")
		if err := e.ChangeDuty(t.Context(), func([]byte) ([]byte, error) { return nil, wrong }); !errors.Is(err, wrong) {
			t.Errorf("a change that fails: %v", err)
		}
		if kept, err := w.engine().Duty(t.Context()); err != nil || string(kept) != "siti budi rina " {
			t.Errorf("kept: %q, %v", kept, err)
		}
		rec, err := e.store.Load(t.Context(), dutyRecord)
		if err != nil || bytes.Contains(rec.State, []byte("siti")) {
			t.Errorf("the record is not sealed (%v)", err)
		}
	})
}
