package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"suar/internal/engine"
)

// aCommit is how long the handlers of these tests take to make something
// durable, and aPoll how long Telegram takes to answer.
const (
	aCommit = 3 * time.Millisecond
	aPoll   = 2 * time.Millisecond
)

// oneByOne makes every event durable by itself, those of different chats side
// by side.
type oneByOne struct {
	mu      sync.Mutex
	handled map[string]time.Time // by the event's identity
	order   map[string][]string  // by chat
}

func (h *oneByOne) Handle(_ context.Context, in engine.Inbound) error {
	time.Sleep(aCommit)
	h.note(in)
	return nil
}

func (h *oneByOne) note(ins ...engine.Inbound) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, in := range ins {
		h.handled[in.ID] = time.Now()
		h.order[in.Name] = append(h.order[in.Name], in.ID)
	}
}

// atOnce is one that makes several events durable together.
type atOnce struct{ oneByOne }

func (h *atOnce) HandleAll(_ context.Context, ins []engine.Inbound) error {
	time.Sleep(aCommit)
	h.note(ins...)
	return nil
}

// flooded lets 10,000 messages of one chat wait, with one of somebody else
// after every hundredth, and returns how long the slowest of those took.
func flooded(t *testing.T, handler engine.Handler, seen *oneByOne) (slowest time.Duration) {
	const flood, between = 10_000, 100
	var updates []string
	id := 0
	add := func(chat int) {
		id++
		updates = append(updates, fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%d,"date":1,"chat":{"id":%d,"type":"private"},"from":{"id":%[3]d,"is_bot":false,"first_name":"x"},"text":"a"}}`, id, id, chat))
	}
	others := map[string]bool{}
	for i := range flood {
		add(1)
		if (i+1)%between == 0 {
			add(1000 + i)
			others[fmt.Sprintf("tg:%d", id)] = true
		}
	}
	seen.handled, seen.order = map[string]time.Time{}, map[string][]string{}
	ctx, cancel := context.WithCancel(t.Context())
	began := time.Now()
	b := newTimed(t, func(r *http.Request) (*http.Response, error) {
		if !strings.HasSuffix(r.URL.Path, "getUpdates") {
			return reply(200, `{"ok":true,"result":true}`)
		}
		var p pollParams
		if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
			return nil, err
		}
		time.Sleep(aPoll)
		seen.mu.Lock()
		for i := 1; i < int(p.Offset); i++ {
			if _, ok := seen.handled[fmt.Sprintf("tg:%d", i)]; !ok {
				t.Errorf("%d is confirmed and not durable", i)
			}
		}
		all := len(seen.handled) == len(updates)
		seen.mu.Unlock()
		if all {
			cancel()
		}
		from := max(int(p.Offset)-1, 0)
		batch := updates[from:min(from+p.Limit, len(updates))]
		return reply(200, `{"ok":true,"result":[`+strings.Join(batch, ",")+`]}`)
	}, func(c *Config) { c.Handler = handler })
	if err := b.Run(ctx); err != nil {
		t.Error(err)
	}
	for other := range others {
		slowest = max(slowest, seen.handled[other].Sub(began))
	}
	if got := seen.order["tg:1"]; len(got) != flood {
		t.Errorf("%d of the flood's messages were handled, of %d", len(got), flood)
	} else {
		for i := range got[1:] {
			if len(got[i]) > len(got[i+1]) || len(got[i]) == len(got[i+1]) && got[i] > got[i+1] {
				t.Fatalf("%s was handled before %s", got[i], got[i+1])
			}
		}
	}
	return slowest
}

// TestAFloodHoldsNobodyUp is promise G13: what others write while 10,000
// messages of one chat wait is handled within a second. It holds because the
// flood is handed over together; one by one it would take half a minute.
func TestAFloodHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &atOnce{}
		if slowest := flooded(t, h, &h.oneByOne); slowest > time.Second {
			t.Errorf("somebody waited %v", slowest)
		}
	})
}

func TestAFloodOneByOneHoldsEverybodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &oneByOne{}
		if slowest := flooded(t, h, h); slowest < 20*time.Second {
			t.Errorf("the slowest waited %v only: the other test shows nothing", slowest)
		}
	})
}

// refusing takes what comes together only without the chat's third message, and
// that one never.
type refusing struct {
	oneByOne
	together int
}

func (h *refusing) HandleAll(_ context.Context, ins []engine.Inbound) error {
	for _, in := range ins {
		if in.ID == "tg:3" {
			return engine.ErrStep
		}
	}
	h.together++
	h.note(ins...)
	return nil
}

func (h *refusing) Handle(ctx context.Context, in engine.Inbound) error {
	if in.ID == "tg:3" && bytes.Contains(fmt.Append(nil, in.Event), []byte("third")) {
		return engine.ErrStep
	}
	return h.oneByOne.Handle(ctx, in)
}

// TestOneOfManyThatCannotBeTaken is put aside alone: those before and behind it
// are taken, in their order.
func TestOneOfManyThatCannotBeTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &refusing{oneByOne: oneByOne{handled: map[string]time.Time{}, order: map[string][]string{}}}
		var aside []int64
		ctx, cancel := context.WithCancel(t.Context())
		b := newTimed(t, func(r *http.Request) (*http.Response, error) {
			if !strings.HasSuffix(r.URL.Path, "getUpdates") {
				return reply(200, `{"ok":true,"result":true}`)
			}
			var p pollParams
			if err := json.NewDecoder(r.Body).Decode(&p); err != nil {
				return nil, err
			}
			switch p.Offset {
			case 0:
				var all []string
				for i, text := range []string{"first", "second", "third", "fourth"} {
					all = append(all, fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%[1]d,"date":1,"chat":{"id":1,"type":"private"},"from":{"id":1,"is_bot":false,"first_name":"x"},"text":%q}}`, i+1, text))
				}
				return reply(200, `{"ok":true,"result":[`+strings.Join(all, ",")+`]}`)
			case 5:
				all := fmt.Sprintf(`{"update_id":%d,"message":{"message_id":%[1]d,"date":1,"chat":{"id":1,"type":"private"},"from":{"id":1,"is_bot":false,"first_name":"x"},"text":"a"}}`, 5)
				return reply(200, `{"ok":true,"result":[`+all+","+strings.ReplaceAll(all, "5", "6")+`]}`)
			}
			cancel()
			return reply(200, `{"ok":true,"result":[]}`)
		}, func(c *Config) {
			c.Handler = h
			c.Quarantine = func(_ context.Context, update int64, _ []byte) error {
				aside = append(aside, update)
				return nil
			}
		})
		if err := b.Run(ctx); err != nil {
			t.Error(err)
		}
		if got := fmt.Sprint(h.order["tg:1"], aside, h.together); got != "[tg:1 tg:2 tg:3 tg:4 tg:5 tg:6] [3] 1" {
			t.Errorf("%s", got)
		}
	})
}
