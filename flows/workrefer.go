package flows

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Referral is a case that was offered to a partner. What the partner is given
// stands in the thread as a file that only the partner opens, until it expires, the
// referral is revoked or the case ends.
type Referral struct {
	// N counts the case's.
	N       int    `json:"n"`
	Partner string `json:"p"`
	// State is one of the constants below; By is who set it, At when, in Unix
	// seconds.
	State string `json:"s"`
	By    string `json:"b"`
	At    int64  `json:"t"`
	// Until is when the packet expires. Post is where it stands, "" as long as it is
	// on its way and after it was removed. Gone says that it was, or is being.
	Until time.Time `json:"u"`
	Post  PostID    `json:"o,omitempty"`
	Gone  bool      `json:"g,omitempty"`
}

// The states of a referral. What the partner answers an officer records.
const (
	referralSent     = "sent"
	referralAccepted = "accepted"
	referralDeclined = "declined"
	referralDone     = "done"
	referralRevoked  = "revoked"
	referralExpired  = "expired"
	referralFailed   = "failed" // the packet could not be put into the thread
)

// next are the states that an officer can record after another.
func (r Referral) next() []string {
	switch r.State {
	case referralSent, referralExpired:
		return []string{referralAccepted, referralDeclined, referralRevoked}
	case referralAccepted:
		return []string{referralDone, referralRevoked}
	}
	return nil
}

// mostReferrals is how many a case has; older ones that have ended make room.
const mostReferrals = 12

// referralNew begins the choice of a new referral.
const referralNew = "new."

// referralOptions are what can be done about referrals now.
func (b *Book) referralOptions(c Case) []Option {
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	if c.Work == nil {
		return nil
	}
	var out []Option
	for _, r := range c.Work.Referrals {
		for _, state := range r.next() {
			out = append(out, Option{
				Value: strconv.Itoa(r.N) + "." + state,
				Label: say("card.referral.mark", "n", strconv.Itoa(r.N), "partner", b.partnerName(r.Partner), "state", say("card.referral."+state)),
			})
		}
	}
	open := slices.ContainsFunc(c.Work.Referrals, func(r Referral) bool { return len(r.next()) == 0 })
	for _, p := range b.directory.Partners {
		if c.Work.Consents[p.ID].State == consentGiven && (len(c.Work.Referrals) < mostReferrals || open) {
			out = append(out, Option{Value: referralNew + p.ID, Label: say("card.referral.new", "partner", p.Name)})
		}
	}
	return out
}

// referralFields are the fields of the form of referrals.
func (b *Book) referralFields(c Case) []Field {
	say := func(key string) string { return b.say(b.policy.Officers, key) }
	var days []Option
	for _, n := range []string{"7", "14", "30"} {
		days = append(days, Option{Value: n, Label: n})
	}
	return []Field{
		{Name: "what", Label: say("card.referral.what"), Kind: FieldChoice, Options: b.referralOptions(c)},
		{Name: "days", Label: say("card.referral.days"), Help: say("card.referral.days.help"), Kind: FieldChoice, Options: days, Default: "14"},
		{Name: "text", Label: say("card.referral.text"), Help: say("card.referral.text.help"), Kind: FieldArea, Max: 2000, Optional: true},
	}
}

