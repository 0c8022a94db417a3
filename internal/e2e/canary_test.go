package e2e

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"suar/internal/mattermosttest"
	"suar/internal/mattermosttest/standin"
	"suar/internal/scrub/scrubtest"
	"suar/internal/telegramtest"
)

// TestCanaries sends words, ids, names and tokens along every path, the failures
// of both sides among them, and then looks for them where they must not be:
// what suar printed, the files of its data folder, and, but for what was
// relayed, in Mattermost's log and database.
func TestCanaries(t *testing.T) {
	t.Parallel()
	world := mattermosttest.Real(t)
	url, faults := world.Proxy()
	watched := freeAddress(t)
	h := newHotline(t, world, func(_ *hotline, config map[string]any) {
		config["mattermost"].(map[string]any)["url"] = url
		config["metrics"] = map[string]any{"listen": watched, "pprof": true}
	})
	h.telegram.SetNextUpdate(913_447_281)
	ctx := patientFor(t, 2*patience)
	c := &canaries{t: t, h: h, faults: faults, relayed: map[string]string{}, kept: map[string]string{}}
	c.screen = watch(t, world, world.Officers[1])
	h.start()

	c.talk(ctx)
	c.refused(ctx)
	c.secrets(ctx)
	c.allowed(ctx)
	c.telegramFails(ctx)
	c.mattermostFails(ctx)
	h.kill()
	h.start()
	c.unreadable(ctx)
	c.forged(ctx)
	if err := h.telegram.Drained(ctx); err != nil {
		t.Fatal(err)
	}
	c.leaves(ctx)
	pages := map[string][]byte{}
	for _, path := range []string{"/metrics", "/readyz", "/debug/pprof/goroutine?debug=2", "/debug/pprof/heap?debug=1"} {
		pages[path] = c.page(ctx, "http://"+watched+path)
	}
	h.stop()
	if faults := h.telegram.Faults(); len(faults) != 0 {
		t.Errorf("against the Bot API's schema:\n%s", strings.Join(faults, "\n"))
	}

	// Never in Mattermost, never in what suar prints or keeps.
	secret := map[string]string{
		"name": telegramtest.CanaryName, "user name": telegramtest.CanaryUsername,
		"telephone number": telegramtest.CanaryPhone, "file": telegramtest.CanaryFile,
		"Telegram token": h.telegram.Token, "its second half": strings.SplitN(h.telegram.Token, ":", 2)[1],
		"passphrase": passphrase,
	}
	for i := range canaryPeople {
		secret[fmt.Sprintf("chat id %d", i)] = fmt.Sprint(canaryChat + i)
	}
	for i := range 40 {
		secret[fmt.Sprintf("update id %d", i)] = fmt.Sprint(913_447_281 + i)
	}
	vault, err := os.ReadFile(filepath.Join(h.secrets, "vault"))
	if err != nil {
		t.Fatal(err)
	}
	secret["vault key"] = strings.TrimSpace(string(vault))
	raw, err := hex.DecodeString(secret["vault key"])
	if err != nil {
		t.Fatal(err)
	}
	secret["raw vault key"] = string(raw)

	log := h.printed()
	if !bytes.Contains(log, []byte("level=DEBUG")) || !bytes.Contains(log, []byte("effect deferred")) {
		t.Error("the log says nothing of what happened: the test looks at the wrong thing")
	}
	absent(t, "suar's log", log, secret)
	absent(t, "suar's log", log, c.relayed)
	absent(t, "suar's log", log, c.kept)
	absent(t, "suar's log", log, map[string]string{
		"Mattermost token": world.Bot.Token, "officer's id": world.Officers[0].ID, "bot's id": world.Bot.ID,
		"thread": c.root, "channel": world.ChannelID,
	})
	if found := regexp.MustCompile(`\b(siti|tlh)\b`).Find(log); found != nil {
		t.Errorf("suar's log holds %q", found)
	}
	if !bytes.Contains(pages["/metrics"], []byte(`suar_cases_entered_total{phase="claimed"} `)) || !bytes.Contains(pages["/readyz"], []byte("mattermost: ")) {
		t.Errorf("the metrics say nothing of what happened: the test looks at the wrong thing:\n%s", pages["/readyz"])
	}
	for path, page := range pages {
		absent(t, path, page, secret)
		absent(t, path, page, c.relayed)
		absent(t, path, page, c.kept)
		absent(t, path, page, map[string]string{
			"Mattermost token": world.Bot.Token, "officer's id": world.Officers[0].ID, "bot's id": world.Bot.ID,
			"thread": c.root, "channel": world.ChannelID,
		})
	}
	data := files(t, h.data)
	if len(data) < 2 {
		t.Error("nothing was put aside: the test looks at the wrong thing")
	}
	for name, content := range data {
		absent(t, name, content, secret)
		absent(t, name, content, c.relayed)
		absent(t, name, content, c.kept)
		absent(t, name, content, map[string]string{"Mattermost token": world.Bot.Token, "thread": c.root})
	}

	dump := world.Dump()
	for name, word := range c.relayed {
		if !bytes.Contains(dump, []byte(word)) {
			t.Errorf("Mattermost has not the %s: it was lost", name)
		}
	}
	absent(t, "Mattermost's database", dump, secret)
	absent(t, "Mattermost's database", dump, c.kept)
	absent(t, "Mattermost's log", world.Log(), secret)
	absent(t, "Mattermost's log", world.Log(), c.kept)
	absent(t, "Mattermost's log", world.Log(), c.relayed)
}

