package flows

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// Words of an officer that break a never rule are not sent. A line beneath them says
// which rule, and what could be said instead; one press sends them all the same, and
// the same words are not asked about again. The officer can as well edit the post:
// the new words take the place of those in doubt.

// ActionSure sends words that break a never rule, ActionUnsay does not; their choice
// is the Doubt's Key.
const (
	ActionSure  ActionName = "sure"
	ActionUnsay ActionName = "unsay"
)

// A Doubt is what an officer wrote that breaks a never rule, until it is decided.
type Doubt struct {
	Key  string    `json:"key"`
	Post PostID    `json:"post"`
	By   Officer   `json:"by"`
	At   time.Time `json:"at"`
	Text string    `json:"text"`
	// Rules are the ids of the rules.
	Rules []string `json:"rules"`
	// Line is the line beneath, "" until it is there.
	Line PostID `json:"line,omitempty"`
}

// aboutDoubt begins what a line about one is about.
const aboutDoubt = "doubt "

// mostDoubts is how many there can be, and how many words are remembered that were
// sent all the same; beyond it the oldest go. mostRules is how many rules a line names.
const (
	mostDoubts = 10
	mostSure   = 50
	mostRules  = 3
)

// doubts keeps words back that break a never rule and that nobody has stood by yet,
// and reports whether it did.
func (t *turn) doubts(ev Replied) bool {
	c := t.s.Case
	rules := t.book.breaks(ev.Text)
	if len(rules) == 0 || slices.Contains(c.Sure, wordsSum(ev.Text)) {
		return false
	}
	t.dropDoubts("card.never.over", func(d Doubt) bool { return d.Post == ev.Post })
	d := Doubt{
		Key: t.m.token(), Post: ev.Post, By: ev.Officer, At: t.m.At, Text: ev.Text, Rules: rules[:min(len(rules), mostRules)],
	}
	if c.Doubts = append(c.Doubts, d); len(c.Doubts) > mostDoubts {
		oldest := c.Doubts[0].Key
		t.lapseDoubts(func(d Doubt) bool { return d.Key == oldest })
	}
	t.record("officer:"+ev.Officer.Name, "doubted", ev.Text)
	t.do(Mark{Post: ev.Post, Sign: SignDoubt})
	t.do(Prompt{
		About: aboutDoubt + d.Key,
		Text:  t.doubtLine(d),
		Actions: []Action{
			{Name: ActionUnsay, Choice: d.Key, Label: t.officers("card.never.unsay")},
			{Name: ActionSure, Choice: d.Key, Label: t.officers("card.never.sure")},
		},
	})
	return true
}

// doubtLine says to the officer which rules there are, and for each a better
// sentence, in the person's language and in the officers'.
func (t *turn) doubtLine(d Doubt) string {
	lines := []string{t.officers("card.never", "officer", "@"+d.By.Name)}
	for _, id := range d.Rules {
		rule, theirs := t.book.neverRule(id, t.book.policy.Officers), t.book.neverRule(id, t.s.facts().Language)
		better := rule.Better
		if theirs.Better != better {
			better = theirs.Better + "” – “" + better
		}
		lines = append(lines, t.officers("card.never.rule", "rule", rule.Name, "better", better))
	}
	return strings.Join(lines, "\n")
}

// wordsSum is by what words are known again: of what was sent all the same nothing
// else is kept.
func wordsSum(text string) string {
	sum := sha256.Sum256([]byte(FoldWord(text)))
	return hex.EncodeToString(sum[:8])
}

