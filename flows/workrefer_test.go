package flows_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"suar/flows"
)

// partnered is the shipped book with two partners.
func partnered(t *testing.T) *flows.Book {
	t.Helper()
	book, err := flows.Load(shipped(t), flows.Directory{Partners: []flows.Partner{
		{ID: "iom", Name: "IOM Contoh", Recipient: "age1pq1contoh"}, {ID: "shelter", Name: "Rumah Aman", Recipient: "age1contoh"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// referrable is a case of which something of every field is known.
func referrable(t *testing.T) *desk {
	d := newDesk(t, partnered(t))
	d.s.Language = "id"
	for fact, option := range map[string]string{"area": "bokeo", "minor": "no", "wish": "out", "contact": "any"} {
		d.s.Answers = append(d.s.Answers, flows.Answer{Screen: "victim." + fact, Fact: fact, Options: []string{option}})
	}
	d.fill(siti, "screening", "debt", "present", "violence", "absent", "purpose", "present")
	d.fill(siti, "needs", "medical", "needed")
	return d
}

// referral is the effect of the last step that puts a packet into the thread.
func referral(effects []flows.Effect) (flows.Refer, bool) {
	for _, e := range effects {
		if e, ok := e.(flows.Refer); ok {
			return e, true
		}
	}
	return flows.Refer{}, false
}

func retracted(effects []flows.Effect) []flows.PostID {
	var out []flows.PostID
	for _, e := range effects {
		if e, ok := e.(flows.Retract); ok {
			out = append(out, e.Post)
		}
	}
	return out
}

// TestPacketHoldsWhatWasConsentedTo goes through every set of fields: what is not
// consented to is in no packet, under its name or by its value.
func TestPacketHoldsWhatWasConsentedTo(t *testing.T) {
	d := referrable(t)
	canary := "kenari-9914"
	values := map[string][2]string{ // name and value
		"area": {"vic_LocationOfExploitation", "bokeo"}, "language": {"suar_Language", `"id"`}, "minor": {"suar_Under18", `"no"`},
		"signals": {"vic_MethodsOfControl", "DebtBondage"}, "needs": {"cas_ReasonForIncomingReferral", "medical"},
		"wish": {"suar_Wish", `"out"`}, "contact": {"suar_ContactRule", `"any"`}, "summary": {"cas_IncomingReferralDetails", canary},
	}
	fields := []string{"area", "language", "minor", "signals", "needs", "wish", "contact", "summary"}
	for set := range 1 << len(fields) {
		pairs := []string{"partner", "iom", "state", "given", "how", "call"}
		for i, f := range fields {
			pairs = append(pairs, "give."+f, fmt.Sprint(set>>i&1 == 1))
		}
		d.fill(siti, "consent", pairs...)
		e, ok := referral(d.fill(siti, "referral", "what", "new.iom", "text", canary))
		if !ok {
			t.Fatalf("set %b: no packet; said %q", set, d.said)
		}
		var packet struct {
			Expires time.Time
			Record  map[string]any
		}
		if err := json.Unmarshal([]byte(e.Content), &packet); err != nil {
			t.Fatal(err)
		}
		for i, f := range fields {
			given := set>>i&1 == 1
			if _, there := packet.Record[values[f][0]]; there != given {
				t.Fatalf("set %b: %s is in the packet: %t, consented to: %t", set, f, there, given)
			}
			if strings.Contains(e.Content, values[f][1]) != given {
				t.Fatalf("set %b: the value of %s is in the packet, consented to: %t\n%s", set, f, given, e.Content)
			}
		}
		if strings.Contains(e.Content, "PhysicalAbuse") || strings.Contains(e.Content, "siti") || e.Recipient != "age1pq1contoh" {
			t.Fatalf("set %b: to %s: %s", set, e.Recipient, e.Content)
		}
		if want := monday.AddDate(0, 0, 14); !packet.Expires.Equal(want) {
			t.Fatalf("it expires at %v, want %v", packet.Expires, want)
		}
	}
	if n := len(d.s.Case.Work.Referrals); n > 12 {
		t.Errorf("%d referrals are kept", n)
	}
}

// TestNoReferralWithoutConsent: for whom the person did not agree there is nothing
// to choose, however the answer is forged.
func TestNoReferralWithoutConsent(t *testing.T) {
	d := referrable(t)
	if _, ok := d.book.Form(d.s, d.now, siti, flows.ActionWork, "referral"); ok {
		t.Error("referrals are offered before any consent")
	}
	d.fill(siti, "consent", "partner", "iom", "state", "given", "how", "chat", "give.needs", "true")
	for _, state := range []string{"refused", "withdrawn"} {
		d.fill(siti, "consent", "partner", "shelter", "state", state, "how", "chat", "give.needs", "true")
		ev := d.filled(siti, "referral", "what", "new.shelter")
		if e, ok := referral(d.step(ev)); ok {
			t.Errorf("%s: %+v", state, e)
		}
	}
	ev := d.filled(siti, "referral", "what", "new.iom")
	d.fill(budi, "consent", "partner", "iom", "state", "withdrawn", "how", "chat")
	if e, ok := referral(d.step(ev)); ok {
		t.Errorf("after the consent was withdrawn: %+v", e)
	}
}

// TestPreviewHolds: what the officer saw is what is packed, or nothing is.
func TestPreviewHolds(t *testing.T) {
	d := referrable(t)
	d.fill(siti, "consent", "partner", "iom", "state", "given", "how", "chat", "give.needs", "true")
	ev := d.filled(siti, "referral", "what", "new.iom")
	if got := d.book.Preview(d.s, d.now, siti, flows.ActionWork, "referral", ev.Values); !strings.Contains(got, "medical") || strings.Contains(got, "DebtBondage") {
		t.Errorf("preview %q", got)
	}
	d.fill(budi, "needs", "legal", "needed")
	if _, ok := referral(d.step(ev)); ok || !d.heard("sudah berubah") {
		t.Errorf("more is packed than was seen; said %q", d.said)
	}
}

// TestPacketGoes: a packet is removed wherever it was when it became unwanted.
func TestPacketGoes(t *testing.T) {
	give := []string{"partner", "iom", "state", "given", "how", "chat", "give.needs", "true", "give.area", "true"}
	for name, end := range map[string]func(d *desk) []flows.Effect{
		"revoked":       func(d *desk) []flows.Effect { return d.fill(budi, "referral", "what", "1.revoked") },
		"declined":      func(d *desk) []flows.Effect { return d.fill(budi, "referral", "what", "1.declined") },
		"less consent":  func(d *desk) []flows.Effect { return d.fill(budi, "consent", append(give, "give.area", "false")...) },
		"withdrawn":     func(d *desk) []flows.Effect { return d.fill(budi, "consent", append(give, "state", "withdrawn")...) },
		"the case ends": func(d *desk) []flows.Effect { return d.step(flows.Closed{Officer: siti}) },
		"expired": func(d *desk) []flows.Effect {
			d.now = d.now.AddDate(0, 0, 14)
			return d.step(flows.TimedOut{})
		},
	} {
		for _, where := range []string{"in the thread", "on its way"} {
			d := referrable(t)
			d.fill(siti, "consent", give...)
			e, ok := referral(d.fill(siti, "referral", "what", "new.iom"))
			if !ok || !d.book.Wanted(d.s, d.now, e) {
				t.Fatalf("%s: no packet that is wanted", name)
			}
			if where == "in the thread" {
				d.step(flows.Delivered{Effect: e, Post: "packet"})
			}
			got := retracted(end(d))
			if where == "on its way" {
				if d.book.Wanted(d.s, d.now, e) {
					t.Errorf("%s, %s: the packet is still wanted", name, where)
				}
				got = retracted(d.step(flows.Delivered{Effect: e, Post: "packet"}))
			}
			if !slices.Equal(got, []flows.PostID{"packet"}) {
				t.Errorf("%s, %s: removed %q", name, where, got)
			}
		}
	}
	d := referrable(t)
	d.fill(siti, "consent", give...)
	e, _ := referral(d.fill(siti, "referral", "what", "new.iom"))
	d.step(flows.Undelivered{Effect: e, Reason: flows.ReasonRejected})
	if !d.heard("partners check") || !strings.Contains(d.line("Rujukan 1"), "tidak masuk ke utas") {
		t.Errorf("a packet that could not be posted: card %q, said %q", d.line("Rujukan 1"), d.said)
	}
	// More is consented to: what stands may stand.
	d = referrable(t)
	d.fill(siti, "consent", give...)
	e, _ = referral(d.fill(siti, "referral", "what", "new.iom"))
	d.step(flows.Delivered{Effect: e, Post: "packet"})
	if got := retracted(d.fill(siti, "consent", append(give, "give.wish", "true")...)); got != nil {
		t.Errorf("with more consent %q is removed", got)
	}
}
