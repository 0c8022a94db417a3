package flows

import (
	"slices"
	"strings"
	"time"

	"suar/internal/caseid"
)

// An Index is what a list of cases needs to know of one. It goes with the card and
// is for showing only: whatever is done to a case is checked against its state.
type Index struct {
	Code  string `json:"code"`
	Phase Phase  `json:"phase"`
	// Owner is who has the case, nobody before that; Claimed is since when.
	Owner Officer `json:"owner,omitzero"`
	// Offered is to whom the owner offers the case, nobody as a rule.
	Offered Officer `json:"offered,omitzero"`
	// Also are the other officers on whose word something rests in the case: an offer,
	// a half of what takes two, that they have seen it. Should one be no officer any
	// more, the case has to hear of it.
	Also    []Officer `json:"also,omitempty"`
	Opened  time.Time `json:"opened"`
	Claimed time.Time `json:"claimed,omitzero"`
	// Waiting is since when somebody waits for an officer: for the case to be
	// acknowledged, or for an answer. It is zero while nobody does.
	Waiting time.Time `json:"waiting,omitzero"`
	// Rank is the case's points by the book's rule, without those of the wait: see
	// [Book.RankAt].
	Rank int `json:"rank,omitempty"`
	// Flags are what makes the case urgent.
	Flags []Urgency `json:"flags,omitempty"`
	Tags  []string  `json:"tags,omitempty"`
}

// An Urgency is why a case is urgent.
type Urgency string

// The urgencies.
const (
	UrgencyDuress   Urgency = "duress"   // the danger phrase was said
	UrgencyDanger   Urgency = "danger"   // danger now
	UrgencyMinor    Urgency = "minor"    // somebody under 18
	UrgencyPressing Urgency = "pressing" // asks for a human soon
)

// Open reports whether the case is still worked on.
func (i Index) Open() bool { return i.Phase == Alerting || i.Phase == Owned || i.Phase == Opening }

// index is what lists show of the present case, which there must be.
func (b *Book) index(s State) Index {
	c, f := s.Case, s.facts()
	i := Index{Code: c.ID.Code(), Phase: c.Phase, Owner: c.Officer, Offered: c.Transfer.To, Opened: c.Opened, Claimed: c.Acknowledged, Waiting: waitsSince(s)}
	i.Rank, _ = b.Rank(s, i.Waiting)
	for _, x := range []struct {
		flag Urgency
		is   bool
	}{
		{UrgencyDuress, !c.Duress.IsZero()}, {UrgencyDanger, f.Danger}, {UrgencyMinor, f.Minor}, {UrgencyPressing, f.Pressing},
	} {
		if x.is {
			i.Flags = append(i.Flags, x.flag)
		}
	}
	i.Tags = c.work().indexTags()
	i.Also = c.also()
	return i
}

// also are the officers of [Index.Also], each once.
func (c *Case) also() []Officer {
	if c.Phase == Ended {
		return nil
	}
	var list []Officer
	for _, o := range append([]Officer{c.Transfer.By, c.Approval.By, c.Release.By}, c.Acks...) {
		if o.ID != "" && !o.is(c.Officer) && !o.is(c.Transfer.To) && !slices.ContainsFunc(list, o.is) {
			list = append(list, o)
		}
	}
	return list
}

// RankAt is where a case stands in the queue at an instant, by its index: [Book.Rank]
// of a case that waits on.
func (b *Book) RankAt(i Index, at time.Time) int {
	points := i.Rank
	for _, w := range b.policy.Rank {
		if w.When == rankWaiting && !i.Waiting.IsZero() && i.Open() {
			points += w.grown(at.Sub(i.Waiting))
		}
	}
	return points
}

// FindCode returns the code of a case as its card shows it, and whether the text is a
// code as people write it.
func FindCode(text string) (string, bool) {
	prefix, err := caseid.ParseCode(text)
	if err != nil {
		return "", false
	}
	var id caseid.ID
	id, err = caseid.Parse(prefix + strings.Repeat("0", 2*len(id)-len(prefix)))
	return id.Code(), err == nil
}
