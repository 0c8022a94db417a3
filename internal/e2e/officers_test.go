package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"suar/flows"
	"suar/handoff"
	"suar/internal/mattermosttest"
)

// A post is what an officer's client is told of a post.
type post struct {
	ID       string `json:"id"`
	Root     string `json:"root_id"`
	User     string `json:"user_id"`
	Channel  string `json:"channel_id"`
	Message  string `json:"message"`
	CreateAt int64  `json:"create_at"`
	Type     string `json:"type"`
	Props    struct {
		RelayKey string `json:"relay_key"`
		Board    any    `json:"suar_board"`
	} `json:"props"`

	seen time.Time // when the client was told
}

// text is what an officer reads.
func (p post) text() string { return handoff.Shown(p.Message) }

// A screen is an officer's client that is open for the whole of a test and
// remembers all that it was told of new posts, thread by thread.
type screen struct {
	t     testing.TB
	world *mattermosttest.World
	done  chan struct{}

	// lasting says that the client connects again when its connection breaks,
	// and reads what it missed.
	lasting atomic.Bool
	as      mattermosttest.Account
	closed  context.Context

	mu      sync.Mutex
	known   map[string]bool    // the posts that it was told of
	last    int64              // when the newest of them was created
	threads map[string]*thread // by root
	tags    map[string]*thread
	changed chan struct{}
	roots   []*thread // in the order in which they appeared
	fault   error
}

// A thread is a case as the officers see it.
type thread struct {
	s       *screen
	root    post
	posts   []post          // without the root
	heard   map[string]post // the bot's, by what an officer reads
	changed chan struct{}
}

// tag marks what somebody says in these tests with who it is: p and a number.
var tag = regexp.MustCompile(`\bp[0-9]{4}\b`)

// watch opens a client.
func watch(t testing.TB, world *mattermosttest.World, as mattermosttest.Account) *screen {
	t.Helper()
	s := &screen{
		t: t, world: world, as: as, done: make(chan struct{}), known: map[string]bool{},
		threads: map[string]*thread{}, tags: map[string]*thread{}, changed: make(chan struct{}),
	}
	conn, err := s.dial()
	if err != nil {
		t.Fatalf("open a client: %v", err)
	}
	var end context.CancelFunc
	s.closed, end = context.WithCancel(context.WithoutCancel(t.Context()))
	go s.run(conn)
	t.Cleanup(func() {
		end()
		<-s.done
	})
	return s
}

func (s *screen) dial() (*websocket.Conn, error) {
	conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(s.world.URL, "http")+"/api/v4/websocket",
		http.Header{"Authorization": {"Bearer " + s.as.Token}})
	return conn, err
}

// run reads from one connection after the other.
func (s *screen) run(conn *websocket.Conn) {
	defer close(s.done)
	for {
		err := s.read(conn)
		if s.closed.Err() != nil || !s.lasting.Load() {
			s.end(err)
			return
		}
		for conn = nil; conn == nil; {
			select {
			case <-s.closed.Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
			if again, err := s.dial(); err == nil {
				if conn = again; s.catchUp() != nil {
					conn.Close()
					conn = nil
				}
			}
		}
	}
}

// end tells all who wait that nothing comes any more.
func (s *screen) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fmt.Errorf("the officer's client: %w", err)
	wake(&s.changed)
	for _, th := range s.threads {
		wake(&th.changed)
	}
}

// catchUp reads what was posted while there was no connection.
func (s *screen) catchUp() error {
	s.mu.Lock()
	since := s.last
	s.mu.Unlock()
	missed, err := s.world.PostsSince(s.closed, s.as, max(since-1000, 1))
	if err != nil {
		return err
	}
	for _, p := range missed {
		raw, err := json.Marshal(p)
		if err != nil {
			return err
		}
		s.told(string(raw))
	}
	return nil
}

