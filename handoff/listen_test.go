package handoff

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/internal/engine"
	"suar/internal/mattermosttest"
)

func TestWhatOfficersWriteBecomesEvents(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		r.run()
		siti, budi := w.Officers[0], w.Officers[1]

		w.Post(budi, "", "not in a thread")
		other := w.Post(budi, "", "a thread of their own")
		w.Post(siti, other.Id, "not about a case")
		said := w.Post(siti, string(root), "Halo, saya petugas")
		note := w.Post(budi, string(root), " // call her family?")
		file := w.PostFile(siti, string(root), "see this", "a.txt", []byte("text"))
		r.ledger.wait(t, root, 3)
		edited := w.Edit(siti, said.Id, "Halo, saya petugas KBRI")
		noted := w.Edit(siti, file.Id, "//not this")
		w.React(budi, said.Id, "eyes")
		if _, err := siti.Client().PinPost(t.Context(), note.Id); err != nil {
			t.Fatal(err)
		}
		w.Delete(siti, said.Id)
		w.Post(w.Bot, string(root), "from the bot itself")
		w.RemoveMember(w.Officers[2]) // makes a message of the server's
		last := w.Post(siti, string(root), "last")

		at := func(p *model.Post) flows.PostID { return flows.PostID(p.Id) }
		want := []flows.Event{
			flows.Replied{Post: at(said), Officer: officer(siti), Text: "Halo, saya petugas"},
			flows.Noted{Post: at(note), Officer: officer(budi), Text: "call her family?"},
			flows.Replied{Post: at(file), Officer: officer(siti), Text: "see this", Files: 1},
			flows.Revised{Post: at(edited), Officer: officer(siti), Text: "Halo, saya petugas KBRI"},
			flows.Revised{Post: at(noted), Officer: officer(siti), Text: "not this", Note: true},
			flows.Withdrawn{Post: at(said)},
			flows.Replied{Post: at(last), Officer: officer(siti), Text: "last"},
		}
		if diff := cmp.Diff(want, r.ledger.wait(t, root, len(want))); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		for _, canary := range []string{"petugas", "family", siti.Username, siti.ID, string(root)} {
			if strings.Contains(r.log.String(), canary) {
				t.Errorf("%q is in the log", canary)
			}
		}
	})
}

// TestMe: what an officer writes with /me is said to the person like anything
// else, or is a note.
func TestMe(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		r.run()
		siti := w.Officers[0]
		me := func(text string) *model.Post {
			t.Helper()
			if w.Small != nil { // the stand-in has no commands
				post, _, err := siti.Client().CreatePost(t.Context(), &model.Post{
					ChannelId: w.ChannelID, RootId: string(root), Type: model.PostTypeMe, Message: "*" + text + "*",
				})
				if err != nil {
					t.Fatal(err)
				}
				return post
			}
			_, err := siti.Client().DoAPIPostJSON(t.Context(), "/commands/execute", &model.CommandArgs{
				ChannelId: w.ChannelID, RootId: string(root), Command: "/me " + text,
			})
			if err != nil {
				t.Fatal(err)
			}
			thread := w.Thread(string(root))
			return thread[len(thread)-1]
		}
		said := me("sedang menuju ke sana")
		note := me("// telepon polisi *sekarang*")
		w.Edit(siti, said.Id, "*sudah di sana*")
		at := func(p *model.Post) flows.PostID { return flows.PostID(p.Id) }
		want := []flows.Event{
			flows.Replied{Post: at(said), Officer: officer(siti), Text: "sedang menuju ke sana"},
			flows.Noted{Post: at(note), Officer: officer(siti), Text: "telepon polisi *sekarang*"},
			flows.Revised{Post: at(said), Officer: officer(siti), Text: "sudah di sana"},
		}
		if diff := cmp.Diff(want, r.ledger.wait(t, root, len(want))); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// TestAStepThatFailsStopsNothing: what the engine cannot take is marked, and what
// comes after it goes on.
func TestAStepThatFailsStopsNothing(t *testing.T) {
	w := mattermosttest.StandIn(t)
	r := newRig(t, w)
	root := r.open(1)
	r.run()
	siti := w.Officers[0]
	r.ledger.setFail(fmt.Errorf("%w: event", engine.ErrStep))
	bad := w.Post(siti, string(root), "bom")
	r.until("the officer sees that it will not arrive", func() bool {
		return slices.Contains(w.Reactions(bad.Id), w.Bot.Username+": x")
	})
	r.ledger.setFail(nil)
	good := w.Post(siti, string(root), "sesudah")
	want := []flows.Event{flows.Replied{Post: flows.PostID(good.Id), Officer: officer(siti), Text: "sesudah"}}
	if diff := cmp.Diff(want, r.ledger.wait(t, root, 1)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestAway: what happens while no process runs is read by the next one, once
// and in order.
func TestAway(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		first := newRig(t, w)
		root, other := first.open(1), first.open(2)
		stop := first.run()
		siti := w.Officers[0]
		a := w.Post(siti, string(root), "a")
		b := w.Post(siti, string(root), "b")
		first.ledger.wait(t, root, 2)
		stop()

		c := w.Post(siti, string(root), "c")
		d := w.Post(siti, string(root), "d")
		x := w.Post(siti, string(other), "x")
		w.Edit(siti, a.Id, "a2")
		w.Delete(siti, b.Id)
		w.Edit(siti, d.Id, "d2")

		second := newRig(t, w)
		second.ledger.known, second.ledger.seen, second.ledger.events = first.ledger.known, first.ledger.seen, first.ledger.events
		second.run()
		at := func(p *model.Post) flows.PostID { return flows.PostID(p.Id) }
		o := officer(siti)
		want := []flows.Event{
			flows.Replied{Post: at(a), Officer: o, Text: "a"},
			flows.Replied{Post: at(b), Officer: o, Text: "b"},
			flows.Revised{Post: at(a), Officer: o, Text: "a2"},
			flows.Withdrawn{Post: at(b)},
			flows.Replied{Post: at(c), Officer: o, Text: "c"},
			flows.Replied{Post: at(d), Officer: o, Text: "d2"},
			flows.Revised{Post: at(d), Officer: o, Text: "d2"},
		}
		if diff := cmp.Diff(want, second.ledger.wait(t, root, len(want))); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]flows.Event{flows.Replied{Post: at(x), Officer: o, Text: "x"}}, second.ledger.wait(t, other, 1)); diff != "" {
			t.Errorf("the other case (-want +got):\n%s", diff)
		}
	})
}

