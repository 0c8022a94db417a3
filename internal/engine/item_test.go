package engine

import (
	"testing"
	"time"

	"suar/flows"
)

// TestNobodyIsUrgentAtTheKeeper: whoever pressed danger does not hold up at the
// keeper the words of those who did not, and whoever looks for codes holds up
// nobody's.
func TestNobodyIsUrgentAtTheKeeper(t *testing.T) {
	urgent := flows.State{Case: &flows.Case{Phase: flows.Alerting}, Facts: flows.Facts{Danger: true}}
	if !urgent.Urgent() {
		t.Fatal("the state is not urgent")
	}
	for _, s := range []flows.State{{}, urgent} {
		for ef, want := range map[flows.Effect]uint8{
			flows.Look{}: 1, flows.Seek{}: 1, flows.Hash{Index: true}: 1, flows.Hash{}: 2,
		} {
			if got := priority(s, ef); got != want {
				t.Errorf("priority of %q, urgent %v: %d, want %d", flows.EffectKind(ef), s.Urgent(), got, want)
			}
		}
		for within, want := range map[time.Duration]uint8{0: 2, time.Second: 3} {
			if got := priority(s, flows.Check{Within: within}); got != want {
				t.Errorf("priority of a check that waits for %v, urgent %v: %d, want %d", within, s.Urgent(), got, want)
			}
		}
	}
	crowded := flows.State{Case: &flows.Case{Checking: 2}}
	if got := priority(crowded, flows.Check{}); got != 0 {
		t.Errorf("priority of a check of which more wait: %d, want 0", got)
	}
	if priority(urgent, flows.Page{}) <= priority(flows.State{}, flows.Page{}) {
		t.Error("danger is called for no sooner than the rest")
	}
}
