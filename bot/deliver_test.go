package bot_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"suar/bot"
	"suar/flows"
	"suar/internal/engine"
	"suar/internal/telegramtest"
)

// clock is a clock that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// A talk delivers to the person of most tests.
type talk struct {
	*stage
	*bot.Bot
	person *telegramtest.Person
	clock  *clock
	n      int
}

func newTalk(t *testing.T, change func(*bot.Config)) *talk {
	t.Helper()
	c := newClock()
	s := newStage(t, telegramtest.Options{Now: c.now})
	k := &talk{stage: s, Bot: s.bot(change), person: s.Person(canaryChat), clock: c}
	k.person.Start()
	return k
}

func (k *talk) delivery(e flows.Effect) engine.Delivery {
	k.n++
	return engine.Delivery{ID: fmt.Sprintf("%032x", k.n), Caller: canaryChatText, Effect: e, Tries: 1}
}

func (k *talk) deliver(d engine.Delivery) flows.Delivered {
	k.t.Helper()
	done, err := k.Deliver(k.t.Context(), d)
	if err != nil {
		k.t.Fatalf("Deliver: %v", err)
	}
	return done
}

func (k *talk) show(text string, bubble flows.MessageID, buried bool) flows.MessageID {
	k.t.Helper()
	d := k.delivery(flows.Show{})
	d.View = flows.View{Text: text, Rows: [][]flows.Button{{{Label: "Ya", Data: "a1"}, {Label: "Bahaya", Data: "b2", Danger: true}}}}
	d.Bubble, d.Buried = bubble, buried
	return k.deliver(d).Message
}

// hapus is the one button beneath a message.
func hapus() [][]flows.Button { return [][]flows.Button{{{Label: "Hapus", Data: "e1"}}} }

func (k *talk) say(text string) flows.MessageID {
	k.t.Helper()
	return k.deliver(k.delivery(flows.Say{Text: text, Rows: hapus()})).Message
}

// bots returns the bot's messages in the chat.
func (k *talk) bots() []telegramtest.Message {
	var out []telegramtest.Message
	for _, m := range k.person.Chat() {
		if m.FromBot {
			out = append(out, m)
		}
	}
	return out
}

func (k *talk) texts() []string {
	var out []string
	for _, m := range k.bots() {
		out = append(out, m.Text)
	}
	return out
}

