package telegramtest

import (
	"context"
	"encoding/json"
	"slices"
	"time"
)

// How long Telegram keeps what it could not hand over.
const (
	updateLife = 24 * time.Hour
	queryLife  = 150 * time.Second
)

// An update waits to be confirmed by the bot.
type update struct {
	id   int64
	kind string
	// key is the queue in which a webhook gets it: one after the other within
	// a queue, side by side between them.
	key int64
	at  time.Time
	raw []byte
}

// A poll is a getUpdates that waits.
type poll struct{ ended chan struct{} }

// wants says whether the bot asked for updates of the kind. allowed_updates
// holds for updates that come after it was set.
func (s *Server) wants(kind string) bool {
	if len(s.allowed) == 0 {
		return kind != "chat_member" && kind != "message_reaction" && kind != "message_reaction_count"
	}
	return slices.Contains(s.allowed, kind)
}

// send checks an update and puts it into the queue.
func (s *Server) send(kind string, key int64, content map[string]any) {
	if !s.wants(kind) {
		return
	}
	id := s.nextUpdate
	raw, err := json.Marshal(map[string]any{"update_id": id, kind: content})
	if err != nil {
		s.faultLocked("update: " + err.Error())
		return
	}
	if !s.opts.Unchecked {
		if err := schema().validateJSON("TelegramUpdate", raw); err != nil {
			s.faultLocked("update: " + err.Error())
			return
		}
	}
	s.enqueue(&update{kind: kind, key: key, raw: raw})
}

func (s *Server) enqueue(u *update) {
	u.id = s.nextUpdate
	u.at = s.now()
	s.nextUpdate++
	s.queue = append(s.queue, u)
	close(s.arrived)
	s.arrived = make(chan struct{})
	s.pump()
}

// Inject puts an update into the queue exactly as given, unchecked, and returns
// its id. make gets the id and returns the update's bytes, which may be
// anything: an unknown kind, an object of great depth, half an object.
func (s *Server) Inject(build func(id int64) []byte) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.nextUpdate
	s.enqueue(&update{kind: "raw", key: -id, raw: build(id)})
	return id
}

// SetNextUpdate makes the next update's id n: ids begin anew at random after a
// week without updates.
func (s *Server) SetNextUpdate(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nextUpdate = n
}

// Pending returns the ids of the updates that the bot has not confirmed.
func (s *Server) Pending() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]int64, len(s.queue))
	for i, u := range s.queue {
		out[i] = u.id
	}
	return out
}

// Drained waits until the bot has confirmed every update.
func (s *Server) Drained(ctx context.Context) error {
	for {
		s.mu.Lock()
		n, changed := len(s.queue), s.arrived
		s.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return errClosed
		}
	}
}

// Polled waits until a getUpdates of the bot's waits for updates.
func (s *Server) Polled(ctx context.Context) error {
	for {
		s.mu.Lock()
		polling, changed := s.poll != nil, s.arrived
		s.mu.Unlock()
		if polling {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.ctx.Done():
			return errClosed
		}
	}
}

// confirmed tells those who wait in Drained or Polled. It shares the channel of
// arrivals: a poll that wakes for nothing looks and waits again.
func (s *Server) confirmed() {
	close(s.arrived)
	s.arrived = make(chan struct{})
}

// expire drops what Telegram would not keep any longer.
func (s *Server) expire() {
	now := s.now()
	s.queue = slices.DeleteFunc(s.queue, func(u *update) bool {
		life := updateLife
		if u.kind == "callback_query" {
			life = queryLife
		}
		return now.Sub(u.at) > life
	})
}

func getUpdates(s *Server, ctx context.Context, p params) (any, *apiError) {
	offset := p.number("offset", 0)
	limit := p.number("limit", 100)
	if limit < 1 || limit > 100 {
		limit = 100
	}
	timeout := min(max(p.number("timeout", 0), 0), 50)

	s.mu.Lock()
	if s.hook != nil {
		s.mu.Unlock()
		return nil, &apiError{Code: 409, Description: "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"}
	}
	if s.poll != nil {
		close(s.poll.ended)
		s.poll = nil
	}
	if _, ok := p["allowed_updates"]; ok {
		s.allowed = nil
		for _, v := range p.list("allowed_updates") {
			k, _ := v.(string)
			s.allowed = append(s.allowed, k)
		}
	}
	// The real server slows a bot down that asks for the same again and again.
	if offset == s.lastOffset && !s.lastPoll.IsZero() {
		since := time.Since(s.lastPoll)
		if since < 3*time.Second && timeout < 3 {
			timeout = 3
		}
		if since < time.Second/2 {
			limit = 1
		}
	}
	s.lastOffset, s.lastPoll = offset, time.Now()

	before := len(s.queue)
	switch {
	case offset > 0:
		i := 0
		for i < len(s.queue) && s.queue[i].id < offset {
			i++
		}
		s.queue = slices.Delete(s.queue, 0, i)
	case offset < 0:
		if n := len(s.queue) + int(offset); n > 0 {
			s.queue = slices.Delete(s.queue, 0, n)
		}
	}
	if len(s.queue) < before {
		s.confirmed()
	}
	mine := &poll{ended: make(chan struct{})}
	waiting := false
	deadline := time.NewTimer(time.Duration(timeout) * time.Second)
	defer deadline.Stop()
	for {
		s.expire()
		if len(s.queue) > 0 || timeout == 0 {
			break
		}
		if !waiting {
			waiting = true
			s.poll = mine
			s.confirmed()
		}
		arrived := s.arrived
		s.mu.Unlock()
		stop := false
		select {
		case <-arrived:
		case <-deadline.C:
			stop = true
		case <-mine.ended:
		case <-ctx.Done():
			stop = true
		case <-s.ctx.Done():
			stop = true
		}
		s.mu.Lock()
		select {
		case <-mine.ended:
			s.mu.Unlock()
			return nil, &apiError{Code: 409, Description: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"}
		default:
		}
		if stop {
			break
		}
	}
	if s.poll == mine {
		s.poll = nil
	}
	out := []byte{'['}
	for i, u := range s.queue {
		if int64(i) == limit || ctx.Err() != nil {
			break
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, u.raw...)
	}
	s.mu.Unlock()
	return json.RawMessage(append(out, ']')), nil
}
