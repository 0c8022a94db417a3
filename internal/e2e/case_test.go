package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/internal/mattermosttest"
	"suar/internal/seal"
)

// TestWholeCase carries one case from the first tap to the officer who reads
// its transcript, with nothing but the program.
func TestWholeCase(t *testing.T) {
	t.Parallel()
	t.Run("polling", func(t *testing.T) {
		t.Parallel()
		servers(t, func(t *testing.T, w *mattermosttest.World) { wholeCase(t, newHotline(t, w, nil)) })
	})
	t.Run("webhook", func(t *testing.T) {
		t.Parallel()
		wholeCase(t, newHotline(t, mattermosttest.StandIn(t), webhook))
	})
}

func wholeCase(t *testing.T, h *hotline) {
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

	// One press, and the card is there; the questions can wait.
	p := &person{Person: h.telegram.Person(7001)}
	p.Start()
	must(p.walk(ctx, danger...))
	th, err := channel.nextRoot(ctx, 0)
	must(err)
	must(p.hearKey(ctx, "ui.status.alerting"))
	must(p.walk(ctx, dangers...))

	// The person's own words, also such as would do something in Mattermost.
	const words = "Tolong @channel ![x](http://beacon.invalid/x.png) saya di lantai 3"
	first := p.Say(words)
	_, err = th.hear(ctx, words)
	must(err)

	// An officer presses the button.
	if status := w.Press(siti, th.root.ID, "claim"); status != 200 {
		t.Fatalf("the press answers %d", status)
	}
	must(p.attended(ctx))

	// Both talk; a note stays where it is.
	hello := w.Post(siti, th.root.ID, "Kami di sini. Apakah kamu aman?")
	must(p.hear(ctx, "Kami di sini. Apakah kamu aman?"))
	note := w.Post(siti, th.root.ID, "// jangan disampaikan")
	marked(t, w, note.Id, "lock")
	p.Say("Untuk sekarang ya")
	_, err = th.hear(ctx, "Untuk sekarang ya")
	must(err)
	marked(t, w, hello.Id, "white_check_mark")

	// Edits and deletions, on both sides.
	must(p.Edit(first, "Saya di lantai 4"))
	_, err = th.hearPart(ctx, "Saya di lantai 4")
	must(err)
	w.Edit(siti, hello.Id, "Kami di sini, KBRI.")
	must(p.hear(ctx, "Kami di sini, KBRI."))
	gone := w.Post(siti, th.root.ID, "salah kirim")
	must(p.hear(ctx, "salah kirim"))
	w.Delete(siti, gone.Id)
	_, err = p.Wait(ctx, func(chat []message) bool {
		return !slices.ContainsFunc(chat, func(m message) bool { return strings.Contains(m.Text, "salah kirim") })
	})
	must(err)
	for _, m := range p.Chat() {
		if strings.Contains(m.Text, "jangan disampaikan") {
			t.Errorf("the note reached the person: %q", m.Text)
		}
	}

	// Closed, with the question that comes before it.
	confirm(t, w, client, siti, func() int { return w.Press(siti, th.root.ID, "close") })
	must(p.hearKey(ctx, "ui.status.closed"))
	witness := await(t, "the card shows the end", func() (string, bool) {
		root := w.Thread(th.root.ID)[0]
		a := root.Attachments()
		return a[0].Footer, len(a[0].Actions) == 0
	})
	h.stop()
	noFaults(t, h)

	code := caseCode.FindString(th.root.Message)
	record := openCase(t, h, code, witness)
	// What both said, in order, whatever the intake's answers came between.
	want := []string{
		"bot opened: Bahaya sekarang",
		"person said: " + words,
		"officer:siti claimed: ",
		"officer:siti replied: Kami di sini. Apakah kamu aman?",
		"officer:siti note: jangan disampaikan",
		"person said: Untuk sekarang ya",
		"person edited: Saya di lantai 4",
		"officer:siti revised: Kami di sini, KBRI.",
		"officer:siti replied: salah kirim",
		"somebody withdrawn: ",
		"officer:siti closed: ",
	}
	if diff := cmp.Diff(want, record.but("answers")); diff != "" {
		t.Errorf("the transcript (-want +got):\n%s", diff)
	}
	// One for each question that was asked after the case opened.
	if n := len(record.Entries) - len(want); n != len(dangers) {
		t.Errorf("%d entries with answers, want %d", n, len(dangers))
	}
	withAge(t, h, code, record)
}

// caseCode is the code in a card's title.
var caseCode = regexp.MustCompile(`[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}`)

