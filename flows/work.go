package flows

import (
	"maps"
	"slices"
	"time"
)

// ActionWork is an entry of the card's casework; its choice says which: the id of
// a sheet of casework.yaml, or one of the constants below.
const ActionWork ActionName = "work"

// The entries of casework that are no sheets.
const (
	workConsent = "consent"
	workRefer   = "referral"
	workFlag    = "flag"
	workLink    = "link"
	workTag     = "tag"
)

// Work is what officers recorded of a case by forms. It says who recorded each
// thing and when; what was there before is in the transcript only. It ends with
// the case.
type Work struct {
	// Marks are the values of the sheets' items, as "screening.deception".
	Marks map[string]WorkMark `json:"m,omitempty"`
	Flags []Flag              `json:"f,omitempty"`
	// Consents are what the person said about each partner, by its id.
	Consents  map[string]Consent `json:"c,omitempty"`
	Referrals []Referral         `json:"r,omitempty"`
	Tags      []Tag              `json:"g,omitempty"`
	Links     []Link             `json:"l,omitempty"`
}

// A WorkMark is the value of one item.
type WorkMark struct {
	Value string `json:"v"`
	// Day is when it was so, in a sheet whose values have a day.
	Day string `json:"d,omitempty"`
	// By is the officer's name, At when it was recorded, in Unix seconds.
	By string `json:"b"`
	At int64  `json:"t"`
}

// clone returns work that shares nothing with w.
func (w *Work) clone() *Work {
	if w == nil {
		return nil
	}
	c := *w
	c.Marks = maps.Clone(w.Marks)
	c.Flags = slices.Clone(w.Flags)
	c.Consents = maps.Clone(w.Consents) // Their fields are replaced, never changed.
	c.Referrals = slices.Clone(w.Referrals)
	c.Tags = slices.Clone(w.Tags)
	c.Links = slices.Clone(w.Links)
	return &c
}

// workMenu offers casework in a case that an officer has, or had.
func (b *Book) workMenu(s State, add func(Action)) {
	c := s.Case
	if c.Acknowledged.IsZero() {
		return
	}
	entry := func(what string) {
		add(Action{Name: ActionWork, Choice: what, Form: true, Label: b.say(b.policy.Officers, "card.work", "what", b.say(b.policy.Officers, "work."+what))})
	}
	if len(b.work.Flags.Kinds) > 0 {
		entry(workFlag)
	}
	for _, sheet := range b.work.Sheets {
		entry(sheet.ID)
	}
	if len(b.directory.Partners) > 0 {
		entry(workConsent)
	}
	if len(b.referralOptions(*c)) > 0 {
		entry(workRefer)
	}
	if len(b.work.Tags) > 0 {
		entry(workTag)
	}
	entry(workLink)
}

// workForm is the form of an entry.
func (b *Book) workForm(s State, at time.Time, what string) (Form, bool) {
	f := Form{Title: b.say(b.policy.Officers, "work."+what), Intro: b.say(b.policy.Officers, "work."+what+".intro")}
	if sheet, ok := b.sheet(what); ok {
		f.Fields = b.sheetFields(s, sheet)
		return f, true
	}
	switch what {
	case workConsent:
		f.Fields = b.consentFields()
		for _, l := range b.consentLines(s.Case.work()) {
			f.Intro += "\n- " + l.Label + ": " + l.Value // What it changes, and so part of its stamp.
		}
	case workRefer:
		f.Fields, f.Preview = b.referralFields(*s.Case), true
		f.Stamp = stamp(f, b.packable(s)) // What the preview shows must still hold.
	case workFlag:
		f.Fields = b.flagFields(s, at)
	case workTag:
		f.Fields = b.tagFields(s.Case.work())
	case workLink:
		f.Fields = b.linkFields(s.Case.work())
	default:
		return Form{}, false
	}
	return f, true
}

// workPreview is what an entry would do with values.
func (b *Book) workPreview(s State, at time.Time, what string, values map[string]string) string {
	if what == workRefer && s.Case != nil {
		return b.referralPreview(s, at, values)
	}
	return ""
}

// worked does what an officer filled in.
func (t *turn) worked(ev Acted) {
	c := t.s.Case
	if c.Work == nil {
		c.Work = &Work{}
	}
	if sheet, ok := t.book.sheet(ev.Choice); ok {
		t.fillSheet(sheet, ev)
		return
	}
	switch ev.Choice {
	case workConsent:
		t.consent(ev)
	case workRefer:
		t.refer(ev)
	case workFlag:
		t.flag(ev)
	case workTag:
		t.tag(ev)
	case workLink:
		t.link(ev)
	}
}

// work is what was recorded of a case, zero if nothing was.
func (c Case) work() Work {
	if c.Work == nil {
		return Work{}
	}
	return *c.Work
}

// recorded notes casework in the transcript.
func (t *turn) recorded(by Officer, text string) { t.record("officer:"+by.Name, "casework", text) }

// workLines are casework on the card, from what was recorded only.
func (b *Book) workLines(c Case) []Line {
	if c.Work == nil {
		return nil
	}
	var lines []Line
	for _, sheet := range b.work.Sheets {
		lines = append(lines, b.sheetLines(*c.Work, sheet)...)
	}
	lines = append(append(lines, b.tagLines(*c.Work)...), b.linkLines(*c.Work)...)
	lines = append(lines, b.consentLines(*c.Work)...)
	return append(lines, b.referralLines(*c.Work)...)
}

// workDue is when something of casework lapses by itself, zero for never.
func (b *Book) workDue(s State) time.Time {
	if s.Case == nil || s.Case.Work == nil || s.Case.Phase == Ended {
		return time.Time{}
	}
	var due time.Time
	at := func(t time.Time) {
		if due.IsZero() || t.Before(due) {
			due = t
		}
	}
	for _, f := range s.Case.Work.Flags {
		at(f.Until)
	}
	for _, r := range s.Case.Work.Referrals {
		if !r.Gone {
			at(r.Until)
		}
	}
	return due
}

// workLapses lets go of what has lapsed, and tells the thread.
func (t *turn) workLapses() {
	if at := t.book.workDue(t.s); at.IsZero() || t.m.At.Before(at) {
		return
	}
	t.lapseFlags()
	t.revoke(func(r Referral) bool { return !t.m.At.Before(r.Until) }, referralExpired, "card.referral.was_expired", "")
	t.update()
}
