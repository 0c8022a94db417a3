package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
	"suar/storage"
	"suar/storage/storagetest"
)

func TestLaneOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		// Each effect fails at first, the card for long, and there are two
		// processes.
		tried := map[string]int{}
		w.channel.answer = func(_ context.Context, del Delivery) error {
			w.logMu.Lock()
			defer w.logMu.Unlock()
			tried[del.ID]++
			if _, open := del.Effect.(flows.Open); tried[del.ID] < 2 || open && tried[del.ID] < 6 {
				return &Failure{Status: 502}
			}
			return nil
		}
		e, other := w.engine(), w.engine()
		w.run(e)
		w.run(other)
		var want []string
		for person := range 5 {
			for n := range 10 {
				w.handle([]*Engine{e, other}[n%2], said(person, n, fmt.Sprintf("%d of %d", n, person)))
			}
		}
		time.Sleep(time.Minute)
		got := map[string][]string{}
		for _, del := range w.channel.deliveries() {
			got[del.Caller] = append(got[del.Caller], describe(del.Effect))
		}
		for person := range 5 {
			want = []string{"open"}
			for n := range 10 {
				want = append(want, fmt.Sprintf("relay %d of %d", n, person))
			}
			if diff := cmp.Diff(want, got[fmt.Sprintf("chat-%d", 555000+person)]); diff != "" {
				t.Errorf("person %d (-want +got):\n%s", person, diff)
			}
		}
		w.mustBeEmpty(e)
	})
}

// TestOneSideDown keeps one conversation's lane failing. The others' words, and
// that conversation's other side, must not wait for it.
func TestOneSideDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.limits = Limits{Officers: 1}
		w.channel.answer = func(_ context.Context, del Delivery) error {
			if del.Caller == "chat-555001" {
				return &Failure{Status: 500}
			}
			return nil
		}
		e := w.engine()
		w.run(e)
		w.handle(e, said(1, 1, "stuck"))
		time.Sleep(10 * time.Second)
		w.handle(e, said(2, 1, "through"))
		synctest.Wait()
		if diff := cmp.Diff([]string{"open", "relay through"}, w.channel.effects()); diff != "" {
			t.Errorf("to the officers (-want +got):\n%s", diff)
		}
		if got := len(w.chat.deliveries()); got < 2 {
			t.Errorf("%d effects to the persons, want both bubbles", got)
		}
		// It is tried until it is there, however long that takes.
		time.Sleep(50 * time.Minute)
		w.channel.setAnswer(nil)
		time.Sleep(time.Minute)
		got := w.channel.effects()[2:]
		if diff := cmp.Diff([]string{"open", "relay stuck"}, got); diff != "" {
			t.Errorf("when it is there again (-want +got):\n%s", diff)
		}
	})
}

// TestCallsGoFirst has a talk that keeps the officers' only slot busy when
// somebody new comes.
func TestCallsGoFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.limits.Officers = 1
		w.channel.answer = func(context.Context, Delivery) error {
			time.Sleep(time.Second)
			return nil
		}
		e := w.engine()
		w.run(e)
		for talker := range 3 {
			w.handle(e, said(talker, 1, "talk"))
		}
		time.Sleep(2500 * time.Millisecond) // The third card is on its way.
		w.handle(e, said(3, 1, "new"))
		time.Sleep(time.Minute)
		want := []string{"open", "open", "open", "open", "relay talk", "relay talk", "relay talk", "relay new"}
		if diff := cmp.Diff(want, w.channel.effects()); diff != "" {
			t.Errorf("to the officers (-want +got):\n%s", diff)
		}
	})
}

func TestGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.limits.Poll = 10 * time.Second
		e := w.engine()
		w.run(e)
		w.handle(e, said(1, 1, "a"))
		synctest.Wait()
		w.chat.setAnswer(func(context.Context, Delivery) error { return &Failure{Status: 500} })
		w.handle(e, replied("p1", 1, "never"))
		time.Sleep(23 * time.Hour)
		if got := w.only(); slices.Contains(got, "bot undelivered given up") {
			t.Error("given up before its time")
		}
		// Half past, since the alarm of every full hour pages somebody.
		time.Sleep(90 * time.Minute)
		want := []string{"person said a", "officer:ayu-lestari replied never", "bot undelivered given up"}
		got := slices.DeleteFunc(w.only(), func(l string) bool { return l == "bot paged" })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("transcript (-want +got):\n%s", diff)
		}
		w.mustBeEmpty(e)
	})
}

