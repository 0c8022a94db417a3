// Package crowd is a Telegram with thousands of simulated persons in it, made
// for load: a Bot API server on loopback that costs so little that the bot, and
// not the server, is what is measured.
//
// It knows what a conversation with buttons needs: long polling, sending,
// editing and deleting messages, answering presses. It reads HTTP itself,
// echoes what it is given and keeps one message a chat. Package telegramtest is
// the whole and careful server, to which this one is held: the first of all
// requests, answers and updates are kept for [Telegram.Samples] and checked
// against the same schema, outside of what is measured.
package crowd

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// A Step is one update of a person's, and the answer that it waits for.
type Step struct {
	// Say is what the person writes; if it is empty the button with the label
	// Press is pressed.
	Say, Press string
	// Shows is a part of the text that the bot answers with, without quotes and
	// breaks. If it is empty the answer is that the bot deletes its message.
	Shows string
}

// A Script is what each person does again and again. The first step writes, the
// last one ends with the chat empty.
type Script struct {
	Steps []Step
	// Case, if not nil, replaces the last step of some conversations. After it
	// the person stays where they are, and another one comes.
	Case *Step
}

// Options say how a Telegram behaves.
type Options struct {
	// Address is where it listens, "127.0.0.1:0" if empty.
	Address string
	// Token is the bot's token.
	Token  string
	Script Script
}

// A Telegram is a Bot API server and its crowd. All methods may be called by
// any number of goroutines.
type Telegram struct {
	token    string
	script   Script
	listener net.Listener
	ctx      context.Context
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	mu       sync.Mutex
	conns    map[net.Conn]struct{}
	chats    map[int64]*chat
	nextChat int64
	nextID   int64 // of messages
	plan     Plan
	running  bool
	ready    []*chat // with Plan.Rate: who is to act next
	begun    int     // conversations
	ended    int
	answered int // steps
	updates  updates
	calls    map[string]int
	views    []View
	samples  samples
	faults   []string
	window   window
}

// A Plan is what the crowd does from Begin to Stop.
type Plan struct {
	// Chats is how many persons talk at once.
	Chats int
	// Rate is how many updates a second they make together, evenly; 0 for as
	// many as the bot answers.
	Rate float64
	// Stay, if not 0, is after how many steps each person stays for good.
	Stay int
	// Cases, if not 0, lets one of so many conversations end as a case.
	Cases int
}

// New starts a server.
func New(o Options) (*Telegram, error) {
	if n := len(o.Script.Steps); n < 2 || o.Script.Steps[0].Say == "" {
		return nil, fmt.Errorf("crowd: a script of %d steps that must begin with words", n)
	}
	if o.Address == "" {
		o.Address = "127.0.0.1:0"
	}
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", o.Address)
	if err != nil {
		return nil, fmt.Errorf("crowd: %w", err)
	}
	t := &Telegram{
		token: o.Token, script: o.Script, listener: l,
		conns: map[net.Conn]struct{}{}, chats: map[int64]*chat{}, nextChat: 500_000_000, nextID: 1000,
		updates: newUpdates(), calls: map[string]int{}, views: make([]View, len(o.Script.Steps)),
	}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.wg.Go(t.accept)
	return t, nil
}

// URL is the server's base, without a slash at its end.
func (t *Telegram) URL() string { return "http://" + t.listener.Addr().String() }

// Close ends every connection and waits for what is under way.
func (t *Telegram) Close() {
	t.cancel()
	_ = t.listener.Close()
	t.mu.Lock()
	for c := range t.conns {
		_ = c.Close()
	}
	t.mu.Unlock()
	t.wg.Wait()
}

func (t *Telegram) accept() {
	for {
		conn, err := t.listener.Accept()
		if err != nil {
			return
		}
		t.mu.Lock()
		t.conns[conn] = struct{}{}
		t.mu.Unlock()
		t.wg.Go(func() {
			t.serve(conn)
			t.mu.Lock()
			delete(t.conns, conn)
			t.mu.Unlock()
			_ = conn.Close()
		})
	}
}

// serve answers the requests of one connection.
func (t *Telegram) serve(conn net.Conn) {
	br := bufio.NewReaderSize(conn, 16<<10)
	var r request
	var out []byte
	for t.ctx.Err() == nil {
		if err := r.read(br); err != nil {
			return
		}
		out = t.answer(out[:0], &r)
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

// Begin lets the crowd come. A plan before must have been stopped. Those who
// talked under it stay away.
func (t *Telegram) Begin(p Plan) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.plan, t.running, t.ready = p, true, nil
	for _, c := range t.chats {
		c.gone = true
	}
	for range p.Chats {
		t.next(t.newChat())
	}
	if p.Rate > 0 {
		t.wg.Go(func() { t.pace(p) })
	}
}

// pace lets those who are ready act, so many a second.
func (t *Telegram) pace(p Plan) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	last, due := time.Now(), 0.0
	for {
		select {
		case <-tick.C:
		case <-t.ctx.Done():
			return
		}
		now := time.Now()
		// What was missed by a pause of our own is not made up for at once.
		due = min(due+now.Sub(last).Seconds()*p.Rate, p.Rate/50+1)
		last = now
		t.mu.Lock()
		if !t.running {
			t.mu.Unlock()
			return
		}
		n := min(int(due), len(t.ready))
		due -= float64(n)
		for _, c := range t.ready[:n] {
			t.act(c)
		}
		t.ready = t.ready[n:]
		t.mu.Unlock()
	}
}

// Stop lets everybody finish the step under way, and returns when all have or
// ctx ends; how many still wait then is the result.
func (t *Telegram) Stop(ctx context.Context) (waiting int) {
	t.mu.Lock()
	t.running = false
	t.mu.Unlock()
	for {
		t.mu.Lock()
		waiting = 0
		for _, c := range t.chats {
			if c.waiting && !c.gone {
				waiting++
			}
		}
		t.mu.Unlock()
		if waiting == 0 {
			return 0
		}
		select {
		case <-ctx.Done():
			return waiting
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Staying returns how many persons have come as far as Plan.Stay.
func (t *Telegram) Staying() (n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.chats {
		if c.stays {
			n++
		}
	}
	return n
}

// Answered returns how many steps were answered.
func (t *Telegram) Answered() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.answered
}

// Ended returns how many conversations were gone through to their end.
func (t *Telegram) Ended() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.ended
}

// A View is what the bot answered a step with: the text and the inline keyboard
// as JSON. Both are nil for a step that is answered by deleting.
type View struct{ Text, Keyboard []byte }

// Views returns for each step the first answer to it.
func (t *Telegram) Views() []View {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.views)
}

// Faults returns what the bot did that Telegram refuses.
func (t *Telegram) Faults() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.faults)
}

func (t *Telegram) fault(format string, args ...any) {
	if len(t.faults) < 20 {
		t.faults = append(t.faults, fmt.Sprintf(format, args...))
	}
}
