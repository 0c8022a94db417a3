package handoff

import (
	"net/http"
	"testing"
	"time"

	"suar/flows"
	"suar/internal/mattermosttest"
)

func TestPace(t *testing.T) {
	var p pace
	at := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
	for i := range 20 {
		if !p.try("siti", at, 2) {
			t.Fatalf("press %d of 20 at once is refused", i+1)
		}
	}
	if p.try("siti", at, 2) || p.try("siti", at.Add(499*time.Millisecond), 2) {
		t.Error("a press beyond twenty is taken before its time")
	}
	if !p.try("siti", at.Add(500*time.Millisecond), 2) || p.try("siti", at.Add(500*time.Millisecond), 2) {
		t.Error("after half a second there is not one press, no more and no less")
	}
	if !p.try("budi", at, 2) {
		t.Error("an officer pays for another")
	}
	var posts pace
	for i := range 30 {
		want := at
		if i >= 20 {
			want = at.Add(time.Duration(i-19) * 500 * time.Millisecond)
		}
		if got := posts.take("siti", at, 2); !got.Equal(want) {
			t.Errorf("the turn of post %d is %v, want %v", i, got.Sub(at), want.Sub(at))
		}
	}
	if got, want := posts.take("siti", at.Add(time.Hour), 2), at.Add(time.Hour); !got.Equal(want) {
		t.Errorf("an hour later a post waits for %v", got.Sub(want))
	}
}

// An officer who presses without end is told so; another one is not concerned, and
// what is written comes.
func TestTooManyPresses(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w, func(c *Config) { c.Pace, c.Words.Slow = 0.1, "pelan-pelan" })
		r.run()
		root := r.open(1)
		siti, budi := w.Officers[0], w.Officers[1]
		screen := w.Watch(siti)
		if status := w.Press(siti, string(root), "Claim"); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		r.ledger.wait(t, root, 1)
		w.Press(siti, string(root), "Claim")
		if got := screen.Ephemeral(); got != "pelan-pelan" {
			t.Errorf("the officer reads %q", got)
		}
		if got := len(r.ledger.of(root)); got != 1 {
			t.Errorf("%d events of two presses", got)
		}
		w.Press(budi, string(root), "Claim")
		r.ledger.wait(t, root, 2)
		w.Post(siti, string(root), "a reply all the same")
		if _, ok := r.ledger.wait(t, root, 3)[2].(flows.Replied); !ok {
			t.Errorf("the reply is not there: %v", r.ledger.of(root))
		}
	})
}
