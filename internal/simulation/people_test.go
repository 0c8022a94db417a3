package simulation

import (
	"fmt"
	"strings"
	"time"

	"suar/flows"
	"suar/internal/telegramtest"
)

// canary is in everything that anybody writes. It may stand in the two servers,
// and nowhere else in clear.
const canary = "KanariRahasia"

// A person is somebody in danger, somebody's family, or who holds their
// telephone.
type person struct {
	*telegramtest.Person
	world *world
	n     int
	came  bool
	shut  bool // the chat is closed to the bot
	said  []*saying
	seen  []tap
	// word and phrase are what the person agreed on with the officers.
	word, phrase string
	wants        intent
}

// A saying is words of a person's that went to the bot.
type saying struct {
	token   string
	message int
	at      time.Time
}

// A tap is a button that a person saw.
type tap struct {
	data    string
	message int
	label   string
}

// word makes a token that is in one text only, and says whose it is.
func (w *world) word(who string) string {
	w.words++
	return fmt.Sprintf("%sx%04dz", who, w.words)
}

// phrase is a text with the token in it.
func (w *world) phrase(token string) string {
	return fmt.Sprintf(oneOf(w.schedule, []string{
		"%s " + canary, canary + " %s @channel", "> %s\n# " + canary, "*" + canary + "* `%s` https://example.test/x",
		canary + " 🔥 %s\n\n\nbaris kedua", "/%s " + canary,
	}), token)
}

// act lets the person do something.
func (p *person) act() {
	w := p.world
	if w.nature.returning && p.n > 1 && p.said == nil && !p.shut && w.chance(950) {
		p.comeBack()
		return
	}
	if !p.came {
		p.came = true
		if w.chance(700) {
			w.note("person%d starts", p.n)
			p.Start()
			return
		}
		p.say()
		return
	}
	if p.shut {
		if w.chance(200) {
			w.note("person%d opens the chat again", p.n)
			p.shut = false
			p.Start()
		}
		return
	}
	if w.takes(p.ID()) && w.chance(250) {
		p.attach()
		return
	}
	switch n := w.rng.IntN(100); {
	case n < 58, n < 90 && w.nature.returning && len(w.facts.codes) == 0 && p.said != nil:
		p.tap()
	case n < 62:
		p.twice()
	case n < 78:
		p.say()
	case n < 82:
		p.edit()
	case n < 85:
		p.attach()
	case n < 88:
		p.stale()
	case n < 90:
		p.ask("/delete")
	case n < 92:
		p.ask(oneOf(w.schedule, []string{"/privacy", "/bahasa", "/start", "/start", "hapus"}))
	case n < 94:
		p.erase()
	case n < 95:
		w.note("person%d blocks the bot", p.n)
		w.met["blocked"]++
		p.shut = true
		p.Block()
	default:
		p.tap()
	}
}

// comeBack lets a person who has not said anything here yet come back to a case
// that another chat has a code of, as soon as there is one.
func (p *person) comeBack() {
	w := p.world
	v := w.convOf(p.ID())
	switch {
	case len(w.facts.codes) == 0:
	case !p.came || v == nil || v.state.Screen == "":
		p.came = true
		w.note("person%d starts", p.n)
		p.Start()
	default:
		if !p.confide() {
			p.tap()
		}
	}
}

