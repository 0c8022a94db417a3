package engine

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
	"suar/internal/seal"
	"suar/storage"
	"suar/storage/storagetest"
)

// TestReturnLooksTheSame: whoever types a code sees the same in the same order, and
// the keeper does the same for them, whether the code is right, wrong, no code at
// all, of a case that is closed, or one too many.
func TestReturnLooksTheSame(t *testing.T) {
	t.Parallel()
	book := shippedBook(t)
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t, book)
		r.up(r.store)
		thread, right := r.opens(1)
		closed, over := r.opens(2)
		r.officer(closed, flows.Closed{Officer: officer})
		codes := []string{right, "1234 5678 9012 3456", "🥭\u200f", over, strings.Repeat("kata ", 800)}
		var want []string
		for i, code := range codes {
			began := time.Now()
			r.asks(10+i, code)
			if took := time.Since(began); took != 0 {
				t.Errorf("code %d took %v longer than none", i, took)
			}
			got := r.sent(10 + i)
			if want == nil {
				want = got
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("code %d looks different (-first +this):\n%s", i, diff)
			}
		}
		if !strings.Contains(r.told(thread), "Kode kembali benar") || strings.Contains(r.told(closed), "Kode kembali benar") {
			t.Errorf("the officers were told %q and %q", r.told(thread), r.told(closed))
		}
		// A refusal is not seen, and a sixth try looks as the first did.
		r.officer(thread, flows.Acted{Officer: officer, Action: flows.ActionReturn, Choice: "refuse1"})
		if diff := cmp.Diff(want, r.sent(10)); diff != "" {
			t.Errorf("the refusal is seen (-want +got):\n%s", diff)
		}
		r.toNumber(20)
		for range triesOfChat {
			r.says(20, "1234 5678 9012 3456")
			r.presses(20, "Back")
		}
		before := len(r.sent(20))
		r.says(20, right)
		r.says(20, "rendang")
		if diff := cmp.Diff(want[len(want)-2:], r.sent(20)[before:]); diff != "" {
			t.Errorf("the sixth code looks different (-want +got):\n%s", diff)
		}
		if n := strings.Count(r.told(thread), "Kode kembali benar"); n != 1 {
			t.Errorf("the officers were told of %d right codes, want the one within the tries", n)
		}
		r.mustBeEmpty(r.e)
		r.mustBeSilent()
	})
}

// sent is what a chat was ever sent, in order.
func (r *room) sent(n int) []string {
	r.chats.mu.Lock()
	defer r.chats.mu.Unlock()
	return slices.Clone(r.chats.all[said(n, 0, "").Caller])
}

// TestReturnFlood: 10,000 wrong codes from 500 accounts cost no more work than the
// tries allow, leave nothing behind, and hold up nobody who is in danger.
func TestReturnFlood(t *testing.T) {
	t.Parallel()
	book, accounts, codes := shippedBook(t), 500, 20
	if testing.Short() {
		accounts = 20
	}
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t, book)
		var looked atomic.Int64
		r.up(storagetest.NewFlaky(r.store, func(c storagetest.Call) storagetest.Fault {
			if c.Method == "Pace" && c.Subject == "codes" {
				looked.Add(1)
			}
			return storagetest.None
		}))
		for n := range accounts {
			r.toNumber(100 + n)
		}
		for i := range codes {
			for n := range accounts {
				r.says(100+n, fmt.Sprintf("%08d %08d", n, i))
				r.presses(100+n, "Back")
			}
		}
		queued, err := r.e.Status(t.Context())
		if err != nil || queued.Waiting[flows.Keeper] == 0 {
			t.Errorf("%d codes wait (%v), want a queue", queued.Waiting[flows.Keeper], err)
		}
		cards, began := len(r.threads()), time.Now()
		r.presses(100, "Danger now") // One of those who typed codes.
		r.starts(1)
		r.presses(1, "English", "Contact the embassy", "Danger now")
		if n := len(r.threads()) - cards; n != 2 || time.Since(began) != 0 {
			t.Errorf("%d cards after %v, want 2 at once", n, time.Since(began))
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		if n := looked.Load(); n != int64(accounts*triesOfChat) {
			t.Errorf("%d codes were looked up, want %d", n, accounts*triesOfChat)
		}
		r.mustBeEmpty(r.e)
	})
}