// TestWhatALostStoreKnewIsNotNew: the store was restored from a backup, and a
// reply of before is touched, which brings it into what is read again.
func TestWhatALostStoreKnewIsNotNew(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		lost := newRig(t, w)
		root := lost.open(1)
		stop := lost.run()
		siti := w.Officers[0]
		old := w.Post(siti, string(root), "before the restoring")
		lost.ledger.wait(t, root, 1)
		stop() // It saves its mark.
		w.React(siti, old.Id, "eyes")
		unheard := w.Post(siti, string(root), "while nothing ran")

		next := newRig(t, w, func(c *Config) { c.Restored = time.Now() })
		next.ledger.know(root)
		next.run()
		want := []flows.Event{flows.Replied{Post: flows.PostID(unheard.Id), Officer: officer(siti), Text: "while nothing ran"}}
		if diff := cmp.Diff(want, next.ledger.wait(t, root, 1)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// TestADeletedCardIsNoticed, while the desk listens and while it is away.
func TestADeletedCardIsNoticed(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		roots := []flows.PostID{r.open(1), r.open(2)}
		theirs := w.Post(w.Officers[0], "", "a thread of their own")
		stop := r.run()
		w.Delete(w.Officers[0], theirs.Id)
		for i, root := range roots {
			if i == 1 {
				stop()
			}
			w.Delete(w.Bot, string(root))
			if i == 1 {
				next := newRig(t, w, func(c *Config) { c.Handler = r.ledger })
				next.run()
			}
			want := []flows.Event{flows.Withdrawn{Post: root}}
			if diff := cmp.Diff(want, r.ledger.wait(t, root, 1)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		}
	})
}

// TestMarkIsKept: the next process begins where this one ended, and not at the
// horizon; but not behind a post that the engine has not taken. Without
// preferences, as on the stand-in, a process begins at the horizon.
func TestMarkIsKept(t *testing.T) {
	w := mattermosttest.Real(t)
	r := newRig(t, w)
	root := r.open(1)
	stop := r.run()
	taken := w.Post(w.Officers[0], string(root), "taken")
	r.ledger.wait(t, root, 1)
	r.ledger.setFail(errors.New("the disk is full"))
	before := r.ledger.calls()
	waits := w.Post(w.Officers[0], string(root), "waits")
	r.until("the engine is asked", func() bool { return r.ledger.calls() > before })
	stop()
	l := listener{Desk: r.Desk, place: *r.place}
	mark, err := l.loadMark(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if mark < taken.CreateAt || mark >= waits.CreateAt {
		t.Errorf("mark %d, want between the post that was taken, %d, and the one that waits, %d", mark, taken.CreateAt, waits.CreateAt)
	}
}

// TestMuchHappenedUnheard: more than Mattermost gives at once.
func TestMuchHappenedUnheard(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		const threads, each, others = 8, 20, 900
		var roots []flows.PostID
		for i := range threads {
			roots = append(roots, r.open(i))
		}
		var writers sync.WaitGroup
		for i, root := range roots {
			writers.Go(func() {
				for n := range each {
					w.Post(w.Officers[i%3], string(root), fmt.Sprint(n))
				}
			})
		}
		for _, officer := range w.Officers { // root posts are quicker than replies
			writers.Go(func() {
				for range others / len(w.Officers) {
					w.Post(officer, "", "not about a case")
				}
			})
		}
		writers.Wait()
		r.run()
		for _, root := range roots {
			var want []string
			for _, p := range w.Thread(string(root))[1:] {
				want = append(want, p.Message)
			}
			if diff := cmp.Diff(want, texts(r.ledger.wait(t, root, each))); diff != "" {
				t.Fatalf("events (-want +got):\n%s", diff)
			}
		}
	})
}

