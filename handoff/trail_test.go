package handoff

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
	"suar/internal/mattermosttest"
)

// notes are a trail in memory.
type notes struct {
	mu   sync.Mutex
	ids  map[string]bool
	what []flows.Audit
}

func (n *notes) note(_ context.Context, id string, a flows.Audit) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ids == nil {
		n.ids = map[string]bool{}
	}
	if !n.ids[id] {
		n.ids[id] = true
		n.what = append(n.what, a)
	}
	return nil
}

func (n *notes) all() []flows.Audit {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]flows.Audit{}, n.what...)
}

// The trail's end is posted once a day, whichever process does it.
func TestWitness(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		head, now := "", time.Now()
		desk := func() *rig {
			return newRig(t, w, func(c *Config) {
				c.Now = func() time.Time { return now }
				c.Words.Witness = "Sampai di sini:"
				c.AuditHead = func(context.Context) (string, error) { return head, nil }
			})
		}
		first, second := desk(), desk()
		post := func(r *rig) {
			t.Helper()
			if _, err := r.postWitness(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		post(first)
		if got := w.Roots(); len(got) != 0 {
			t.Errorf("of an empty trail: %q", w.Texts(got))
		}
		head = "#12·0a1b2c3d4e5f6071"
		post(first)
		head = "#13·6071"
		post(first)
		post(second)
		now = now.Add(24 * time.Hour)
		post(second)
		want := []string{"suar: Sampai di sini: `#12·0a1b2c3d4e5f6071`", "suar: Sampai di sini: `#13·6071`"}
		if diff := cmp.Diff(want, w.Texts(w.Roots())); diff != "" {
			t.Errorf("posted (-want +got):\n%s", diff)
		}
	})
}

// Refusals are counted in the trail, and those whom the server vouches for are named
// there once a day: however often somebody tries, the trail does not grow.
func TestRefusalsInTheTrail(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		var trail notes
		r := newRig(t, w, func(c *Config) { c.Audit = trail.note })
		stop := r.run()
		root := r.open(1)
		siti, rina := w.Officers[0], w.Officers[2]
		w.RemoveMember(rina)
		for range 5 {
			w.Press(w.Admin, string(root), "Claim") // The server lets an administrator through.
		}
		r.wantsRefusals(5)
		w.Press(siti, string(root), "Claim")
		r.ledger.wait(t, root, 1)
		stop()
		want := []flows.Audit{
			{What: flows.AuditRefused, By: flows.Officer{ID: w.Admin.ID, Name: "admin"}},
			{What: flows.AuditRefused, Count: 5},
		}
		if diff := cmp.Diff(want, trail.all()); diff != "" {
			t.Errorf("noted (-want +got):\n%s", diff)
		}
		if strings.Contains(r.log.String(), w.Admin.ID) || strings.Contains(r.log.String(), "\"admin\"") {
			t.Error("the log names who was refused")
		}
	})
}

// wantsRefusals waits until so many requests were refused.
func (r *rig) wantsRefusals(n int64) {
	r.t.Helper()
	r.until("the requests are refused", func() bool { return r.trail.refused.Load() == n })
}
