package roster

import (
	"testing"
	"time"
)

func TestWith(t *testing.T) {
	r, err := Parse([]byte(`
version: 1
zone: Asia/Vientiane
officers:
  - {name: siti, role: lead}
  - {name: budi, role: officer}
  - {name: rina, role: officer}
shifts:
  - {days: [daily], from: "06:00", to: "18:00", first: siti, second: budi}
  - {days: [daily], from: "18:00", to: "06:00", first: rina}
`))
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		when, ok := r.Time(text)
		if !ok {
			t.Fatalf("%q is no time", text)
		}
		return when
	}
	now := at("2026-11-24T05:00")
	over := Change{Who: "rina", Instead: "siti", From: at("2026-11-24T10:00"), To: at("2026-11-24T12:00")}
	swap := Change{
		Who: "rina", Instead: "siti", From: at("2026-11-25T06:00"), To: at("2026-11-25T18:00"),
		BackFrom: at("2026-11-25T18:00"), BackTo: at("2026-11-26T06:00"),
	}
	first := Change{Who: "budi", From: at("2026-11-27T00:00"), To: at("2026-11-27T01:00")}
	with := r.With([]Change{over, swap, first})
	for text, want := range map[string]Posts{
		"2026-11-24T09:59": {"siti", "budi"},
		"2026-11-24T10:00": {"rina", "budi"},
		"2026-11-24T12:00": {"siti", "budi"},
		"2026-11-25T07:00": {"rina", "budi"},
		"2026-11-25T23:00": {"siti", ""},
		"2026-11-26T23:00": {"rina", ""},
		"2026-11-27T00:30": {"budi", ""},
	} {
		if got := with.Duty(at(text)).Posts; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
	if got := r.Duty(at("2026-11-24T10:00")).Posts; got != (Posts{"siti", "budi"}) {
		t.Errorf("the roster itself has changed: %v", got)
	}
	// Somebody who was taken off the roster stands nowhere.
	gone := over
	gone.Who = "dewi"
	if got := r.With([]Change{gone}).Duty(at("2026-11-24T10:00")).Posts; got != (Posts{"siti", "budi"}) {
		t.Errorf("somebody else stands there: %v", got)
	}
	for what, c := range map[string]struct {
		change Change
		want   ChangeFault
	}{
		"override": {over, ""}, "swap": {swap, ""}, "a post": {first, ""},
		"nobody":           {gone, FaultWho},
		"no name":          {Change{From: over.From, To: over.To}, FaultWho},
		"half a swap":      {Change{Who: "rina", From: swap.From, To: swap.To, BackFrom: swap.BackFrom, BackTo: swap.BackTo}, FaultWho},
		"for oneself":      {Change{Who: "siti", Instead: "siti", From: over.From, To: over.To}, FaultSame},
		"no time":          {Change{Who: "rina", Instead: "siti"}, FaultOrder},
		"ends at once":     {Change{Who: "rina", Instead: "siti", From: over.From, To: over.From}, FaultOrder},
		"no way back":      {Change{Who: "rina", Instead: "siti", From: over.From, To: over.To, BackFrom: over.To}, FaultOrder},
		"over":             {Change{Who: "rina", Instead: "siti", From: now.Add(-time.Hour), To: now}, FaultPast},
		"too far ahead":    {Change{Who: "rina", Instead: "siti", From: now, To: now.Add(ChangeLife + time.Second)}, FaultLong},
		"just near enough": {Change{Who: "rina", Instead: "siti", From: now, To: now.Add(ChangeLife)}, ""},
	} {
		if got := r.Fault(c.change, now); got != c.want {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}