// texts are the words of replies.
func texts(events []flows.Event) []string {
	var out []string
	for _, ev := range events {
		switch ev := ev.(type) {
		case flows.Replied:
			out = append(out, ev.Text)
		default:
			out = append(out, fmt.Sprintf("%T", ev))
		}
	}
	return out
}

// TestServerRestarts: officers go on writing while the server is killed and
// started several times.
func TestServerRestarts(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		r.run()
		const n = 120
		done := make(chan struct{})
		go func() {
			defer close(done)
			c := w.Officers[0].Client()
			for i := range n {
				// As a client does that got no answer, with the same pending id;
				// a server that was killed may have kept the post all the same.
				post := &model.Post{ChannelId: w.ChannelID, RootId: string(root), Message: fmt.Sprint(i)}
				for {
					if _, _, err := c.CreatePost(t.Context(), post); err == nil || t.Context().Err() != nil {
						break
					}
					<-time.After(20 * time.Millisecond)
				}
			}
		}()
		for range 3 {
			<-time.After(200 * time.Millisecond)
			w.Kill()
			w.Start()
		}
		<-done
		var want []string
		for _, p := range w.Thread(string(root))[1:] {
			want = append(want, p.Message)
		}
		if diff := cmp.Diff(want, texts(r.ledger.wait(t, root, len(want)))); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// TestOrderUnderLoad: many threads at once, each in its order.
func TestOrderUnderLoad(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		const threads, each = 16, 20
		var roots []flows.PostID
		for i := range threads {
			roots = append(roots, r.open(i))
		}
		r.run()
		var writers sync.WaitGroup
		for i, root := range roots {
			writers.Go(func() {
				for n := range each {
					w.Post(w.Officers[i%3], string(root), fmt.Sprint(n))
				}
			})
		}
		writers.Wait()
		var want []string
		for n := range each {
			want = append(want, fmt.Sprint(n))
		}
		for _, root := range roots {
			if diff := cmp.Diff(want, texts(r.ledger.wait(t, root, each))); diff != "" {
				t.Fatalf("events (-want +got):\n%s", diff)
			}
		}
	})
}

// TestEngineDown: a post waits for the engine, and those behind it with it,
// while the process lives and beyond.
func TestEngineDown(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		stop := r.run()
		r.ledger.setFail(errors.New("the disk is full"))
		for i := range 5 {
			w.Post(w.Officers[0], string(root), fmt.Sprint(i))
		}
		r.until("the engine is asked", func() bool { return r.ledger.calls() > 0 })
		stop()
		if got := r.ledger.of(root); len(got) != 0 {
			t.Fatalf("events %v", got)
		}
		r.ledger.setFail(nil)
		next := newRig(t, w, func(c *Config) { c.Handler = r.ledger })
		next.run()
		if diff := cmp.Diff([]string{"0", "1", "2", "3", "4"}, texts(r.ledger.wait(t, root, 5))); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// TestRevokedToken: the socket stays open and says nothing; the heartbeat
// notices.
func TestRevokedToken(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		r.run()
		w.RevokeToken(w.Bot)
		r.until("the desk knows", func() bool { return r.Fault() != nil })
		if want := "handoff: Mattermost answers with status 401"; r.Fault().Error() != want {
			t.Errorf("fault %q, want %q", r.Fault(), want)
		}
	})
}

