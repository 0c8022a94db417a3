package flows

import (
	"slices"
	"strings"
)

// withdraw does what follows from the withdrawal of the consent: everything stops
// at once, and all that is kept of the person goes: the chat on both sides, the
// answers, the replies, and the sealed transcript. The officers are told that the
// case has ended so; what they have read they know. Whoever opens a chat that was
// left may be somebody else: there it ends nothing but the chat. Whoever holds the
// telephone may be somebody else as well: where there is a check word it is asked
// for first, and if danger stood the officers are called, who decide.
func (t *turn) withdraw() {
	c := t.s.Case
	if c == nil || t.s.Left {
		t.leave()
		return
	}
	if c.Word.Sum != "" && !t.m.At.Before(t.book.policy.Resume.after(c.Word.Right)) {
		c.AskNext = true
		if t.question() {
			return
		}
	}
	ended := Case{
		ID: c.ID, Phase: Ended, Opened: c.Opened, Closed: t.m.At, Thread: c.Thread, Officer: c.Officer, Withdrawn: true,
	}
	if c.Phase != Ended {
		ended.Stood = t.s.stands()
	}
	t.removeAll()
	t.depart()
	replies := t.s.Replies
	t.s = State{Messages: t.s.Messages, Left: true, LeftAt: t.m.At, Seen: t.s.Seen, Case: &ended, Revoked: true}
	t.effects = slices.DeleteFunc(t.effects, func(e Effect) bool { return e.To() != Officers })
	t.abandon(replies)
	card := t.book.withdrawnCard(ended)
	t.do(Update{Last: &card})
	t.do(Tell{Text: t.officers("card.withdrawn")})
	if len(ended.Stood) > 0 {
		t.do(Page{Level: 1, Text: t.officers(pageStood)})
	}
	t.do(Shred{Case: ended.ID})
	t.eraseAll()
}

// pageStood is the one call that a withdrawal does not take back.
const pageStood = "card.withdrawn.page"

// stands names what nothing clears, as the card's title does.
func (s State) stands() []string {
	var out []string
	if s.Case != nil && !s.Case.Duress.IsZero() {
		out = append(out, "card.duress")
	}
	if s.facts().Minor {
		out = append(out, "card.minor")
	}
	if s.facts().Danger {
		out = append(out, "card.danger")
	}
	return out
}

// withdrawnCard is the card of a case to which the consent was withdrawn. It says
// nothing of the person any more but that somebody may need help.
func (b *Book) withdrawnCard(c Case) Card {
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	at := b.officersClock(c.Closed)
	var title []string
	for _, key := range c.Stood {
		title = append(title, say(key))
	}
	status := "card.status.withdrawn"
	if len(title) > 0 {
		status = "card.status.withdrawn.danger"
	}
	return Card{
		Code: c.ID.Code(), Title: strings.Join(append(title, c.ID.Code()), " · "), Tone: ToneClosed,
		Index: Index{Code: c.ID.Code(), Phase: Ended, Opened: c.Opened},
		Lines: []Line{{Label: say("card.status"), Value: say(status, "time", at)}},
	}
}

// told forgets the case to which the consent was withdrawn, once its thread was
// told or never can be.
func (t *turn) told(e Tell) {
	if c := t.s.Case; c != nil && c.Withdrawn && e.Text == t.officers("card.withdrawn") {
		t.s.Case, t.s.Revoked = nil, false
	}
}

// eraseAll has all messages of both sides deleted.
func (t *turn) eraseAll() {
	var ids []MessageID
	for i := range t.s.Messages {
		t.s.Messages[i].Going = false
		ids = append(ids, t.s.Messages[i].ID)
	}
	t.erase(ids...)
}
