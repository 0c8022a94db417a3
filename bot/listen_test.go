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

	"suar/bot"
	"suar/flows"
	"suar/internal/engine"
	"suar/internal/telegramtest"
)

func TestOrderWithinAChatAndSideBySideBetween(t *testing.T) {
	s := newStage(t, telegramtest.Options{})
	const chats, each = 20, 30
	for i := range each {
		for c := range chats {
			s.Person(int64(100 + c)).Say(fmt.Sprint(i))
		}
	}
	s.run(s.bot(nil))
	s.journal.wait(t, chats*each)
	s.drained()
	got := map[string][]string{}
	for _, in := range s.journal.all() {
		got[in.Name] = append(got[in.Name], text(in.Event))
	}
	var want []string
	for i := range each {
		want = append(want, fmt.Sprint(i))
	}
	if len(got) != chats {
		t.Errorf("%d chats, want %d", len(got), chats)
	}
	for name, texts := range got {
		if !slices.Equal(texts, want) {
			t.Errorf("%s: %v", name, texts)
		}
	}
}

func TestConfirmedOnlyAfterItIsKept(t *testing.T) {
	s := newStage(t, telegramtest.Options{})
	full := errors.New("disk full: " + canaryText)
	tried := make(chan struct{}, 100)
	s.journal.refuseWith(func(engine.Inbound) error {
		select {
		case tried <- struct{}{}:
		default:
		}
		return full
	})
	p := s.Person(canaryChat)
	p.Say("satu " + canaryText)
	p.Say("dua")
	stop := s.run(s.bot(nil))
	for range 3 {
		<-tried
	}
	if err := stop(); err != nil {
		t.Errorf("Run: %v", err)
	}
	if n := len(s.Pending()); n != 2 {
		t.Fatalf("%d updates left at Telegram, want 2: what was not kept was confirmed", n)
	}

	// The next process gets them, in order.
	s.journal.refuseWith(nil)
	s.run(s.bot(nil))
	s.drained()
	var texts []string
	for _, in := range s.journal.all() {
		texts = append(texts, text(in.Event))
	}
	if want := []string{"satu " + canaryText, "dua"}; !slices.Equal(texts, want) {
		t.Errorf("got %q, want %q", texts, want)
	}
}

// TestACrashLosesNothing ends the bot at an arbitrary point without a word to
// Telegram: its connections are cut, and its last confirmation fails.
func TestACrashLosesNothing(t *testing.T) {
	s := newStage(t, telegramtest.Options{})
	const n = 300
	for i := range n {
		s.Person(int64(100 + i%7)).Say(fmt.Sprint(i))
	}
	seen := map[string]bool{}
	for crash := 0; len(s.Pending()) > 0 && crash < 50; crash++ {
		taken := 0
		var mu sync.Mutex
		crashed := make(chan struct{})
		s.journal.refuseWith(func(engine.Inbound) error {
			mu.Lock()
			defer mu.Unlock()
			limit := 13 + 40*crash
			if taken++; taken == limit {
				close(crashed)
			}
			if taken >= limit {
				return errors.New("dead")
			}
			return nil
		})
		stop := s.run(s.bot(nil))
		done := make(chan error, 1)
		go func() { done <- s.Drained(t.Context()) }()
		select {
		case <-crashed:
			s.Fail("getUpdates", telegramtest.Always(telegramtest.CutBefore()))
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		}
		_ = stop()
		s.Fail("getUpdates", nil)
	}
	last := map[string]int{}
	for _, in := range s.journal.all() {
		var i int
		if _, err := fmt.Sscan(text(in.Event), &i); err != nil {
			t.Fatal(err)
		}
		if seen[in.ID] {
			continue // the engine knows it by its identity
		}
		seen[in.ID] = true
		if before, ok := last[in.Name]; ok && i < before {
			t.Errorf("%s: %d after %d", in.Name, i, before)
		}
		last[in.Name] = i
	}
	if len(seen) != n {
		t.Errorf("%d of %d updates arrived", len(seen), n)
	}
}

