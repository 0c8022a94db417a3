package e2e

import (
	"net/http"
	"strings"
	"testing"

	"suar/handoff"
	"suar/internal/mattermosttest"
)

// TestReturn lets a person come back from another account with a receipt code:
// an officer accepts it in the case's thread, which then goes on with the new
// chat; the old one is erased and a stranger's from then on.
func TestReturn(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, w *mattermosttest.World) { returned(t, newHotline(t, w, nil)) })
}

func returned(t *testing.T, h *hotline) {
	ctx := patient(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w := h.world
	siti := w.Officers[0]
	client := w.Watch(siti)
	channel := watch(t, w, w.Officers[1])
	h.start()

	old := &person{Person: h.telegram.Person(7001)}
	old.Start()
	must(old.walk(ctx, danger...))
	th, err := channel.nextRoot(ctx, 0)
	must(err)
	must(old.hearKey(ctx, "ui.status.alerting"))
	must(old.walk(ctx, dangers...))
	if status := w.Press(siti, th.root.ID, "claim"); status != http.StatusOK {
		t.Fatalf("the press answers %d", status)
	}
	must(old.keepSecret(ctx, "word_set", "Rendang Padang"))
	code, err := old.receipt(ctx)
	must(err)
	post := w.Post(siti, th.root.ID, "Di mana kamu sekarang?")
	marked(t, w, post.Id, "white_check_mark")

	// Another account, which knows both.
	fresh := &person{Person: h.telegram.Person(7002)}
	seek := func(p *person, answer string) {
		t.Helper()
		p.Start()
		must(p.walk(ctx, opening...))
		p.types = code
		must(p.walk(ctx, "opening.need.number", "type@return.number"))
		p.types = answer
		must(p.walk(ctx, "type@return.question", "return.noted.ok"))
	}
	seek(fresh, "  rendang   padang ")
	_, err = th.hearPart(ctx, asksToContinue(t, "right"))
	must(err)
	for _, m := range fresh.Chat() {
		if strings.Contains(m.Text, "Di mana kamu") || m.Text == code {
			t.Errorf("before an officer accepted, the new chat shows %q", m.Text)
		}
	}
	accept := await(t, "the card's menu offers to accept", func() (string, bool) {
		for _, a := range w.Thread(th.root.ID)[0].Attachments() {
			for _, action := range a.Actions {
				for _, o := range action.Options {
					if strings.HasPrefix(o.Value, "return:accept") {
						return o.Value, true
					}
				}
			}
		}
		return "", false
	})
	confirm(t, w, client, siti, func() int { return w.Choose(siti, th.root.ID, "more", accept) })
	must(old.empty(ctx))
	_, err = th.hearPart(ctx, officersWord(t, "card.return.moved"))
	must(err)

	// The case goes on, in both directions, in the same thread.
	reply := w.Post(siti, th.root.ID, "Kami membaca di sini.")
	must(fresh.hear(ctx, "Kami membaca di sini."))
	marked(t, w, reply.Id, "white_check_mark")
	fresh.Say("Ini saya")
	_, err = th.hear(ctx, "Ini saya")
	must(err)

	// Who writes in the old chat is a stranger, whom the code serves no more.
	old.Say("siapa ini")
	other, err := channel.nextRoot(ctx, 1)
	must(err)
	_, err = other.hear(ctx, "siapa ini")
	must(err)
	thief := &person{Person: h.telegram.Person(7003)}
	seek(thief, "rendang padang")
	thief.Say("halo")
	third, err := channel.nextRoot(ctx, 2)
	must(err)
	_, err = third.hear(ctx, "halo")
	must(err)
	if n := asked(t, w, th); n != 1 {
		t.Errorf("the officers were asked %d times, want once", n)
	}
	h.stop()
	noFaults(t, h)
}

// asksToContinue is how the officers are told that somebody came with a receipt
// code: whether the check word was "right", "wrong" or none was set.
func asksToContinue(t testing.TB, checkWord string) string {
	t.Helper()
	before, _, _ := strings.Cut(officersWord(t, "card.return.asks"), "{word}")
	return before + officersWord(t, "card.return."+checkWord)
}

// asked counts how often somebody asked to continue a case.
func asked(t testing.TB, w *mattermosttest.World, th *thread) int {
	t.Helper()
	before, _, _ := strings.Cut(officersWord(t, "card.return.asks"), "{word}")
	n := 0
	for _, p := range w.Thread(th.root.ID) {
		if contains(handoff.Shown(p.Message), before) {
			n++
		}
	}
	return n
}
