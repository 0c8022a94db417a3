package bot_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"suar/bot"
	"suar/flows"
	"suar/internal/engine"
	"suar/internal/telegramtest"
)

// visit puts n messages of a person's own into the chat and returns their ids.
func visit(p *telegramtest.Person, n int) []flows.MessageID {
	var ids []flows.MessageID
	for i := range n {
		ids = append(ids, flows.MessageID(fmt.Sprint(p.Say(fmt.Sprint("pesan ", i)))))
	}
	return ids
}

// TestDeletingTwoHundredMessagesTakesTwoCalls: nothing but the two calls stands
// between "Delete & leave" and an empty chat. The pace of messages in a chat, one
// a second, is not asked; that of all calls is, twice.
func TestDeletingTwoHundredMessagesTakesTwoCalls(t *testing.T) {
	asked := map[string]int{}
	k := newTalk(t, func(c *bot.Config) {
		c.Rate, c.ChatRate = 0, 0 // Telegram's
		c.Pace = func(_ context.Context, queue string, _, _ time.Duration) (time.Duration, error) {
			asked[queue]++
			return 0, nil
		}
	})
	d := k.delivery(flows.Erase{Messages: visit(k.person, 200)})
	d.Conversation = "c"
	if done := k.deliver(d); len(done.Kept) != 0 {
		t.Errorf("kept %v", done.Kept)
	}
	if n := k.Count("deleteMessages"); n != 2 || k.Count("deleteMessage") != 0 {
		t.Errorf("%d calls for a hundred each and %d for one each, want 2 and 0", n, k.Count("deleteMessage"))
	}
	if asked["telegram"] != 2 || len(asked) != 1 {
		t.Errorf("turns asked for: %v; want 2 of all calls and none of the chat's messages", asked)
	}
}

// TestARefusedMessageDoesNotKeepTheOthers: one of two hundred is too old. The
// others go, in few calls, and that one is told.
func TestARefusedMessageDoesNotKeepTheOthers(t *testing.T) {
	k := newTalk(t, nil)
	old := visit(k.person, 1)
	k.clock.advance(48 * time.Hour)
	ids := append(old, visit(k.person, 199)...)
	done := k.deliver(k.delivery(flows.Erase{Messages: ids}))
	if len(done.Kept) != 1 || done.Kept[0] != old[0] {
		t.Errorf("kept %v, want %v", done.Kept, old)
	}
	if n := len(k.person.Chat()); n != 2 { // the /start and the old one
		t.Errorf("%d messages in the chat", n)
	}
	if n := k.Count("deleteMessages") + k.Count("deleteMessage"); n > 20 {
		t.Errorf("%d calls for one that is refused", n)
	}
}

// BenchmarkDeleteTwoHundred measures "Delete & leave" of 200 messages, from the
// effect to an empty chat, against the stand-in on loopback.
func BenchmarkDeleteTwoHundred(b *testing.B) {
	c := newClock()
	s := newStage(b, telegramtest.Options{Now: c.now})
	deliverer := s.bot(nil)
	p := s.Person(canaryChat)
	p.Start()
	for b.Loop() {
		b.StopTimer()
		ids := visit(p, 200)
		b.StartTimer()
		if _, err := deliverer.Deliver(b.Context(), engine.Delivery{ID: "b", Caller: canaryChatText, Effect: flows.Erase{Messages: ids}}); err != nil {
			b.Fatal(err)
		}
	}
	if n := len(p.Chat()); n != 1 {
		b.Fatalf("%d messages stay", n)
	}
}
