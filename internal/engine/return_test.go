package engine

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
	"suar/storage/storagetest"
)

// chats is the person's side as Telegram is: each chat has the messages that were
// sent to it and not erased.
type chats struct {
	mu   sync.Mutex
	n    int
	kept map[string]map[flows.MessageID]string // by chat
	rows map[string][][]flows.Button           // of the bubble
	all  map[string][]string                   // what a chat was ever sent
}

func newChats() *chats {
	return &chats{kept: map[string]map[flows.MessageID]string{}, rows: map[string][][]flows.Button{}, all: map[string][]string{}}
}

func (c *chats) Deliver(_ context.Context, d Delivery) (flows.Delivered, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept[d.Caller] == nil {
		c.kept[d.Caller] = map[flows.MessageID]string{}
	}
	put := func(id flows.MessageID, text string) flows.Delivered {
		if id == "" {
			c.n++
			id = flows.MessageID(fmt.Sprint("b", c.n))
		}
		c.kept[d.Caller][id] = text
		c.all[d.Caller] = append(c.all[d.Caller], text)
		return flows.Delivered{Message: id}
	}
	switch ef := d.Effect.(type) {
	case flows.Show:
		if d.View.Text == "" || ef.Quiet && d.Bubble == "" {
			return flows.Delivered{Message: d.Bubble}, nil
		}
		c.rows[d.Caller] = d.View.Rows
		if d.Buried && !ef.Quiet {
			d.Bubble = ""
		}
		return put(d.Bubble, d.View.Text), nil
	case flows.Say:
		return put("", ef.Text), nil
	case flows.Amend:
		return put(ef.Message, ef.Text), nil
	case flows.Erase:
		for _, id := range ef.Messages {
			delete(c.kept[d.Caller], id)
		}
	}
	return flows.Delivered{}, nil
}

// A room is a world with the shipped book and chats.
type room struct {
	*world
	chats *chats
	e     *Engine
	n     int
	down  func()
}

func newRoom(t *testing.T, book *flows.Book) *room {
	w := newWorld(t)
	w.flow, w.cost = book, seal.PhraseCost{Passes: 1, Memory: 64}
	return &room{world: w, chats: newChats()}
}

func shippedBook(t testing.TB) *flows.Book {
	t.Helper()
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// up starts a process on the store; it has no more in common with the one before.
func (r *room) up(store storage.Store) {
	r.e = r.engineOn(store)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.e.Run(ctx, map[flows.Side]Deliverer{flows.Caller: r.chats, flows.Officers: r.channel})
	}()
	var once sync.Once
	r.down = func() { once.Do(func() { cancel(); <-done }) }
	r.t.Cleanup(r.down)
}