// await asks again and again for what a server does in its own time.
func await(t testing.TB, what string, ask func() (string, bool)) string {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		answer, ok := ask()
		if ok {
			return answer
		}
		if time.Now().After(deadline) {
			t.Fatalf("it did not come to pass that %s; there is %q", what, answer)
		}
	}
}

// marked waits until a post has one sign of the bot's, and that one.
func marked(t testing.TB, w *mattermosttest.World, post, sign string) {
	t.Helper()
	await(t, "the post is marked "+sign, func() (string, bool) {
		all := w.Reactions(post)
		return strings.Join(all, ", "), slices.Equal(all, []string{"suar: " + sign})
	})
}

// A record is a transcript as "suar open --format json" prints it.
type record struct {
	Code    string
	Witness string
	Count   int
	Proven  int
	Faults  []any
	Entries []struct{ From, Kind, Text string }
}

// but returns the entries as lines, without those of a kind.
func (r record) but(kind string) []string {
	var lines []string
	for _, e := range r.Entries {
		if e.Kind != kind {
			lines = append(lines, e.From+" "+e.Kind+": "+e.Text)
		}
	}
	return lines
}

// openCase opens a case of a stopped hotline with the officer's key and the
// witness of its card, as the officer would.
func openCase(t *testing.T, h *hotline, code, witness string) record {
	t.Helper()
	store := h.copyOfStore()
	var r record
	// Who has no key of the case gets nothing of it.
	if out, _, exit := h.run("open", code, "--store", store, "-i", h.key("budi"), "--passphrase-file", h.passphraseFile); exit != 2 || out != "" {
		t.Errorf("another key opens the case: exit code %d", exit)
	}
	for _, key := range []string{h.recovery, h.officer} {
		out, errs, exit := h.run("open", code, "--store", store, "-i", key,
			"--passphrase-file", h.passphraseFile, "--witness", witness, "--format", "json")
		if exit != 0 {
			t.Fatalf("suar open exits with %d: %s", exit, errs)
		}
		r = record{}
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatal(err)
		}
		if r.Code != code || r.Witness != witness || r.Proven != r.Count || len(r.Faults) != 0 {
			t.Errorf("opened %s with witness %s, %d of %d proven, faults %v; want %s with %s",
				r.Code, r.Witness, r.Proven, r.Count, r.Faults, code, witness)
		}
	}
	// An end that was cut off shows against the card.
	cut := strings.Replace(witness, "#", "#9", 1)
	if _, _, exit := h.run("open", code, "--store", store, "-i", h.officer, "--passphrase-file", h.passphraseFile, "--witness", cut); exit != 1 {
		t.Errorf("suar open with the witness of a longer transcript exits with %d, want 1", exit)
	}
	return r
}

// withAge reads an exported case with the age tool alone.
func withAge(t *testing.T, h *hotline, code string, r record) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "case")
	if _, errs, exit := h.run("open", code, "--store", h.copyOfStore(), "--export", dir); exit != 0 {
		t.Fatalf("suar open --export exits with %d: %s", exit, errs)
	}
	// The tool asks for a passphrase at a terminal only, so that it gets a key
	// without one.
	raw, err := os.ReadFile(h.officer)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := seal.Identities(raw, func() (string, error) { return passphrase, nil })
	if err != nil {
		t.Fatal(err)
	}
	plain := filepath.Join(t.TempDir(), "plain.key")
	h.file(plain, fmt.Sprintf("%s\n", ids[0]), 0o400)

	caseKey, errs, exit := runTool(t, exec.Command(program(t, ageTool), "-d", "-i", plain, filepath.Join(dir, "header.age")))
	if exit != 0 {
		t.Fatalf("age does not open the header: %s", errs)
	}
	files, err := filepath.Glob(filepath.Join(dir, "0*.age"))
	if err != nil || len(files) != r.Count {
		t.Fatalf("%d entries in the folder (%v), want %d", len(files), err, r.Count)
	}
	for i, file := range files {
		cmd := exec.Command(program(t, ageTool), "-d", "-i", "-", file)
		cmd.Stdin = strings.NewReader(caseKey)
		line, errs, exit := runTool(t, cmd)
		if exit != 0 {
			t.Fatalf("age does not open entry %d: %s", i+1, errs)
		}
		var e struct{ Text string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Text != r.Entries[i].Text {
			t.Errorf("entry %d is %q by age, %q by suar", i+1, e.Text, r.Entries[i].Text)
		}
	}
}

// noFaults is what every test ends with: suar broke no rule of the Bot API.
func noFaults(t testing.TB, h *hotline) {
	t.Helper()
	if faults := h.telegram.Faults(); len(faults) != 0 {
		t.Errorf("against the Bot API's schema:\n%s", strings.Join(faults, "\n"))
	}
}
