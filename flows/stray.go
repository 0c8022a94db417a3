package flows

import (
	"slices"
	"strings"
	"time"
)

// Who does not own a case does not speak to its person: two officers who answer the
// same words at once tell two things. What another officer writes in the thread is
// kept, with a line beneath that says so; one press on it makes the case theirs and
// sends it. Nothing of it goes by itself.

// ActionSend makes the case the officer's and sends what they wrote; its choice is
// the Stray's Key.
const ActionSend ActionName = "send"

// A Stray is what an officer wrote who does not own the case.
type Stray struct {
	Key  string    `json:"key"`
	Post PostID    `json:"post"`
	By   Officer   `json:"by"`
	At   time.Time `json:"at"`
	Text string    `json:"text"`
	// Line is the line beneath, "" until it is there.
	Line PostID `json:"line,omitempty"`
}

// aboutStray begins what a line about one is about.
const aboutStray = "stray "

// mostStrays is how many there can be; beyond it the oldest lapse.
const mostStrays = 20

// fenced keeps a reply back if somebody else owns the case, and reports whether it
// did.
func (t *turn) fenced(ev Replied) bool {
	c := t.s.Case
	if c.Phase != Owned || c.Officer.is(ev.Officer) {
		return false
	}
	if c.Transfer.open() && c.Transfer.To.is(ev.Officer) {
		t.takenUp(TakenUp{Officer: ev.Officer, Accept: true}) // Whoever answers has read: no second press.
		return false
	}
	t.attended()
	t.acknowledge(ev.Officer)
	t.record("officer:"+ev.Officer.Name, "note", ev.Text)
	t.do(Mark{Post: ev.Post, Sign: SignFailed})
	if strings.TrimSpace(ev.Text) == "" {
		return true
	}
	s := Stray{Key: t.m.token(), Post: ev.Post, By: ev.Officer, At: t.m.At, Text: ev.Text}
	t.dropStrays(func(old Stray) bool { return old.Post == ev.Post })
	c.Strays = append(c.Strays, s)
	if len(c.Strays) > mostStrays {
		oldest := c.Strays[0].Key
		t.dropStrays(func(old Stray) bool { return old.Key == oldest })
	}
	t.do(Prompt{
		About:   aboutStray + s.Key,
		Text:    t.officers("card.stray", "officer", "@"+ev.Officer.Name, "owner", "@"+c.Officer.Name),
		Actions: []Action{{Name: ActionSend, Choice: s.Key, Label: t.officers("card.stray.send")}},
	})
	return true
}

// stray returns the index of the one that a post is, -1 without one.
func (c *Case) stray(post PostID) int {
	return slices.IndexFunc(c.Strays, func(s Stray) bool { return s.Post == post })
}

// sendStray makes the case the officer's who wrote it, and sends it.
func (t *turn) sendStray(ev Acted) {
	t.update()
	c := t.s.Case
	if !t.active() {
		return
	}
	i := slices.IndexFunc(c.Strays, func(s Stray) bool { return s.Key == ev.Choice })
	if i < 0 {
		return
	}
	s := c.Strays[i]
	if !s.By.is(ev.Officer) {
		t.do(Tell{Text: t.officers("card.stray.only", "officer", "@"+ev.Officer.Name, "by", "@"+s.By.Name)})
		return
	}
	c.Strays = slices.Delete(c.Strays, i, i+1)
	t.restate(s, "card.stray.sent")
	if c.Phase == Owned {
		t.audit(string(ActionTake), ev.Officer, c.Officer)
		t.take(ev.Officer)
	}
	t.replied(Replied{Post: s.Post, Officer: ev.Officer, Text: s.Text})
}

// dropStrays forgets what will not be sent.
func (t *turn) dropStrays(which func(Stray) bool) {
	c := t.s.Case
	for _, s := range c.Strays {
		if which(s) {
			t.restate(s, "card.stray.over")
		}
	}
	c.Strays = slices.DeleteFunc(c.Strays, which)
}

// restate takes the button off a line, once it is known where that is.
func (t *turn) restate(s Stray, key string) {
	if s.Line != "" {
		t.do(Restate{Post: s.Line, Text: t.officers(key, "officer", "@"+s.By.Name)})
	}
}

// prompted takes note of where a line is.
func (t *turn) prompted(e Prompt, post PostID) {
	if about, ok := strings.CutPrefix(e.About, aboutCanned); ok {
		t.cannedThere(about, post)
		return
	}
	if key, ok := strings.CutPrefix(e.About, aboutDoubt); ok {
		t.doubtAsked(key, post)
		return
	}
	key, ok := strings.CutPrefix(e.About, aboutStray)
	if !ok {
		return
	}
	if c := t.s.Case; c != nil {
		for i, s := range c.Strays {
			if s.Key == key {
				c.Strays[i].Line = post
				return
			}
		}
	}
	if post != "" {
		t.do(Restate{Post: post, Text: t.officers("card.stray.done")})
	}
}

// strayAt is when the oldest lapses, zero without one.
func (b *Book) strayAt(s State) time.Time {
	if len(s.Case.Strays) == 0 {
		return time.Time{}
	}
	return b.policy.Transfer.after(s.Case.Strays[0].At)
}

// reviseStray takes a new wording of what was not sent, and reports whether it was
// that.
func (t *turn) reviseStray(ev Revised) bool {
	if !t.active() {
		return false
	}
	c := t.s.Case
	i := c.stray(ev.Post)
	switch {
	case i < 0:
		return false
	case ev.Note:
		t.dropStrays(func(s Stray) bool { return s.Post == ev.Post })
		t.noted(Noted{Post: ev.Post, Officer: ev.Officer, Text: ev.Text})
	case ev.Mentions || strings.TrimSpace(ev.Text) == "":
		t.dropStrays(func(s Stray) bool { return s.Post == ev.Post })
		t.record("officer:"+ev.Officer.Name, "note", ev.Text)
	case c.Phase != Owned || c.Officer.is(ev.Officer):
		// It is theirs to answer by now.
		t.dropStrays(func(s Stray) bool { return s.Post == ev.Post })
		t.replied(Replied{Post: ev.Post, Officer: ev.Officer, Text: ev.Text})
	default:
		t.record("officer:"+ev.Officer.Name, "note", ev.Text)
		c.Strays[i].Text = ev.Text
	}
	return true
}
