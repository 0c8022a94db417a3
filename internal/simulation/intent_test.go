package simulation

import (
	"strings"
)

// An intent is what a person wants of the hotline's rarer things: at each screen
// the keys of the buttons that lead there.
type intent map[string][]string

// intents are what people may want, beside pressing whatever there is.
func intents() []intent {
	more := func(i intent) intent {
		i["case.talk"] = []string{"case.talk.more"}
		i["consular.home"] = []string{"consular.home.help"}
		i["opening.now"] = []string{"opening.now.yes"}
		i["opening.notice"] = []string{"opening.notice.agree"}
		return i
	}
	return []intent{
		more(intent{"case.more": {"case.more.word"}, "case.word": {"case.word.set"}}),
		more(intent{"case.more": {"case.more.word"}, "case.word": {"case.word.set"}}),
		more(intent{"case.more": {"case.more.word"}, "case.word": {"case.word.phrase"}}),
		more(intent{"case.more": {"case.more.code"}, "case.code": {"case.code.words", "case.code.digits"}}),
		more(intent{"case.more": {"case.more.held"}, "case.held": {"case.held.withdraw"}, "case.withdraw": {"case.withdraw.yes"}}),
		more(intent{"case.more": {"case.more.hide"}, "case.hide": {"case.hide.m1", "case.hide.h1"}}),
		more(intent{"case.more": {"case.more.when"}, "case.contact": {"case.contact.first", "case.contact.any"}}),
		more(intent{"case.more": {"case.more.when"}, "case.contact": {"case.contact.day", "case.contact.night"}, "case.clock": {"case.clock.wit", "case.clock.myanmar"}}),
		more(intent{"opening.need": {"opening.need.number"}}),
		more(intent{"opening.need": {"opening.need.family", "opening.need.me"}}),
	}
}

// follow returns the button that leads to what the person wants, if there is one
// at this screen: words that came are opened before anything else.
func (p *person) follow(shown []tap) (tap, bool) {
	w := p.world
	for _, x := range shown {
		if strings.HasPrefix(x.data, "part.") && x.data != "part.0" && w.chance(1000-800*btoi(w.nature.returning)) {
			return x, true
		}
	}
	v := w.convOf(p.ID())
	if v == nil {
		return tap{}, false
	}
	if all := intents(); p.wants == nil || w.chance(60) {
		p.wants = oneOf(w.schedule, all)
		if len(w.facts.codes) > 0 && w.chance(400) {
			p.wants = all[len(all)-2] // There is a code to come back with.
		}
	}
	switch all := intents(); {
	case !w.nature.returning:
	case p.n == 1 && len(w.facts.codes) == 0:
		p.wants = all[3] // a code
	case p.n > 1 && len(w.facts.codes) > 0 && v.state.Case == nil:
		p.wants = all[len(all)-2]
	}
	if w.nature.returning && v.state.Screen == "opening.language" {
		for _, x := range shown {
			if strings.HasSuffix(x.data, ".lid") {
				return x, true
			}
		}
	}
	keys := p.wants[v.state.Screen]
	if len(keys) == 0 {
		return tap{}, false
	}
	key := oneOf(w.schedule, keys)
	for _, x := range shown {
		if w.texts.in(x.label, key) {
			return x, true
		}
	}
	return tap{}, false
}