func TestACleanStopConfirmsWhatWasHandled(t *testing.T) {
	s := newStage(t, telegramtest.Options{})
	entered, release := make(chan struct{}), make(chan struct{})
	s.journal.refuseWith(func(engine.Inbound) error {
		close(entered)
		<-release
		return nil
	})
	s.Person(canaryChat).Say("satu")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	b := s.bot(nil)
	go func() { ended <- b.Run(ctx) }()
	<-entered
	cancel()
	close(release)
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if len(s.journal.all()) != 1 || len(s.Pending()) != 0 {
		t.Errorf("%d handled, %d pending; want 1 and 0", len(s.journal.all()), len(s.Pending()))
	}
}

func TestOneThatFailsHoldsUpItsChatOnly(t *testing.T) {
	s := newStage(t, telegramtest.Options{})
	stuck, other := s.Person(canaryChat), s.Person(42)
	var mu sync.Mutex
	broken := true
	s.journal.refuseWith(func(in engine.Inbound) error {
		mu.Lock()
		defer mu.Unlock()
		if broken && text(in.Event) == "macet" {
			return errors.New("no")
		}
		return nil
	})
	stuck.Say("macet")
	stuck.Say("sesudah")
	other.Say("satu")
	s.run(s.bot(nil))
	s.journal.wait(t, 1)
	other.Say("dua") // comes with a later poll
	got := s.journal.wait(t, 2)
	for _, in := range got {
		if in.Caller != "42" {
			t.Errorf("%s got past the one that fails", text(in.Event))
		}
	}
	if len(s.Pending()) != 4 {
		t.Errorf("pending %v, want all four: the first is not kept", s.Pending())
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	s.drained()
	var texts []string
	for _, in := range s.journal.all() {
		if in.Caller != "42" {
			texts = append(texts, text(in.Event))
		}
	}
	if want := []string{"macet", "sesudah"}; !slices.Equal(texts, want) {
		t.Errorf("got %q, want %q", texts, want)
	}
}

// quarantine keeps what could not be read.
type quarantine struct {
	mu   sync.Mutex
	kept map[int64]int // length of the update by its id
	fail error
}

func (q *quarantine) keep(_ context.Context, id int64, raw []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.fail != nil {
		err := q.fail
		q.fail = nil
		return err
	}
	if q.kept == nil {
		q.kept = map[int64]int{}
	}
	q.kept[id] = len(raw)
	return nil
}

func (q *quarantine) has(id int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, ok := q.kept[id]
	return ok
}

// poison are updates that cannot be read, or hold what nobody expects. %d is
// the update's id.
var poison = []struct {
	name    string
	body    string
	garbled bool // the person's chat gets a Garbled
	kept    bool // it is put aside
}{
	{name: "unknown status of a member", kept: true, body: `{"update_id":%d,"my_chat_member":{"chat":{"id":7340215986,"type":"private"},"from":{"id":7340215986,"is_bot":false,"first_name":"x"},"date":1,"old_chat_member":{"status":"wizard"},"new_chat_member":{"status":"wizard"}}}`},
	{name: "unknown kind of update", body: `{"update_id":%d,"telepathy":{"from":{"id":7340215986}}}`},
	{name: "unknown kind of message", garbled: true, body: `{"update_id":%d,"message":{"message_id":5,"date":1,"chat":{"id":7340215986,"type":"private"},"from":{"id":7340215986,"is_bot":false,"first_name":"x"},"smell":{"of":"KATA-RAHASIA-canary"}}}`},
	{name: "unknown kind of paid media", garbled: true, kept: true, body: `{"update_id":%d,"message":{"message_id":5,"date":1,"chat":{"id":7340215986,"type":"private"},"from":{"id":7340215986},"paid_media":{"star_count":1,"paid_media":[{"type":"hologram"}]}}}`},
	{name: "text that is a number", garbled: true, kept: true, body: `{"update_id":%d,"message":{"message_id":5,"date":1,"chat":{"id":7340215986,"type":"private"},"from":{"id":7340215986},"text":7}}`},
	{name: "1e400", garbled: true, kept: true, body: `{"update_id":%d,"message":{"message_id":5,"date":1e400,"chat":{"id":7340215986,"type":"private"},"from":{"id":7340215986},"text":"KATA-RAHASIA-canary"}}`},
	{name: "2^63", kept: true, body: `{"update_id":%d,"message":{"message_id":5,"date":1,"chat":{"id":9223372036854775808,"type":"private"},"from":{"id":1},"text":"x"}}`},
	{name: "no chat and no sender", body: `{"update_id":%d,"message":{"message_id":5,"date":1,"text":"x"}}`},
	{name: "10,001 deep", garbled: true, kept: true, body: `{"update_id":%d,"message":{"message_id":5,"chat":{"id":7340215986,"type":"private"},"x":` + strings.Repeat("[", 10_001) + strings.Repeat("]", 10_001) + `}}`},
	{name: "two ids", kept: true, body: `{"update_id":%d,"UPDATE_ID":1,"message":{"message_id":5,"date":1}}`},
	{name: "null", body: `{"update_id":%d,"message":null}`},
	{name: "nothing but an id", body: `{"update_id":%d}`},
	{name: "a press without a message", body: `{"update_id":%d,"callback_query":{"id":"1","from":{"id":7340215986},"chat_instance":"1","inline_message_id":"x","data":"y"}}`},
}

func TestAPoisonedUpdateStopsNothing(t *testing.T) {
	for _, tt := range poison {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(t, telegramtest.Options{})
			q := &quarantine{fail: errors.New("not now")}
			if !tt.kept {
				q.fail = nil
			}
			p := s.Person(canaryChat)
			p.Say("sebelum")
			id := s.Inject(func(id int64) []byte { return fmt.Appendf(nil, tt.body, id) })
			p.Say("sesudah")
			s.run(s.bot(func(c *bot.Config) { c.Quarantine = q.keep }))
			s.drained()
			var got []string
			for _, in := range s.journal.all() {
				got = append(got, text(in.Event))
			}
			want := []string{"sebelum", "flows.Garbled", "sesudah"}
			if !tt.garbled {
				want = []string{"sebelum", "sesudah"}
			}
			if !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if q.has(id) != tt.kept {
				t.Errorf("put aside: %v, want %v", q.has(id), tt.kept)
			}
		})
	}
}