// referralPreview is what a referral would do: for a new one the packet itself.
func (b *Book) referralPreview(s State, at time.Time, values map[string]string) string {
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	what := values["what"]
	partner, ok := strings.CutPrefix(what, referralNew)
	if !ok {
		for _, o := range b.referralOptions(*s.Case) {
			if o.Value == what {
				return o.Label
			}
		}
		return ""
	}
	if s.Case.Work == nil {
		return ""
	}
	consent := s.Case.Work.Consents[partner]
	until := b.officersClock(expiry(at, values["days"]))
	lines := []string{say("card.referral.preview", "partner", b.partnerName(partner), "time", until)}
	for _, f := range b.packets.Fields {
		v := b.packed(s, f, values["text"])
		if v == nil {
			continue
		}
		line := "- " + say("work.consent."+f.ID) + ": " + packedLine(v)
		if !slices.Contains(consent.Fields, f.ID) {
			line = "- " + say("card.referral.left_out", "field", say("work.consent."+f.ID))
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// packedLine is what a packet says of a field, for the officer.
func packedLine(v any) string {
	if list, ok := v.([]string); ok {
		return strings.Join(list, "; ")
	}
	text, _ := v.(string)
	return text
}

// refer begins a referral, or records what became of one.
func (t *turn) refer(ev Acted) {
	w := t.s.Case.Work
	what := ev.Values["what"]
	if partner, ok := strings.CutPrefix(what, referralNew); ok {
		t.referTo(partner, ev)
		return
	}
	number, state, _ := strings.Cut(what, ".")
	n, err := strconv.Atoi(number)
	if err != nil {
		return // It was not offered.
	}
	if state == referralRevoked {
		t.revoke(func(r Referral) bool { return r.N == n }, referralRevoked, "card.referral.was_revoked", "@"+ev.Officer.Name)
		return
	}
	for i, r := range w.Referrals {
		if r.N != n || !slices.Contains(r.next(), state) {
			continue
		}
		w.Referrals[i].State, w.Referrals[i].By, w.Referrals[i].At = state, ev.Officer.Name, t.m.At.Unix()
		if state != referralAccepted {
			t.remove(&w.Referrals[i]) // The partner has no more use of the packet.
		}
		text := t.officers("card.referral.was_marked", "n", strconv.Itoa(n), "partner", t.book.partnerName(r.Partner), "state", t.officers("card.referral."+state), "officer", "@"+ev.Officer.Name)
		t.do(Tell{Text: text})
		t.recorded(ev.Officer, text)
	}
}

// referTo packs what the person consented to for a partner.
func (t *turn) referTo(partner string, ev Acted) {
	w := t.s.Case.Work
	p, ok := t.book.partner(partner)
	consent := w.Consents[partner]
	if !ok || consent.State != consentGiven {
		return
	}
	for len(w.Referrals) >= mostReferrals {
		i := slices.IndexFunc(w.Referrals, func(r Referral) bool { return len(r.next()) == 0 })
		if i < 0 {
			return
		}
		w.Referrals = slices.Delete(w.Referrals, i, i+1)
	}
	n := 1
	for _, r := range w.Referrals {
		n = max(n, r.N+1)
	}
	r := Referral{N: n, Partner: partner, State: referralSent, By: ev.Officer.Name, At: t.m.At.Unix(), Until: expiry(t.m.At, ev.Values["days"])}
	w.Referrals = append(w.Referrals, r)
	code := t.s.Case.ID.Code()
	text := t.officers("card.referral.packet", "n", strconv.Itoa(n), "partner", p.Name, "officer", "@"+ev.Officer.Name, "time", t.book.officersClock(r.Until))
	content := t.book.pack(t.s, t.m.At, r.Until, partner, consent, ev.Values["text"])
	t.do(Refer{Case: t.s.Case.ID, N: n, Recipient: p.Recipient, Name: code + "-" + partner + "-" + strconv.Itoa(n) + ".json.age", Text: text, Content: string(content)})
	t.recorded(ev.Officer, text+"\n"+strings.TrimSpace(string(content)))
}

// referral returns the index of a referral of the present case, -1 without one.
func (t *turn) referral(e Refer) int {
	c := t.s.Case
	if c == nil || c.ID != e.Case || c.Work == nil {
		return -1
	}
	return slices.IndexFunc(c.Work.Referrals, func(r Referral) bool { return r.N == e.N })
}

// referred takes note of where a packet stands, or has it removed again if it is
// not wanted any more.
func (t *turn) referred(e Refer, post PostID) {
	i := t.referral(e)
	if i < 0 || t.s.Case.Work.Referrals[i].Gone {
		t.do(Retract{Post: post})
		return
	}
	t.s.Case.Work.Referrals[i].Post = post
}

// unreferred takes note of a packet that could not be put into the thread.
func (t *turn) unreferred(e Refer) {
	i := t.referral(e)
	if i < 0 || t.s.Case.Work.Referrals[i].Gone {
		return
	}
	r := &t.s.Case.Work.Referrals[i]
	r.State, r.Gone = referralFailed, true
	t.do(Tell{Text: t.officers("card.referral.was_failed", "n", strconv.Itoa(r.N), "partner", t.book.partnerName(r.Partner))})
	t.update()
}

// revoke ends referrals that stand, tells the thread by a text key, and has their
// packets removed. By is who did it, as the thread reads it.
func (t *turn) revoke(which func(Referral) bool, state, key, by string) {
	w := t.s.Case.Work
	if w == nil {
		return
	}
	for i := range w.Referrals {
		r := &w.Referrals[i]
		if !which(*r) || len(r.next()) == 0 || state == referralExpired && r.Gone {
			continue
		}
		if state != referralExpired || r.State == referralSent {
			r.State, r.At = state, t.m.At.Unix()
		}
		t.remove(r)
		text := t.officers(key, "n", strconv.Itoa(r.N), "partner", t.book.partnerName(r.Partner), "officer", by)
		t.do(Tell{Text: text})
		t.record("bot", "casework", text)
	}
}

// remove has a referral's packet removed from the thread. One that is on its way is
// removed when it is there.
func (t *turn) remove(r *Referral) {
	if r.Post != "" {
		t.do(Retract{Post: r.Post})
	}
	r.Post, r.Gone = "", true
}

// removeAll has the packets of a case removed that ends.
func (t *turn) removeAll() {
	if t.s.Case == nil || t.s.Case.Work == nil {
		return
	}
	for i := range t.s.Case.Work.Referrals {
		if r := &t.s.Case.Work.Referrals[i]; !r.Gone {
			t.remove(r)
		}
	}
}

// lostPackets forgets the packets that went with a thread.
func (t *turn) lostPackets() {
	if w := t.s.Case.Work; w != nil {
		for i := range w.Referrals {
			w.Referrals[i].Post, w.Referrals[i].Gone = "", true
		}
	}
}

// referralLines are the referrals on the card.
func (b *Book) referralLines(w Work) []Line {
	say := func(key string, pairs ...string) string { return b.say(b.policy.Officers, key, pairs...) }
	var lines []Line
	for _, r := range w.Referrals {
		value := b.partnerName(r.Partner) + ": " + say("card.referral."+r.State) + ", @" + r.By + ", " + b.officersClock(time.Unix(r.At, 0))
		if !r.Gone {
			value += ", " + say("card.referral.until", "time", b.officersClock(r.Until))
		}
		lines = append(lines, Line{Label: say("work.referral") + " " + strconv.Itoa(r.N), Value: value})
	}
	return lines
}
