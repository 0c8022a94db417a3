package e2e

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"suar/flows"
	"suar/handoff"
	"suar/internal/mattermosttest"
)

// TestTalk: words that must not be said in haste wait for a second press of who wrote
// them, and a prepared reply is seen before it goes. What was not sent never left.
func TestTalk(t *testing.T) {
	t.Parallel()
	servers(t, talk)
}

func talk(t *testing.T, w *mattermosttest.World) {
	ctx := patient(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	h := newHotline(t, w, nil)
	siti, budi := w.Officers[0], w.Officers[1]
	client := w.Watch(siti)
	channel := watch(t, w, w.Officers[2])
	h.start()
	p := &person{Person: h.telegram.Person(7501)}
	p.Start()
	must(p.walk(ctx, danger...))
	th, err := channel.nextRoot(ctx, 0)
	must(err)
	root := th.root.ID
	must(p.hearKey(ctx, "ui.status.alerting"))
	if status := w.Press(siti, root, "claim"); status != http.StatusOK {
		t.Fatalf("the press answers %d", status)
	}
	must(p.attended(ctx))
	const (
		promise = "We will rescue you tonight. Kenari satu."
		between = "Kami membaca di sini."
		verdict = "You are safe now. Kenari dua."
		last    = "Sebentar ya."
	)
	unheard := func(words string) {
		t.Helper()
		if holdsWords(p.Chat(), words) {
			t.Errorf("%q is in the chat: %s", words, shown(p.Chat()))
		}
	}

	// A promise is not sent. Another officer cannot stand by it; who wrote it can,
	// and two presses send it once. Replies keep their order, so that what comes
	// after would come behind what was sent before.
	doubted := w.Post(siti, root, promise)
	line, text := lineWith(t, w, root, "sure")
	if !contains(text, officersText(t, "card.never", "officer", "@siti")) {
		t.Errorf("the line says %q", text)
	}
	marked(t, w, doubted.Id, "question")
	if status := w.PressID(budi, line, "sure"); status != http.StatusOK {
		t.Fatalf("the press answers %d", status)
	}
	_, err = th.hearPart(ctx, officersText(t, "card.never.only", "officer", "@budi", "by", "@siti"))
	must(err)
	w.Post(siti, root, between)
	must(p.hear(ctx, between))
	unheard(promise)
	marked(t, w, doubted.Id, "question")
	statuses := make([]int, 2)
	var both sync.WaitGroup
	for i := range statuses {
		both.Go(func() { statuses[i] = w.PressID(siti, line, "sure") })
	}
	both.Wait()
	if !slices.Contains(statuses, http.StatusOK) { // The later one may find no button.
		t.Fatalf("the presses answer %d", statuses)
	}
	must(p.hear(ctx, promise))
	marked(t, w, doubted.Id, "white_check_mark")
	restated(t, w, root, line, officersText(t, "card.never.sent", "officer", "@siti"))

	// What is not to be sent after all is not.
	unsaid := w.Post(siti, root, verdict)
	line, _ = lineWith(t, w, root, "unsay")
	marked(t, w, unsaid.Id, "question")
	if status := w.PressID(siti, line, "unsay"); status != http.StatusOK {
		t.Fatalf("the press answers %d", status)
	}
	marked(t, w, unsaid.Id, "x")

	// A prepared reply: seen first, in the person's language and in the officers',
	// and sent once though the dialog is sent twice.
	theirs, ours := prepared(t, "en", "no_promise"), prepared(t, "id", "no_promise")
	d := opens(t, w, client, siti, root, "canned")
	values := map[string]any{"reply": "no_promise"}
	answer := submits(t, w, siti, d, values)
	if answer.Form == nil || !strings.Contains(answer.Form.IntroductionText, theirs) || !strings.Contains(answer.Form.IntroductionText, ours) {
		t.Fatalf("the preview is %+v", answer)
	}
	marked(t, w, w.Post(siti, root, last).Id, "white_check_mark")
	if n := said(w, root, theirs); n != 0 {
		t.Errorf("before it is sent the prepared reply stands in the thread %d times", n)
	}
	d.Dialog = *answer.Form
	accepted(t, w, siti, d, values)
	accepted(t, w, siti, d, values)
	must(p.hear(ctx, theirs))
	there, err := th.hearPart(ctx, theirs)
	must(err)
	if !contains(there.text(), "@siti") {
		t.Errorf("the prepared reply stands in the thread as %q", there.text())
	}
	marked(t, w, there.ID, "white_check_mark")
	if n := said(w, root, theirs); n != 1 {
		t.Errorf("the prepared reply stands in the thread %d times", n)
	}

	// The person has what was sent, word for word and each once.
	closes, err := word("ui.close")
	must(err)
	must(p.hear(ctx, last))
	var has []string
	for _, m := range p.Chat() {
		if data(m, closes) != "" {
			has = append(has, m.Text)
		}
	}
	if diff := cmp.Diff([]string{between, promise, last, theirs}, has); diff != "" {
		t.Errorf("the replies that the person has (-want +got):\n%s", diff)
	}
	confirm(t, w, client, siti, func() int { return w.Press(siti, root, "close") })
	must(p.hearKey(ctx, "ui.status.closed"))
	witness := await(t, "the card shows the end", func() (string, bool) {
		a := card(w, root)
		return a.Footer, len(a.Actions) == 0
	})
	h.stop()
	noFaults(t, h)
	var calls strings.Builder
	for _, r := range h.telegram.Requests("") {
		raw, err := json.Marshal(r.Params)
		must(err)
		calls.Write(raw)
	}
	if !strings.Contains(calls.String(), "Kenari satu") {
		t.Error("the calls do not hold what was sent: the test looks at the wrong thing")
	}
	if strings.Contains(calls.String(), "Kenari dua") {
		t.Error("what was not to be sent went to Telegram")
	}
	var transcript []string
	for _, e := range openCase(t, h, caseCode.FindString(th.root.Message), witness).Entries {
		if e.Kind == "doubted" || e.Kind == "replied" {
			transcript = append(transcript, e.From+" "+e.Kind+": "+e.Text)
		}
	}
	want := []string{
		"officer:siti doubted: " + promise,
		"officer:siti replied: " + between,
		"officer:siti replied: " + promise,
		"officer:siti doubted: " + verdict,
		"officer:siti replied: " + last,
		"officer:siti replied: " + theirs,
	}
	if diff := cmp.Diff(want, transcript); diff != "" {
		t.Errorf("the transcript (-want +got):\n%s", diff)
	}
}

// officersText is a text of the catalogue that the officers read, filled in.
func officersText(t testing.TB, key string, pairs ...string) string {
	t.Helper()
	text := officersWord(t, key)
	for i := 0; i < len(pairs); i += 2 {
		text = strings.ReplaceAll(text, "{"+pairs[i]+"}", pairs[i+1])
	}
	return text
}

// lineWith waits for the line of a thread that has a button, and returns its post and
// what an officer reads.
func lineWith(t *testing.T, w *mattermosttest.World, root, action string) (post, text string) {
	t.Helper()
	post = await(t, "a line has the button "+action, func() (string, bool) {
		for _, p := range w.Thread(root)[1:] {
			for _, a := range p.Attachments() {
				if slices.ContainsFunc(a.Actions, func(x *mattermosttest.Action) bool { return x.Id == action }) {
					text = handoff.Shown(p.Message)
					return p.Id, true
				}
			}
		}
		return "", false
	})
	return post, text
}

// restated waits until a line of a thread says something else and has no buttons.
func restated(t *testing.T, w *mattermosttest.World, root, line, words string) {
	t.Helper()
	await(t, "the line says "+words, func() (string, bool) {
		for _, p := range w.Thread(root) {
			if p.Id == line {
				text := handoff.Shown(p.Message)
				return text, contains(text, words) && len(p.Attachments()) == 0
			}
		}
		return "", false
	})
}

// said counts the posts of a thread with some words.
func said(w *mattermosttest.World, root, words string) int {
	n := 0
	for _, p := range w.Thread(root) {
		if contains(handoff.Shown(p.Message), words) {
			n++
		}
	}
	return n
}

// prepared is a prepared reply of the book as it ships.
func prepared(t testing.TB, language, id string) string {
	t.Helper()
	raw, err := fs.ReadFile(flows.Shipped(), "replies/"+language+".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Replies []struct{ ID, Text string }
	}
	if err := yaml.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	for _, r := range file.Replies {
		if r.ID == id {
			return r.Text
		}
	}
	t.Fatalf("no reply %q in %s", id, language)
	return ""
}
