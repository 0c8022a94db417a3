package crowd

import (
	"strconv"
	"time"
)

// updates are those that the bot has not confirmed.
type updates struct {
	next    int64
	queue   []update
	free    [][]byte
	arrived chan struct{} // holds a token while there may be something new
	poll    chan struct{} // closed to end the poll that waits; nil if none does

	offset int64 // of the poll before
	polled time.Time
}

type update struct {
	id  int64
	raw []byte
}

func newUpdates() updates {
	return updates{next: 500_000_001, arrived: make(chan struct{}, 1)}
}

// send puts an update of the kind into the queue.
func (t *Telegram) send(kind string, content func([]byte) []byte) {
	u := &t.updates
	var b []byte
	if n := len(u.free); n > 0 {
		b, u.free = u.free[n-1][:0], u.free[:n-1]
	}
	b = append(b, `{"update_id":`...)
	b = strconv.AppendInt(b, u.next, 10)
	b = append(b, `,"`...)
	b = append(b, kind...)
	b = append(b, `":`...)
	b = content(b)
	b = append(b, '}')
	t.samples.keep("TelegramUpdate", b)
	u.queue = append(u.queue, update{id: u.next, raw: b})
	u.next++
	select {
	case u.arrived <- struct{}{}:
	default:
	}
}

// confirm drops the updates before the offset.
func (u *updates) confirm(offset int64) {
	n := 0
	for n < len(u.queue) && u.queue[n].id < offset {
		u.free = append(u.free, u.queue[n].raw)
		n++
	}
	u.queue = u.queue[n:]
}

// getUpdates waits for updates, as Telegram does, and appends them.
func (t *Telegram) getUpdates(b []byte, c *call) (_ []byte, e *refusal) {
	limit, timeout := int(c.limit), time.Duration(min(max(c.timeout, 0), 50))*time.Second
	if limit < 1 || limit > 100 {
		limit = 100
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	u := &t.updates
	if u.poll != nil {
		close(u.poll)
		u.poll = nil
	}
	// Telegram slows a bot down that asks for the same again and again.
	if c.offset == u.offset && !u.polled.IsZero() && time.Since(u.polled) < 3*time.Second {
		timeout = max(timeout, 3*time.Second)
		if time.Since(u.polled) < time.Second/2 {
			limit = 1
		}
	}
	u.offset, u.polled = c.offset, time.Now()
	u.confirm(c.offset)
	mine := make(chan struct{})
	var late *time.Timer
	for len(u.queue) == 0 && timeout > 0 {
		if late == nil {
			late = time.NewTimer(timeout)
			defer late.Stop()
			u.poll = mine
		}
		t.mu.Unlock()
		select {
		case <-u.arrived:
		case <-late.C:
			timeout = 0
		case <-mine:
			t.mu.Lock()
			return b, &refusal{409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"}
		case <-t.ctx.Done():
			timeout = 0
		}
		t.mu.Lock()
	}
	if u.poll == mine {
		u.poll = nil
	}
	b = append(b, '[')
	for i := range min(limit, len(u.queue)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, u.queue[i].raw...)
	}
	return append(b, ']'), nil
}