// TestPatience is the table of how long each effect is tried.
func TestPatience(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		effect flows.Effect
		want   time.Duration // 0 for never given up
	}{
		{flows.Show{}, 24 * time.Hour},
		{flows.Say{}, 24 * time.Hour},
		{flows.Amend{}, 24 * time.Hour},
		{flows.Erase{}, 24 * time.Hour},
		{flows.Open{}, 0},
		{flows.Relay{}, 0},
		{flows.Tell{}, 72 * time.Hour},
		{flows.Page{}, 72 * time.Hour},
		{flows.Update{}, time.Hour},
		{flows.Mark{}, 5 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			d := w.engine().dispatcher(tt.effect.To(), w.chat)
			it, failure := item{Effect: newEffectJSON(tt.effect), At: time.Now()}, &Failure{Status: 403}
			over := func(tries int) bool {
				_, over := d.over(storage.Leased{Tries: tries}, it, failure)
				return over
			}
			if tt.want == 0 {
				time.Sleep(30 * 24 * time.Hour)
				if over(1000) {
					t.Errorf("%s is given up", flows.EffectKind(tt.effect))
				}
				return
			}
			time.Sleep(tt.want - time.Second)
			if over(1000) {
				t.Errorf("%s is given up before %v", flows.EffectKind(tt.effect), tt.want)
			}
			time.Sleep(2 * time.Second)
			// It may have grown old behind another, so its age alone does not
			// count.
			if over(1) || !over(1000) {
				t.Errorf("%s at %v: over is %v at the first try and %v later, want false and true", flows.EffectKind(tt.effect), tt.want, over(1), over(1000))
			}
		})
	}
}

// TestAnOrnamentDoesNotHoldUpWords has signs on posts refused for good, as
// where the bot may not react.
func TestAnOrnamentDoesNotHoldUpWords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		w.run(e)
		w.handle(e, said(1, 1, "a"))
		synctest.Wait()
		w.channel.setAnswer(func(_ context.Context, del Delivery) error {
			if _, mark := del.Effect.(flows.Mark); mark {
				return &Failure{Status: 403, After: 30 * time.Second}
			}
			return nil
		})
		w.handle(e, replied("p1", 1, "reply"))
		synctest.Wait()
		w.handle(e, said(1, 2, "words"))
		time.Sleep(6 * time.Minute)
		if diff := cmp.Diff([]string{"open", "relay a", "relay words"}, w.channel.effects()); diff != "" {
			t.Errorf("to the officers (-want +got):\n%s", diff)
		}
	})
}

// TestUnwanted lets the person leave while officers' words wait for them. They
// must not arrive any more, and the erasure behind them follows at once.
func TestUnwanted(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]flows.Command{
		"left":   flows.AskPrivacy,
		"erased": flows.AskDelete,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				e := w.engine()
				w.run(e)
				w.handle(e, said(1, 1, "a"))
				synctest.Wait()
				shown := len(w.chat.deliveries())
				w.chat.setAnswer(func(context.Context, Delivery) error { return &Failure{Status: 429, After: time.Minute} })
				for n := range 50 {
					w.handle(e, replied("p1", n, "late"))
				}
				leave := said(1, 2, "")
				leave.Event = flows.Asked{Message: "m9", What: ask}
				w.handle(e, leave)
				w.chat.setAnswer(nil)
				time.Sleep(time.Minute + time.Second)
				want := map[flows.Command]string{flows.AskPrivacy: "show", flows.AskDelete: "erase"}[ask]
				if diff := cmp.Diff([]string{want}, w.chat.effects()[shown:]); diff != "" {
					t.Errorf("to the person (-want +got):\n%s", diff)
				}
				w.mustBeEmpty(e)
			})
		})
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		w.run(e)
		w.handle(e, said(1, 1, "a"))
		synctest.Wait()
		w.chat.setAnswer(func(context.Context, Delivery) error {
			return &Failure{Reason: flows.ReasonBlocked, Status: 403, Final: true, Err: errors.New(canary)}
		})
		w.handle(e, replied("p1", 1, "never"))
		synctest.Wait()
		want := []string{"person said a", "officer:ayu-lestari replied never", "bot undelivered blocked"}
		if diff := cmp.Diff(want, w.only()); diff != "" {
			t.Errorf("transcript (-want +got):\n%s", diff)
		}
		w.mustBeEmpty(e)
		w.mustBeSilent()
	})
}

func TestAskedToWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		first := true
		var times []time.Time
		w.channel.answer = func(context.Context, Delivery) error {
			times = append(times, time.Now())
			if first {
				first = false
				return &Failure{Status: 429, After: 7 * time.Second, All: true}
			}
			return nil
		}
		w.limits.Officers = 1
		w.run(e)
		start := time.Now()
		w.handle(e, said(1, 1, "a"))
		synctest.Wait()
		w.handle(e, said(2, 1, "b"))
		time.Sleep(20 * time.Second)
		synctest.Wait()
		for i, at := range times[1:] {
			if at.Sub(start) < 7*time.Second {
				t.Errorf("delivery %d came after %v, asked for 7s", i+2, at.Sub(start))
			}
		}
		w.mustBeEmpty(e)
	})
}

// TestStolenLease lets a delivery take longer than its lease in one process,
// so that another takes it over.
func TestStolenLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		slow, quick := w.engine(), w.engine()
		w.handle(slow, said(1, 1, "a"))
		now := time.Now()
		leased, err := w.store.Lease(t.Context(), storage.LaneOfficers, 1, now, now.Add(slow.limits.Lease))
		if err != nil || len(leased) != 1 {
			t.Fatalf("Lease: %d items, %v", len(leased), err)
		}
		time.Sleep(slow.limits.Lease + time.Second)
		stop := w.run(quick)
		synctest.Wait()
		stop()
		before := w.only()
		// The slow one comes to itself and delivers what was leased to it.
		slow.dispatcher(flows.Officers, w.channel).perform(t.Context(), job{Leased: leased[0]})
		got := w.channel.effects()
		if diff := cmp.Diff([]string{"open", "relay a", "open"}, got); diff != "" {
			t.Errorf("to the officers (-want +got):\n%s", diff)
		}
		dels := w.channel.deliveries()
		if dels[0].ID != dels[2].ID {
			t.Error("the same effect was delivered under two IDs")
		}
		if diff := cmp.Diff(before, w.only()); diff != "" {
			t.Errorf("the outcome was applied twice (-before +after):\n%s", diff)
		}
		c, _, err := slow.load(t.Context(), w.vault.Blind("conversation", "tg:555001"))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.State.Thread(); got != "p1" {
			t.Errorf("the thread is %q, want p1", got)
		}
	})
}

// TestOutcomeSurvivesStore lets the store fail just when an outcome is
// committed. The reply must not be sent twice for it.
func TestOutcomeSurvivesStore(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct{ refused, lost int }{
		"not kept": {refused: 40},
		"kept":     {lost: 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				var commits faults
				e := w.engineOn(storagetest.NewFlaky(w.store, commits.decide))
				w.run(e)
				w.handle(e, said(1, 1, "a"))
				synctest.Wait()
				w.chat.setAnswer(func(context.Context, Delivery) error {
					commits.set(f.refused, f.lost)
					w.chat.setAnswer(nil)
					return nil
				})
				w.handle(e, replied("p1", 1, "once"))
				time.Sleep(time.Hour - time.Minute)
				says := slices.DeleteFunc(w.chat.effects(), func(s string) bool { return s == "show" })
				if diff := cmp.Diff([]string{"say once"}, says); diff != "" {
					t.Errorf("sent (-want +got):\n%s", diff)
				}
				want := []string{"person said a", "officer:ayu-lestari replied once", "bot arrived once"}
				if diff := cmp.Diff(want, w.only()); diff != "" {
					t.Errorf("transcript (-want +got):\n%s", diff)
				}
				w.mustBeEmpty(e)
			})
		})
	}
}

