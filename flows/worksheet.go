package flows

import (
	"slices"
	"strings"
	"time"
)

// sheetFields are the fields of a sheet as it stands, each with who recorded it.
func (b *Book) sheetFields(s State, sheet sheet) []Field {
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	options := []Option{{Value: unset, Label: say("card.work.unset")}}
	for _, v := range sheet.Values {
		options = append(options, Option{Value: v, Label: say("work." + sheet.ID + ".is." + v)})
	}
	var fields []Field
	for _, item := range sheet.Items {
		f := Field{Name: item, Label: say("work." + sheet.ID + "." + item), Kind: FieldChoice, Options: options, Default: unset}
		if m, ok := s.Case.mark(sheet, item); ok {
			f.Default = m.Value
			f.Help = say("card.work.by", "officer", "@"+m.By, "time", b.officersClock(time.Unix(m.At, 0)))
		}
		fields = append(fields, f)
	}
	if sheet.Dated {
		fields = append(fields, Field{Name: "day", Label: say("card.work.day"), Help: say("card.work.day.help"), Kind: FieldDate, Optional: true})
	}
	return append(fields, Field{Name: "note", Label: say("card.work.note"), Help: say("card.work.note.help"), Kind: FieldArea, Optional: true})
}

// mark returns what was recorded of an item, if its value is still one of the
// sheet's: the book may have changed since.
func (c Case) mark(sheet sheet, item string) (WorkMark, bool) {
	if c.Work == nil {
		return WorkMark{}, false
	}
	m, ok := c.Work.Marks[sheet.ID+"."+item]
	return m, ok && slices.Contains(sheet.Values, m.Value)
}

// fillSheet records what is other than it was.
func (t *turn) fillSheet(sheet sheet, ev Acted) {
	c := t.s.Case
	label := func(v string) string {
		if v == unset {
			return t.officers("card.work.unset")
		}
		return t.officers("work." + sheet.ID + ".is." + v)
	}
	var changes []string
	for _, item := range sheet.Items {
		before := unset
		if m, ok := c.mark(sheet, item); ok {
			before = m.Value
		}
		v := ev.Values[item]
		if v == before {
			continue
		}
		change := t.officers("work."+sheet.ID+"."+item) + ": " + label(before) + " → " + label(v)
		key := sheet.ID + "." + item
		if v == unset {
			delete(c.Work.Marks, key)
		} else {
			m := WorkMark{Value: v, By: ev.Officer.Name, At: t.m.At.Unix()}
			if sheet.Dated {
				if m.Day = ev.Values["day"]; m.Day == "" {
					m.Day = t.book.today(t.m.At)
				}
				change += " (" + m.Day + ")"
			}
			if c.Work.Marks == nil {
				c.Work.Marks = map[string]WorkMark{}
			}
			c.Work.Marks[key] = m
		}
		changes = append(changes, change)
	}
	if note := ev.Values["note"]; note != "" {
		changes = append(changes, t.officers("card.work.note")+": "+note)
	}
	if len(changes) > 0 {
		t.recorded(ev.Officer, t.officers("work."+sheet.ID)+"\n"+strings.Join(changes, "\n"))
	}
}

// today is the day on the officers' clock.
func (b *Book) today(at time.Time) string {
	return at.UTC().Add(time.Duration(b.policy.UTCOffset)).Format(DateLayout)
}

// sheetLines are a sheet on the card: which items have which value, and which have
// none. They are listed and never counted.
func (b *Book) sheetLines(w Work, sheet sheet) []Line {
	c := Case{Work: &w}
	by := map[string][]string{}
	for _, item := range sheet.Items {
		v, label := unset, b.say(b.policy.Officers, "work."+sheet.ID+"."+item)
		if m, ok := c.mark(sheet, item); ok {
			if v = m.Value; m.Day != "" {
				label += " " + m.Day
			}
		}
		by[v] = append(by[v], label)
	}
	if len(by[unset]) == len(sheet.Items) {
		return nil // Nobody has begun it.
	}
	var lines []Line
	name := b.say(b.policy.Officers, "work."+sheet.ID)
	for _, v := range append(slices.Clone(sheet.Values), unset) {
		if len(by[v]) == 0 || v == unset && !sheet.Gaps {
			continue
		}
		label := b.say(b.policy.Officers, "card.work.unset")
		if v != unset {
			label = b.say(b.policy.Officers, "work."+sheet.ID+".is."+v)
		}
		lines = append(lines, Line{Label: name + ": " + label, Value: strings.Join(by[v], "; ")})
	}
	return lines
}