// decideDoubt does what an officer decided about words in doubt. Only who wrote them can
// stand by them; that they are not sent anybody can decide.
func (t *turn) decideDoubt(ev Acted) {
	if !t.active() {
		return
	}
	c := t.s.Case
	i := slices.IndexFunc(c.Doubts, func(d Doubt) bool { return d.Key == ev.Choice })
	if i < 0 {
		return
	}
	d := c.Doubts[i]
	if ev.Action == ActionUnsay {
		t.record("officer:"+ev.Officer.Name, "acted", t.officers("card.never.unsay"))
		t.dropDoubts("card.never.unsaid", func(x Doubt) bool { return x.Key == d.Key }, "officer", "@"+ev.Officer.Name)
		if t.unmark(d.Post); t.reply(d.Post) < 0 {
			t.keep(Reply{Post: d.Post, At: t.m.At, Note: true}) // It can still be edited.
		}
		return
	}
	if !d.By.is(ev.Officer) {
		t.do(Tell{Text: t.officers("card.never.only", "officer", "@"+ev.Officer.Name, "by", "@"+d.By.Name)})
		return
	}
	t.record("officer:"+ev.Officer.Name, "acted", t.officers("card.never.sure"))
	t.audit("sure", ev.Officer)
	t.dropDoubts("card.never.sent", func(x Doubt) bool { return x.Key == d.Key }, "officer", "@"+ev.Officer.Name)
	if c.Sure = append(c.Sure, wordsSum(d.Text)); len(c.Sure) > mostSure {
		c.Sure = slices.Delete(c.Sure, 0, 1)
	}
	if t.reply(d.Post) >= 0 {
		t.revised(Revised{Post: d.Post, Officer: ev.Officer, Text: d.Text})
		t.unmark(d.Post)
		return
	}
	t.replied(Replied{Post: d.Post, Officer: ev.Officer, Text: d.Text})
}

// unmark gives a post the sign of what there is of it without the words in doubt.
func (t *turn) unmark(post PostID) {
	sign := SignFailed
	if i := t.reply(post); i >= 0 {
		switch r := t.s.Replies[i]; {
		case r.Note:
			sign = SignNote
		case r.Message != "":
			sign = SignSent
		case !r.Gone:
			sign = SignHeld
		}
	}
	t.do(Mark{Post: post, Sign: sign})
}

// reviseDoubt takes a new wording in the place of words in doubt that are no reply
// yet, and reports whether it was that.
func (t *turn) reviseDoubt(ev Revised) bool {
	if !t.active() || !t.s.Case.doubted(ev.Post) {
		return false
	}
	t.dropDoubts("card.never.over", func(d Doubt) bool { return d.Post == ev.Post })
	switch {
	case t.reply(ev.Post) >= 0:
		return false // It is an earlier reply that was to be changed.
	case ev.Note:
		t.noted(Noted{Post: ev.Post, Officer: ev.Officer, Text: ev.Text})
	case strings.TrimSpace(ev.Text) == "":
		t.do(Mark{Post: ev.Post, Sign: SignFailed})
	default:
		t.replied(Replied{Post: ev.Post, Officer: ev.Officer, Text: ev.Text, Mentions: ev.Mentions})
	}
	return true
}

// doubted reports whether a post is in doubt.
func (c *Case) doubted(post PostID) bool {
	return slices.ContainsFunc(c.Doubts, func(d Doubt) bool { return d.Post == post })
}

// dropDoubts forgets what is decided, or never will be, and takes the buttons off its
// lines, with the text of a key.
func (t *turn) dropDoubts(key string, which func(Doubt) bool, pairs ...string) {
	c := t.s.Case
	for _, d := range c.Doubts {
		if which(d) && d.Line != "" {
			t.do(Restate{Post: d.Line, Text: t.officers(key, pairs...)})
		}
	}
	c.Doubts = slices.DeleteFunc(c.Doubts, which)
}

// lapseDoubts ends what nobody has decided: it is not sent.
func (t *turn) lapseDoubts(which func(Doubt) bool) {
	for _, d := range t.s.Case.Doubts {
		if which(d) {
			t.unmark(d.Post)
		}
	}
	t.dropDoubts("card.never.over", which)
}

// doubtAsked takes note of where a line is. A line that came when all was decided
// loses its buttons.
func (t *turn) doubtAsked(key string, post PostID) {
	if c := t.s.Case; c != nil {
		for i, d := range c.Doubts {
			if d.Key == key {
				c.Doubts[i].Line = post
				return
			}
		}
	}
	if post != "" {
		t.do(Restate{Post: post, Text: t.officers("card.never.over")})
	}
}

// endDoubts takes the buttons off the lines of a case that is no more here.
func (t *turn) endDoubts(before *Case) {
	after := t.s.Case
	if before == nil || after != nil && after.ID == before.ID && !after.Withdrawn {
		return
	}
	for _, d := range before.Doubts {
		if d.Line != "" {
			t.do(Restate{Post: d.Line, Text: t.officers("card.never.over")})
		}
	}
}