// TestErasedConversation erases a conversation while the last effects of both
// sides are still to be delivered.
func TestErasedConversation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		stop := w.run(e)
		w.handle(e, said(1, 1, "a"))
		synctest.Wait()
		stop()
		leave := said(1, 2, "")
		leave.Event = flows.Asked{Message: "m2", What: flows.AskDelete}
		e = w.engine()
		w.handle(e, leave)
		id := w.vault.Blind("conversation", "tg:555001")
		if _, err := w.store.Load(t.Context(), id); !errors.Is(err, storage.ErrNotFound) {
			t.Fatalf("the record is still there: %v", err)
		}
		shown, posted := len(w.chat.deliveries()), len(w.channel.deliveries())
		w.run(e)
		synctest.Wait()
		chat, channel := w.chat.deliveries()[shown:], w.channel.deliveries()[posted:]
		if len(chat) != 1 || len(channel) != 1 {
			t.Fatalf("%d effects to the person and %d to the officers, want 1 and 1", len(chat), len(channel))
		}
		want := flows.Erase{Messages: []flows.MessageID{"m2", "m2"}} // The bubble and /delete.
		if diff := cmp.Diff(flows.Effect(want), chat[0].Effect); diff != "" || chat[0].Caller != "chat-555001" {
			t.Errorf("to the person, at %q (-want +got):\n%s", chat[0].Caller, diff)
		}
		if channel[0].Thread != "p1" {
			t.Errorf("to the officers in thread %q, want p1", channel[0].Thread)
		}
		if _, err := w.store.Load(t.Context(), id); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("an outcome brought the record back: %v", err)
		}
		w.mustBeEmpty(e)
	})
}

// TestReplacedCase erases a conversation whose card is not there yet, and
// begins it anew. What is of the first case must not become the second's.
func TestReplacedCase(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		w.handle(e, said(1, 1, "a"))
		leave := said(1, 2, "")
		leave.Event = flows.Asked{Message: "m2", What: flows.AskDelete}
		w.handle(e, leave)
		stop := w.run(e)
		synctest.Wait()
		stop()
		if diff := cmp.Diff([]string{"open", "relay a", "relay left"}, w.channel.effects()); diff != "" {
			t.Errorf("of the erased case (-want +got):\n%s", diff)
		}

		w.handle(e, said(2, 1, "a"))
		leave = said(2, 2, "")
		leave.Event = flows.Asked{Message: "m2", What: flows.AskDelete}
		w.handle(e, leave)
		w.handle(e, said(2, 3, "b"))
		before := len(w.channel.deliveries())
		second := false
		w.channel.setAnswer(func(_ context.Context, del Delivery) error {
			if _, open := del.Effect.(flows.Open); open && second {
				return &Failure{Status: 500}
			}
			second = true
			return nil
		})
		w.run(w.engine())
		synctest.Wait()
		id := w.vault.Blind("conversation", "tg:555002")
		c, _, err := e.load(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.State.Thread(); got != "" {
			t.Errorf("the first case's card became the second's thread: %q", got)
		}
		w.channel.setAnswer(nil)
		time.Sleep(time.Minute)
		opens := slices.DeleteFunc(w.channel.deliveries()[before:], func(d Delivery) bool { return describe(d.Effect) != "open" })
		if len(opens) != 2 {
			t.Fatalf("%d cards, want 2", len(opens))
		}
		if opens[0].Card.Code == opens[1].Card.Code || opens[0].Card.Code == "" {
			t.Errorf("the cards of two cases have the codes %q and %q", opens[0].Card.Code, opens[1].Card.Code)
		}
		if c, _, err = e.load(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		w.channel.mu.Lock()
		want := flows.PostID("p" + w.channel.made[opens[1].ID])
		w.channel.mu.Unlock()
		if got := c.State.Thread(); got != want {
			t.Errorf("the second case's thread is %q, want %q", got, want)
		}
		w.mustBeEmpty(e)
		if strings.Contains(w.logged(), "ERROR") {
			t.Errorf("something went wrong on the way:\n%s", w.logged())
		}
	})
}

// TestPoisonedOutcome has an outcome that the flow cannot take.
func TestPoisonedOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		w.run(e)
		w.handle(e, said(1, 1, "a"))
		synctest.Wait()
		w.handle(e, replied("p1", 1, "panic"))
		w.handle(e, replied("p1", 2, "next"))
		synctest.Wait()
		says := slices.DeleteFunc(w.chat.effects(), func(s string) bool { return s == "show" })
		if diff := cmp.Diff([]string{"say panic", "say next"}, says); diff != "" {
			t.Errorf("sent (-want +got):\n%s", diff)
		}
		if !strings.Contains(w.logged(), "outcome dropped") {
			t.Error("nothing was logged")
		}
		w.mustBeEmpty(e)
		w.mustBeSilent()
	})
}

