package bot

import (
	"fmt"
	"testing"
)

func TestTheMemoryOfDeliveriesIsBounded(t *testing.T) {
	var m made
	for i := range 3 * maxMade {
		m.keep(fmt.Sprint(i), []int{i})
	}
	if n := len(m.recent) + len(m.old); n > maxMade {
		t.Errorf("%d remembered, want at most %d", n, maxMade)
	}
	if ids := m.of(fmt.Sprint(3*maxMade - maxMade/2)); len(ids) != 1 {
		t.Error("a recent one is forgotten")
	}
}
