package simulation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing/synctest"
	"time"

	"suar/internal/mattermosttest/standin"
)

// An officer is somebody at the Mattermost side, a member of the channel or not.
type officer struct {
	account
	world   *world
	notices <-chan standin.Notice

	mu    sync.Mutex
	busy  int      // presses under way
	asked []*asked // dialogs that are open
}

type asked struct {
	*standin.Dialog
}

// A post is what an officer wrote.
type post struct {
	id, root, code, token string
	officer               string
	at                    time.Time
	// note and reply say what it was once; it may have become the other.
	note, reply, deleted bool
	tokens               []string // all wordings
}

func (o *officer) seat() *standin.Seat { return o.world.mattermost.Seat(o.token) }

// cards are the cards that can be seen, the newest last.
func (w *world) cards() []standin.Thread {
	var out []standin.Thread
	for _, t := range w.mattermost.Snapshot(w.channel) {
		if t.Root.UserID == w.suar.id && len(t.Root.Cards) > 0 {
			out = append(out, t)
		}
	}
	return out
}

// act lets the officer do something with a card.
func (o *officer) act() {
	w := o.world
	o.read()
	if len(o.asked) > 0 && w.chance(700) {
		o.answer(w.chance(150))
		return
	}
	cards := w.cards()
	if len(cards) == 0 {
		return
	}
	cards = cards[max(0, len(cards)-6):]
	t := oneOf(w.schedule, cards)
	if asks := slices.DeleteFunc(slices.Clone(cards), func(t standin.Thread) bool { return !asksToReturn(t) }); len(asks) > 0 && w.chance(300) {
		o.choose(oneOf(w.schedule, asks))
		return
	}
	switch n := w.rng.IntN(100); {
	case n < 8:
		o.choose(t)
	case n < 12:
		o.look(t)
	case n < 35:
		o.press(t)
	case n < 70:
		o.reply(t, "")
	case n < 80:
		o.reply(t, "// ")
	case n < 88:
		o.revise()
	case n < 93:
		o.withdraw()
	default:
		o.press(t)
		o.press(t)
	}
}

// answerAll writes under the newest cards.
func (o *officer) answerAll() {
	cards := o.world.cards()
	for _, t := range cards[max(0, len(cards)-6):] {
		o.world.sleepBetweenActs()
		o.reply(t, "")
	}
}

// press presses a button of the card. The hotline answers while other things
// happen.
func (o *officer) press(t standin.Thread) {
	// The menu is no press: what is chosen in it is.
	actions := slices.DeleteFunc(slices.Clone(t.Root.Cards[0].Actions), func(a standin.Action) bool { return a.ID == "more" })
	if len(actions) == 0 {
		return
	}
	a := oneOf(o.world.schedule, actions)
	o.world.note("%s presses %s of %s", o.name, a.ID, short(t.Root.ID))
	if a.ID == "claim" && o != o.world.admin {
		o.world.facts.claim(o.world.codeOf(t.Root.ID))
	}
	seat := o.seat()
	o.during(func() { _ = seat.Press(context.Background(), t.Root.ID, a.ID) })
}

// choose chooses something of the card's menu. Whoever chooses has read.
func (o *officer) choose(t standin.Thread) {
	w := o.world
	for _, a := range t.Root.Cards[0].Actions {
		if len(a.Options) == 0 {
			continue
		}
		option := oneOf(w.schedule, a.Options).Value
		for _, o := range a.Options {
			if w.chance(300) && (o.Value == "media:mark" || strings.HasPrefix(o.Value, "return:")) {
				option = o.Value
			}
		}
		w.note("%s chooses %s of %s", o.name, option, short(t.Root.ID))
		w.facts.permitted = w.facts.permitted || option == "media:mark"
		w.met["chosen "+strings.TrimRight(strings.SplitN(option, ":", 2)[0], "0123456789")]++
		if o != w.admin {
			w.facts.claim(w.codeOf(t.Root.ID))
		}
		seat := o.seat()
		o.during(func() { _ = seat.Choose(context.Background(), t.Root.ID, a.ID, option) })
		return
	}
}

// asksToReturn reports whether a card's menu lets the officer decide on somebody
// who wants to go on from another account.
func asksToReturn(t standin.Thread) bool {
	return slices.ContainsFunc(t.Root.Cards[0].Actions, func(a standin.Action) bool {
		return slices.ContainsFunc(a.Options, func(o standin.Option) bool { return strings.HasPrefix(o.Value, "return:") })
	})
}