func TestAnEnormousUpdateStopsNothing(t *testing.T) {
	for _, size := range []int{1 << 20, 17 << 20} {
		t.Run(fmt.Sprint(size>>20, " MiB"), func(t *testing.T) {
			s := newStage(t, telegramtest.Options{})
			q := &quarantine{}
			huge := strings.Repeat("x", size)
			p := s.Person(canaryChat)
			p.Say("sebelum")
			s.Inject(func(id int64) []byte {
				return fmt.Appendf(nil, `{"update_id":%d,"message":{"message_id":5,"date":1,"chat":{"id":%d,"type":"private"},"from":{"id":%[2]d},"text":%[3]q}}`, id, int64(canaryChat), huge)
			})
			p.Say("sesudah")
			s.run(s.bot(func(c *bot.Config) { c.Quarantine = q.keep }))
			s.drained()
			// What was handed over may be handed over again after a poll that broke
			// off; the engine takes it once.
			seen := map[string]bool{}
			got := slices.DeleteFunc(s.journal.all(), func(in engine.Inbound) bool {
				again := seen[in.ID]
				seen[in.ID] = true
				return again
			})
			if len(got) != 3 || text(got[0].Event) != "sebelum" || text(got[2].Event) != "sesudah" {
				t.Fatalf("%d events", len(got))
			}
			switch ev := got[1].Event.(type) {
			case flows.Said:
				if ev.Text != huge {
					t.Error("a long text was cut")
				}
			case flows.Garbled:
				if size < 16<<20 {
					t.Error("garbled")
				}
			default:
				t.Errorf("%T", ev)
			}
		})
	}
}

