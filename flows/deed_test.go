package flows_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
)

// TestTheTrailTellsDoingFromUndoing: what is in the trail says which casework was done,
// and whether something was proposed, confirmed or taken back; and what was refused is
// not there as done.
func TestTheTrailTellsDoingFromUndoing(t *testing.T) {
	t.Parallel()
	d := newDesk(t, shippedBook(t))
	var trail []string
	note := func(effects []flows.Effect) {
		for _, e := range effects {
			if a, ok := e.(flows.Audit); ok {
				trail = append(trail, a.What)
			}
		}
	}
	act := func(o flows.Officer, name flows.ActionName, choice string) {
		t.Helper()
		note(d.step(flows.Acted{Officer: o, Action: name, Choice: choice}))
	}
	act(siti, flows.ActionRelease, "alive")
	act(siti, flows.ActionRelease, "confirm-alive") // It takes another.
	act(budi, flows.ActionRelease, "confirm-alive")
	act(siti, flows.ActionRelease, "call")
	act(budi, flows.ActionRelease, "undo")
	act(siti, flows.ActionHostile, "mark")
	act(siti, flows.ActionHostile, "undo")
	act(siti, flows.ActionMedia, "mark")
	act(siti, flows.ActionMedia, "undo")
	note(d.fill(siti, "screening"))
	const other = "DB33-CYQT"
	note(d.fill(siti, "link", "what", "add", "code", other))
	note(d.fill(budi, "link", "what", "confirm."+other))
	note(d.fill(budi, "link", "what", "off."+other))
	want := []string{
		"release propose", "release confirm", "release propose", "release undo",
		"hostile mark", "hostile undo", "media mark", "media undo",
		"work screening", "work link add", "work link confirm", "work link off",
	}
	if diff := cmp.Diff(want, trail); diff != "" {
		t.Errorf("the trail (-want +got):\n%s", diff)
	}
}
