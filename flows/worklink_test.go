package flows_test

import (
	"slices"
	"strings"
	"testing"

	"suar/flows"
	"suar/internal/caseid"
)

// TestLinks: a link is set by hand, counts when another officer has confirmed it,
// and reaches nobody but the officers.
func TestLinks(t *testing.T) {
	d := newDesk(t, shippedBook(t))
	other := caseid.ID{7}.Code()
	own := d.s.Case.ID.Code()
	for _, wrong := range []string{"", own, "nothing", "javascript:alert(1)"} {
		d.fill(siti, "link", "what", "add", "code", wrong)
		if !d.heard("Tidak ada kasus dikaitkan") || d.line("Kasus terkait") != "" {
			t.Errorf("%q is linked: %q, %q", wrong, d.said, d.line("Kasus terkait"))
		}
	}
	effects := d.fill(siti, "link", "what", "add", "code", " "+strings.ToLower(other)+" ")
	if want := other + " (@siti; menunggu petugas kedua)"; d.line("Kasus terkait") != want {
		t.Errorf("the card says %q, want %q", d.line("Kasus terkait"), want)
	}
	d.fill(siti, "link", "what", "add", "code", other)
	if !d.heard("Tidak ada kasus dikaitkan") {
		t.Error("linked twice")
	}
	d.fill(siti, "link", "what", "confirm."+other)
	if !d.heard("petugas kedua harus mengonfirmasi") || !strings.Contains(d.line("Kasus terkait"), "menunggu") {
		t.Errorf("who set it confirms it: %q", d.line("Kasus terkait"))
	}
	late := d.filled(budi, "link", "what", "confirm."+other)
	effects = append(effects, d.fill(budi, "link", "what", "confirm."+other)...)
	if want := other + " (@siti, @budi)"; d.line("Kasus terkait") != want {
		t.Errorf("the card says %q, want %q", d.line("Kasus terkait"), want)
	}
	d.step(late) // The form is of before: only the card is brought up to date.
	if d.heard("mengonfirmasi kaitan") {
		t.Error("confirmed twice")
	}
	if slices.ContainsFunc(effects, func(e flows.Effect) bool { return e.To() == flows.Caller }) {
		t.Errorf("the person sees something of it: %v", effects)
	}
	d.fill(budi, "link", "what", "off."+other)
	if d.line("Kasus terkait") != "" || !d.heard("officer:budi casework") {
		t.Errorf("still linked: %q; recorded %q", d.line("Kasus terkait"), d.said)
	}
	for i := range 12 {
		d.fill(siti, "link", "what", "add", "code", caseid.ID{byte(i + 20)}.Code())
	}
	if n := len(d.s.Case.Work.Links); n != 8 {
		t.Errorf("%d links fit, want 8", n)
	}
}
