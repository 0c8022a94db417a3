package telegramtest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// A webhook is where updates are pushed to.
type webhook struct {
	url, secret string
	max         int
	busy        map[int64]bool // queues that a goroutine is working on
	slots       chan struct{}
	ctx         context.Context
	cancel      context.CancelFunc
	client      *http.Client
	lastError   string
	lastErrorAt time.Time
}

var secretToken = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

func setWebhook(s *Server, _ context.Context, p params) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	target := p.text("url")
	if target != "" {
		if u, err := url.Parse(target); err != nil || u.Host == "" {
			return nil, bad("bad webhook: invalid URL")
		}
	}
	secret := p.text("secret_token")
	if secret != "" && !secretToken.MatchString(secret) {
		return nil, bad("secret token contains unallowed characters")
	}
	s.dropWebhook()
	if p.flag("drop_pending_updates") {
		s.queue = nil
		s.confirmed()
	}
	if _, ok := p["allowed_updates"]; ok {
		s.allowed = nil
		for _, v := range p.list("allowed_updates") {
			k, _ := v.(string)
			s.allowed = append(s.allowed, k)
		}
	}
	if target == "" {
		return true, nil
	}
	n := int(p.number("max_connections", 40))
	if n < 1 || n > 100 {
		n = 40
	}
	if s.poll != nil {
		close(s.poll.ended)
		s.poll = nil
	}
	h := &webhook{
		url: target, secret: secret, max: n,
		busy:  map[int64]bool{},
		slots: make(chan struct{}, n),
		client: &http.Client{
			Timeout:   time.Minute,
			Transport: s.opts.Transport,
		},
	}
	if h.client.Transport == nil {
		h.client.Transport = &http.Transport{MaxIdleConnsPerHost: n}
	}
	h.ctx, h.cancel = context.WithCancel(s.ctx)
	s.hook = h
	s.pump()
	return true, nil
}

func deleteWebhook(s *Server, _ context.Context, p params) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropWebhook()
	if p.flag("drop_pending_updates") {
		s.queue = nil
		s.confirmed()
	}
	return true, nil
}

func (s *Server) dropWebhook() {
	if s.hook != nil {
		s.hook.cancel()
		s.hook.client.CloseIdleConnections()
		s.hook = nil
	}
}

func getWebhookInfo(s *Server, _ context.Context, _ params) (any, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire()
	info := map[string]any{"url": "", "has_custom_certificate": false, "pending_update_count": len(s.queue)}
	if s.hook != nil {
		info["url"] = s.hook.url
		info["max_connections"] = s.hook.max
		if s.hook.lastError != "" {
			info["last_error_message"] = s.hook.lastError
			info["last_error_date"] = s.hook.lastErrorAt.Unix()
		}
	}
	if len(s.allowed) > 0 {
		info["allowed_updates"] = s.allowed
	}
	return info, nil
}

// pump starts a goroutine for each queue that has an update and none.
func (s *Server) pump() {
	h := s.hook
	if h == nil || s.ctx.Err() != nil {
		return
	}
	for _, u := range s.queue {
		if !h.busy[u.key] {
			h.busy[u.key] = true
			s.wg.Go(func() { s.push(h, u.key) })
		}
	}
}

// push delivers one queue's updates one after the other, each until it is
// taken.
func (s *Server) push(h *webhook, key int64) {
	pause := s.opts.Redeliver
	for {
		s.mu.Lock()
		s.expire()
		i := slices.IndexFunc(s.queue, func(u *update) bool { return u.key == key })
		if i < 0 || h.ctx.Err() != nil {
			delete(h.busy, key)
			s.mu.Unlock()
			return
		}
		u := s.queue[i]
		s.mu.Unlock()

		select {
		case h.slots <- struct{}{}:
		case <-h.ctx.Done():
			continue
		}
		status, after, body := h.post(u.raw)
		<-h.slots
		if status/100 == 2 {
			pause = s.opts.Redeliver
			s.mu.Lock()
			s.queue = slices.DeleteFunc(s.queue, func(o *update) bool { return o == u })
			s.confirmed()
			s.mu.Unlock()
			s.reply(h.ctx, body)
			continue
		}
		s.mu.Lock()
		h.lastErrorAt = s.now()
		h.lastError = "Wrong response from the webhook: " + strconv.Itoa(status)
		s.mu.Unlock()
		wait(h.ctx, s.ctx, max(pause, after))
		pause = min(2*pause, 64*s.opts.Redeliver)
	}
}

// post sends one update and returns the status, 0 if there was no answer.
func (h *webhook) post(raw []byte) (status int, after time.Duration, body []byte) {
	r, err := http.NewRequestWithContext(h.ctx, http.MethodPost, h.url, bytes.NewReader(raw))
	if err != nil {
		return 0, 0, nil
	}
	r.Header.Set("Content-Type", "application/json")
	if h.secret != "" {
		r.Header.Set("X-Telegram-Bot-Api-Secret-Token", h.secret)
	}
	resp, err := h.client.Do(r)
	if err != nil {
		return 0, 0, nil
	}
	defer resp.Body.Close()
	body, _ = io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		after = time.Duration(min(max(n, 0), 3600)) * time.Second
	}
	return resp.StatusCode, after, body
}

// reply performs a method that the bot gave as the answer to the webhook. Its
// result is lost, as with Telegram.
func (s *Server) reply(ctx context.Context, body []byte) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	p := params{}
	if d.Decode((*map[string]any)(&p)) != nil {
		return
	}
	method, known := schema().method(p.text("method"))
	if !known {
		return
	}
	delete(p, "method")
	_, _ = s.perform(ctx, method, p)
}
