package mattermosttest

import "testing"

func TestStandIn(t *testing.T) {
	w := StandIn(t)
	root := w.Post(w.Bot, "", "A case")
	w.Post(w.Officers[0], root.Id, "I am here")
	if got := w.Texts(w.Thread(root.Id)); len(got) != 2 || got[1] != "siti: I am here" {
		t.Errorf("thread = %q", got)
	}
}
