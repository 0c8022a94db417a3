package flows_test

import (
	"strings"
	"testing"
	"time"

	"suar/flows"
)

// TestMissedIsTold: the thread reads between which times nothing was read, on the
// officers' clock; the person notices nothing.
func TestMissedIsTold(t *testing.T) {
	l := inCase(t, "", "")
	l.officers, l.caller = nil, nil
	since := time.Date(2026, 3, 1, 20, 0, 0, 0, time.UTC)
	l.happen(flows.Missed{Since: since, Until: since.Add(30 * time.Hour)})
	tell, ok := l.officers[0].(flows.Tell)
	if !ok || !strings.Contains(tell.Text, "2026-03-02 ") || !strings.Contains(tell.Text, "2026-03-03 ") {
		t.Errorf("the officers read %v", l.officers)
	}
	if len(l.caller) != 0 {
		t.Errorf("the person gets %v", l.caller)
	}
}