func TestAnUpdateWithoutAnIDIsPutAsideOnce(t *testing.T) {
	s := newStage(t, telegramtest.Options{})
	var mu sync.Mutex
	kept := 0
	s.Inject(func(int64) []byte { return []byte(`{"message":{"text":"KATA-RAHASIA-canary"}}`) })
	p := s.Person(canaryChat)
	p.Say("satu")
	s.run(s.bot(func(c *bot.Config) {
		c.Quarantine = func(context.Context, int64, []byte) error {
			mu.Lock()
			defer mu.Unlock()
			kept++
			return nil
		}
	}))
	s.journal.wait(t, 1)
	s.drained()
	mu.Lock()
	defer mu.Unlock()
	if kept != 1 {
		t.Errorf("put aside %d times, want once", kept)
	}
}

func TestAPanicOfTheEngineStopsNothing(t *testing.T) {
	for name, fail := range map[string]func() error{
		"a panic":       func() error { panic(canaryText) },
		"a failed step": func() error { return fmt.Errorf("%w: event", engine.ErrStep) },
	} {
		t.Run(name, func(t *testing.T) { testPoison(t, fail) })
	}
}

func testPoison(t *testing.T, fail func() error) {
	s := newStage(t, telegramtest.Options{})
	q := &quarantine{}
	s.journal.refuseWith(func(in engine.Inbound) error {
		if strings.Contains(text(in.Event), "bom") {
			return fail()
		}
		return nil
	})
	p := s.Person(canaryChat)
	p.Say("bom " + canaryText)
	p.Say("sesudah")
	s.run(s.bot(func(c *bot.Config) { c.Quarantine = q.keep }))
	s.drained()
	got := s.journal.all()
	if len(got) != 2 || text(got[0].Event) != "flows.Garbled" || text(got[1].Event) != "sesudah" {
		t.Errorf("got %v", got)
	}
	if len(q.kept) != 1 {
		t.Errorf("%d put aside, want 1", len(q.kept))
	}
}

// TestAConversationForWhichNothingCanBeTaken, not even that something could not
// be read, must not be the end for all others: more updates than Telegram hands
// out at once come behind its own.
func TestAConversationForWhichNothingCanBeTaken(t *testing.T) {
	s := newStage(t, telegramtest.Options{})
	q := &quarantine{}
	s.journal.refuseWith(func(in engine.Inbound) error {
		if in.Caller == canaryChatText {
			return fmt.Errorf("%w: damaged", engine.ErrStep)
		}
		return nil
	})
	s.Person(canaryChat).Say("satu " + canaryText)
	s.Person(canaryChat).Say("dua " + canaryText)
	const others = 250
	for i := range others {
		s.Person(int64(100 + i%9)).Say("halo")
	}
	s.run(s.bot(func(c *bot.Config) { c.Quarantine = q.keep }))
	s.drained()
	if n := len(s.journal.all()); n != others {
		t.Errorf("%d of %d others were heard", n, others)
	}
	if len(q.kept) != 2 {
		t.Errorf("%d put aside, want 2", len(q.kept))
	}
	if n := strings.Count(s.log.String(), "update only put aside"); n != 2 {
		t.Errorf("logged %d times, want 2:\n%s", n, s.log.String())
	}
}

