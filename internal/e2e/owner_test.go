package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"suar/internal/mattermosttest"
)

// card is the card of a case as it stands.
func card(w *mattermosttest.World, root string) *mattermosttest.Attachment {
	return w.Thread(root)[0].Attachments()[0]
}

// says reports whether a card names somebody in its first line, the status.
func says(a *mattermosttest.Attachment, name string) bool {
	if len(a.Fields) == 0 {
		return false
	}
	text, _ := a.Fields[0].Value.(string)
	return slices.Contains(strings.FieldsFunc(text, func(r rune) bool { return r == '@' || r == ' ' || r == '\u2060' }), name)
}

// offers waits until a card has a button, or a choice in its menu.
func offers(t *testing.T, w *mattermosttest.World, root, action string) {
	t.Helper()
	await(t, "the card offers "+action, func() (string, bool) {
		var all []string
		for _, a := range card(w, root).Actions {
			all = append(all, a.Id)
			for _, o := range a.Options {
				all = append(all, o.Value)
			}
		}
		return strings.Join(all, " "), slices.Contains(all, action)
	})
}

// TestFiftyClaims: 50 officers press Claim at once, on the real server: one has the
// case, and everybody can see who.
func TestFiftyClaims(t *testing.T) {
	t.Parallel()
	w := mattermosttest.Real(t, mattermosttest.Setting{Name: "TeamSettings.MaxUsersPerTeam", Value: "100"})
	var officers []mattermosttest.Account
	for i := range 50 {
		officers = append(officers, w.NewOfficer(fmt.Sprintf("officer%02d", i)))
	}
	ctx := patient(t)
	h := newHotline(t, w, nil)
	channel := watch(t, w, w.Officers[1])
	h.start()
	p := &person{Person: h.telegram.Person(7301)}
	p.Start()
	if err := p.walk(ctx, danger...); err != nil {
		t.Fatal(err)
	}
	th, err := channel.nextRoot(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.hearKey(ctx, "ui.status.alerting"); err != nil {
		t.Fatal(err)
	}

	start := make(chan struct{})
	statuses := make([]int, len(officers))
	var all sync.WaitGroup
	for i, o := range officers {
		all.Go(func() {
			<-start
			statuses[i] = w.PressID(o, th.root.ID, "claim")
		})
	}
	close(start)
	all.Wait()
	taken := 0
	for i, status := range statuses {
		switch status {
		case http.StatusOK:
			taken++
		case http.StatusNotFound: // The card shows by then that somebody has it.
		default:
			t.Errorf("the press of %s answers %d", officers[i].Username, status)
		}
	}
	if taken < 2 {
		t.Errorf("%d presses were taken: nobody came second", taken)
	}
	if err := p.attended(ctx); err != nil {
		t.Fatal(err)
	}
	var winner mattermosttest.Account
	await(t, "the card names who has the case", func() (string, bool) {
		a := card(w, th.root.ID)
		i := slices.IndexFunc(officers, func(o mattermosttest.Account) bool { return says(a, o.Username) })
		if i >= 0 {
			winner = officers[i]
		}
		return fmt.Sprint(a.Fields[0].Value), i >= 0
	})
	client := w.Watch(winner)
	confirm(t, w, client, winner, func() int { return w.Press(winner, th.root.ID, "close") })
	witness := await(t, "the card shows the end", func() (string, bool) {
		a := card(w, th.root.ID)
		return a.Footer, len(a.Actions) == 0
	})
	h.stop()
	noFaults(t, h)
	var claims []string
	for _, e := range openCase(t, h, caseCode.FindString(th.root.Message), witness).Entries {
		if e.Kind == "claimed" {
			claims = append(claims, e.From)
		}
	}
	if want := []string{"officer:" + winner.Username}; !slices.Equal(claims, want) {
		t.Errorf("the transcript has the claims of %q, want %q alone", claims, want)
	}
}

// TestTransfer carries a case from one officer to another in the middle of a
// conversation, and back. Not one line reaches anybody but the person of its thread;
// none of the officer's who does not have the case any more reaches anybody; and of
// every line its sign says the truth.
func TestTransfer(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, w *mattermosttest.World) { transfer(t, newHotline(t, w, nil)) })
}

