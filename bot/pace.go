package bot

import (
	"context"
	"sync"

	"golang.org/x/time/rate"
)

// Telegram takes about 30 messages a second of a bot and about one a second in
// a chat, with short bursts.
const (
	defaultRate      = 25
	defaultChatRate  = 1
	defaultChatBurst = 3
	// maxPaced bounds the chats whose pace is remembered. A chat is forgotten
	// only once its bucket is full again, when forgetting changes nothing.
	maxPaced = 4096
)

// A pacer keeps the bot within Telegram's limits.
type pacer struct {
	all   *rate.Limiter
	each  rate.Limit
	burst int

	mu    sync.Mutex
	chats map[int64]*rate.Limiter
}

func newPacer(all, each float64, burst int) *pacer {
	limit := func(v, otherwise float64) rate.Limit {
		switch {
		case v == 0:
			return rate.Limit(otherwise)
		case v < 0:
			return rate.Inf
		}
		return rate.Limit(v)
	}
	if burst <= 0 {
		burst = defaultChatBurst
	}
	r := limit(all, defaultRate)
	room := 1
	if r != rate.Inf {
		// Together with the rate no second sees more than Telegram takes.
		room = max(1, int(r)/5)
	}
	return &pacer{
		all:   rate.NewLimiter(r, room),
		each:  limit(each, defaultChatRate),
		burst: burst,
		chats: map[int64]*rate.Limiter{},
	}
}

// wait waits until a message may be sent to the chat. A chat's messages have to
// be sent one after the other, as the engine does: of those that wait at once
// more than the burst could be sent at once in the end.
func (p *pacer) wait(ctx context.Context, chat int64) error {
	if p.each != rate.Inf {
		if err := p.chat(chat).Wait(ctx); err != nil {
			return err
		}
	}
	return p.all.Wait(ctx)
}

// waitAll waits until a call may be made that is no message.
func (p *pacer) waitAll(ctx context.Context) error { return p.all.Wait(ctx) }

func (p *pacer) chat(id int64) *rate.Limiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.chats[id]
	if l == nil {
		if len(p.chats) >= maxPaced {
			for k, old := range p.chats {
				if old.Tokens() >= float64(p.burst) {
					delete(p.chats, k)
				}
			}
		}
		l = rate.NewLimiter(p.each, p.burst)
		p.chats[id] = l
	}
	return l
}
