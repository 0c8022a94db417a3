package flows_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"suar/flows"
	"suar/flows/rehearsal"
)

// hashed performs the last step's sum of a tag.
func (d *desk) hashed(effects []flows.Effect) {
	d.t.Helper()
	for _, e := range effects {
		if e, ok := e.(flows.Hash); ok {
			if !e.Index {
				d.t.Error("a tag's sum is not for looking up")
			}
			d.step(rehearsal.Keep(e))
			return
		}
	}
	d.t.Fatalf("no sum is made; said %q", d.said)
}

// TestTags: the same words are the same tag in two cases, other words and the other
// kind are not, and no state and no card holds the words.
func TestTags(t *testing.T) {
	one, two := newDesk(t, shippedBook(t)), newDesk(t, shippedBook(t))
	one.hashed(one.fill(siti, "tag", "kind", "place", "text", "Kenari Building 7"))
	two.hashed(two.fill(budi, "tag", "kind", "place", "text", " kenari  building 7 "))
	two.hashed(two.fill(budi, "tag", "kind", "recruiter", "text", "Kenari Building 7"))
	two.hashed(two.fill(budi, "tag", "kind", "recruiter", "text", "Kenari Building 7")) // Once more: it is there.
	a, b := one.book.Card(one.s, one.now).Index.Tags, two.book.Card(two.s, two.now).Index.Tags
	if len(a) != 1 || len(b) != 2 || a[0] != b[0] || strings.TrimPrefix(b[0], "place:") == strings.TrimPrefix(b[1], "recruiter:") {
		t.Errorf("tags %q and %q", a, b)
	}
	for _, d := range []*desk{one, two} {
		raw, err := json.Marshal(struct {
			S flows.State
			C flows.Card
		}{d.s, d.book.Card(d.s, d.now)})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(strings.ToLower(string(raw)), "kenari") {
			t.Errorf("the words are kept: %s", raw)
		}
	}
	two.fill(siti, "tag", "kind", "off.place")
	if got := two.book.Card(two.s, two.now).Index.Tags; !slices.Equal(got, b[1:]) {
		t.Errorf("after the place was taken off: %q", got)
	}
	effects := one.fill(siti, "tag", "kind", "place", "text", "another")
	one.step(flows.Closed{Officer: siti})
	one.hashed(effects)
	if got := one.book.Card(one.s, one.now).Index.Tags; !slices.Equal(got, a) {
		t.Errorf("a sum that came after the end: %q", got)
	}
	if one.step(flows.Hashed{For: "tag", Note: "{", Sum: "x"}); len(one.said) != 0 {
		t.Errorf("a note that cannot be read: %q", one.said)
	}
}
