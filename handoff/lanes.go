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

// mostOfOne is how much of one author may wait of what is heard, so that nobody alone
// fills what waits: far more than anybody writes while the engine takes a breath.
const mostOfOne = 400

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

// lane is where a change waits: in its thread's lane, or, if it is not to be handed
// over, in its author's own.
func (c change) lane() string {
	if c.what == tooMany {
		return "too many of " + c.post.UserId
	}
	return c.root()
}

// bounded says that a change counts among those of its author that wait.
func (c change) bounded() bool { return c.what != deleted && c.what != tooMany }

type what uint8

const (
	created what = iota
	edited
	deleted
	missed  // it happened too long ago to be handed over
	tooMany // it came while too much of its author waited
)

// lanes hand changes over, those of one thread in order and one at a time,
// different threads beside each other: a thread whose change is refused holds
// up no other.
type lanes struct {
	// handle returns whether it handled the change; if not, the lanes end.
	handle func(change) bool

	mu     sync.Mutex
	queues map[string][]change // by lane; its first is being handled
	of     map[string]int      // how many of an author wait in the threads' lanes
	total  int
	room   chan struct{} // closed and made anew when something was handled
	done   sync.WaitGroup
}

func newLanes(handle func(change) bool) *lanes {
	return &lanes{handle: handle, queues: map[string][]change{}, of: map[string]int{}, room: make(chan struct{})}
}

// offer is add for what is heard. If too much of its author waits, it is not handed
// over but shown to the author as one that reaches nobody, and in the end let go of. A
// deletion only takes something back, and there is one of each post at most.
func (l *lanes) offer(ctx context.Context, c change) error {
	if c.what != deleted {
		l.mu.Lock()
		full := l.of[c.post.UserId] >= mostOfOne
		if full {
			c.what = tooMany
		}
		crowded := len(l.queues[c.lane()]) >= mostOfOne
		l.mu.Unlock()
		if full && crowded {
			return nil
		}
	}
	return l.add(ctx, c)
}

// add queues a change, waiting for room until ctx ends. A thread whose change
// could not be handled takes more but hands over no more.
func (l *lanes) add(ctx context.Context, c change) error {
	lane := c.lane()
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
	if c.bounded() {
		l.of[c.post.UserId]++
	}
	l.queues[lane] = append(l.queues[lane], c)
	if len(l.queues[lane]) == 1 {
		l.done.Go(func() { l.drain(lane) })
	}
	return nil
}

func (l *lanes) drain(lane string) {
	for {
		l.mu.Lock()
		c := l.queues[lane][0]
		l.mu.Unlock()
		if !l.handle(c) {
			return
		}
		l.mu.Lock()
		l.total--
		if author := c.post.UserId; c.bounded() {
			if l.of[author]--; l.of[author] == 0 {
				delete(l.of, author)
			}
		}
		close(l.room)
		l.room = make(chan struct{})
		if l.queues[lane] = l.queues[lane][1:]; len(l.queues[lane]) == 0 {
			delete(l.queues, lane)
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
