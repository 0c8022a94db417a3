package handoff

import (
	"context"
	"sync"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
)

// maxQueued bounds what waits for the engine. When it is reached the listener
// stops reading, and Mattermost keeps the rest.
const maxQueued = 1000

// A change is what happened to one post of a thread, or to its card.
type change struct {
	what what
	post *model.Post
	// since and until, of one that is missed, are the milliseconds between which
	// nothing was read.
	since, until int64
}

// root is the thread's: that of a card is the card's own.
func (c change) root() string {
	if c.post.RootId == "" {
		return c.post.Id
	}
	return c.post.RootId
}

type what uint8

const (
	created what = iota
	edited
	deleted
	missed // it happened too long ago to be handed over
)

// lanes hand changes over, those of one thread in order and one at a time,
// different threads beside each other: a thread whose change is refused holds
// up no other.
type lanes struct {
	// handle returns whether it handled the change; if not, the lanes end.
	handle func(change) bool

	mu     sync.Mutex
	queues map[string][]change // by root; its first is being handled
	total  int
	room   chan struct{} // closed and made anew when something was handled
	done   sync.WaitGroup
}

func newLanes(handle func(change) bool) *lanes {
	return &lanes{handle: handle, queues: map[string][]change{}, room: make(chan struct{})}
}

// add queues a change, waiting for room until ctx ends. A thread whose change
// could not be handled takes more but hands over no more.
func (l *lanes) add(ctx context.Context, c change) error {
	root := c.root()
	for {
		l.mu.Lock()
		if l.total < maxQueued {
			break
		}
		room := l.room
		l.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-room:
		}
	}
	defer l.mu.Unlock()
	l.total++
	l.queues[root] = append(l.queues[root], c)
	if len(l.queues[root]) == 1 {
		l.done.Go(func() { l.drain(root) })
	}
	return nil
}

func (l *lanes) drain(root string) {
	for {
		l.mu.Lock()
		c := l.queues[root][0]
		l.mu.Unlock()
		if !l.handle(c) {
			return
		}
		l.mu.Lock()
		l.total--
		close(l.room)
		l.room = make(chan struct{})
		if l.queues[root] = l.queues[root][1:]; len(l.queues[root]) == 0 {
			delete(l.queues, root)
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
	}
}

// low is the earliest update among the changes that are not handled, and
// whether there is one. What is older has been handled.
func (l *lanes) low() (int64, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	low, waiting := int64(0), false
	for _, q := range l.queues {
		for _, c := range q {
			if !waiting || c.post.UpdateAt < low {
				low, waiting = c.post.UpdateAt, true
			}
		}
	}
	return low, waiting
}

// backoff waits between tries: from 100 ms, doubling up to 5 s.
type backoff struct{ last time.Duration }

func (b *backoff) wait(ctx context.Context) error {
	b.last = min(max(2*b.last, 100*time.Millisecond), 5*time.Second)
	return sleep(ctx, b.last)
}
