package flows

import (
	"slices"
	"strings"
	"time"
)

// A Consent is what the person said about one partner.
type Consent struct {
	// State is given, refused or withdrawn; Fields are what may be given, by the ids
	// of htcds.yaml.
	State  string   `json:"s"`
	Fields []string `json:"f,omitempty"`
	// How and on which Day the person said so; By is the officer's name, At when it
	// was recorded, in Unix seconds.
	How string `json:"h"`
	Day string `json:"d"`
	By  string `json:"b"`
	At  int64  `json:"t"`
}

// The states of a consent.
const (
	consentGiven     = "given"
	consentRefused   = "refused"
	consentWithdrawn = "withdrawn"
)

func consentStates() []string { return []string{consentGiven, consentRefused, consentWithdrawn} }

// consentWays are how a person can say it.
func consentWays() []string { return []string{"chat", "call", "meeting", "writing"} }

// options are values with their wording.
func (b *Book) options(prefix string, values []string) []Option {
	var out []Option
	for _, v := range values {
		out = append(out, Option{Value: v, Label: b.say(b.policy.Officers, prefix+v)})
	}
	return out
}

// consentFields are the fields of the form of consent. What is recorded for a
// partner takes the place of what was there.
func (b *Book) consentFields() []Field {
	say := func(key string) string { return b.say(b.policy.Officers, key) }
	var partners []Option
	for _, p := range b.directory.Partners {
		partners = append(partners, Option{Value: p.ID, Label: p.Name})
	}
	fields := []Field{
		{Name: "partner", Label: say("card.consent.partner"), Kind: FieldChoice, Options: partners},
		{Name: "state", Label: say("card.consent.state"), Kind: FieldChoice, Options: b.options("card.consent.", consentStates())},
		{Name: "how", Label: say("card.consent.how"), Kind: FieldChoice, Options: b.options("card.consent.by.", consentWays())},
		{Name: "day", Label: say("card.work.day"), Help: say("card.consent.day"), Kind: FieldDate, Optional: true},
	}
	for _, f := range b.packets.Fields {
		fields = append(fields, Field{Name: "give." + f.ID, Label: say("work.consent." + f.ID), Kind: FieldBool})
	}
	return fields
}

// consent records what the person said about a partner. What was packed with a
// consent that is less now is revoked.
func (t *turn) consent(ev Acted) {
	w := t.s.Case.Work
	partner := ev.Values["partner"]
	now := Consent{State: ev.Values["state"], How: ev.Values["how"], Day: ev.Values["day"], By: ev.Officer.Name, At: t.m.At.Unix()}
	if now.Day == "" {
		now.Day = t.book.today(t.m.At)
	}
	if now.State == consentGiven {
		for _, f := range t.book.packets.Fields {
			if ev.Values["give."+f.ID] == "true" {
				now.Fields = append(now.Fields, f.ID)
			}
		}
	}
	before := w.Consents[partner]
	if w.Consents == nil {
		w.Consents = map[string]Consent{}
	}
	w.Consents[partner] = now
	t.recorded(ev.Officer, t.officers("work.consent")+"\n"+t.book.partnerName(partner)+": "+t.book.consentLine(now))
	less := slices.ContainsFunc(before.Fields, func(f string) bool { return !slices.Contains(now.Fields, f) })
	if now.State != consentGiven || less {
		t.revoke(func(r Referral) bool { return r.Partner == partner }, referralRevoked, "card.referral.unconsented", "@"+ev.Officer.Name)
	}
}

// consentLine is a consent in words.
func (b *Book) consentLine(c Consent) string {
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	line := say("card.consent." + c.State)
	if c.State == consentGiven {
		var fields []string
		for _, f := range c.Fields {
			if slices.ContainsFunc(b.packets.Fields, func(p packetField) bool { return p.ID == f }) {
				fields = append(fields, say("work.consent."+f))
			}
		}
		if len(fields) == 0 {
			fields = []string{say("card.consent.nothing")}
		}
		line += " (" + strings.Join(fields, "; ") + ")"
	}
	return line + ", " + say("card.consent.by."+c.How) + ", " + c.Day + ", @" + c.By
}

// consentLines are the consents on the card, in the directory's order.
func (b *Book) consentLines(w Work) []Line {
	var lines []Line
	for _, p := range b.directory.Partners {
		if c, ok := w.Consents[p.ID]; ok {
			lines = append(lines, Line{Label: b.say(b.policy.Officers, "work.consent") + ": " + p.Name, Value: b.consentLine(c)})
		}
	}
	return lines
}

// expiry is when a packet expires that is valid for some days.
func expiry(at time.Time, days string) time.Time {
	n := map[string]int{"7": 7, "14": 14, "30": 30}[days]
	return at.AddDate(0, 0, max(n, 1))
}
