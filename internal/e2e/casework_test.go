package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"suar/internal/mattermosttest"
)

// TestCasework records what officers learn of a case by the forms of its card: a
// screening, a need, the consent, and a referral that only the partner opens and
// that holds nothing else.
func TestCasework(t *testing.T) {
	t.Parallel()
	servers(t, casework)
}

func casework(t *testing.T, w *mattermosttest.World) {
	ctx := patient(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	partner, err := age.GenerateHybridIdentity()
	must(err)
	h := newHotline(t, w, func(h *hotline, config map[string]any) {
		config["directory"] = h.file(filepath.Join(h.secrets, "directory.yaml"),
			"partners:\n  - {id: iom, name: IOM Contoh, recipient: "+partner.Recipient().String()+", languages: [id]}\n", 0o400)
	})
	siti, budi := w.Officers[0], w.Officers[1]
	sitis, budis := w.Watch(siti), w.Watch(budi)
	channel := watch(t, w, w.Officers[2])
	h.start()
	p := &person{Person: h.telegram.Person(7301)}
	p.Start()
	must(p.walk(ctx, danger...))
	p.Say("p7301 kenari-said")
	th, err := channel.caseOf(ctx, "p7301") // The first card may be the board.
	must(err)
	card := th.root.ID
	if status := w.Press(siti, card, "claim"); status != http.StatusOK {
		t.Fatalf("the press answers %d", status)
	}
	onCard := func(what string) {
		t.Helper()
		await(t, "the card says "+what, func() (string, bool) {
			raw, err := json.Marshal(w.Thread(card)[0].GetProp("attachments"))
			return string(raw), err == nil && strings.Contains(string(raw), what)
		})
	}
	onCard("Penanganan: Penapisan")

	// Two officers fill the same form in: the second is told that it has changed.
	first, late := opens(t, w, sitis, siti, card, "work:screening"), opens(t, w, budis, budi, card, "work:screening")
	if got := len(first.Dialog.Elements); got != 16 {
		t.Errorf("the screening has %d fields", got)
	}
	if answer := submits(t, w, siti, first, map[string]any{"deception": "guilty", "movement": "present"}); answer.Errors["deception"] == "" || len(answer.Errors) != 1 {
		t.Errorf("a value that was never offered is answered %+v", answer)
	}
	if answer := submits(t, w, budi, first, map[string]any{"deception": "absent"}); answer.Error == "" {
		t.Error("another officer's dialog is taken")
	}
	accepted(t, w, siti, first, map[string]any{"deception": "present", "debt": "present", "note": "kenari-note-7301"})
	onCard("Penapisan: ada")
	if answer := submits(t, w, budi, late, map[string]any{"deception": "absent"}); answer.Error != officersWord(t, "card.form.changed") {
		t.Errorf("the form of before is answered %+v", answer)
	}
	accepted(t, w, siti, first, map[string]any{"deception": "absent"}) // Once more: it was recorded, and is not again.
	accepted(t, w, siti, opens(t, w, sitis, siti, card, "work:needs"), map[string]any{"medical": "needed"})
	onCard("Kebutuhan: dibutuhkan")

	// A referral of what the person consented to, and of nothing else.
	accepted(t, w, siti, opens(t, w, sitis, siti, card, "work:consent"),
		map[string]any{"partner": "iom", "state": "given", "how": "chat", "give.needs": true})
	onCard("work:referral") // The menu offers it now.
	d := opens(t, w, sitis, siti, card, "work:referral")
	values := map[string]any{"what": "new.iom", "text": "kenari-summary-7301"}
	answer := submits(t, w, siti, d, values)
	if answer.Form == nil || !strings.Contains(answer.Form.IntroductionText, "medical") || strings.Contains(answer.Form.IntroductionText, "DebtBondage") {
		t.Fatalf("the preview is %+v", answer)
	}
	d.Dialog = *answer.Form
	accepted(t, w, siti, d, values)
	packet := await(t, "the packet is in the thread", func() (string, bool) {
		for _, post := range w.Thread(card) {
			if len(post.FileIds) > 0 {
				return post.Id, true
			}
		}
		return "", false
	})
	post, _, err := budi.Client().GetPost(ctx, packet, "")
	must(err)
	sealed, _, err := budi.Client().GetFile(ctx, post.FileIds[0])
	must(err)
	opened, err := age.Decrypt(bytes.NewReader(sealed), partner)
	must(err)
	plain, err := io.ReadAll(opened)
	must(err)
	if !strings.Contains(string(plain), `"cas_ReasonForIncomingReferral"`) || !strings.Contains(string(plain), "medical") {
		t.Errorf("the partner reads %s", plain)
	}
	for _, secret := range []string{"kenari", "DebtBondage", "bokeo", "siti"} {
		if bytes.Contains(plain, []byte(secret)) {
			t.Errorf("the packet holds %q, which was not consented to", secret)
		}
	}

	// The consent is withdrawn: the packet goes.
	accepted(t, w, budi, opens(t, w, budis, budi, card, "work:consent"), map[string]any{"partner": "iom", "state": "withdrawn", "how": "chat"})
	await(t, "the packet is gone", func() (string, bool) {
		_, resp, err := budi.Client().GetPost(ctx, packet, "")
		return "", err != nil && resp.StatusCode == http.StatusNotFound
	})
	h.stop()
	noFaults(t, h)
	for name, file := range files(t, h.data) {
		if bytes.Contains(file, []byte("kenari")) {
			t.Errorf("%s holds what officers wrote", name)
		}
	}
	if bytes.Contains(h.printed(), []byte("kenari")) {
		t.Error("the log holds what officers wrote")
	}
	out, errs, exit := h.run("open", caseCode.FindString(th.root.Message), "--store", h.copyOfStore(), "-i", h.officer, "--passphrase-file", h.passphraseFile)
	for _, want := range []string{"Penipuan: belum ditanya → ada", "kenari-note-7301", "cas_ReasonForIncomingReferral"} {
		if exit != 0 || !strings.Contains(out, want) {
			t.Errorf("suar open exits with %d, and the transcript does not hold %q:\n%s%s", exit, want, out, errs)
		}
	}
}

// opens chooses an entry of the card's menu until its form is on the screen.
func opens(t *testing.T, w *mattermosttest.World, client *mattermosttest.Screen, as mattermosttest.Account, card, entry string) *mattermosttest.Dialog {
	t.Helper()
	for {
		if status := w.Choose(as, card, "more", entry); status != http.StatusOK {
			t.Fatalf("the choice answers %d", status)
		}
		if d := client.DialogUnless(officersWord(t, "desk.again")); d != nil {
			return d
		}
	}
}

// submits fills a form in: what is not named stays as it stands.
func submits(t *testing.T, w *mattermosttest.World, as mattermosttest.Account, d *mattermosttest.Dialog, values map[string]any) *mattermosttest.DialogAnswer {
	t.Helper()
	all := map[string]any{}
	for _, e := range d.Dialog.Elements {
		all[e.Name] = e.Default
		if e.Type == "bool" {
			all[e.Name] = e.Default == "true"
		}
	}
	maps.Copy(all, values)
	for {
		answer, status := w.SubmitDialog(as, d, all)
		if status != http.StatusOK || answer == nil {
			t.Fatalf("the dialog answers %d %+v", status, answer)
		}
		if answer.Error != officersWord(t, "desk.again") {
			return answer
		}
	}
}

// accepted is submits of what must be recorded.
func accepted(t *testing.T, w *mattermosttest.World, as mattermosttest.Account, d *mattermosttest.Dialog, values map[string]any) {
	t.Helper()
	if answer := submits(t, w, as, d, values); answer.Error != "" || answer.Errors != nil || answer.Form != nil {
		t.Fatalf("the form is answered %+v", answer)
	}
}