const (
	canaryChat   = 8_640_227_390
	canaryPeople = 4
)

// canaries is the run of TestCanaries.
type canaries struct {
	t      *testing.T
	h      *hotline
	faults *standin.Faults
	screen *screen

	// relayed are words that belong into the thread, kept such that must not
	// leave the place where they were said.
	relayed, kept map[string]string
	person        *person
	thread        *thread
	root          string
}

// page is what the hotline answers to those who run it.
func (c *canaries) page(ctx context.Context, url string) []byte {
	c.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	c.must(err)
	resp, err := http.DefaultClient.Do(r)
	c.must(err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	c.must(err)
	return raw
}

func (c *canaries) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func canary(all map[string]string, name string) string {
	all[name] = fmt.Sprintf("kenari%s%02dqzx", strings.ReplaceAll(name, " ", ""), len(all))
	return all[name]
}

func (c *canaries) relay(name string) string { return canary(c.relayed, name) }
func (c *canaries) keep(name string) string  { return canary(c.kept, name) }

// says lets the person say something and waits until it is in the thread.
func (c *canaries) says(ctx context.Context, name string) {
	c.t.Helper()
	text := c.relay(name)
	c.person.Say(text)
	_, err := c.thread.hear(ctx, text)
	c.must(err)
}

// replies lets the officer write something and waits until the person has it.
func (c *canaries) replies(ctx context.Context, name string) {
	c.t.Helper()
	text := c.relay(name)
	c.h.world.Post(c.h.world.Officers[0], c.root, text)
	c.must(c.person.hear(ctx, text))
}

// talk is a case in which nothing goes wrong.
func (c *canaries) talk(ctx context.Context) {
	c.t.Helper()
	w := c.h.world
	c.person = &person{Person: c.h.telegram.Person(canaryChat)}
	c.person.Start()
	c.must(c.person.walk(ctx, danger...))
	var err error
	c.thread, err = c.screen.nextRoot(ctx, 0)
	c.must(err)
	c.root = c.thread.root.ID
	c.says(ctx, "first words")
	if status := w.PressID(w.Officers[0], c.root, "claim"); status != 200 {
		c.t.Fatalf("the press answers %d", status)
	}
	c.must(c.person.attended(ctx))
	c.replies(ctx, "first reply")
	note := w.Post(w.Officers[0], c.root, "// "+c.relay("note"))
	marked(c.t, w, note.Id, "lock")
	id := c.person.Say(c.relay("slip"))
	c.must(c.person.Edit(id, c.relay("correction")))
	_, err = c.thread.hearPart(ctx, c.relayed["correction"])
	c.must(err)
}

// refused is all that the bot does not take. The words beneath it are taken.
func (c *canaries) refused(ctx context.Context) {
	c.t.Helper()
	for _, kind := range []string{
		telegramtest.Photo, telegramtest.Voice, telegramtest.Document, telegramtest.Contact, telegramtest.Location,
	} {
		caption := ""
		if kind == telegramtest.Photo || kind == telegramtest.Document {
			caption = c.relay("caption of a " + kind)
		}
		c.person.Send(kind, caption)
	}
	c.person.Forge(c.keep("forged data"), 1)
	c.says(ctx, "after attachments")
	if n := c.h.telegram.Count("getFile") + c.h.telegram.Count("file"); n != 0 {
		c.t.Errorf("%d files were fetched", n)
	}
	for _, kind := range []string{telegramtest.Photo, telegramtest.Document} {
		_, err := c.thread.hear(ctx, c.relayed["caption of a "+kind])
		c.must(err)
	}
}

// allowed is a photo that an officer allowed, and a file that is none.
func (c *canaries) allowed(ctx context.Context) {
	c.t.Helper()
	w := c.h.world
	siti := w.Officers[0]
	client := w.Watch(siti)
	confirm(c.t, w, client, siti, func() int { return w.Choose(siti, c.root, "more", "media:mark") })
	c.kept["what a photo says of itself"] = scrubtest.Canary
	c.person.SendFile(telegramtest.File{Kind: telegramtest.Document, Content: scrubtest.JPEG(640, 480), Type: "image/jpeg"}, c.relay("caption of a photo that is allowed"))
	_, err := c.thread.hearPart(ctx, "Foto 1, ")
	c.must(err)
	c.person.SendFile(telegramtest.File{Kind: telegramtest.Document, Content: []byte(c.keep("a file that is none")), Type: "image/jpeg"}, "")
	c.must(c.person.hearKey(ctx, "ui.media_unsuited"))
}

// secrets are what the person agrees on with nobody but the hotline: a check
// word, a phrase, and a receipt code, which somebody else tries as well.
func (c *canaries) secrets(ctx context.Context) {
	c.t.Helper()
	c.must(c.person.walk(ctx, dangers...))
	c.must(c.person.keepSecret(ctx, "word_set", c.keep("check word")))
	c.must(c.person.keepSecret(ctx, "phrase_set", c.keep("danger phrase")))
	code, err := c.person.receipt(ctx)
	c.must(err)
	c.kept["receipt code"], c.kept["receipt code without spaces"] = code, strings.ReplaceAll(code, " ", "")
	c.says(ctx, "words that are compared with the check word")

	other := &person{Person: c.h.telegram.Person(canaryChat + 3)}
	other.Start()
	c.must(other.walk(ctx, opening...))
	other.types = c.keep("wrong code")
	c.must(other.walk(ctx, "opening.need.number", "type@return.number"))
	other.types = c.keep("answer beside a wrong code")
	c.must(other.walk(ctx, "type@return.question", "return.noted.ok", "consular.home.help", "opening.now.yes", "opening.notice.agree"))
	other.types = code
	c.must(other.walk(ctx, "opening.need.number", "type@return.number"))
	other.types = c.keep("answer beside a right code")
	c.must(other.walk(ctx, "type@return.question", "return.noted.ok"))
	_, err = c.thread.hearPart(ctx, asksToContinue(c.t, "wrong"))
	c.must(err)
}

// telegramFails lets Telegram refuse in each way, with words in its answers.
func (c *canaries) telegramFails(ctx context.Context) {
	c.t.Helper()
	echo := c.keep("words in an answer of Telegram's")
	for i, f := range []*telegramtest.Failure{
		telegramtest.TooManyRequests(1),
		telegramtest.Refused(500, "Internal Server Error: "+echo),
		telegramtest.Broken(502),
		{Status: 504, Body: "<html>" + echo + "</html>"},
		telegramtest.CutBefore(),
		telegramtest.CutAfter(),
	} {
		c.h.telegram.Fail("sendMessage", telegramtest.Times(f))
		c.replies(ctx, fmt.Sprintf("reply in trouble %d", i))
		c.h.telegram.Fail("editMessageText", telegramtest.Times(f))
		c.h.telegram.Fail("getUpdates", telegramtest.Times(f))
		c.says(ctx, fmt.Sprintf("words in trouble %d", i))
	}
	for _, method := range []string{"sendMessage", "editMessageText", "getUpdates"} {
		c.h.telegram.Fail(method, nil)
	}
	// Somebody else's chat is closed to the bot at a bad moment.
	other := &person{Person: c.h.telegram.Person(canaryChat + 1)}
	c.h.telegram.Fail("sendMessage", func(call telegramtest.Call) *telegramtest.Failure {
		if call.Chat != other.ID() {
			return nil
		}
		return telegramtest.Refused(403, "Forbidden: bot was blocked by the user "+echo)
	})
	other.Start()
	text := c.relay("words of somebody who blocks")
	other.Say(text)
	th, err := c.screen.nextRoot(ctx, 1)
	c.must(err)
	_, err = th.hear(ctx, text)
	c.must(err)
	_, err = th.hearPart(ctx, officersWord(c.t, "card.blocked"))
	c.must(err)
	c.h.telegram.Fail("sendMessage", nil)
	other.Block()
}

// mattermostFails lets Mattermost refuse in each way.
func (c *canaries) mattermostFails(ctx context.Context) {
	c.t.Helper()
	echo := c.keep("words in an answer of Mattermost's")
	all := []standin.Fault{
		{Status: 500, Body: `{"id":"x","message":"` + echo + `","status_code":500}`},
		{Status: 502, Body: "<html>" + echo + "</html>"},
		{Status: 429, Header: http.Header{"Retry-After": {"1"}}},
		{Status: 200, Body: `{"id": "half` + echo},
		{Lose: true},
	}
	if !testing.Short() {
		// Each takes half a minute.
		all = append(all,
			standin.Fault{Status: 403, Body: `{"id":"x","message":"` + echo + `","status_code":403}`},
			standin.Fault{Status: 401, Body: `{"id":"x","message":"` + echo + `","status_code":401}`},
			standin.Fault{Hang: true})
	}
	for i, f := range all {
		f.Method, f.Path, f.Times = "POST", "/posts", 1
		c.faults.Inject(f)
		c.says(ctx, fmt.Sprintf("words while Mattermost fails %d", i))
	}
	c.faults.Heal()
	// And it is away for a while.
	c.h.world.Stop()
	text := c.relay("words while Mattermost is away")
	c.person.Say(text)
	c.must(c.h.telegram.Drained(ctx))
	c.h.world.Start()
	await(c.t, "what was said meanwhile is there", func() (string, bool) {
		for _, p := range c.h.world.Thread(c.root) {
			if strings.Contains(p.Message, text) {
				return "", true
			}
		}
		return "nothing", false
	})
	c.screen = watch(c.t, c.h.world, c.h.world.Officers[1])
	text = c.relay("reply after Mattermost was away")
	reply := c.h.world.Post(c.h.world.Officers[0], c.root, text)
	c.must(c.person.hear(ctx, text))
	marked(c.t, c.h.world, reply.Id, "white_check_mark")
}

// unreadable are updates that cannot be decoded, and kinds that are not known.
func (c *canaries) unreadable(ctx context.Context) {
	c.t.Helper()
	inject := func(format string, words ...any) {
		c.h.telegram.Inject(func(id int64) []byte { return fmt.Appendf(nil, format, append([]any{id}, words...)...) })
	}
	inject(`{"update_id": %d, "message": {"message_id": "no number", "text": %q}}`, c.keep("broken message"))
	inject(`{"update_id": %d, "message": {"message_id": 5, "chat": {"id": 1e400, "title": %q}}}`, c.keep("broken chat"))
	inject(`{"update_id": %d, "a_kind_of_tomorrow": {"text": %q}}`, c.keep("unknown kind"))
	inject(`{"update_id": %d, "message": %s"%s"%s}`, strings.Repeat("[", 20_000), c.keep("deep"), strings.Repeat("]", 20_000))
	inject(`{"update_id": %d, "message": {"message_id": 9, "from": {"id": %d, "is_bot": false, "first_name": %q}, "chat": {"id": %d, "type": "private"}, "date": "yesterday", "text": %q}}`,
		canaryChat+2, telegramtest.CanaryName, canaryChat+2, c.keep("broken date"))
	c.must(c.h.telegram.Drained(ctx))
	// The rest goes on.
	text := c.relay("words after what cannot be read")
	c.person.Say(text)
	await(c.t, "the rest goes on", func() (string, bool) {
		for _, p := range c.h.world.Thread(c.root) {
			if strings.Contains(p.Message, text) {
				return "", true
			}
		}
		return "nothing", false
	})
}

// forged are requests to suar's own address.
func (c *canaries) forged(ctx context.Context) {
	c.t.Helper()
	for path, body := range map[string]string{
		"/mattermost/action": `{"user_id": "` + c.keep("forged user") + `", "trigger_id": "x", "context": {"mac": "00"}}`,
		"/mattermost/dialog": `{"state": "` + c.keep("forged state") + `"}`,
		"/mattermost/other":  c.keep("forged path"),
		"/telegram":          `{"update_id": 1, "message": {"text": "` + c.keep("forged update") + `"}}`,
		"/" + c.keep("path"): "",
	} {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.h.address+path, strings.NewReader(body))
		c.must(err)
		req.Header.Set("X-Telegram-Bot-Api-Secret-Token", c.keep("forged secret of "+path))
		resp, err := http.DefaultClient.Do(req)
		c.must(err)
		answer, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		c.must(err)
		if resp.StatusCode < 400 && bytes.Contains(answer, []byte("kenari")) {
			c.t.Errorf("%s answers with what was sent", path)
		}
	}
}

// leaves lets the person delete the chat.
func (c *canaries) leaves(ctx context.Context) {
	c.t.Helper()
	c.person.Say("/delete")
	// Of the one message that was sent when the connection was cut, Telegram
	// never told the id: it was sent again, and the first one cannot be erased.
	try, cancel := context.WithTimeout(ctx, patience/2)
	defer cancel()
	chat, err := c.person.Wait(try, func(chat []message) bool {
		return len(chat) == 0 || len(chat) == 1 && chat[0].FromBot
	})
	if err != nil {
		c.t.Errorf("after /delete there is still %s", shown(chat))
	}
}
