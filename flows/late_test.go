package flows_test

import (
	"testing"

	"suar/flows"
)

// TestALateCloseEndsNoAlert: whoever is asked whether to close a case may answer when
// it waits for somebody again. Then nobody has seen why, and it goes on.
func TestALateCloseEndsNoAlert(t *testing.T) {
	t.Parallel()
	lead := flows.Officer{ID: "3", Name: "eka", Role: flows.RoleLead}
	for name, again := range map[string]func(d *desk){
		"danger": func(d *desk) {
			d.s.Danger = true
			d.step(flows.Chose{Message: "1", Data: d.s.Token + ".h"})
		},
		"given back": func(d *desk) { d.step(flows.Acted{Officer: siti, Action: flows.ActionReturnQueue, Choice: siti.ID}) },
		"departed":   func(d *desk) { d.step(flows.Departed{Officer: siti}) },
	} {
		d := newDesk(t, shippedBook(t))
		again(d)
		if d.s.Case.Phase != flows.Alerting {
			t.Fatalf("%s: the case does not wait, it is %s", name, d.s.Case.Phase)
		}
		for _, o := range []flows.Officer{siti, budi, lead} {
			d.step(flows.Closed{Officer: o})
			if d.s.Case.Phase != flows.Alerting {
				t.Errorf("%s: %s ends the case that waits", name, o.Name)
			}
		}
		d.step(flows.Claimed{Officer: budi})
		if d.step(flows.Closed{Officer: budi}); d.s.Case.Phase != flows.Ended {
			t.Errorf("%s: whoever has it cannot close it", name)
		}
	}
}
