package handoff

import (
	"context"
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"

	"suar/flows"
	"suar/internal/engine"
)

const (
	// trailEvery is how often refusals are noted in the trail, and how often it is
	// looked whether the day's witness is posted.
	trailEvery = time.Hour
	// namedMost is how many of those who were refused are remembered for sure.
	namedMost = 1000
)

// A trail is where is noted what comes to the officers' side and is of no
// conversation's step.
type trail struct {
	// refused counts what was refused since it was noted last.
	refused atomic.Int64

	mu    sync.Mutex
	named map[string]bool // of this day, by what was noted
	day   string
}

// first reports whether something is noted for the first time on a day.
func (t *trail) first(day, what string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.day != day || len(t.named) >= namedMost {
		t.day, t.named = day, map[string]bool{}
	}
	before := t.named[what]
	t.named[what] = true
	return !before
}

func (d *Desk) today() string { return d.Now().UTC().Format(time.DateOnly) }

// noteRefused notes, once a day, that somebody whom the server vouches for tried
// what only an officer may. How often is counted with all other refusals.
func (d *Desk) noteRefused(ctx context.Context, what string, who flows.Officer) {
	day := d.today()
	if d.Audit == nil || who.ID == "" || !d.trail.first(day, what+who.ID) {
		return
	}
	id := hex.EncodeToString(d.mac("refused", what, who.ID, day)[:16])
	if err := d.Audit(ctx, id, flows.Audit{What: what, By: who}); err != nil {
		d.Log.Warn("a refusal is not noted in the trail", "class", engine.Class(err))
	}
}

// keepTrail notes from time to time how much was refused, until ctx ends.
func (d *Desk) keepTrail(ctx context.Context) {
	if d.Audit == nil {
		return
	}
	for sleep(ctx, trailEvery) == nil {
		d.noteRefusals(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	d.noteRefusals(ctx)
}

func (d *Desk) noteRefusals(ctx context.Context) {
	n := d.trail.refused.Swap(0)
	if n == 0 {
		return
	}
	id := hex.EncodeToString(d.mac("refusals", d.Now().UTC().Format(time.RFC3339Nano), d.instance)[:16])
	if err := d.Audit(ctx, id, flows.Audit{What: flows.AuditRefused, Count: int(n)}); err != nil {
		d.trail.refused.Add(n)
		d.Log.Warn("refusals are not noted in the trail", "class", engine.Class(err))
	}
}

// witness posts the trail's end into the channel once a day, until ctx ends: there a
// thief of this server cannot take it back unseen. It is for the process that
// listens.
func (d *Desk) witness(ctx context.Context) {
	if d.AuditHead == nil {
		return
	}
	posted := ""
	for sleep(ctx, trailEvery) == nil {
		if posted == d.today() {
			continue
		}
		day, err := d.postWitness(ctx)
		if err != nil {
			d.Log.Warn("the trail's end is not posted", "class", engine.Class(err))
			continue
		}
		posted = day
	}
}

// postWitness posts the trail's end unless this day's is there, and returns the day.
// There is none of an empty trail.
func (d *Desk) postWitness(ctx context.Context) (day string, err error) {
	head, err := d.AuditHead(ctx)
	if err != nil || head == "" {
		return "", err
	}
	p, err := d.where(ctx)
	if err != nil {
		return "", err
	}
	day = d.today()
	dl := engine.Delivery{ID: hex.EncodeToString(d.mac("witness", day)[:16])}
	there, err := d.findRoot(ctx, p, d.relayKey(dl.ID, 0))
	if there != "" || err != nil {
		return day, err
	}
	_, err = d.create(ctx, p, d.newPost(p, dl, 0, ours(d.Words.Witness)+" `"+head+"`"))
	return day, err
}