// read reads until the connection breaks.
func (s *screen) read(conn *websocket.Conn) error {
	defer context.AfterFunc(s.closed, func() { conn.Close() })()
	defer conn.Close()
	for {
		var event struct {
			Event string `json:"event"`
			Data  struct {
				Post string `json:"post"`
			} `json:"data"`
		}
		if err := conn.ReadJSON(&event); err != nil {
			return err
		}
		if event.Event == "posted" {
			s.told(event.Data.Post)
		}
	}
}

// told takes a post as the server gives it.
func (s *screen) told(raw string) {
	p := post{seen: time.Now()}
	if err := json.Unmarshal([]byte(raw), &p); err == nil && p.Channel == s.world.ChannelID && p.Type == "" {
		s.take(p)
	}
}

func (s *screen) take(p post) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known[p.ID] {
		return
	}
	s.known[p.ID], s.last = true, max(s.last, p.CreateAt)
	root := p.Root
	if root == "" {
		root = p.ID
	}
	th := s.threads[root]
	if th == nil {
		th = &thread{s: s, heard: map[string]post{}, changed: make(chan struct{})}
		s.threads[root] = th
	}
	news := false
	if p.Root == "" {
		th.root = p
		if p.Props.Board == nil { // The board is no case.
			s.roots = append(s.roots, th)
		}
		news = true
	} else {
		th.posts = append(th.posts, p)
	}
	if p.User == s.world.Bot.ID {
		th.heard[p.text()] = p
		for line := range strings.SplitSeq(p.text(), "\n") {
			th.heard[line] = p // What is written fast comes in one post, a line each.
		}
		for _, name := range tag.FindAllString(p.Message, -1) {
			news = news || s.tags[name] != th
			s.tags[name] = th
		}
	}
	if news {
		wake(&s.changed)
	}
	wake(&th.changed)
}

// wake tells all who wait that something changed. The screen's lock is held.
func wake(changed *chan struct{}) {
	close(*changed)
	*changed = make(chan struct{})
}

// wait waits until ok, which is called with s.mu held and looked at again when
// changed is closed.
func (s *screen) wait(ctx context.Context, changed *chan struct{}, ok func() bool) error {
	for {
		s.mu.Lock()
		done, changed, fault := ok(), *changed, s.fault
		s.mu.Unlock()
		if done {
			return nil
		}
		if fault != nil {
			return fault
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// caseOf waits for the thread in which the bot relays what the tag marks.
func (s *screen) caseOf(ctx context.Context, tag string) (*thread, error) {
	var found *thread
	err := s.wait(ctx, &s.changed, func() bool {
		found = s.tags[tag]
		return found != nil && found.root.ID != ""
	})
	if err != nil {
		return nil, fmt.Errorf("waiting for the case of %s: %w", tag, err)
	}
	return found, nil
}

// nextRoot waits for the nth card, counted from 0.
func (s *screen) nextRoot(ctx context.Context, n int) (*thread, error) {
	var found *thread
	err := s.wait(ctx, &s.changed, func() bool {
		if len(s.roots) > n {
			found = s.roots[n]
		}
		return found != nil
	})
	if err != nil {
		return nil, fmt.Errorf("waiting for card %d: %w", n, err)
	}
	return found, nil
}

// hear waits for a post of the bot's with exactly these words and returns it.
func (th *thread) hear(ctx context.Context, words string) (post, error) {
	var found post
	err := th.s.wait(ctx, &th.changed, func() (ok bool) {
		found, ok = th.heard[words]
		return ok
	})
	if err != nil {
		return found, fmt.Errorf("waiting for %q in the thread: %w", words, err)
	}
	return found, nil
}

// hearPart waits for a post of the bot's with a part of it.
func (th *thread) hearPart(ctx context.Context, part string) (post, error) {
	var found post
	err := th.s.wait(ctx, &th.changed, func() bool {
		for text, p := range th.heard {
			if contains(text, part) {
				found = p
				return true
			}
		}
		return false
	})
	if err != nil {
		return found, fmt.Errorf("waiting for %q in the thread: %w", part, err)
	}
	return found, nil
}

// officersWord is a text of the catalogue that the officers read.
func officersWord(t testing.TB, key string) string {
	t.Helper()
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	return book.OfficerText(key)
}
