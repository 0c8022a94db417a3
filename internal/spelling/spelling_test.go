package spelling

import "testing"

func TestNearest(t *testing.T) {
	known := []string{"first", "second", "from"}
	for word, want := range map[string]string{"fisrt": "first", "frm": "from", "": "", "officers": "", "Second": "second"} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
