package handoff

import (
	"context"
	"sync"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
)

const (
	// typedEvery is how often it is passed on that somebody types in a thread:
	// Telegram shows it for as long, and Mattermost says it more often.
	typedEvery = 5 * time.Second
	// typedWithin is how long passing it on may take: later it is not true any more.
	typedWithin = 4 * time.Second
	// mostTyped is how many threads are remembered, typedAtOnce how many are looked
	// at at once; what is beyond is not shown.
	mostTyped   = 1000
	typedAtOnce = 4
)

// typed are the threads in which somebody types. The zero value is ready.
type typed struct {
	mu    sync.Mutex
	last  map[string]time.Time
	count int
	done  sync.WaitGroup
}

// begin reports whether it is to be passed on that somebody types in a thread; then
// end must be called.
func (t *typed) begin(root string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if last, ok := t.last[root]; ok && now.Sub(last) < typedEvery && !now.Before(last) || t.count >= typedAtOnce {
		return false
	}
	if t.last == nil || len(t.last) >= mostTyped {
		t.last = map[string]time.Time{}
	}
	t.last[root] = now
	t.count++
	return true
}

func (t *typed) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count--
}

// types passes on that somebody types under a card. Who hears it decides whether the
// person may see it. It is worth nothing later, so that it is never tried again.
func (l *listener) types(ctx context.Context, ev *model.WebSocketEvent) {
	root, _ := ev.GetData()["parent_id"].(string)
	user, _ := ev.GetData()["user_id"].(string)
	if l.Typing == nil || !model.IsValidId(root) || !model.IsValidId(user) || user == l.place.bot ||
		ev.GetBroadcast() == nil || ev.GetBroadcast().ChannelId != l.place.channel || !l.typed.begin(root, l.Now()) {
		return
	}
	place := l.place
	l.typed.done.Go(func() {
		defer l.typed.end()
		ctx, cancel := context.WithTimeout(ctx, typedWithin)
		defer cancel()
		officer, err := l.officer(ctx, place, user)
		if err != nil {
			return // Nobody who may write to the person, or not known in time.
		}
		_ = l.Typing(ctx, flows.PostID(root), officer)
	})
}
