package flows

import (
	"slices"
	"strings"
)

// A Link says that another case may be about the same person, or belongs together
// with this one. An officer sets it by hand and a second one confirms it; nothing
// looks for links, and nothing of it reaches anybody but the officers. It stands in
// the case in which it was set: what somebody may be told because of it takes two
// officers again, see release.go.
type Link struct {
	Code string `json:"c"` // of the other case
	By   string `json:"b"`
	// ID is the first officer's, so that the second is another one.
	ID string `json:"i"`
	At int64  `json:"t"` // Unix seconds
	// Second confirmed it, "" if nobody has yet.
	Second string `json:"s,omitempty"`
}

// mostLinks is how many a case has.
const mostLinks = 8

// What is done about a link: linkAdd, or one of the others and the case's code.
const (
	linkAdd     = "add"
	linkConfirm = "confirm."
	linkOff     = "off."
)

// linkFields are the fields of the form of links.
func (b *Book) linkFields(w Work) []Field {
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	what := []Option{{Value: linkAdd, Label: say("card.link.add")}}
	for _, l := range w.Links {
		if l.Second == "" {
			what = append(what, Option{Value: linkConfirm + l.Code, Label: say("card.link.confirm", "code", l.Code, "officer", "@"+l.By)})
		}
		what = append(what, Option{Value: linkOff + l.Code, Label: say("card.link.off", "code", l.Code)})
	}
	return []Field{
		{Name: "what", Label: say("card.link.what"), Kind: FieldChoice, Options: what},
		{Name: "code", Label: say("card.link.code"), Help: say("card.link.code.help"), Kind: FieldText, Optional: true, Max: 80},
	}
}

// link proposes a link, confirms one or takes one off.
func (t *turn) link(ev Acted) {
	w := t.s.Case.Work
	say := func(key string, l Link) string {
		return t.officers(key, "officer", "@"+ev.Officer.Name, "first", "@"+l.By, "code", l.Code)
	}
	done := func(key string, l Link) {
		t.do(Tell{Text: say(key, l)})
		t.recorded(ev.Officer, say(key, l))
	}
	of := func(code string) int { return slices.IndexFunc(w.Links, func(l Link) bool { return l.Code == code }) }
	what := ev.Values["what"]
	if code, ok := strings.CutPrefix(what, linkOff); ok {
		if i := of(code); i >= 0 {
			l := w.Links[i]
			w.Links = slices.Delete(slices.Clone(w.Links), i, i+1)
			done("card.link.was_off", l)
		}
		return
	}
	if code, ok := strings.CutPrefix(what, linkConfirm); ok {
		switch i := of(code); {
		case i < 0 || w.Links[i].Second != "":
		case w.Links[i].ID == ev.Officer.ID:
			t.do(Tell{Text: say("card.link.same", w.Links[i])})
		default:
			w.Links = slices.Clone(w.Links)
			w.Links[i].Second = ev.Officer.Name
			done("card.link.was_confirmed", w.Links[i])
		}
		return
	}
	code, ok := FindCode(ev.Values["code"])
	if !ok || code == t.s.Case.ID.Code() || of(code) >= 0 || len(w.Links) >= mostLinks {
		t.tell("card.link.not")
		return
	}
	l := Link{Code: code, By: ev.Officer.Name, ID: ev.Officer.ID, At: t.m.At.Unix()}
	w.Links = append(slices.Clone(w.Links), l)
	done("card.link.was_set", l)
}

// linkLines are the links on the card.
func (b *Book) linkLines(w Work) []Line {
	var all []string
	for _, l := range w.Links {
		key := "card.link.both"
		if l.Second == "" {
			key = "card.link.waits"
		}
		all = append(all, b.say(b.policy.Officers, key, "code", l.Code, "first", "@"+l.By, "second", "@"+l.Second))
	}
	if len(all) == 0 {
		return nil
	}
	return []Line{{Label: b.say(b.policy.Officers, "work.link"), Value: strings.Join(all, "; ")}}
}