func transfer(t *testing.T, h *hotline) {
	ctx := patient(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w := h.world
	siti, budi := w.Officers[0], w.Officers[1]
	client := w.Watch(siti)
	channel := watch(t, w, w.Officers[2])
	h.start()

	// Two people, and siti has both cases.
	people := []*person{{Person: h.telegram.Person(7401)}, {Person: h.telegram.Person(7402)}}
	var roots []string
	for i, p := range people {
		p.Start()
		must(p.walk(ctx, danger...))
		th, err := channel.nextRoot(ctx, i)
		must(err)
		must(p.hearKey(ctx, "ui.status.alerting"))
		if status := w.Press(siti, th.root.ID, "claim"); status != http.StatusOK {
			t.Fatalf("the press answers %d", status)
		}
		must(p.attended(ctx))
		roots = append(roots, th.root.ID)
	}
	a, b := people[0], people[1]
	rootA, rootB := roots[0], roots[1]

	type line struct{ post, text string }
	var lines []line
	says := func(as mattermosttest.Account, root string) line {
		text := fmt.Sprintf("%s line %02d", as.Username, len(lines))
		l := line{w.Post(as, root, text).Id, text}
		lines = append(lines, l)
		return l
	}
	sign := func(l line) string {
		return strings.TrimPrefix(await(t, l.text+" has a sign", func() (string, bool) {
			all := w.Reactions(l.post)
			return strings.Join(all, ", "), len(all) == 1 && (strings.HasSuffix(all[0], "white_check_mark") || strings.HasSuffix(all[0], ": x"))
		}), "suar: ")
	}

	// Siti talks and offers the case; budi accepts while siti goes on.
	before := says(siti, rootA)
	must(a.hear(ctx, before.text))
	offers(t, w, rootA, "transfer")
	again := officersWord(t, "desk.again")
	for dialog := (*mattermosttest.Dialog)(nil); dialog == nil; {
		if status := w.Choose(siti, rootA, "more", "transfer"); status != http.StatusOK {
			t.Fatalf("the menu answers %d", status)
		}
		if dialog = client.DialogUnless(again); dialog != nil {
			answer, status := w.SubmitDialog(siti, dialog, map[string]any{"to": budi.ID, "note": "calm, @channel"})
			if status != http.StatusOK || answer != nil && (answer.Error != "" || len(answer.Errors) > 0) {
				t.Fatalf("the form answers %d %+v", status, answer)
			}
		}
	}
	offers(t, w, rootA, "transferaccept")
	pending := []line{says(siti, rootA)}
	var both sync.WaitGroup
	both.Go(func() {
		if status := w.PressID(budi, rootA, "transferaccept"); status != http.StatusOK {
			t.Errorf("accepting answers %d", status)
		}
	})
	a.Say("p7401 is still here")
	for range 5 {
		pending = append(pending, says(siti, rootA))
	}
	both.Wait()
	await(t, "the card names budi", func() (string, bool) {
		c := card(w, rootA)
		return fmt.Sprint(c.Fields[0].Value), contains(fmt.Sprint(c.Fields[0].Value), "budi")
	})
	after := says(siti, rootA)
	mine := says(budi, rootA)
	must(a.hear(ctx, mine.text))
	elsewhere := says(siti, rootB) // Of the other case siti still is the owner.
	must(b.hear(ctx, elsewhere.text))

	const sent, kept = "white_check_mark", "x"
	if got := sign(before); got != sent {
		t.Errorf("before the transfer: %s", got)
	}
	if got := sign(after); got != kept {
		t.Errorf("after the transfer: %s", got)
	}
	reached := []line{before, mine}
	held := []line{after}
	for _, l := range pending {
		if sign(l) == kept {
			held = append(held, l)
			continue
		}
		if len(held) > 1 {
			t.Errorf("%s was sent after one that was not", l.text)
		}
		reached = append(reached, l)
	}
	for _, l := range reached {
		must(a.hear(ctx, l.text))
	}
	notHeard := func(p *person, who string, all ...line) {
		t.Helper()
		for _, m := range p.Chat() {
			for _, l := range all {
				if strings.Contains(m.Text, l.text) {
					t.Errorf("%s has %q", who, l.text)
				}
			}
		}
	}
	notHeard(a, "the first", append(slices.Clone(held), elsewhere)...)
	notHeard(b, "the second", append(slices.Clone(held), reached...)...)

	// One press makes the case siti's again and sends the line; budi's stays now.
	button := await(t, "a line beneath each says that it was not sent", func() (string, bool) {
		var buttons []string
		for _, p := range w.Thread(rootA) {
			for _, at := range p.Attachments() {
				if slices.ContainsFunc(at.Actions, func(x *mattermosttest.Action) bool { return x.Id == "send" }) {
					buttons = append(buttons, p.Id)
				}
			}
		}
		return strings.Join(buttons[max(0, len(buttons)-1):], ""), len(buttons) == len(held)
	})
	if status := w.PressID(siti, button, "send"); status != http.StatusOK {
		t.Fatalf("sending it as hers answers %d", status)
	}
	must(a.hear(ctx, after.text))
	marked(t, w, after.post, sent)
	late := says(budi, rootA)
	if got := sign(late); got != kept {
		t.Errorf("budi's line after that: %s", got)
	}
	notHeard(a, "the first", late, elsewhere)
	notHeard(b, "the second", append(reached, after, late)...)
	for _, p := range w.Thread(rootA) {
		if strings.Contains(p.Message, "@channel") {
			t.Errorf("the note to the colleague mentions everybody: %q", p.Message)
		}
	}
	h.stop()
	noFaults(t, h)
}
