package flows

import (
	"slices"
	"strings"
)

// A Tag stands for a place or a recruiter that several cases may have in common. It
// is a sum of what an officer wrote, the same for the same words, and made with a
// key and at a cost: nothing tells the words, and whoever does not know them cannot
// look for them. The words themselves are in the sealed transcript only.
type Tag struct {
	Kind string `json:"k"`
	Sum  string `json:"s"`
	By   string `json:"b"`
	At   int64  `json:"t"` // Unix seconds
}

// forTag is what a sum of a tag is for.
const forTag = "tag"

// mostTags is how many a case has.
const mostTags = 8

// tagOff begins the choice of taking tags off.
const tagOff = "off."

// tagFields are the fields of the form of tags.
func (b *Book) tagFields(w Work) []Field {
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	options := b.options("work.tag.", b.work.Tags)
	for _, k := range b.work.Tags {
		if slices.ContainsFunc(w.Tags, func(t Tag) bool { return t.Kind == k }) {
			options = append(options, Option{Value: tagOff + k, Label: say("card.tag.off", "kind", say("work.tag."+k))})
		}
	}
	return []Field{
		{Name: "kind", Label: say("card.tag.kind"), Kind: FieldChoice, Options: options},
		{Name: "text", Label: say("card.tag.text"), Help: say("card.tag.text.help"), Kind: FieldText, Optional: true, Max: 80},
	}
}

// tag has the sum of a tag made, or takes the tags of a kind off.
func (t *turn) tag(ev Acted) {
	w := t.s.Case.Work
	if kind, off := strings.CutPrefix(ev.Values["kind"], tagOff); off {
		w.Tags = slices.DeleteFunc(slices.Clone(w.Tags), func(x Tag) bool { return x.Kind == kind })
		t.recorded(ev.Officer, t.officers("card.tag.off", "kind", t.officers("work.tag."+kind)))
		return
	}
	kind, text := ev.Values["kind"], ev.Values["text"]
	if FoldWord(text) == "" || len(w.Tags) >= mostTags {
		t.tell("card.tag.not")
		return
	}
	note := heard{Kind: kind, Case: t.s.Case.ID.Code(), Names: []string{ev.Officer.Name}}
	t.do(Hash{For: forTag, Note: note.write(), Text: "tag " + kind + ": " + text, Index: true})
	t.recorded(ev.Officer, t.officers("work.tag")+": "+t.officers("work.tag."+kind)+": "+text)
}

// tagged takes the sum of a tag.
func (t *turn) tagged(ev Hashed) {
	n := readHeard(ev.Note)
	if !t.ofCase(n) || t.s.Case.Phase == Ended || ev.Sum == "" || len(n.Names) != 1 {
		return
	}
	c := t.s.Case
	if c.Work == nil {
		c.Work = &Work{}
	}
	if len(c.Work.Tags) >= mostTags || slices.ContainsFunc(c.Work.Tags, func(x Tag) bool { return x.Kind == n.Kind && x.Sum == ev.Sum }) {
		return
	}
	c.Work.Tags = append(c.Work.Tags, Tag{Kind: n.Kind, Sum: ev.Sum, By: n.Names[0], At: t.m.At.Unix()})
	t.update()
}

// shown is a tag as officers compare it, from card to card.
func (x Tag) shown() string { return x.Sum[:min(6, len(x.Sum))] }

// indexTags are the case's tags for lists of cases.
func (w Work) indexTags() []string {
	var out []string
	for _, x := range w.Tags {
		out = append(out, x.Kind+":"+x.Sum)
	}
	return out
}

// tagLines are the tags on the card.
func (b *Book) tagLines(w Work) []Line {
	var all []string
	for _, x := range w.Tags {
		all = append(all, b.say(b.policy.Officers, "work.tag."+x.Kind)+" "+x.shown()+" (@"+x.By+")")
	}
	if len(all) == 0 {
		return nil
	}
	return []Line{{Label: b.say(b.policy.Officers, "work.tag"), Value: strings.Join(all, "; ")}}
}