// TestReturnIntoACase: who typed the code has opened a case meanwhile. It ends, and
// its officers are told; what it knew of danger goes along.
func TestReturnIntoACase(t *testing.T) {
	t.Parallel()
	book := shippedBook(t)
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t, book)
		r.up(r.store)
		thread, code := r.opens(1)
		r.asks(2, code)
		r.says(2, "it is me, please")
		threads := r.threads()
		own := threads[len(threads)-1]
		if own == thread {
			t.Fatal("no case of the asker's own")
		}
		r.officer(thread, accept(1))
		if told := r.told(own); !strings.Contains(told, "Kasus ini ditutup") {
			t.Errorf("the officers of the other case were told %q", told)
		}
		c := r.conversation(2)
		if c.State.Thread() != thread || c.State.Case.Phase != flows.Owned || c.State.Earlier == "" {
			t.Errorf("the chat has the case %+v after %q", c.State.Case, c.State.Earlier)
		}
		last := map[flows.PostID]flows.Card{}
		for _, d := range r.channel.deliveries() {
			if _, ok := d.Effect.(flows.Update); ok {
				last[d.Thread] = d.Card
			}
		}
		if last[own].Tone != flows.ToneClosed || last[thread].Tone != flows.ToneActive {
			t.Errorf("the cards end as %v and %v", last[own].Tone, last[thread].Tone)
		}
		r.says(2, "one more thing")
		for _, lines := range r.transcripts() {
			all := strings.Join(lines, "\n")
			if strings.Contains(all, "one more thing") != strings.Contains(all, "bot moved") {
				t.Errorf("the transcript:\n%s", all)
			}
		}
		r.mustBeEmpty(r.e)
	})
}

func (r *room) conversation(n int) conversation {
	r.t.Helper()
	c, _, err := r.e.load(r.t.Context(), r.vault.Blind("conversation", said(n, 0, "").Name))
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// TestReturnToWhoLeft: the asker deleted the chat before the officer accepted. The
// case waits there; nothing is sent to a chat that was deleted.
func TestReturnToWhoLeft(t *testing.T) {
	t.Parallel()
	book := shippedBook(t)
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t, book)
		r.up(r.store)
		thread, code := r.opens(1)
		r.asks(2, code)
		r.presses(2, "Delete & leave")
		before := len(r.sent(2))
		r.officer(thread, accept(1))
		r.officer(thread, flows.Replied{Post: "r1", Officer: officer, Text: "are you there"})
		if got := r.sent(2)[before:]; len(got) != 0 {
			t.Errorf("the deleted chat was sent %q", got)
		}
		r.says(2, "I am back")
		if c := r.conversation(2); c.State.Thread() != thread || c.State.Left {
			t.Errorf("the case of %v, left %t", c.State.Thread(), c.State.Left)
		}
		r.mustBeEmpty(r.e)
	})
}

// TestReturnHere: the person deleted the chat and types the code in the same one.
func TestReturnHere(t *testing.T) {
	t.Parallel()
	book := shippedBook(t)
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t, book)
		r.up(r.store)
		thread, code := r.opens(1)
		r.presses(1, "Delete & leave")
		r.asks(1, code)
		if c := r.conversation(1); !c.State.Left {
			t.Fatal("the code alone brought the case back")
		}
		r.officer(thread, accept(1))
		if c := r.conversation(1); c.State.Left || c.State.Aside != nil || c.State.Thread() != thread || c.State.Lookup() != "" {
			t.Errorf("left %t, the case of %v, code %q", c.State.Left, c.State.Thread(), c.State.Lookup())
		}
		r.mustBeEmpty(r.e)
	})
}

// BenchmarkReturn measures what the keeper does for a right code and for a wrong
// one, at the real cost: compare the two of one run.
func BenchmarkReturn(b *testing.B) {
	w := &world{t: nil, store: storagetest.NewMemory(), vault: testVault(b, 1), log: new(strings.Builder)}
	w.officers, _ = testOfficers(b)
	w.flow, w.cost = shippedBook(b), seal.PhraseCost{}
	e, err := New(b.Context(), w.config(w.store))
	if err != nil {
		b.Fatal(err)
	}
	sum := e.indexOf("1234567890123456")
	id := e.vault.Blind("conversation", "tg:1")
	c := conversation{version: 1, envelope: envelope{State: flows.State{
		Screen: "case.talk", Case: &flows.Case{Phase: flows.Owned, Thread: "p1", Code: sum},
	}}}
	if err := seed(b, e, id, c); err != nil {
		b.Fatal(err)
	}
	for name, code := range map[string]string{"right": "1234567890123456", "wrong": "6543210987654321"} {
		b.Run(name, func(b *testing.B) {
			for n := range b.N {
				del := Delivery{ID: fmt.Sprint(name, n, b.N), Conversation: fmt.Sprint("asker", name, n, b.N), Tries: 2}
				out, err := e.look(b.Context(), del, flows.Look{Note: "n", Code: code})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := e.seek(b.Context(), del, flows.Seek{Sum: out.(flows.Hashed).Sum, Text: "rendang"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// seed puts a conversation into the store.
func seed(b *testing.B, e *Engine, id string, c conversation) error {
	b.Helper()
	state, err := e.sealState(id, &c)
	if err != nil {
		return err
	}
	return e.store.Commit(b.Context(), storage.Commit{ID: id, At: time.Now(), State: state, Names: e.names(c)})
}
