package mattermosttest

import (
	"testing"
	"time"
)

func TestReal(t *testing.T) {
	start := time.Now()
	w := Real(t)
	t.Logf("first world after %v", time.Since(start))
	start = time.Now()
	Real(t)
	t.Logf("second world after %v", time.Since(start))

	root := w.Post(w.Bot, "", "A case")
	w.Post(w.Officers[0], root.Id, "I am here")
	if got := w.Texts(w.Thread(root.Id)); len(got) != 2 || got[1] != "siti: I am here" {
		t.Errorf("thread = %q", got)
	}
}
