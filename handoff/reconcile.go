package handoff

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"suar/flows"
	"suar/internal/engine"
)

// reconcileEvery is how often it is looked whether who has a case still is an
// officer. That somebody was taken out of the channel is heard at once.
const reconcileEvery = time.Minute

// reconcile tells the cases whose owner, or to whom they are offered, or on whose word
// something rests in them, is no officer any more. What the cases make of it is theirs.
func (d *Desk) reconcile(ctx context.Context, p place, r *right) error {
	cases, _ := d.index.open()
	still := map[string]bool{}
	for _, e := range cases {
		for _, o := range append([]flows.Officer{e.Owner, e.Offered}, e.Also...) {
			if o.ID == "" {
				continue
			}
			is, known := still[o.ID]
			if !known {
				_, err := d.officer(ctx, p, o.ID)
				if err != nil && !errors.Is(err, errNotOfficer) {
					return err
				}
				is = err == nil
				still[o.ID] = is
			}
			if is {
				continue
			}
			if err := d.depart(ctx, r, e, o); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *Desk) depart(ctx context.Context, r *right, e entry, o flows.Officer) error {
	ctx, cancel := r.within(ctx)
	defer cancel()
	// Once for each time that the officer had the case, and again after an hour
	// should it still be theirs.
	hour := d.Now().UTC().Format("2006010215")
	id := d.mac("departed", e.root, o.ID, e.Claimed.UTC().Format(time.RFC3339Nano), hour)
	err := d.Handler.Handle(ctx, engine.Inbound{
		Name: "mm:" + e.root, ID: "mm:departed:" + hex.EncodeToString(id[:16]), Event: flows.Departed{Officer: o},
	})
	if errors.Is(err, engine.ErrUnknown) || errors.Is(err, engine.ErrStep) {
		return nil // The case is no more, or somebody has to look at it.
	}
	return err
}
