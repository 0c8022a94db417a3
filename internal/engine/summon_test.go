package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"suar/flows"
	"suar/storage/storagetest"
)

// A secondWay takes the calls by the second way, unless it is down.
type secondWay struct {
	began time.Time
	mu    sync.Mutex
	down  bool
	calls []string
}

func (p *secondWay) Deliver(_ context.Context, dl Delivery) (flows.Delivered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return flows.Delivered{}, &Failure{Err: errors.New("down")}
	}
	e, ok := dl.Effect.(flows.Summon)
	if !ok || e.Code == "" {
		return flows.Delivered{}, &Failure{Final: true, Reason: flows.ReasonRejected}
	}
	p.calls = append(p.calls, fmt.Sprint(e.Level, " at ", time.Since(p.began).Truncate(time.Minute)))
	return flows.Delivered{}, nil
}

func (p *secondWay) got() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.calls...)
}

func (p *secondWay) setDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// TestSecondWay: with Mattermost out of reach from the start the officers are called
// the second way at the times of danger, through restarts and an outage of that way,
// of which one call is left and not all; and not any more once somebody has
// acknowledged the case.
func TestSecondWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFamilyLine(t)
		h.flow = h.flow.(*flows.Book).Summoning()
		h.down = true
		p := &secondWay{}
		store := storagetest.NewMemory()
		run := func() (stop func()) {
			h.e = h.engineOn(store)
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() {
				done <- h.e.Run(ctx, map[flows.Side]Deliverer{flows.Caller: h, flows.Officers: h, flows.Pager: p})
			}()
			return func() {
				cancel()
				if err := <-done; err != nil {
					t.Errorf("Run: %v", err)
				}
			}
		}
		stop := run()
		h.person(1, "/start")
		h.person(1, "English")
		h.person(1, "Contact the embassy")
		p.began = time.Now()
		h.person(1, "Danger now")
		until := func(d time.Duration) { time.Sleep(time.Until(p.began.Add(d))) }
		until(90 * time.Second)
		stop()
		stop = run() // Nothing of it is in memory.
		until(3 * time.Minute)
		p.setDown(true)
		until(25 * time.Minute)
		p.setDown(false)
		until(30 * time.Minute)
		h.setDown(false)
		until(32 * time.Minute) // The card is there; nobody has acknowledged.
		if status, err := h.e.Status(t.Context()); err != nil || status.Waiting[flows.Pager] != 0 {
			t.Errorf("%d calls wait, %v", status.Waiting[flows.Pager], err)
		}
		before := p.got()
		h.officer(1, flows.Claimed{Officer: flows.Officer{ID: "u1", Name: "siti"}})
		until(6 * time.Hour)
		stop()
		want := []string{"1 at 0s", "2 at 1m0s", "3 at 2m0s", "5 at 25m0s", "6 at 30m0s"}
		if diff := cmp.Diff(want, before); diff != "" {
			t.Errorf("calls (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(before, p.got()); diff != "" {
			t.Errorf("after the acknowledgement (-before +after):\n%s", diff)
		}
	})
}

// TestSecondWayOfAClaimedCase: words in a claimed case that cannot get to Mattermost
// call the second way until they are there; a call that cannot get there calls it too.
func TestSecondWayOfAClaimedCase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFamilyLine(t)
		h.flow = h.flow.(*flows.Book).Summoning()
		p := &secondWay{}
		h.e = h.engineOn(storagetest.NewMemory())
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			done <- h.e.Run(ctx, map[flows.Side]Deliverer{flows.Caller: h, flows.Officers: h, flows.Pager: p})
		}()
		h.person(1, "/start")
		h.person(1, "English")
		h.person(1, "A person")
		time.Sleep(5 * time.Minute)
		if got := p.got(); len(got) > 0 {
			t.Errorf("called although Mattermost is there: %q", got)
		}
		p.began = time.Now()
		h.setDown(true)
		time.Sleep(20 * time.Minute) // The next call, ten minutes after the card, does not arrive.
		h.setDown(false)
		time.Sleep(2 * time.Minute)
		h.officer(1, flows.Claimed{Officer: flows.Officer{ID: "u1", Name: "siti"}})
		first := p.got()
		p.began = time.Now()
		h.setDown(true)
		h.person(1, "are you there?")
		time.Sleep(11 * time.Minute)
		h.setDown(false)
		time.Sleep(time.Hour)
		second := p.got()[len(first):]
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if diff := cmp.Diff([]string{"1 at 5m0s", "2 at 15m0s"}, first); diff != "" {
			t.Errorf("an unclaimed case (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"1 at 0s", "2 at 10m0s"}, second); diff != "" {
			t.Errorf("a claimed case (-want +got):\n%s", diff)
		}
	})
}
