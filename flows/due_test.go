package flows_test

import (
	"testing"

	"pgregory.net/rapid"

	"suar/flows"
)

// TestAnAlarmThatCameIsOver: after a TimedOut nothing that was due then is due
// still, or the alarm would ring for ever.
func TestAnAlarmThatCameIsOver(t *testing.T) {
	book := shippedBook(t)
	rapid.Check(t, func(t *rapid.T) {
		w := lived(t, book)
		for range 10 {
			due := w.s.Alarm()
			if due.IsZero() {
				return
			}
			if due.After(w.now) {
				w.now = due
			}
			w.goes(flows.TimedOut{})
			if next := w.s.Alarm(); !next.IsZero() && !next.After(w.now) {
				t.Fatalf("at %v the alarm of %v is due still: %s", w.now, next, write(t, w.s))
			}
		}
	})
}
