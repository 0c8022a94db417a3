package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"suar/internal/mattermosttest"
)

// TestOpenedAndFolded is what a person's chat shows of a case: a line that says
// nothing for each reply, the words only while it is open, after the time that
// the person chose nothing but what a stranger sees, and after Delete & leave
// nothing, be it two hundred messages.
func TestOpenedAndFolded(t *testing.T) {
	t.Parallel()
	h := newHotline(t, mattermosttest.StandIn(t), nil)
	ctx := patient(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w := h.world
	siti := w.Officers[0]
	channel := watch(t, w, w.Officers[1])
	h.start()

	stranger := &person{Person: h.telegram.Person(7002)}
	stranger.Start()
	must(stranger.step(ctx, danger[0]))
	help, err := word(danger[1])
	must(err)
	cover, err := stranger.see(ctx, "consular.home", help)
	must(err)

	p := &person{Person: h.telegram.Person(7001)}
	p.Start()
	must(p.walk(ctx, danger...))
	th, err := channel.nextRoot(ctx, 0)
	must(err)
	must(p.hearKey(ctx, "ui.status.alerting"))
	must(p.walk(ctx, dangers...))
	if status := w.Press(siti, th.root.ID, "claim"); status != http.StatusOK {
		t.Fatalf("the press answers %d", status)
	}
	must(p.walk(ctx, "case.talk.more", "case.more.hide", "case.hide.m1"))

	// A reply is a line that says nothing, until it is opened, and again when it
	// is closed.
	const words = "Kami di sini. Apakah kamu aman?"
	post := w.Post(siti, th.root.ID, words)
	marked(t, w, post.Id, "white_check_mark")
	news, err := p.news(ctx, "ui.open")
	must(err)
	if holdsWords(p.Chat(), words) {
		t.Errorf("the words are there before they are opened: %s", shown(p.Chat()))
	}
	must(p.pressKey(news, "ui.open"))
	must(p.hear(ctx, words))
	news, err = p.news(ctx, "ui.close")
	must(err)
	must(p.pressKey(news, "ui.close"))
	news, err = p.news(ctx, "ui.open")
	must(err)
	if holdsWords(p.Chat(), words) {
		t.Errorf("the words are there after they were closed: %s", shown(p.Chat()))
	}

	// Left open, and nothing done for a minute.
	p.Say("Tolong")
	_, err = th.hear(ctx, "Tolong")
	must(err)
	must(p.pressKey(news, "ui.open"))
	must(p.hear(ctx, words))
	line, err := word("ui.news")
	must(err)
	chat, err := p.Wait(ctx, func(chat []message) bool {
		return len(chat) == 2 && slices.ContainsFunc(chat, func(m message) bool { return looks(m) == looks(cover) })
	})
	if err != nil {
		t.Fatalf("at rest: %v; want the line and the cover; the chat is %s", err, shown(chat))
	}
	for _, m := range chat {
		if looks(m) != looks(cover) && m.Text != line {
			t.Errorf("at rest the chat shows %q, want %q", m.Text, line)
		}
	}

	// Back, with all that was there.
	must(p.walk(ctx, danger[1]))
	_, err = p.see(ctx, "case.talk", "")
	must(err)
	news, err = p.news(ctx, "ui.open")
	must(err)
	must(p.pressKey(news, "ui.open"))
	must(p.hear(ctx, words))

	// Two hundred messages, and gone.
	const many = 200
	for i := range many {
		p.Say(fmt.Sprintf("Kalimat %03d", i))
	}
	_, err = th.hear(ctx, fmt.Sprintf("Kalimat %03d", many-1))
	must(err)
	leave, err := word("ui.leave")
	must(err)
	must(h.telegram.Drained(ctx))
	if n := len(p.Chat()); n < many {
		t.Fatalf("%d messages are in the chat, want %d or more", n, many)
	}
	one, batch := h.telegram.Count("deleteMessage"), h.telegram.Count("deleteMessages")
	began := time.Now()
	must(p.Press(leave, 0))
	must(p.empty(ctx))
	t.Logf("%d messages were erased in %v", many, time.Since(began))
	if one, batch = h.telegram.Count("deleteMessage")-one, h.telegram.Count("deleteMessages")-batch; one+batch > 6 {
		t.Errorf("%d messages were erased by %d calls for one and %d for many; want batches of 100", many, one, batch)
	}
	h.stop()
	noFaults(t, h)
}

// news waits for a message of the bot's with one of the buttons of a reply.
func (p *person) news(ctx context.Context, key string) (message, error) {
	label, err := word(key)
	if err != nil {
		return message{}, err
	}
	found, err := p.WaitButton(ctx, label)
	if err != nil {
		return found, fmt.Errorf("waiting for %q: %w; the chat is %s", label, err, shown(p.Chat()))
	}
	return found, nil
}

// pressKey presses the button with a text of the catalogue.
func (p *person) pressKey(m message, key string) error {
	label, err := word(key)
	if err != nil {
		return err
	}
	return p.press(m, label)
}

// holdsWords tells whether a message of the bot's has the words.
func holdsWords(chat []message, words string) bool {
	return slices.ContainsFunc(chat, func(m message) bool { return m.FromBot && strings.Contains(m.Text, words) })
}

// looks is what somebody sees of a message.
func looks(m message) string {
	var b strings.Builder
	b.WriteString(m.Text)
	for _, row := range m.Buttons {
		b.WriteString("\n")
		for _, button := range row {
			fmt.Fprintf(&b, "[%s]", button.Label)
		}
	}
	return b.String()
}