// keeps hands an event over until it is taken, as the edges do.
func (r *room) keeps(in Inbound) {
	r.t.Helper()
	var err error
	for range 600 {
		if err = r.e.Handle(r.t.Context(), in); err == nil {
			synctest.Wait()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	r.t.Fatalf("nobody takes %s: %v\n%s", flows.EventKind(in.Event), err, r.logged())
}

func (r *room) person(n int, ev flows.Event) {
	r.t.Helper()
	r.n++
	in := said(n, r.n, "")
	in.Event = ev
	r.keeps(in)
}

func (r *room) says(n int, text string) {
	r.t.Helper()
	id := flows.MessageID(fmt.Sprint("own", r.n))
	r.chats.mu.Lock()
	caller := said(n, 0, "").Caller
	if r.chats.kept[caller] == nil {
		r.chats.kept[caller] = map[flows.MessageID]string{}
	}
	r.chats.kept[caller][id] = text
	r.chats.mu.Unlock()
	r.person(n, flows.Said{Message: id, Text: text})
}

func (r *room) starts(n int) {
	r.t.Helper()
	r.person(n, flows.Started{})
}

// presses presses buttons of the nth person's bubble, one after the other.
func (r *room) presses(n int, labels ...string) {
	r.t.Helper()
	for _, label := range labels {
		data := ""
		r.chats.mu.Lock()
		for _, row := range r.chats.rows[said(n, 0, "").Caller] {
			for _, b := range row {
				if b.Label == label {
					data = b.Data
				}
			}
		}
		r.chats.mu.Unlock()
		if data == "" {
			r.t.Fatalf("person %d has no button %q: %v", n, label, r.chats.rows[said(n, 0, "").Caller])
		}
		r.person(n, flows.Chose{Data: data})
	}
}

// sees is what is in a chat.
func (r *room) sees(n int) []string {
	r.chats.mu.Lock()
	defer r.chats.mu.Unlock()
	var out []string
	for _, text := range r.chats.kept[said(n, 0, "").Caller] {
		out = append(out, text)
	}
	slices.Sort(out)
	return out
}

func (r *room) officer(thread flows.PostID, ev flows.Event) {
	r.t.Helper()
	r.n++
	r.keeps(Inbound{Name: threadName(thread), ID: fmt.Sprint("mm:", r.n), Event: ev})
}

// threads are the threads of the cards so far.
func (r *room) threads() []flows.PostID {
	r.channel.mu.Lock()
	defer r.channel.mu.Unlock()
	var out []flows.PostID
	for _, d := range r.channel.got {
		if _, ok := d.Effect.(flows.Open); ok {
			out = append(out, flows.PostID("p"+r.channel.made[d.ID]))
		}
	}
	return slices.Compact(out)
}

// told are our own words in a thread.
func (r *room) told(thread flows.PostID) string {
	var all []string
	for _, d := range r.channel.deliveries() {
		if tell, ok := d.Effect.(flows.Tell); ok && d.Thread == thread {
			all = append(all, tell.Text)
		}
	}
	return strings.Join(all, "\n")
}

var officer = flows.Officer{ID: "u1", Name: "ayu-lestari"}

// opens makes a case for the nth person, in danger, with a receipt code.
func (r *room) opens(n int) (thread flows.PostID, code string) {
	r.t.Helper()
	r.starts(n)
	r.presses(n, "English", "Contact the embassy", "Danger now", "Skip", "Skip", "Skip")
	threads := r.threads()
	thread = threads[len(threads)-1]
	r.officer(thread, flows.Claimed{Officer: officer})
	r.presses(n, "More", "Number for another phone", "16 digits")
	code = regexp.MustCompile(`\d{4} \d{4} \d{4} \d{4}`).FindString(strings.Join(r.sees(n), "\n"))
	if code == "" {
		r.t.Fatalf("no code: %q", r.sees(n))
	}
	r.presses(n, "I wrote it down")
	return thread, code
}

// asks types a code in the nth chat and answers the question.
func (r *room) asks(n int, code string) {
	r.t.Helper()
	r.toNumber(n)
	r.says(n, code)
	r.says(n, "rendang")
}

func (r *room) toNumber(n int) {
	r.t.Helper()
	r.starts(n)
	r.presses(n, "English", "Contact the embassy", "Yes", "Agree", "I have a number")
}

func accept(n int) flows.Event {
	return flows.Acted{Officer: officer, Action: flows.ActionReturn, Choice: fmt.Sprint("accept", n)}
}

// TestReturn: the case goes on in the other chat, the old one is erased and is a
// stranger's, the transcript goes on without a gap, and the code is used up.
func TestReturn(t *testing.T) {
	t.Parallel()
	book := shippedBook(t)
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t, book)
		r.up(r.store)
		thread, code := r.opens(1)
		r.officer(thread, flows.Replied{Post: "r1", Officer: officer, Text: "where are you"})
		r.asks(2, code)
		if told := r.told(thread); !strings.Contains(told, "akun lain") {
			t.Fatalf("the officers were told %q", told)
		}
		r.officer(thread, accept(1))
		r.moved(thread)
		r.asks(3, code) // A second time it is a wrong one.
		r.officer(thread, accept(2))
		if n := strings.Count(r.told(thread), "Kode kembali benar"); n != 1 {
			t.Errorf("the officers were told of %d right codes, want 1", n)
		}
		r.mustBeEmpty(r.e)
	})
}

