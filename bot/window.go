package bot

import (
	"context"
	"crypto/sha256"
	"strconv"
	"sync"
	"time"

	"suar/internal/engine"
)

// hurry is how soon a poll follows that confirms a part of what was received
// while the rest is still being handled.
const hurry = 250 * time.Millisecond

// A window is the updates that were received and not yet confirmed. Updates of
// one chat are handled in their order, and at once if several wait, so that a
// flood from one chat passes quickly; those of different chats side by side.
// The offset never passes an update that is not handled, so at most one
// pollful of updates is ever in the window.
type window struct {
	b      *Bot
	ctx    context.Context // of what is being handled
	cancel context.CancelFunc
	stop   context.Context // ends the taking on of more

	mu       sync.Mutex
	offset   int64
	order    []int64        // the ids received from offset on
	known    map[int64]bool // of those: whether it is handled
	lanes    map[string][]received
	pending  int
	nameless map[[sha256.Size]byte]bool // updates without an id, already put aside
	changed  chan struct{}
	wg       sync.WaitGroup
	crew     *crew
}

func newWindow(stop context.Context, b *Bot) *window {
	w := &window{
		b:        b,
		stop:     stop,
		known:    map[int64]bool{},
		lanes:    map[string][]received{},
		nameless: map[[sha256.Size]byte]bool{},
		changed:  make(chan struct{}, 1),
		crew:     newCrew(),
	}
	w.ctx, w.cancel = context.WithCancel(context.WithoutCancel(stop))
	return w
}

// next is the offset of the next poll: it confirms what is handled.
func (w *window) next() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.offset
}

func (w *window) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pending == 0
}

func (w *window) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.offset = 0
	clear(w.nameless)
}

// accept takes on the updates of a poll from the given offset on, except those
// that it has already, or had and handled while Telegram was answering.
func (w *window) accept(batch []received, polled int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fresh := 0
	var presses []string
	for _, r := range batch {
		if r.id == 0 {
			w.acceptNameless(r)
			continue
		}
		if _, ok := w.known[r.id]; ok || polled <= r.id && r.id < w.offset {
			continue
		}
		fresh++
		w.known[r.id] = false
		w.order = append(w.order, r.id)
		if r.query != "" {
			presses = append(presses, r.query)
		}
		w.enqueue(r)
	}
	w.b.acknowledge(presses, w.crew.do)
	if fresh > 0 {
		w.b.log.Debug("updates received", "count", fresh)
	}
}

// acceptNameless puts an update aside that cannot be confirmed, because its id
// cannot be read. It comes again with each poll until it expires, and is known
// by its bytes.
func (w *window) acceptNameless(r received) {
	sum := sha256.Sum256(r.raw)
	if w.nameless[sum] {
		return
	}
	if len(w.nameless) >= pollSize {
		clear(w.nameless)
	}
	w.nameless[sum] = true
	w.enqueue(r)
}

func (w *window) enqueue(r received) {
	lane := r.in.Name
	if lane == "" {
		lane = strconv.FormatInt(r.id, 10)
	}
	queue, running := w.lanes[lane]
	w.lanes[lane] = append(queue, r)
	w.pending++
	if !running {
		w.wg.Add(1)
		w.crew.do(func() {
			defer w.wg.Done()
			w.work(lane)
		})
	}
}

// work handles the updates of a lane until it is empty.
func (w *window) work(lane string) {
	apart := 0 // so many are handled one by one
	for {
		w.mu.Lock()
		queue := w.lanes[lane]
		if len(queue) == 0 {
			delete(w.lanes, lane)
			w.mu.Unlock()
			return
		}
		w.mu.Unlock()
		n := together(queue)
		switch {
		case apart == 0 && n > 1 && w.all(queue[:n]):
		case w.insist(queue[0]):
			if apart == 0 {
				apart = n
			}
			n = 1
			apart--
		default:
			return
		}
		w.mu.Lock()
		w.lanes[lane] = w.lanes[lane][n:]
		for _, r := range queue[:n] {
			w.done(r.id)
		}
		w.mu.Unlock()
	}
}

// together counts the updates at the front of a lane that can be handed over at
// once.
func together(queue []received) int {
	for i, r := range queue {
		if r.broken || r.mute {
			return max(i, 1)
		}
	}
	return len(queue)
}

// all hands updates over at once, and reports whether they were taken. Where
// not they are taken one by one.
func (w *window) all(batch []received) bool {
	if w.b.together == nil {
		return false
	}
	select {
	case w.b.busy <- struct{}{}:
		defer func() { <-w.b.busy }()
	case <-w.stop.Done():
		return false
	}
	ins := make([]engine.Inbound, len(batch))
	for i, r := range batch {
		ins[i] = r.in
	}
	return w.stop.Err() == nil && w.b.handleAll(w.ctx, ins) == nil
}

// insist takes one update until it is taken, and reports false if the window
// stopped before.
func (w *window) insist(r received) bool {
	for n := 0; ; n++ {
		select {
		case w.b.busy <- struct{}{}:
		case <-w.stop.Done():
			return false
		}
		if w.stop.Err() != nil {
			<-w.b.busy
			return false
		}
		err := w.b.take(w.ctx, r)
		<-w.b.busy
		if err == nil {
			return true
		}
		w.b.log.Warn("update not taken", "kind", r.kind, "class", class(err), "count", n+1)
		if !sleep(w.stop, w.b.backoff(n)) {
			return false
		}
	}
}

// done marks an update as handled and moves the offset over all that are.
func (w *window) done(id int64) {
	w.pending--
	if id != 0 {
		w.known[id] = true
	}
	for len(w.order) > 0 && w.known[w.order[0]] {
		w.offset = w.order[0] + 1
		delete(w.known, w.order[0])
		w.order = w.order[1:]
	}
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// settle waits until the next poll is of use: all is handled, or enough to
// confirm a part and go on, or the same may be asked for again. polled is the
// offset of the poll that began at the given instant.
func (w *window) settle(ctx context.Context, polled int64, began time.Time) {
	for {
		w.mu.Lock()
		idle, moved := w.pending == 0, w.offset != polled
		w.mu.Unlock()
		wait := repeat
		switch {
		case idle && moved:
			return
		case moved:
			wait = hurry
		}
		wait -= time.Since(began)
		if wait <= 0 {
			return
		}
		t := time.NewTimer(wait)
		select {
		case <-w.changed:
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
		t.Stop()
	}
}

// drain lets what is being handled finish, for so long at most.
func (w *window) drain(d time.Duration) {
	t := time.AfterFunc(d, w.cancel)
	w.wg.Wait()
	t.Stop()
	w.cancel()
	w.crew.dismiss()
}
