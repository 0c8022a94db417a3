package flows

import (
	"slices"
	"time"
)

// rejoin ends the silence after the person deleted the chat. Only words of their
// own or a press that asks for a human do: whoever merely opens the chat, which
// may be somebody else, sees what a stranger would see and changes nothing. What
// was tapped since is added to what was known.
func (t *turn) rejoin() {
	since := t.s.Facts
	t.s.Facts, t.s.Aside = *t.s.Aside, nil
	t.s.Left, t.s.LeftAt = false, time.Time{}
	if !t.s.Case.Word.Right.Equal(t.m.At) {
		t.tell("card.back")
	}
	t.add(since)
}

// add adds what was tapped elsewhere since to what is known.
func (t *turn) add(since Facts) {
	if since.Language != "" {
		t.s.Language = since.Language
	}
	if since.Notice != "" {
		t.s.Notice, t.s.NoticeAt = since.Notice, since.NoticeAt
	}
	t.s.Danger = t.s.Danger || since.Danger
	t.s.Minor = t.s.Minor || since.Minor
	t.s.Pressing = t.s.Pressing || since.Pressing
	for _, a := range since.Answers {
		if a.skipped() {
			continue
		}
		t.s.set(a)
		t.record("person", "answers", t.book.plain(a))
	}
	t.relayAnswers()
}

// leave erases the chat. An open case stays with the officers, who are told;
// nothing reaches the person again until the person writes.
func (t *turn) leave() {
	again := t.s.Left
	t.depart()
	t.s.LeftAt = t.m.At
	if t.active() && !again {
		t.record("person", "left", "")
		t.tell("card.left")
		t.update()
	}
	t.eraseAll()
}

// blocked stops everything towards a person who closed the chat. That may be a
// sign of danger, so the officers are told.
func (t *turn) blocked() {
	if t.s.Shut {
		return
	}
	t.depart()
	t.s.Shut = true
	if t.active() {
		t.record("person", "blocked", "")
		t.tell("card.blocked")
		t.update()
	}
}

// depart drops what was for the person's eyes. What the officers know stays with
// the case, aside, and replies that are not there yet wait.
func (t *turn) depart() {
	old := t.s
	t.s = State{Messages: old.Messages, Left: true, Seen: old.Seen, Revoked: old.Revoked, Kept: old.Kept, Was: Was{old.Screen, old.Token}}
	if old.Shown != "" && !slices.ContainsFunc(old.Messages, func(m Message) bool { return m.ID.covers(old.Shown) }) {
		t.s.Messages = append(t.s.Messages, Message{ID: old.Shown, At: t.m.At})
	}
	// What this turn wanted to show or to let out is not wanted any more.
	t.effects = slices.DeleteFunc(t.effects, func(e Effect) bool { return e.To() == Caller })
	if old.Case == nil {
		t.abandon(old.Replies)
		return
	}
	t.s.Case, t.s.Earlier, t.s.Replies = old.Case, old.Earlier, old.Replies
	t.s.Mask = old.expose(t.m.At)
	if t.s.Aside = old.Aside; t.s.Aside == nil {
		t.s.Aside = &old.Facts
	}
	for i, r := range t.s.Replies {
		if r.Text != "" && (r.Message == "" || !r.Read) {
			t.s.Replies[i].Held, t.s.Replies[i].Ask = true, true
			t.s.Replies[i].Message, t.s.Replies[i].Part = "", 0
			if r.Message != "" {
				t.do(Mark{Post: r.Post, Sign: SignHeld}) // It was there, and not opened.
			}
		}
	}
}

// abandon tells the officers of replies that will not reach the person any more.
func (t *turn) abandon(replies []Reply) {
	for _, r := range waiting(replies) {
		t.do(Mark{Post: r.Post, Sign: SignFailed})
	}
}

func (t *turn) forgetCase() {
	t.s.Earlier = t.s.Case.ID.Code()
	t.s.Case = nil
	t.s.Facts = Facts{Language: t.s.Language, Notice: t.s.Notice, NoticeAt: t.s.NoticeAt}
	t.s.Replies = pending(t.s.Replies)
}

// waiting are the replies that have not reached the person.
func waiting(all []Reply) []Reply {
	return slices.DeleteFunc(slices.Clone(all), func(r Reply) bool { return r.Note || r.Message != "" })
}

// pending are the replies that have not reached the person, or can still be
// opened.
func pending(all []Reply) []Reply {
	return slices.DeleteFunc(slices.Clone(all), func(r Reply) bool { return r.Note })
}