// TestPanicInDeliverer has a deliverer that panics; it is tried again.
func TestPanicInDeliverer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.channel.answer = func(context.Context, Delivery) error {
			w.channel.setAnswer(nil)
			panic("quoting " + canary)
		}
		e := w.engine()
		w.run(e)
		w.handle(e, said(1, 1, "a"))
		time.Sleep(time.Minute)
		if diff := cmp.Diff([]string{"open", "relay a"}, w.channel.effects()); diff != "" {
			t.Errorf("to the officers (-want +got):\n%s", diff)
		}
		w.mustBeSilent()
	})
}

// TestDamagedItem changes an item's bytes. Its lane waits and is not dropped;
// the other conversations go on.
func TestDamagedItem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		damaged := &damagedItems{Store: w.store, conversation: w.vault.Blind("conversation", "tg:555001")}
		e := w.engineOn(damaged)
		// What is performed at once is not read again.
		w.handle(e, said(1, 1, "damaged"))
		w.handle(e, said(2, 1, "sound"))
		w.run(e)
		time.Sleep(time.Hour - time.Minute)
		if diff := cmp.Diff([]string{"open", "relay sound"}, w.channel.effects()); diff != "" {
			t.Errorf("to the officers (-want +got):\n%s", diff)
		}
		s, err := e.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Damaged == 0 || s.Waiting[flows.Officers] != 2 {
			t.Errorf("%d damages noted, %d items wait, want some and 2", s.Damaged, s.Waiting[flows.Officers])
		}
	})
}

type damagedItems struct {
	storage.Store
	conversation string
}

func (d *damagedItems) Lease(ctx context.Context, lane storage.Lane, n int, now, until time.Time) ([]storage.Leased, error) {
	leased, err := d.Store.Lease(ctx, lane, n, now, until)
	for i, l := range leased {
		if l.Conversation == d.conversation {
			leased[i].Body = slices.Clone(l.Body)
			leased[i].Body[len(l.Body)-1] ^= 1
		}
	}
	return leased, err
}

// TestKeyIsReplaced gives the store another key record while the engine runs,
// as a restored backup of another installation would.
func TestKeyIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		e := w.engine()
		w.handle(e, said(1, 1, "a"))
		foreign := newWorld(t)
		foreign.vault = testVault(t, 2)
		foreign.handle(foreign.engine(), said(1, 1, "a"))
		e.store = foreign.store
		start := time.Now()
		err := e.Run(t.Context(), map[flows.Side]Deliverer{flows.Caller: w.chat, flows.Officers: w.channel})
		if !errors.Is(err, ErrWrongKey) || time.Since(start) > 0 {
			t.Errorf("Run: %v after %v, want ErrWrongKey at once", err, time.Since(start))
		}
		if n := len(w.chat.deliveries()) + len(w.channel.deliveries()); n != 0 {
			t.Errorf("%d effects were delivered", n)
		}
	})
}

// TestDrain ends the process in the middle of deliveries.
func TestDrain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.channel.answer = func(ctx context.Context, del Delivery) error {
			delay := 5 * time.Second
			if del.Caller == "chat-555002" {
				delay = time.Hour // It hangs.
			}
			select {
			case <-time.After(delay):
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		e := w.engine()
		stop := w.run(e)
		w.handle(e, said(1, 1, "slow"))
		w.handle(e, said(2, 1, "hangs"))
		synctest.Wait()
		start := time.Now()
		stop()
		if took := time.Since(start); took > e.limits.Grace {
			t.Errorf("the end took %v, the grace is %v", took, e.limits.Grace)
		}
		if diff := cmp.Diff([]string{"open"}, w.channel.effects()); diff != "" {
			t.Errorf("to the officers (-want +got):\n%s", diff)
		}
		c, _, err := e.load(t.Context(), w.vault.Blind("conversation", "tg:555001"))
		if err != nil {
			t.Fatal(err)
		}
		if c.State.Thread() == "" {
			t.Error("the outcome of a delivery under way was not committed")
		}
		w.channel.setAnswer(nil)
		w.run(w.engine())
		time.Sleep(time.Minute)
		got := w.channel.effects()[1:]
		slices.Sort(got)
		if diff := cmp.Diff([]string{"open", "relay hangs", "relay slow"}, got); diff != "" {
			t.Errorf("after the restart (-want +got):\n%s", diff)
		}
	})
}
