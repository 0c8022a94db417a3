package telegramtest

import (
	"context"
	"sync"
)

// A feed collects the chats that changed until somebody takes them.
type feed struct {
	mu    sync.Mutex
	dirty []int64
	in    map[int64]bool
	ready chan struct{}
}

func (f *feed) mark(chat int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.in[chat] {
		f.in[chat] = true
		f.dirty = append(f.dirty, chat)
	}
	select {
	case f.ready <- struct{}{}:
	default:
	}
}

func (f *feed) take() []int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.dirty
	f.dirty, f.in = nil, map[int64]bool{}
	return out
}

// Feed returns a channel of the chats that change from now on. Several changes
// of a chat that nobody took in between are one. It is closed when ctx or the
// server ends; a slow reader holds nobody up.
func (s *Server) Feed(ctx context.Context) <-chan int64 {
	f := &feed{in: map[int64]bool{}, ready: make(chan struct{}, 1)}
	out := make(chan int64)
	s.mu.Lock()
	s.feeds[f] = struct{}{}
	s.mu.Unlock()
	s.wg.Go(func() {
		defer close(out)
		defer func() {
			s.mu.Lock()
			delete(s.feeds, f)
			s.mu.Unlock()
		}()
		for {
			select {
			case <-f.ready:
			case <-ctx.Done():
				return
			case <-s.ctx.Done():
				return
			}
			for _, chat := range f.take() {
				select {
				case out <- chat:
				case <-ctx.Done():
					return
				case <-s.ctx.Done():
					return
				}
			}
		}
	})
	return out
}
