package flows

import "time"

// An Index is what a list of cases needs to know of one. It goes with the card and
// is for showing only: whatever is done to a case is checked against its state.
type Index struct {
	Code  string `json:"code"`
	Phase Phase  `json:"phase"`
	// Owner is who has the case, nobody before that; Claimed is since when.
	Owner   Officer   `json:"owner,omitzero"`
	Opened  time.Time `json:"opened"`
	Claimed time.Time `json:"claimed,omitzero"`
	// Waiting is since when somebody waits for an officer: for the case to be
	// acknowledged, or for an answer for so long that an officer was reminded. It is
	// zero while nobody does.
	Waiting time.Time `json:"waiting,omitzero"`
	// Rank is the case's place by the book's rule when the card was shown, the
	// higher the earlier.
	Rank int `json:"rank,omitempty"`
	// Flags are what makes the case urgent.
	Flags []Flag   `json:"flags,omitempty"`
	Tags  []string `json:"tags,omitempty"`
}

// A Flag is why a case is urgent.
type Flag string

// The flags.
const (
	FlagDuress   Flag = "duress"   // the danger phrase was said
	FlagDanger   Flag = "danger"   // danger now
	FlagMinor    Flag = "minor"    // somebody under 18
	FlagPressing Flag = "pressing" // asks for a human soon
)

// Open reports whether the case is still worked on.
func (i Index) Open() bool { return i.Phase == Alerting || i.Phase == Owned || i.Phase == Opening }

// index is what lists show of the present case, which there must be.
func (b *Book) index(s State) Index {
	c, f := s.Case, s.facts()
	i := Index{Code: c.ID.Code(), Phase: c.Phase, Owner: c.Officer, Opened: c.Opened, Claimed: c.Acknowledged}
	for _, x := range []struct {
		flag Flag
		is   bool
	}{
		{FlagDuress, !c.Duress.IsZero()}, {FlagDanger, f.Danger}, {FlagMinor, f.Minor}, {FlagPressing, f.Pressing},
	} {
		if x.is {
			i.Flags = append(i.Flags, x.flag)
		}
	}
	switch c.Phase {
	case Opening, Alerting:
		i.Waiting = c.waits()
	case Owned:
		if c.Nudged { // Before that it would change the card with every word.
			i.Waiting = c.Owed
		}
	case Ended:
	}
	return i
}
