package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"suar/handoff"
	"suar/internal/mattermosttest"
	"suar/storage"
)

// TestDecisions: a case that is given back, or whose owner is no officer any more,
// waits for somebody again and says so aloud; what takes two officers takes two; and
// the trail lists all of it without a word of anybody.
func TestDecisions(t *testing.T) {
	t.Parallel()
	servers(t, decisions)
}

func decisions(t *testing.T, w *mattermosttest.World) {
	ctx := patient(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	h := newHotline(t, w, nil)
	siti, budi, rina := w.Officers[0], w.Officers[1], w.Officers[2]
	sitis, rinas := w.Watch(siti), w.Watch(rina)
	channel := watch(t, w, rina)
	h.start()
	// The case of the second person stays as it is, transcript and all.
	var threads []*thread
	people := []*person{{Person: h.telegram.Person(7601)}, {Person: h.telegram.Person(7602)}}
	for i, tag := range []string{"p7601", "p7602"} {
		people[i].Start()
		must(people[i].walk(ctx, danger...))
		people[i].Say(tag + " kenari-kata")
		th, err := channel.caseOf(ctx, tag)
		must(err)
		threads = append(threads, th)
	}
	th, root := threads[0], threads[0].root.ID
	code, other := caseCode.FindString(th.root.Message), caseCode.FindString(threads[1].root.Message)
	claims := func(who mattermosttest.Account) {
		t.Helper()
		offers(t, w, root, "claim")
		if status := w.Press(who, root, "claim"); status != http.StatusOK {
			t.Fatalf("the press answers %d", status)
		}
		await(t, "the card names "+who.Username, func() (string, bool) { return "", says(card(w, root), who.Username) })
	}
	called := func(times int) {
		t.Helper()
		words := officersText(t, "card.queue.page", "code", code)
		await(t, "the officers are called", func() (string, bool) {
			var calls []string
			for _, p := range w.Thread(root) {
				if strings.HasPrefix(p.Message, "@budi @siti ") && contains(handoff.Shown(p.Message), words) {
					calls = append(calls, p.Message)
				}
			}
			return strings.Join(calls, "\n"), len(calls) == times
		})
	}

	// Given back: in the queue, and all are called.
	claims(siti)
	back := "give back:" + siti.ID
	offers(t, w, root, back)
	confirm(t, w, sitis, siti, func() int { return w.Choose(siti, root, "more", back) })
	called(1)

	// Its owner is taken out of the channel: the same, while the hotline runs.
	claims(budi)
	boardText(t, w, "that budi has it", func(text string) bool { return strings.Contains(text, code) && strings.Contains(text, " · budi · ") })
	w.RemoveMember(budi)
	_, err := th.hearPart(ctx, officersText(t, "card.departed", "officer", "@budi"))
	must(err)
	called(2)

	// To erase the case early takes two: who proposed it is not the second one.
	claims(siti)
	offers(t, w, root, "approve:delete")
	accepted(t, w, siti, opens(t, w, sitis, siti, root, "approve:delete"), map[string]any{"reason": "kenari-alasan"})
	_, err = th.hearPart(ctx, "kenari-alasan")
	must(err)
	second := await(t, "a second officer is asked for", func() (string, bool) {
		for _, a := range card(w, root).Actions {
			for _, o := range a.Options {
				if strings.HasPrefix(o.Value, "approve:confirm-") {
					return o.Value, true
				}
			}
		}
		return "", false
	})
	confirm(t, w, sitis, siti, func() int { return w.Choose(siti, root, "more", second) })
	_, err = th.hearPart(ctx, officersText(t, "card.approve.same", "officer", "@siti", "what", officersWord(t, "card.approve.delete")))
	must(err)
	if a := card(w, root); !says(a, "siti") || len(a.Actions) == 0 {
		t.Fatalf("after one officer did both the card is %+v", a)
	}
	confirm(t, w, rinas, rina, func() int { return w.Choose(rina, root, "more", second) })
	await(t, "the card shows the end", func() (string, bool) { return "", len(card(w, root).Actions) == 0 })
	must(people[0].hearKey(ctx, "ui.status.closed"))
	settle(t, h)
	noFaults(t, h)

	// The transcript is erased, the other one is there.
	store, err := storage.OpenEmbedded(h.copyOfStore())
	must(err)
	names, err := store.Transcripts(ctx, "", 10)
	must(errors.Join(err, store.Close()))
	if names = slices.DeleteFunc(names, func(name string) bool { return name == "audit" }); len(names) != 1 {
		t.Errorf("%d transcripts are kept, want that of the other case alone", len(names))
	}
	opened := func(code string) (string, int) {
		out, errs, exit := h.run("open", code, "--store", h.copyOfStore(), "-i", h.officer, "--passphrase-file", h.passphraseFile)
		return out + errs, exit
	}
	if out, exit := opened(code); exit == 0 || strings.Contains(out, "kenari") {
		t.Errorf("the erased case opens with exit code %d:\n%s", exit, out)
	}
	if out, exit := opened(other); exit != 0 || !strings.Contains(out, "p7602 kenari-kata") {
		t.Errorf("the other case opens with exit code %d:\n%s", exit, out)
	}

	// The trail.
	if out, errs, exit := h.run("audit", "verify", "--config", h.config); exit != 0 {
		t.Errorf("the trail is not whole (exit code %d):\n%s%s", exit, out, errs)
	}
	out, errs, exit := h.run("audit", "list", "--json", "--config", h.config)
	var entries []struct {
		What, Case, By string
		With           []string
	}
	if err := json.Unmarshal([]byte(out), &entries); exit != 0 || err != nil {
		t.Fatalf("suar audit list exits with %d: %v %s", exit, err, errs)
	}
	var done []string
	for _, e := range entries {
		done = append(done, strings.TrimSpace(strings.Join([]string{e.By, e.What, strings.Join(e.With, " ")}, " ")))
		if e.Case != code {
			t.Errorf("%s: in case %q, want %s", done[len(done)-1], e.Case, code)
		}
	}
	want := []string{
		"siti claimed", "siti give back siti",
		"budi claimed", "budi departed",
		"siti claimed", "siti approve delete", "rina approve confirm delete siti",
	}
	if diff := cmp.Diff(want, done); diff != "" {
		t.Errorf("the trail (-want +got):\n%s", diff)
	}
	for what, text := range map[string][]byte{"the trail": []byte(out + errs), "the log": h.printed()} {
		if bytes.Contains(text, []byte("kenari")) {
			t.Errorf("%s holds what somebody said", what)
		}
	}
	for name, file := range files(t, h.data) {
		if bytes.Contains(file, []byte("kenari")) {
			t.Errorf("%s holds what somebody said", name)
		}
	}
}

// settle stops a hotline that has nothing left to do: what still waits when it is
// stopped is done when it runs again.
func settle(t *testing.T, h *hotline) {
	t.Helper()
	await(t, "nothing waits in the outbox", func() (string, bool) {
		h.stop()
		store, err := storage.OpenEmbedded(h.copyOfStore())
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		for _, lane := range storage.Lanes() {
			n, _, err := store.Waiting(t.Context(), lane)
			if err != nil {
				t.Fatal(err)
			}
			if n > 0 {
				h.start()
				return "", false
			}
		}
		return "", true
	})
}
