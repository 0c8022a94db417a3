package bot

import (
	"context"
	"maps"
	"sync"
	"time"

	"suar/internal/engine"
)

// Telegram takes about 30 messages a second of a bot and about one a second in
// a chat, with short bursts.
const (
	defaultRate      = 25
	defaultChatRate  = 1
	defaultChatBurst = 3
	// longest is how long a delivery waits for its turn before it is given back
	// to the engine, which has others to make meanwhile.
	longest = 5 * time.Second
	// answering is how long the shared queues may take to answer, and silence
	// for how long they are not asked after they failed.
	answering = 500 * time.Millisecond
	silence   = 2 * time.Second
	// maxPaced is how many queues of its own a process remembers before it
	// looks for those that are idle: forgetting one of them changes nothing.
	maxPaced = 4096
	// everybody is the queue of all messages; a chat's is named after it.
	everybody = "telegram"
)

// A place is what a queue asks of each message: its cost in time, 0 for no
// limit, and how far the queue may run ahead.
type place struct{ cost, burst time.Duration }

// placeOf is for so many messages a second, and so many at once.
func placeOf(rate float64, burst int) place {
	if rate < 0 {
		return place{}
	}
	cost := time.Duration(float64(time.Second) / rate)
	return place{cost, time.Duration(burst) * cost}
}

// A turn says who waits for one.
type turn struct {
	// own is the chat's queue in this process, shared that of all processes,
	// empty if there is none.
	own, shared string
	// urgent goes before what is not.
	urgent bool
}

func turnOf(d engine.Delivery) turn {
	t := turn{own: everybody + ":" + d.Caller, urgent: d.Urgent}
	if d.Conversation != "" {
		t.shared = everybody + ":" + d.Conversation
	}
	return t
}

// A pacer keeps the bot within Telegram's limits, together with the other
// processes of the hotline if there is a share. When that fails the process
// keeps the pace alone: too fast together, and Telegram then says so, is better
// than silent.
type pacer struct {
	share     func(ctx context.Context, queue string, cost, burst time.Duration) (time.Duration, error)
	all, each place
	own       queues
	// next is held by the one message that is not urgent and waits for its turn
	// among everybody's. So only one of each process has a place that is not
	// yet its turn, and an urgent one waits for no more than those.
	next chan struct{}

	mu      sync.Mutex
	unheard time.Time // the share is not asked before
}

func newPacer(c Config) *pacer {
	pick := func(v, otherwise float64) float64 {
		if v == 0 {
			return otherwise
		}
		return v
	}
	rate, burst := pick(c.Rate, defaultRate), c.ChatBurst
	if burst <= 0 {
		burst = defaultChatBurst
	}
	return &pacer{
		share: c.Pace,
		// Together with the rate no second sees more than Telegram takes.
		all:  placeOf(rate, max(1, int(rate)/5)),
		each: placeOf(pick(c.ChatRate, defaultChatRate), burst),
		next: make(chan struct{}, 1),
	}
}

// message waits until a message may be sent to a chat. A chat's messages have to
// be sent one after the other, as the engine does.
func (p *pacer) message(ctx context.Context, t turn) error {
	if err := p.stand(ctx, t.own, t.shared, p.each); err != nil {
		return err
	}
	return p.call(ctx, t)
}

// call waits until a call may be made that is no message.
func (p *pacer) call(ctx context.Context, t turn) error {
	if !t.urgent {
		select {
		case p.next <- struct{}{}:
			defer func() { <-p.next }()
		case <-ctx.Done():
			return notYet(ctx, time.Second)
		}
	}
	return p.stand(ctx, everybody, everybody, p.all)
}

// stand takes a place in a queue and waits for its turn. Where that is too far
// away it returns a refusal that says how far.
func (p *pacer) stand(ctx context.Context, own, shared string, at place) error {
	if at.cost == 0 {
		return nil
	}
	wait := p.ask(ctx, own, shared, at.cost, at.burst)
	if end, ok := ctx.Deadline(); wait > longest || ok && wait > time.Until(end) {
		return notYet(ctx, wait)
	}
	if !sleep(ctx, wait) {
		return notYet(ctx, time.Second)
	}
	return nil
}

// pause makes everybody wait whom Telegram asked to: those who write to the
// chat, or all.
func (p *pacer) pause(ctx context.Context, t turn, after time.Duration, all bool) {
	own, shared, at := t.own, t.shared, p.each
	if all {
		own, shared, at = everybody, everybody, p.all
	}
	if at.cost == 0 {
		return
	}
	// It is asked of many messages at the same time, and meant once.
	if ahead := p.ask(ctx, own, shared, 0, 0); ahead < after {
		p.ask(ctx, own, shared, after-ahead+at.burst, 0)
	}
}

// ask takes a place and returns how long it is until its turn.
func (p *pacer) ask(ctx context.Context, own, shared string, cost, burst time.Duration) time.Duration {
	now := time.Now()
	p.mu.Lock()
	deaf := now.Before(p.unheard)
	p.mu.Unlock()
	if p.share == nil || shared == "" || deaf {
		return p.own.ask(own, now, cost, burst)
	}
	// The end of the delivery must not look like one of the share.
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), answering)
	defer cancel()
	wait, err := p.share(call, shared, cost, burst)
	if err == nil {
		return wait
	}
	p.mu.Lock()
	p.unheard = time.Now().Add(silence)
	p.mu.Unlock()
	return p.own.ask(own, time.Now(), cost, burst)
}

// queues are those of this process. Each is the instant at which it is idle, and
// a turn comes the burst before it: the generic cell rate algorithm.
type queues struct {
	mu   sync.Mutex
	idle map[string]time.Time
}

func (q *queues) ask(name string, now time.Time, cost, burst time.Duration) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.idle == nil {
		q.idle = map[string]time.Time{}
	}
	if len(q.idle) >= maxPaced {
		maps.DeleteFunc(q.idle, func(_ string, idle time.Time) bool { return !idle.After(now) })
	}
	idle := q.idle[name]
	if idle.Before(now) {
		idle = now
	}
	idle = idle.Add(cost)
	q.idle[name] = idle
	return max(idle.Add(-burst).Sub(now), 0)
}
