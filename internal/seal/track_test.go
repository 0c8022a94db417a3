package seal

import (
	"errors"
	"slices"
	"testing"
)

// TestTrack is what the server sees of its own transcripts without a key of
// anybody.
func TestTrack(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	c := writeCase(t, caseA, d.Recipients, lines(5)...)
	other := writeCase(t, caseA, d.Recipients, lines(5)...)
	track, err := c.tape.Track()
	if err != nil {
		t.Fatal(err)
	}
	changed := clone(c.records)
	changed[2][40] ^= 1
	framed := clone(c.records)
	framed[2][0] ^= 1
	for _, tt := range []struct {
		name    string
		records [][]byte
		want    FaultKind // "" for none
	}{
		{"as it was written", c.records, ""},
		{"cut", c.records[:4], FaultCut},
		{"nothing", nil, FaultCut},
		{"one more", append(clone(c.records), forge(t, c.tape, 6, "x")), FaultForged},
		{"a byte of one changed", changed, FaultReplaced},
		{"its form changed", framed, FaultChanged},
		{"one left out", slices.Delete(clone(c.records), 2, 3), FaultMoved},
		{"another's of the same length", other.records, FaultReplaced},
	} {
		err := track.Check(tt.records)
		fault := new(Fault)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.want != "" && (!errors.As(err, &fault) || fault.Kind != tt.want):
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	if err := CheckRecords(c.records[:4]); err != nil {
		t.Errorf("without a tape a cut end cannot be seen: %v", err)
	}
	if _, err := (Tape{}).Track(); err == nil {
		t.Error("a tape that is none has a track")
	}
}
