package flows

import (
	"slices"
	"strings"
	"time"
)

// A Flag warns the officers of something about a case, until its day is over or an
// officer takes it off.
type Flag struct {
	Kind string `json:"k"`
	// By is the officer's name, At when it was set, in Unix seconds.
	By string `json:"b"`
	At int64  `json:"t"`
	// Until is when it lapses: the end of a day on the officers' clock.
	Until time.Time `json:"u"`
}

// The choices of what is done about a flag.
const (
	flagSet  = "set"
	flagTake = "take"
)

// flagFields are the fields of the form of flags.
func (b *Book) flagFields(_ State, _ time.Time) []Field {
	say := func(key string) string { return b.say(b.policy.Officers, key) }
	var kinds []Option
	for _, k := range b.work.Flags.Kinds {
		kinds = append(kinds, Option{Value: k, Label: say("work.flag." + k)})
	}
	return []Field{
		{Name: "kind", Label: say("card.flag.kind"), Kind: FieldChoice, Options: kinds},
		{Name: "do", Label: say("card.flag.do"), Kind: FieldChoice, Default: flagSet, Options: []Option{
			{Value: flagSet, Label: say("card.flag.set")}, {Value: flagTake, Label: say("card.flag.take")},
		}},
		{Name: "day", Label: say("card.flag.until"), Help: say("card.flag.until.help"), Kind: FieldDate, Optional: true},
		{Name: "note", Label: say("card.work.note"), Help: say("card.work.note.help"), Kind: FieldArea, Optional: true},
	}
}

// flagDays is for how many days a flag stands whose last day is not given.
const flagDays = 7

// lastDay is the end of a flag's last day. It is at the latest as far ahead as the
// book says; false says that the day is over already.
func (b *Book) lastDay(day string, at time.Time) (time.Time, bool) {
	local := at.UTC().Add(time.Duration(b.policy.UTCOffset))
	midnight := local.Truncate(24 * time.Hour).Add(-time.Duration(b.policy.UTCOffset))
	most := midnight.AddDate(0, 0, b.work.Flags.MostDays+1)
	end := midnight.AddDate(0, 0, min(flagDays, b.work.Flags.MostDays)+1)
	if day != "" {
		d, err := time.Parse(DateLayout, day)
		if err != nil {
			return end, false
		}
		end = d.Add(24*time.Hour - time.Duration(b.policy.UTCOffset))
	}
	if end.After(most) {
		end = most
	}
	return end, end.After(at)
}

// dayBefore is the day on the officers' clock that ends at an instant.
func (b *Book) dayBefore(end time.Time) string {
	return end.UTC().Add(time.Duration(b.policy.UTCOffset) - time.Nanosecond).Format(DateLayout)
}

// flag sets a flag or takes it off.
func (t *turn) flag(ev Acted) {
	w := t.s.Case.Work
	kind := ev.Values["kind"]
	name := t.officers("work.flag." + kind)
	before := len(w.Flags)
	flags := slices.DeleteFunc(slices.Clone(w.Flags), func(f Flag) bool { return f.Kind == kind })
	text := ""
	switch ev.Values["do"] {
	case flagSet:
		until, ok := t.book.lastDay(ev.Values["day"], t.m.At)
		if !ok {
			t.do(Tell{Text: t.officers("card.flag.past", "flag", name)})
			return
		}
		flags = append(flags, Flag{Kind: kind, By: ev.Officer.Name, At: t.m.At.Unix(), Until: until})
		text = t.officers("card.flag.was_set", "flag", name, "officer", "@"+ev.Officer.Name, "day", t.book.dayBefore(until))
	case flagTake:
		if len(flags) == before {
			return
		}
		text = t.officers("card.flag.was_taken", "flag", name, "officer", "@"+ev.Officer.Name)
	}
	w.Flags = flags
	t.do(Tell{Text: text})
	t.recorded(ev.Officer, strings.TrimSpace(text+"\n"+ev.Values["note"]))
}

// lapseFlags takes off the flags whose time is over.
func (t *turn) lapseFlags() {
	w := t.s.Case.Work
	w.Flags = slices.DeleteFunc(w.Flags, func(f Flag) bool {
		over := !t.m.At.Before(f.Until)
		if over {
			text := t.officers("card.flag.lapsed", "flag", t.officers("work.flag."+f.Kind), "officer", "@"+f.By)
			t.do(Tell{Text: text})
			t.record("bot", "casework", text)
		}
		return over
	})
}

// flagLines are the flags on the card.
func (b *Book) flagLines(c Case) []Line {
	if c.Work == nil {
		return nil
	}
	var all []string
	for _, f := range c.Work.Flags {
		all = append(all, b.say(b.policy.Officers, "card.flag.line", "flag", b.say(b.policy.Officers, "work.flag."+f.Kind), "officer", "@"+f.By, "day", b.dayBefore(f.Until)))
	}
	if len(all) == 0 {
		return nil
	}
	return []Line{{Label: b.say(b.policy.Officers, "card.flag"), Value: strings.Join(all, "; ")}}
}