// TestBotRemoved: a bot that is out of the channel hears nothing of it.
func TestBotRemoved(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		root := r.open(1)
		r.run()
		w.RemoveMember(w.Bot)
		r.until("the desk knows", func() bool { return r.Fault() != nil })
		w.Post(w.Officers[0], string(root), "unheard")
		w.AddMember(w.Bot)
		r.hears()
		if diff := cmp.Diff([]string{"unheard"}, texts(r.ledger.wait(t, root, 1))); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// A wire is a network between the desk and Mattermost that can be cut.
type wire struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	open     map[net.Conn]bool
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &wire{listener: l, to: strings.TrimPrefix(to, "http://"), open: map[net.Conn]bool{}}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", x.to)
			if err != nil {
				_ = near.Close()
				continue
			}
			x.mu.Lock()
			x.open[near], x.open[far] = true, true
			x.mu.Unlock()
			pipe := func(a, b net.Conn) {
				_, _ = io.Copy(a, b)
				_, _ = a.Close(), b.Close()
			}
			go pipe(near, far)
			go pipe(far, near)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		x.cut()
	})
	return x
}

func (x *wire) url() string { return "http://" + x.listener.Addr().String() }

// cut ends all connections.
func (x *wire) cut() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for c := range x.open {
		_ = c.Close()
		delete(x.open, c)
	}
}

// counting counts the requests for what changed in the channel.
type counting struct{ since atomic.Int32 }

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Query().Has("since") {
		c.since.Add(1)
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestResume: after a cut the connection goes on where it was, and nothing is
// read again.
func TestResume(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		x := newWire(t, w.URL)
		var count counting
		r := newRig(t, w, func(c *Config) {
			c.URL, c.Transport, c.Heartbeat = x.url(), &count, time.Minute
		})
		root := r.open(1)
		r.run()
		var want []string
		for i := range 30 {
			if i%10 == 5 {
				x.cut()
			}
			want = append(want, fmt.Sprint(i))
			w.Post(w.Officers[0], string(root), fmt.Sprint(i))
		}
		if diff := cmp.Diff(want, texts(r.ledger.wait(t, root, len(want)))); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if n := count.since.Load(); n != 1 {
			t.Errorf("the channel was read %d times, want once at the start", n)
		}
	})
}

// TestCardNotYetRecorded: an officer is faster than the record of the card.
func TestCardNotYetRecorded(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		r := newRig(t, w)
		r.run()
		done := r.deliver(deliveryOf(1))
		post := w.Post(w.Officers[0], string(done.Post), "I am here")
		r.until("the engine is asked", func() bool { return r.ledger.calls() > 0 })
		r.ledger.know(done.Post)
		want := []flows.Event{flows.Replied{Post: flows.PostID(post.Id), Officer: officer(w.Officers[0]), Text: "I am here"}}
		if diff := cmp.Diff(want, r.ledger.wait(t, done.Post, 1)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// TestCardRecordedLate: the process that placed the card was suspended for some
// minutes before it could record it. What an officer wrote meanwhile waits.
func TestCardRecordedLate(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		var ahead atomic.Int64
		r := newRig(t, w, func(c *Config) {
			c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		})
		done := r.deliver(deliveryOf(1))
		r.run()
		ahead.Store(int64(recordedWithin + time.Minute))
		post := w.Post(w.Officers[0], string(done.Post), "I am here")
		r.until("the engine is asked", func() bool { return r.ledger.calls() > 0 })
		r.ledger.know(done.Post)
		want := []flows.Event{flows.Replied{Post: flows.PostID(post.Id), Officer: officer(w.Officers[0]), Text: "I am here"}}
		if diff := cmp.Diff(want, r.ledger.wait(t, done.Post, 1)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	})
}

// TestErasedCase: who writes under the card of a case that is no more sees that
// nobody reads it, and other cases do not wait.
func TestErasedCase(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		var ahead atomic.Int64
		r := newRig(t, w, func(c *Config) {
			c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		})
		erased := r.deliver(deliveryOf(1)).Post
		r.run()
		ahead.Store(int64(freshCard + time.Minute))
		post := w.Post(w.Officers[0], string(erased), "are you there?")
		r.until("the post is marked", func() bool {
			return cmp.Equal([]string{"suar: x"}, w.Reactions(post.Id))
		})
	})
}
