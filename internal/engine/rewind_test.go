package engine

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
)

// TestPresent leaves the past as it is and puts the future at the present, in
// every corner of a state.
func TestPresent(t *testing.T) {
	now := time.Date(2026, 11, 23, 5, 47, 0, 0, time.UTC)
	past, future := now.Add(-time.Hour), now.Add(time.Hour)
	state := func(at time.Time) flows.State {
		return flows.State{
			Seen:     at,
			Facts:    flows.Facts{NoticeAt: past},
			Aside:    &flows.Facts{NoticeAt: at},
			Messages: []flows.Message{{ID: "1", At: past}, {ID: "2", At: at}},
			Replies:  []flows.Reply{{Post: "p", At: at}},
			Case:     &flows.Case{Opened: past, Placed: at, Thread: "t"},
		}
	}
	got := state(future)
	if !present(reflect.ValueOf(&got).Elem(), now) {
		t.Error("nothing of the future was found")
	}
	if diff := cmp.Diff(state(now), got); diff != "" {
		t.Errorf("state (-want +got):\n%s", diff)
	}
	if present(reflect.ValueOf(&got).Elem(), now) {
		t.Error("something of the future is left")
	}
}