// moved checks that the case of the thread is the second person's, and only that.
func (r *room) moved(thread flows.PostID) {
	r.t.Helper()
	r.officer(thread, flows.Replied{Post: "r2", Officer: officer, Text: "welcome back"})
	if left := r.sees(1); len(left) != 0 {
		r.t.Errorf("the old chat still has %q", left)
	}
	news := slices.ContainsFunc(r.sees(2), func(s string) bool { return strings.Contains(s, "There is news") })
	if !news {
		r.t.Errorf("the new chat has no reply: %q", r.sees(2))
	}
	id, err := r.e.resolve(r.t.Context(), threadName(thread))
	if want := r.vault.Blind("conversation", said(2, 0, "").Name); err != nil || id != want {
		r.t.Errorf("the thread leads to %s, %v, want %s", id, err, want)
	}
	if c, found, err := r.e.load(r.t.Context(), r.vault.Blind("conversation", said(1, 0, "").Name)); found || err != nil {
		r.t.Errorf("of the old chat is kept %+v (%v)", c.State.Case, err)
	}
	// Of the transcript, every record is proven by transcripts.
	cases := r.transcripts()
	if len(cases) != 1 {
		r.t.Fatalf("%d transcripts, want 1", len(cases))
	}
	for _, lines := range cases {
		all := strings.Join(lines, "\n")
		for _, once := range []string{"bot moved", "welcome back"} {
			if n := strings.Count(all, once); n != 1 {
				r.t.Errorf("%q is %d times in the transcript:\n%s", once, n, all)
			}
		}
	}
	before := len(r.threads())
	r.says(1, "who is this")
	if n := len(r.threads()); n != before+1 {
		r.t.Errorf("a stranger's words in the old chat made %d cards, want a new one", n-before)
	}
	for _, d := range r.channel.deliveries() {
		if relay, ok := d.Effect.(flows.Relay); ok && relay.Text == "who is this" && d.Thread == thread {
			r.t.Error("a stranger's words came to the old case")
		}
	}
}

// TestReturnCrashes ends the process at every call of the store from the officer's
// press on, before and after the store has done it: whatever is lost with it, the
// next process brings the case over, once.
func TestReturnCrashes(t *testing.T) {
	t.Parallel()
	book, every := shippedBook(t), 1
	if testing.Short() {
		every = 4
	}
	for _, fault := range []storagetest.Fault{storagetest.Refused, storagetest.Lost} {
		for nth := 1; ; nth += every {
			reached := false
			synctest.Test(t, func(t *testing.T) {
				r := newRoom(t, book)
				var mu sync.Mutex
				armed, calls := false, 0
				r.up(storagetest.NewFlaky(r.store, func(c storagetest.Call) storagetest.Fault {
					mu.Lock()
					defer mu.Unlock()
					switch c.Method {
					case "Commit", "CommitAndLease", "Lease", "Defer", "Resolve", "Load":
					default:
						return storagetest.None
					}
					if !armed {
						return storagetest.None
					}
					switch calls++; {
					case calls < nth:
						return storagetest.None
					case calls == nth:
						reached = true
						return fault
					}
					return storagetest.Refused
				}))
				thread, code := r.opens(1)
				r.officer(thread, flows.Replied{Post: "r1", Officer: officer, Text: "where are you"})
				r.asks(2, code)
				mu.Lock()
				armed = true
				mu.Unlock()
				in := Inbound{Name: threadName(thread), ID: "mm:accept", Event: accept(1)}
				_ = r.e.Handle(t.Context(), in)
				synctest.Wait()
				r.down()
				r.up(r.store)
				time.Sleep(2 * time.Minute) // What the old process had leased runs out.
				synctest.Wait()
				r.keeps(in) // The edge had no answer and hands it over again.
				r.moved(thread)
				time.Sleep(2 * time.Minute)
				r.mustBeEmpty(r.e)
				if t.Failed() {
					t.Logf("fault %d at call %d", fault, nth)
				}
			})
			if !reached || t.Failed() || nth > 200 {
				t.Logf("%d calls", nth-1)
				break
			}
		}
	}
}