// tap presses a button that is to be seen, most often one that goes on.
func (p *person) tap() {
	w := p.world
	if v := w.convOf(p.ID()); w.nature.keen && v != nil && v.state.Case == nil && p.wants["opening.need"] == nil && !(w.nature.returning && p.n > 1) && w.chance(500) {
		p.say()
		return
	}
	var shown, rare []tap
	for _, m := range p.Chat() {
		if !m.FromBot {
			continue
		}
		for _, row := range m.Buttons {
			for _, b := range row {
				x := tap{b.Data, m.ID, b.Label}
				if strings.HasSuffix(b.Data, ".x") || b.Data == "erase" {
					rare = append(rare, x)
				} else {
					shown = append(shown, x)
				}
				if len(p.seen) < 200 {
					p.seen = append(p.seen, x)
				}
			}
		}
	}
	if len(rare) > 0 && (len(shown) == 0 || w.chance(60)) {
		shown = rare
		w.met["leaves or erases"]++
	}
	if len(shown) == 0 {
		p.say()
		return
	}
	x := oneOf(w.schedule, shown)
	if w.chance(500 + 400*btoi(w.nature.keen) + 70*btoi(w.nature.returning)) {
		if on, ok := p.follow(shown); ok {
			x = on
		}
	}
	p.press(x)
	if w.chance(80) {
		w.met["double tap"]++
		p.press(x)
	}
}

// twice lets two hold the chat open, on two devices, and both do something at
// the same moment: neither sees what the other's press makes of the bubble.
func (p *person) twice() {
	w := p.world
	var shown []tap
	for _, m := range p.Chat() {
		for _, row := range m.Buttons {
			for _, b := range row {
				shown = append(shown, tap{b.Data, m.ID, b.Label})
			}
		}
	}
	if len(shown) == 0 {
		p.say()
		return
	}
	w.met["two devices"]++
	if w.chance(400) {
		p.say()
	}
	for range 2 + w.rng.IntN(2) {
		p.press(oneOf(w.schedule, shown))
	}
	if w.chance(200) {
		p.say()
	}
}

// takes reports whether photos and voice messages are taken in a chat now.
func (w *world) takes(chat int64) bool {
	v := w.convOf(chat)
	return v != nil && v.state.Case != nil && v.state.Case.Takes && v.state.Case.Phase != flows.Ended
}

func (p *person) press(x tap) {
	p.world.note("person%d presses %s under %d", p.n, x.data, x.message)
	p.Forge(x.data, x.message)
}

// stale presses a button that was there some time ago.
func (p *person) stale() {
	if len(p.seen) == 0 {
		return
	}
	p.world.met["stale tap"]++
	p.press(oneOf(p.world.schedule, p.seen))
}

func (p *person) say() {
	if p.confide() {
		return
	}
	token := p.world.word(fmt.Sprint("p", p.n))
	id := p.Say(p.world.phrase(token))
	p.world.note("person%d says %s (%d)", p.n, token, id)
	p.said = append(p.said, &saying{token: token, message: id, at: time.Now()})
}

func (p *person) edit() {
	if len(p.said) == 0 {
		p.say()
		return
	}
	old := oneOf(p.world.schedule, p.said)
	token := p.world.word(fmt.Sprint("p", p.n))
	if p.Edit(old.message, p.world.phrase(token)) != nil {
		return // it is erased
	}
	p.world.note("person%d edits %d to %s", p.n, old.message, token)
	p.said = append(p.said, &saying{token: token, message: old.message, at: time.Now()})
}

func (p *person) attach() {
	w := p.world
	caption, token := "", ""
	if w.chance(400) {
		token = w.word(fmt.Sprint("p", p.n))
		caption = token + " " + canary
	}
	kind := oneOf(w.schedule, []string{telegramtest.Photo, telegramtest.Voice, telegramtest.Location})
	var id int
	if kind == telegramtest.Location {
		id = p.Send(kind, caption)
	} else {
		id = p.SendFile(telegramtest.File{Kind: kind, Content: []byte(canary + " " + kind)}, caption)
	}
	w.note("person%d sends a file (%d) %s", p.n, id, token)
	if token != "" {
		p.said = append(p.said, &saying{token: token, message: id, at: time.Now()})
	}
}

func (p *person) ask(what string) {
	p.world.note("person%d asks %s", p.n, what)
	p.Say(what)
}

// erase takes a message out of the chat by hand.
func (p *person) erase() {
	chat := p.Chat()
	if len(chat) == 0 {
		return
	}
	m := oneOf(p.world.schedule, chat)
	p.world.note("person%d erases %d", p.n, m.ID)
	p.Delete(m.ID)
}