func TestIDsMayBeginAnew(t *testing.T) {
	s := newStage(t, telegramtest.Options{})
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	var mu sync.Mutex
	s.run(s.bot(func(c *bot.Config) {
		c.Now = func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		}
	}))
	p := s.Person(canaryChat)
	p.Say("satu")
	s.journal.wait(t, 1)
	s.drained()
	mu.Lock()
	now = now.Add(8 * 24 * time.Hour)
	mu.Unlock()
	s.SetNextUpdate(17)
	p.Say("dua")
	s.journal.wait(t, 2)
	s.drained()
}

func TestPressesAreAcknowledged(t *testing.T) {
	s := newStage(t, telegramtest.Options{})
	s.run(s.bot(nil))
	p := s.Person(canaryChat)
	p.Start()
	p.Forge("ya", 5)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got := s.journal.wait(t, 2)
	if ev, ok := got[1].Event.(flows.Chose); !ok || ev.Data != "ya" || ev.Message != "5" {
		t.Errorf("got %+v", got[1].Event)
	}
	if _, err := p.Wait(ctx, func([]telegramtest.Message) bool { return p.Spinning() == 0 }); err != nil {
		t.Errorf("not acknowledged: %v", err)
	}
}

func TestTroubleOfPolling(t *testing.T) {
	tests := []struct {
		name    string
		failure *telegramtest.Failure
		log     string
	}{
		{"429", telegramtest.TooManyRequests(1), "class=flood status=429"},
		{"502 page", telegramtest.Broken(502), "status=502"},
		{"500", telegramtest.Refused(500, "Internal Server Error "+canaryText), "status=500"},
		{"cut", telegramtest.CutBefore(), "class=down"},
		{"half an answer", &telegramtest.Failure{Status: 200, Body: `{"ok":true,"result":[{"update_id":1,"mess`}, "status=200"},
		{"page with 200", telegramtest.Broken(200), "status=200"},
		{"409", telegramtest.Refused(409, "Conflict: terminated by other getUpdates request"), "another program receives"},
	}
	// All at once: each has to wait out the pause before the same is asked again.
	stages, bots := make([]*stage, len(tests)), make([]*bot.Bot, len(tests))
	for i, tt := range tests {
		s := newStage(t, telegramtest.Options{})
		s.Fail("getUpdates", telegramtest.Times(tt.failure))
		s.Person(canaryChat).Say("satu")
		stages[i], bots[i] = s, s.bot(nil)
		s.run(bots[i])
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := stages[i]
			s.drained()
			if len(s.journal.all()) != 1 {
				t.Errorf("got %v", s.journal.all())
			}
			want := bot.Status{Receiving: true}
			if tt.name == "409" {
				want.Conflicts = 1
			}
			if got := bots[i].Status(); got != want {
				t.Errorf("afterwards %+v, want %+v", got, want)
			}
			line := s.log.String()
			for part := range strings.SplitSeq(tt.log, " ") {
				if !strings.Contains(line, part) {
					t.Errorf("no %q in the log:\n%s", part, line)
				}
			}
		})
	}
}

func TestAWrongTokenEndsRun(t *testing.T) {
	for _, method := range []string{"deleteWebhook", "getUpdates"} {
		for _, status := range []int{401, 404} {
			s := newStage(t, telegramtest.Options{})
			s.Fail(method, telegramtest.Always(telegramtest.Refused(status, "Unauthorized")))
			b := s.bot(nil)
			err := b.Run(t.Context())
			if !errors.Is(err, bot.ErrToken) {
				t.Errorf("%s %d: %v, want ErrToken", method, status, err)
			}
			if b.Status().Receiving {
				t.Errorf("%s %d: it receives", method, status)
			}
		}
	}
}

func TestTelegramMayBeDownAtTheStart(t *testing.T) {
	s := newStage(t, telegramtest.Options{})
	s.Fail("deleteWebhook", telegramtest.Times(telegramtest.Broken(502), telegramtest.CutBefore()))
	s.Person(canaryChat).Say("satu")
	s.run(s.bot(nil))
	s.drained()
}
