package e2e

import (
	"net/http"
	"strings"
	"testing"

	"suar/internal/mattermosttest"
)

// boardText waits until the officers' board says something, and returns it.
func boardText(t *testing.T, w *mattermosttest.World, what string, says func(text string) bool) string {
	t.Helper()
	return await(t, "the board says "+what, func() (string, bool) {
		for _, p := range w.Roots() {
			if p.GetProp("suar_board") != nil && p.UserId == w.Bot.ID {
				return p.Message, p.IsPinned && says(p.Message)
			}
		}
		return "", false
	})
}

// arrived starts a hotline with a slash command and brings somebody in danger to it.
func arrived(t *testing.T, w *mattermosttest.World) (*hotline, *person, *thread, string) {
	t.Helper()
	ctx := patient(t)
	h := newHotline(t, w, func(h *hotline, config map[string]any) {
		token := w.Command("suar", "http://"+h.address+"/mattermost/command")
		config["mattermost"].(map[string]any)["command_token_file"] = h.secret("command-token", token)
	})
	channel := watch(t, w, w.Officers[2])
	h.start()
	p := &person{Person: h.telegram.Person(7401)}
	p.Start()
	if err := p.walk(ctx, danger...); err != nil {
		t.Fatal(err)
	}
	p.Say("p7401 kenari-papan")
	th, err := channel.caseOf(ctx, "p7401")
	if err != nil {
		t.Fatal(err)
	}
	return h, p, th, caseCode.FindString(th.root.Message)
}

// TestBoard: the board names the case, who has it, and that it waits again when the
// owner leaves; it holds nothing of what was said, and outlives a restart.
func TestBoard(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, w *mattermosttest.World) {
		h, _, th, code := arrived(t, w)
		waiting := boardText(t, w, "who waits", func(text string) bool { return strings.Contains(text, code) })
		if strings.Contains(waiting, "kenari") || strings.Contains(waiting, "siti · ") {
			t.Errorf("the board says too much:\n%s", waiting)
		}
		w.Press(w.Officers[1], th.root.ID, "claim")
		boardText(t, w, "who has it", func(text string) bool { return strings.Contains(text, code) && strings.Contains(text, " · budi · ") })
		h.stop()
		h.start()
		w.RemoveMember(w.Officers[1])
		boardText(t, w, "that it waits again", func(text string) bool { return strings.Contains(text, code) && !strings.Contains(text, " · budi · ") })
		boards := 0
		for _, p := range w.Roots() {
			if p.GetProp("suar_board") != nil {
				boards++
			}
		}
		if boards != 1 {
			t.Errorf("%d boards, want 1", boards)
		}
		noFaults(t, h)
	})
}

// TestCommands: what officers ask by /suar and !suar is answered to them, changes the
// case, and never reaches the person.
func TestCommands(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, w *mattermosttest.World) {
		ctx := patient(t)
		h, p, th, code := arrived(t, w)
		siti, budi := w.Officers[0], w.Officers[1]
		boardText(t, w, "who waits", func(text string) bool { return strings.Contains(text, code) })
		asks := func(as mattermosttest.Account, words string) string {
			t.Helper()
			said, status := w.Slash(as, "", "/suar "+words)
			if status != http.StatusOK || said.ResponseType != mattermosttest.Ephemeral {
				t.Fatalf("/suar %s: %d", words, status)
			}
			return said.Text
		}
		w.Press(siti, th.root.ID, "claim")
		boardText(t, w, "siti", func(text string) bool { return strings.Contains(text, " · siti · ") })
		for _, words := range []string{"mine", "waiting", "find " + strings.ToLower(code), "cari " + code, "antrean", "saya"} {
			if answer := asks(siti, words); !strings.Contains(answer, code) {
				t.Errorf("/suar %s: %q", words, answer)
			}
		}
		for _, words := range []string{"find 0000-0000", "help", "@all", "status", "duty"} {
			if answer := asks(budi, words); strings.Contains(answer, code) || strings.Contains(answer, "kenari") || answer == "" {
				t.Errorf("/suar %s: %q", words, answer)
			}
		}
		if _, status := w.Slash(w.Outsider, "", "/suar waiting"); status != http.StatusForbidden {
			t.Errorf("an outsider's command: status %d", status)
		}

		// In the thread, and to the bot alone.
		asked := w.Post(siti, th.root.ID, "!suar cari "+code)
		await(t, "the thread is answered", func() (string, bool) {
			thread := w.Thread(th.root.ID)
			last := thread[len(thread)-1]
			return last.Message, last.UserId == w.Bot.ID && strings.Contains(last.Message, "/_redirect/pl/"+th.root.ID)
		})
		marked(t, w, asked.Id, "lock")
		w.WriteTo(siti, w.Bot, "mine")
		await(t, "the direct message is answered", func() (string, bool) {
			said := w.Direct(w.Bot, siti)
			last := said[len(said)-1].Message
			return last, strings.Contains(last, "/_redirect/pl/"+th.root.ID)
		})

		// All cases to a colleague, who accepts them.
		if answer := asks(siti, "handover @budi"); !strings.Contains(answer, code) {
			t.Errorf("the hand-over: %q", answer)
		}
		await(t, "the case is offered to budi", func() (string, bool) {
			answer := asks(budi, "mine")
			return answer, strings.Contains(answer, code)
		})
		asks(budi, "accept")
		boardText(t, w, "budi", func(text string) bool { return strings.Contains(text, " · budi · ") })
		w.Post(budi, th.root.ID, "Saya budi, saya lanjutkan")
		if err := p.hear(ctx, "Saya budi, saya lanjutkan"); err != nil {
			t.Fatal(err)
		}
		for _, m := range p.Chat() {
			if strings.Contains(m.Text, "suar cari") || strings.Contains(m.Text, code) {
				t.Errorf("the person reads %q", m.Text)
			}
		}
		noFaults(t, h)
	})
}