// look asks for a photo or a voice message of a thread.
func (o *officer) look(t standin.Thread) {
	var lines []standin.Post
	for _, p := range t.Replies {
		if p.UserID == o.world.suar.id && len(p.Cards) > 0 && len(p.Cards[0].Actions) > 0 {
			lines = append(lines, p)
		}
	}
	if len(lines) == 0 {
		return
	}
	p := oneOf(o.world.schedule, lines)
	o.world.note("%s asks for what %s offers", o.name, short(p.ID))
	seat, action := o.seat(), p.Cards[0].Actions[0].ID
	o.during(func() { _ = seat.Press(context.Background(), p.ID, action) })
}

// during runs a request of the officer's client beside everything else.
func (o *officer) during(request func()) {
	o.mu.Lock()
	o.busy++
	o.mu.Unlock()
	go func() {
		request()
		o.mu.Lock()
		o.busy--
		o.mu.Unlock()
	}()
	synctest.Wait() // What the server signs is random: one after the other.
}

// read takes the dialogs that opened.
func (o *officer) read() {
	for {
		select {
		case n := <-o.notices:
			if n.Dialog != nil {
				o.asked = append(o.asked, &asked{Dialog: n.Dialog})
			}
		default:
			return
		}
	}
}

// answer submits the oldest dialog, or lets it be.
func (o *officer) answer(never bool) {
	d := o.asked[0]
	if !o.world.chance(100) { // now and then twice
		o.asked = o.asked[1:]
	}
	if never {
		o.world.note("%s closes a dialog", o.name)
		return
	}
	o.world.note("%s answers a dialog: %s", o.name, d.CallbackID)
	if d.CallbackID == "close" && o != o.world.admin {
		o.world.facts.closeNamed(d.Introduction)
	}
	seat := o.seat()
	o.during(func() { _, _ = seat.Submit(context.Background(), o.world.channel, d.Dialog, map[string]any{}) })
}

func (o *officer) reply(t standin.Thread, prefix string) {
	w := o.world
	token := w.word("o" + fmt.Sprint(len(o.name)))
	id, err := o.seat().Say(context.Background(), w.channel, t.Root.ID, prefix+w.phrase(token))
	if err != nil {
		return
	}
	code := w.codeOf(t.Root.ID)
	p := &post{id: id, root: t.Root.ID, code: code, token: token, officer: o.id, at: time.Now(), note: prefix != "", reply: prefix == "", tokens: []string{token}}
	w.facts.posts = append(w.facts.posts, p)
	if p.reply {
		w.facts.claim(code)
	}
	w.note("%s writes %s%s under %s", o.name, prefix, token, code)
}

// revise edits something that this officer wrote; now and then a reply becomes
// a note or the other way round.
func (o *officer) revise() {
	w := o.world
	p := o.own()
	if p == nil {
		return
	}
	token := w.word("o" + fmt.Sprint(len(o.name)))
	prefix := ""
	if p.note != w.chance(200) {
		prefix = "// "
	}
	if o.seat().Edit(context.Background(), p.id, prefix+w.phrase(token)) != nil {
		return
	}
	w.note("%s edits %s to %s%s", o.name, p.token, prefix, token)
	w.met["officer edits"]++
	p.tokens = append(p.tokens, token)
	p.token = token
	if prefix == "" {
		p.reply = true
		w.facts.claim(p.code)
	} else {
		p.note = true
	}
}

func (o *officer) withdraw() {
	p := o.own()
	if p == nil || o.seat().Delete(context.Background(), p.id) != nil {
		return
	}
	p.deleted = true
	o.world.met["officer deletes"]++
	o.world.note("%s deletes %s", o.name, p.token)
}

// own is one of the officer's own posts, nil if there is none.
func (o *officer) own() *post {
	var mine []*post
	for _, p := range o.world.facts.posts {
		if p.officer == o.id && !p.deleted {
			mine = append(mine, p)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	return oneOf(o.world.schedule, mine)
}

// codeOf is the code of the case whose card a post is, "" if it is none.
func (w *world) codeOf(root string) string {
	for code, roots := range w.facts.roots {
		if slices.Contains(roots, root) {
			return code
		}
	}
	return ""
}

// deleteCard lets an administrator delete a card, which the hotline must
// replace.
func (w *world) deleteCard() {
	cards := w.cards()
	if len(cards) == 0 {
		return
	}
	t := oneOf(w.schedule, cards)
	if w.admin.seat().Delete(context.Background(), t.Root.ID) == nil {
		w.met["card deleted"]++
		w.facts.lostRoots[t.Root.ID] = true
		w.note("the administrator deletes the card of %s", w.codeOf(t.Root.ID))
	}
}

// mentionsCode reports whether a text of ours names the case.
func mentionsCode(text, code string) bool { return code != "" && strings.Contains(text, code) }