func TestTheBubbleIsEditedInPlace(t *testing.T) {
	k := newTalk(t, nil)
	first := k.show("satu", "", false)
	second := k.show("dua", first, false)
	again := k.show("dua", second, false) // nothing to change is delivered
	if second != first || again != first {
		t.Errorf("messages %s, %s, %s; want one", first, second, again)
	}
	got := k.bots()
	want := []telegramtest.Message{{
		ID: got[0].ID, FromBot: true, Text: "dua", At: k.clock.now(), Edited: true, Silent: true,
		Buttons: [][]telegramtest.Button{{{Label: "Ya", Data: "a1"}, {Label: "Bahaya", Data: "b2", Style: "danger"}}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestABubbleThatIsGoneOrBuriedIsPlacedAnew, and the old one is left to the
// erasure that follows, so that it is tried again when it fails.
func TestABubbleThatIsGoneOrBuriedIsPlacedAnew(t *testing.T) {
	k := newTalk(t, nil)
	first := k.show("satu", "", false)
	k.person.Say("halo")
	second := k.show("dua", first, true)
	if second == first || !slices.Equal(k.texts(), []string{"satu", "dua"}) || k.Count("deleteMessage")+k.Count("deleteMessages") != 0 {
		t.Errorf("buried: %s after %s, %q", second, first, k.texts())
	}
	k.deliver(k.delivery(flows.Erase{Messages: []flows.MessageID{first}}))
	k.person.Delete(k.bots()[0].ID)
	third := k.show("tiga", second, false)
	if third == second || !slices.Equal(k.texts(), []string{"tiga"}) {
		t.Errorf("gone: %s after %s, %q", third, second, k.texts())
	}
	// An old bubble that can no longer be deleted says nothing, and has no
	// button.
	k.clock.advance(49 * time.Hour)
	k.show("empat", third, true)
	k.deliver(k.delivery(flows.Erase{Messages: []flows.MessageID{third}}))
	got := k.bots()
	if len(got) != 2 || got[0].Text != "·" || got[0].Buttons != nil || got[1].Text != "empat" {
		t.Errorf("old: %+v", got)
	}
}

// TestAnEmptyViewShowsNothing: after the person left, a Show that was on its
// way has nothing to show, and must not bring the chat back to life.
func TestAnEmptyViewShowsNothing(t *testing.T) {
	k := newTalk(t, nil)
	for _, text := range []string{"", " \n\u200b"} {
		if id := k.show(text, "", false); id != "" || len(k.texts()) != 0 {
			t.Errorf("an empty view was shown as %q", k.texts())
		}
	}
}

// TestAQuietShowMakesNoNewMessage: what the person did not ask for is shown in
// place or not at all.
func TestAQuietShowMakesNoNewMessage(t *testing.T) {
	k := newTalk(t, nil)
	quiet := func(text string, bubble flows.MessageID, buried bool) flows.MessageID {
		d := k.delivery(flows.Show{Quiet: true})
		d.View, d.Bubble, d.Buried = flows.View{Text: text}, bubble, buried
		return k.deliver(d).Message
	}
	if id := quiet("kabar", "", false); id != "" || len(k.texts()) != 0 {
		t.Errorf("without a bubble: %q", k.texts())
	}
	bubble := k.show("awal", "", false)
	if id := quiet("kabar", bubble, true); id != bubble || !slices.Equal(k.texts(), []string{"kabar"}) {
		t.Errorf("with a buried bubble: %q in %q", k.texts(), id)
	}
	if id := quiet("lagi", "999999", false); id != "999999" || !slices.Equal(k.texts(), []string{"kabar"}) {
		t.Errorf("with a bubble that is gone: %q in %q", k.texts(), id)
	}
}

func TestAViewThatIsTooLongIsShownAllTheSame(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"long", strings.Repeat("kata ", 2000)},
		{"4,096 four-byte runes", strings.Repeat("😀", 4096)},
		{"combining marks", "a" + strings.Repeat("\u0301", 8000)},
		{"families", strings.Repeat("👩‍👧‍👦", 2000)},
		{"NUL and bad UTF-8", "a\x00b\xff\xfe"},
		{"bidi", "\u202e\u2066terbalik"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newTalk(t, nil)
			id := k.show(tt.text, "", false)
			k.show("lain", id, false)
			k.show(tt.text, id, false)
			if got := k.texts(); len(got) != 1 || got[0] == "" || got[0] == "lain" {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestAnOfficersWordsAreSilentProtectedAndErasable(t *testing.T) {
	k := newTalk(t, nil)
	id := k.say("Kami di sini. https://example.org *tidak tebal*")
	got := k.bots()
	want := []telegramtest.Message{{
		ID: got[0].ID, FromBot: true, Text: "Kami di sini. https://example.org *tidak tebal*", At: k.clock.now(),
		Silent: true, Protected: true, Buttons: [][]telegramtest.Button{{{Label: "Hapus", Data: "e1"}}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	p := k.Requests("sendMessage")[0].Params
	if diff := cmp.Diff(map[string]any{"is_disabled": true}, p["link_preview_options"]); diff != "" {
		t.Errorf("previews: %s", diff)
	}
	if _, ok := p["parse_mode"]; ok {
		t.Error("a parse mode was set")
	}
	k.deliver(k.delivery(flows.Amend{Message: id, Text: "Lain.", Rows: hapus()}))
	if got := k.bots(); got[0].Text != "Lain." || len(got[0].Buttons) != 1 {
		t.Errorf("amended: %+v", got)
	}
}

// long is an officer's text of 16,000 runes of which no two words are alike.
func long() string {
	var b strings.Builder
	for i := 0; utf8.RuneCountInString(b.String()) < 16_000; i++ {
		fmt.Fprintf(&b, "kata%d ", i)
		if i%50 == 49 {
			b.WriteString("\n\n")
		}
	}
	return b.String()
}

func TestLongWordsComeWhole(t *testing.T) {
	k := newTalk(t, nil)
	id := k.say(long())
	got := k.bots()
	if len(got) < 4 || len(strings.Split(string(id), ",")) != len(got) {
		t.Fatalf("%d messages, id %s", len(got), id)
	}
	if diff := cmp.Diff(strings.Fields(long()), strings.Fields(strings.Join(k.texts(), " "))); diff != "" {
		t.Errorf("words were lost or cut: %s", diff)
	}
	for i, m := range got {
		if n := len(utf16.Encode([]rune(m.Text))); n > 4096 {
			t.Errorf("message %d has %d units", i, n)
		}
		if (len(m.Buttons) > 0) != (i == len(got)-1) {
			t.Errorf("message %d has buttons %v", i, m.Buttons)
		}
	}
	// Fewer words later: what is too much goes.
	k.deliver(k.delivery(flows.Amend{Message: id, Text: "Pendek.", Rows: hapus()}))
	if got := k.texts(); !slices.Equal(got, []string{"Pendek."}) {
		t.Errorf("amended: %q", got)
	}
	// More words than there is room for are refused, and nothing changes.
	_, err := k.Deliver(t.Context(), k.delivery(flows.Amend{Message: k.say("x"), Text: long()}))
	if f := failure(t, err); f.Reason != flows.ReasonRejected || !f.Final {
		t.Errorf("%+v", f)
	}
	if done := k.deliver(k.delivery(flows.Erase{Messages: []flows.MessageID{id}})); len(done.Kept) != 0 {
		t.Errorf("kept %v", done.Kept)
	}
}

func TestLongWordsThatBreakOffAreTakenUp(t *testing.T) {
	k := newTalk(t, nil)
	k.Fail("sendMessage", telegramtest.Times(nil, nil, telegramtest.TooManyRequests(2)))
	d := k.delivery(flows.Say{Text: long(), Rows: hapus()})
	_, err := k.Deliver(t.Context(), d)
	if f := failure(t, err); f.Status != 429 || f.After != 2*time.Second || f.Final || f.Perhaps {
		t.Fatalf("%+v", f)
	}
	d.Tries++
	k.deliver(d)
	if diff := cmp.Diff(strings.Fields(long()), strings.Fields(strings.Join(k.texts(), " "))); diff != "" {
		t.Errorf("lost or twice: %s", diff)
	}
}

// TestWhatWasNotRecordedIsNotMadeAgain: the engine delivers again what it could
// not record.
func TestWhatWasNotRecordedIsNotMadeAgain(t *testing.T) {
	k := newTalk(t, nil)
	show, say := k.delivery(flows.Show{}), k.delivery(flows.Say{Text: long()})
	show.View.Text = "satu"
	first, words := k.deliver(show), k.deliver(say)
	show.View.Text = "dua" // the view is of the time of delivery
	if again := k.deliver(show); again.Message != first.Message {
		t.Errorf("a second bubble %s after %s", again.Message, first.Message)
	}
	before := len(k.texts())
	if again := k.deliver(say); again.Message != words.Message || len(k.texts()) != before {
		t.Errorf("said twice: %s after %s", again.Message, words.Message)
	}
	if got := k.texts(); got[0] != "dua" {
		t.Errorf("the bubble says %q", got[0])
	}
	// A bubble that is gone meanwhile is made anew.
	k.person.Delete(k.bots()[0].ID)
	if again := k.deliver(show); again.Message == first.Message {
		t.Errorf("nothing to see")
	}
}

func TestLongWordsThatCannotEndAreTakenBack(t *testing.T) {
	k := newTalk(t, nil)
	k.Fail("sendMessage", telegramtest.Times(nil, nil, telegramtest.Refused(403, "Forbidden: bot was blocked by the user")))
	_, err := k.Deliver(t.Context(), k.delivery(flows.Say{Text: long()}))
	if f := failure(t, err); f.Reason != flows.ReasonBlocked || !f.Final || !f.Perhaps {
		t.Errorf("%+v", f)
	}
	if got := k.texts(); len(got) != 0 {
		t.Errorf("%d messages stay that nobody knows", len(got))
	}
}

func TestErase(t *testing.T) {
	k := newTalk(t, nil)
	ids := []flows.MessageID{k.show("gelembung", "", false), k.say("kata")}
	for i := range 250 {
		ids = append(ids, flows.MessageID(fmt.Sprint(k.person.Say(fmt.Sprint("pesan ", i)))))
	}
	ids = append(ids, "1", ids[0]) // one that is not there, one twice
	done := k.deliver(k.delivery(flows.Erase{Messages: ids}))
	if len(done.Kept) != 0 || len(k.person.Chat()) != 1 { // the /start is not on the list
		t.Errorf("kept %v, %d in the chat", done.Kept, len(k.person.Chat()))
	}
	for _, r := range k.Requests("deleteMessages") {
		if n := len(r.Params["message_ids"].([]any)); n > 100 {
			t.Errorf("%d ids in one call", n)
		}
	}
	if n := k.Count("deleteMessages"); n != 3 {
		t.Errorf("%d calls, want 3", n)
	}
	if done := k.deliver(k.delivery(flows.Erase{})); len(done.Kept) != 0 {
		t.Errorf("nothing to erase: %v", done.Kept)
	}
}

func TestWhatIsTooOldToEraseIsToldAndSaysNothing(t *testing.T) {
	k := newTalk(t, nil)
	mine := k.say("lama " + canaryText)
	hers := flows.MessageID(fmt.Sprint(k.person.Say("lama juga")))
	k.clock.advance(47 * time.Hour)
	young := k.say("baru")
	k.clock.advance(time.Hour)
	done := k.deliver(k.delivery(flows.Erase{Messages: []flows.MessageID{mine, hers, young, "x", ""}}))
	if diff := cmp.Diff([]flows.MessageID{"x", "", mine, hers}, done.Kept); diff != "" {
		t.Errorf("kept: %s", diff)
	}
	if got := k.bots(); len(got) != 1 || got[0].Text != "·" || got[0].Buttons != nil {
		t.Errorf("the bot's: %+v", got)
	}
}

func failure(t *testing.T, err error) *engine.Failure {
	t.Helper()
	var f *engine.Failure
	if !errors.As(err, &f) {
		t.Fatalf("%v is no *engine.Failure", err)
	}
	return f
}

// TestEveryFailure goes through all that Telegram or the way to it can answer,
// for every effect, and holds the result against the table and the canaries.
func TestEveryFailure(t *testing.T) {
	type want struct {
		reason  flows.Reason
		status  int
		final   bool
		perhaps bool
		after   time.Duration
		all     bool
	}
	refused := telegramtest.Refused
	secret := " " + canaryText + " 123456:" + canaryToken
	for _, tt := range []struct {
		name    string
		failure *telegramtest.Failure
		want    want
	}{
		{"blocked", refused(403, "Forbidden: bot was blocked by the user"+secret), want{reason: flows.ReasonBlocked, status: 403, final: true}},
		{"deactivated", refused(403, "Forbidden: user is deactivated"), want{reason: flows.ReasonBlocked, status: 403, final: true}},
		{"never started", refused(403, "Forbidden: bot can't initiate conversation with a user"), want{reason: flows.ReasonBlocked, status: 403, final: true}},
		{"chat not found", refused(400, "Bad Request: chat not found"), want{reason: flows.ReasonBlocked, status: 400, final: true}},
		{"too long", refused(400, "Bad Request: message is too long"+secret), want{reason: flows.ReasonRejected, status: 400, final: true}},
		{"unheard of", refused(400, "Bad Request: WHATEVER_INVALID"+secret), want{reason: flows.ReasonRejected, status: 400, final: true}},
		{"migrated", &telegramtest.Failure{Status: 400, Description: "Bad Request: group chat was upgraded to a supergroup chat"}, want{reason: flows.ReasonRejected, status: 400, final: true}},
		{"token", refused(401, "Unauthorized"+secret), want{status: 401, after: time.Minute, all: true}},
		{"token gone", refused(404, "Not Found"), want{status: 404, after: time.Minute, all: true}},
		{"conflict", refused(409, "Conflict"), want{status: 409}},
		{"flood", telegramtest.TooManyRequests(3600), want{status: 429, after: time.Hour}},
		{"flood without a time", refused(429, "Too Many Requests"), want{status: 429, after: time.Second}},
		{"flood as a page", &telegramtest.Failure{Status: 429, Body: "<html>" + secret, RetryAfter: 7}, want{status: 429, after: 7 * time.Second}},
		{"500", refused(500, "Internal Server Error"+secret), want{status: 500, perhaps: true}},
		{"502 page", &telegramtest.Failure{Status: 502, Body: "<html>" + secret}, want{status: 502, perhaps: true}},
		{"200 page", &telegramtest.Failure{Status: 200, Body: "<html>" + secret}, want{status: 200, perhaps: true}},
		{"413 page", &telegramtest.Failure{Status: 413, Body: "<html>" + secret}, want{status: 413}},
		{"half an answer", &telegramtest.Failure{Status: 200, Body: `{"ok":true,"result":{"text":"` + secret}, want{status: 200, perhaps: true}},
		{"a result of another shape", &telegramtest.Failure{Status: 200, Description: `"` + secret + `"`}, want{perhaps: true}},
		{"cut", telegramtest.CutBefore(), want{perhaps: true}},
	} {
		for _, e := range []struct {
			method string
			effect flows.Effect
		}{
			{"sendMessage", flows.Say{Text: canaryText}},
			{"editMessageText", flows.Amend{Message: "5", Text: canaryText}},
			{"sendMessage", flows.Show{}},
		} {
			t.Run(fmt.Sprintf("%s/%T", tt.name, e.effect), func(t *testing.T) {
				k := newTalk(t, nil)
				k.Fail(e.method, telegramtest.Always(tt.failure))
				d := k.delivery(e.effect)
				d.View.Text = canaryText
				_, err := k.Deliver(t.Context(), d)
				f := failure(t, err)
				got := want{f.Reason, f.Status, f.Final, f.Perhaps, f.After, f.All}
				if got != tt.want {
					t.Errorf("got %+v, want %+v", got, tt.want)
				}
				for e := err; e != nil; e = errors.Unwrap(e) {
					checkCanaries(t, "an error", fmt.Sprintf("%v %+v %#v %q", e, e, e, e))
				}
			})
		}
	}
}

func TestAMessageThatIsGoneCannotBeAmended(t *testing.T) {
	k := newTalk(t, nil)
	for _, id := range []flows.MessageID{"4", "", "x", "4,y", "-1"} {
		_, err := k.Deliver(t.Context(), k.delivery(flows.Amend{Message: id, Text: "a"}))
		if f := failure(t, err); f.Reason != flows.ReasonGone || !f.Final {
			t.Errorf("%q: %+v", id, f)
		}
	}
}

func TestNobodyListens(t *testing.T) {
	k := newTalk(t, func(c *bot.Config) { c.ServerURL = "http://127.0.0.1:1" })
	_, err := k.Deliver(t.Context(), k.delivery(flows.Say{Text: "a"}))
	if f := failure(t, err); f.Final || f.Perhaps || f.Status != 0 {
		t.Errorf("%+v: a connection that was refused carried nothing", f)
	}
}

func TestADeliveryThatIsGivenUpMayHaveHappened(t *testing.T) {
	k := newTalk(t, nil)
	arrived := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	k.Fail("sendMessage", func(telegramtest.Call) *telegramtest.Failure {
		close(arrived)
		return telegramtest.Slow(time.Minute)
	})
	go func() {
		<-arrived
		cancel()
	}()
	_, err := k.Deliver(ctx, k.delivery(flows.Say{Text: "a"}))
	if f := failure(t, err); f.Final || !f.Perhaps || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v", f)
	}
}

func TestAFloodOfTwoChatsIsTheBots(t *testing.T) {
	k := newTalk(t, nil)
	other := k.Person(42)
	other.Start()
	k.Fail("sendMessage", telegramtest.Always(telegramtest.TooManyRequests(30)))
	say := func(chat string) bool {
		d := k.delivery(flows.Say{Text: "a"})
		d.Caller = chat
		_, err := k.Deliver(t.Context(), d)
		return failure(t, err).All
	}
	for range 2 {
		if say(canaryChatText) {
			t.Error("one chat's flood holds up all")
		}
	}
	if !say("42") {
		t.Error("two chats' floods at once are not taken for the bot's")
	}
}

func TestTheWrongEffectAndTheWrongAddress(t *testing.T) {
	k := newTalk(t, nil)
	d := k.delivery(flows.Open{})
	_, err := k.Deliver(t.Context(), d)
	if f := failure(t, err); !f.Final {
		t.Errorf("%+v", f)
	}
	for _, caller := range []string{"", "x", "-100123", "0"} {
		d := k.delivery(flows.Say{Text: "a"})
		d.Caller = caller
		_, err := k.Deliver(t.Context(), d)
		if f := failure(t, err); !f.Final || f.Reason != flows.ReasonRejected {
			t.Errorf("%q: %+v", caller, f)
		}
	}
	if n := k.Count("sendMessage"); n != 0 {
		t.Errorf("%d messages were sent", n)
	}
}
