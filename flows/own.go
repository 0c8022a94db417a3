package flows

import (
	"slices"
	"strings"
)

// ownPost begins the PostID of what officers say to the person by an action on
// the card: there is no post of theirs that could bear a sign.
const ownPost = "own:"

// What officers say by an action.
const (
	ownAsk     = ownPost + "ask:"
	ownRelease = ownPost + "release:"
)

// write says a text of ours to the person on the same way as a reply, held by
// the same rules. Its post begins with what.
func (t *turn) write(what, text string) {
	if len(waiting(t.s.Replies)) >= mostHeld {
		t.tell("card.too_many")
		return
	}
	post := PostID(what + t.m.token())
	t.keep(Reply{Post: post, At: t.m.At, Text: text, Held: true, Ask: t.s.Left})
	t.release(byRule)
	if i := t.reply(post); i >= 0 && t.s.Replies[i].Held {
		t.do(Mark{Post: post, Sign: SignHeld})
		t.update()
	}
}

// unwrite takes back what was said by an action and has not been acted upon.
func (t *turn) unwrite(what string) {
	for i, r := range slices.Backward(t.s.Replies) {
		if strings.HasPrefix(string(r.Post), what) {
			t.takeBack(i, "bot")
		}
	}
}

// signed is an effect as the officers can see it: the sign of what no post of
// theirs was is said in words.
func (t *turn) signed(e Effect) Effect {
	m, ok := e.(Mark)
	if !ok || !strings.HasPrefix(string(m.Post), ownPost) {
		return e
	}
	key := "card.own.failed"
	if i := slices.Index([]Sign{SignSent, SignHeld}, m.Sign); i >= 0 {
		key = []string{"card.own.sent", "card.own.held"}[i]
	}
	return Tell{Text: t.officers(key)}
}
