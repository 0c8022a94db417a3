package handoff

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
	"suar/handoff/roster"
	"suar/internal/engine"
	"suar/internal/mattermosttest"
)

// withBoard has a desk keep a board, in English.
func withBoard(t *testing.T) func(*Config) {
	t.Helper()
	book, err := flows.Load(flows.Shipped(), flows.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	return func(c *Config) {
		c.Board, c.BoardPause, c.Say, c.RankAt = true, 20*time.Millisecond, book.OfficerText, book.RankAt
	}
}

// indexed is a card of a case.
func indexed(code string, phase flows.Phase, waiting time.Time, flags ...flows.Urgency) flows.Card {
	c := card(code)
	c.Index = flows.Index{Code: code, Phase: phase, Opened: waiting, Waiting: waiting, Flags: flags}
	return c
}

// theBoard is the one board that the officers see.
func theBoard(w *mattermosttest.World) *model.Post {
	for _, p := range w.Roots() {
		if p.GetProp(propBoard) != nil {
			return p
		}
	}
	return nil
}

func (r *rig) board(what string, holds func(*model.Post) bool) *model.Post {
	r.t.Helper()
	var board *model.Post
	r.until(what, func() bool {
		board = theBoard(r.w)
		return board != nil && holds(board)
	})
	return board
}

func TestBoard(t *testing.T) {
	onEach(t, func(t *testing.T, w *mattermosttest.World) {
		first := newRig(t, w, withBoard(t))
		now := time.Now()
		put := func(r *rig, n int, c flows.Card) flows.PostID {
			done := r.deliver(engine.Delivery{ID: id(n), Effect: flows.Open{}, Card: c})
			r.ledger.know(done.Post)
			return done.Post
		}
		later := put(first, 1, indexed("BBBB-2222", flows.Alerting, now.Add(-3*time.Minute-time.Second)))
		earlier := put(first, 2, indexed("AAAA-1111", flows.Alerting, now.Add(-90*time.Minute), flows.UrgencyDanger))
		stop := first.run()
		board := first.board("a pinned board with both cases", func(p *model.Post) bool {
			return p.IsPinned && strings.Contains(p.Message, "AAAA-1111") && strings.Contains(p.Message, "BBBB-2222")
		})
		for _, line := range []string{
			fmt.Sprintf("- [AAAA-1111](%s/_redirect/pl/%s) · ", w.URL, earlier),
			fmt.Sprintf("- [BBBB-2222](%s/_redirect/pl/%s) · ", w.URL, later),
			"**" + first.Say("desk.board.waiting", "count", "2") + "**",
		} {
			if !strings.Contains(board.Message, line) {
				t.Errorf("the board lacks %q:\n%s", line, board.Message)
			}
		}
		if strings.Index(board.Message, "AAAA") > strings.Index(board.Message, "BBBB") {
			t.Errorf("who waits longer is not first:\n%s", board.Message)
		}
		if strings.Contains(board.Message, "@") {
			t.Errorf("the board mentions:\n%s", board.Message)
		}

		first.until("both are counted", func() bool {
			c := first.Condition()
			return c.Listening && c.Hears && c.Counted && c.Cases[flows.Alerting] == 2 && c.Alerted.Equal(now.Add(-90*time.Minute)) && c.Unanswered.IsZero()
		})

		// A change of a card, heard.
		owned := indexed("AAAA-1111", flows.Owned, time.Time{})
		owned.Index.Owner, owned.Index.Opened = flows.Officer{ID: w.Officers[0].ID, Name: "siti"}, now.Add(-50*time.Hour)
		first.deliver(engine.Delivery{ID: id(3), Effect: flows.Update{}, Thread: earlier, Card: owned})
		first.board("the case is siti's", func(p *model.Post) bool {
			return strings.Contains(p.Message, " · siti · "+first.Say("desk.board.since", "age", first.Say("desk.age.days", "count", "2")))
		})
		first.until("one of each is counted", func() bool {
			c := first.Condition()
			return c.Cases[flows.Alerting] == 1 && c.Cases[flows.Owned] == 1 && c.Alerted.Equal(now.Add(-3*time.Minute-time.Second)) && c.Unanswered.IsZero()
		})
		stop()
		if c := first.Condition(); c.Listening || c.Hears || c.Counted {
			t.Errorf("it has ended, and is %+v", c)
		}

		// What happened meanwhile is read by the next process, on the same board.
		third := put(first, 4, indexed("CCCC-3333", flows.Alerting, now))
		first.deliver(engine.Delivery{ID: id(5), Effect: flows.Update{}, Thread: later, Card: indexed("BBBB-2222", flows.Ended, time.Time{})})
		if _, err := w.Officers[1].Client().UnpinPost(t.Context(), board.Id); err != nil {
			t.Fatal(err)
		}
		second := newRig(t, w, withBoard(t))
		second.run()
		again := second.board("the board is as it is now", func(p *model.Post) bool {
			return p.IsPinned && strings.Contains(p.Message, "CCCC-3333") && !strings.Contains(p.Message, "BBBB-2222")
		})
		if again.Id != board.Id {
			t.Error("another board was made")
		}

		// A card that is deleted, and a board that is.
		w.Delete(w.Admin, string(third))
		second.board("the deleted card is not listed", func(p *model.Post) bool { return !strings.Contains(p.Message, "CCCC-3333") })
		w.Delete(w.Admin, board.Id)
		anew := second.board("a new board", func(p *model.Post) bool {
			return p.Id != board.Id && p.IsPinned && strings.Contains(p.Message, "AAAA-1111")
		})
		if n := len(slices.DeleteFunc(w.Roots(), func(p *model.Post) bool { return p.GetProp(propBoard) == nil })); n != 1 {
			t.Errorf("%d boards, want 1", n)
		}
		if _, err := w.Officers[1].Client().UnpinPost(t.Context(), anew.Id); err != nil {
			t.Fatal(err)
		}
		second.board("it is pinned again", func(p *model.Post) bool { return p.IsPinned })
	})
}

// TestTheBoardIsOurs: what somebody else posts with a card's or a board's properties
// is neither.
func TestTheBoardIsOurs(t *testing.T) {
	w := mattermosttest.StandIn(t)
	r := newRig(t, w, withBoard(t))
	forged := &model.Post{ChannelId: w.ChannelID, Message: "Board"}
	forged.AddProp(propBoard, "1")
	forged.AddProp(propCase, flows.Index{Code: "FFFF-FFFF", Phase: flows.Alerting})
	if _, _, err := w.Officers[2].Client().CreatePost(t.Context(), forged); err != nil {
		t.Fatal(err)
	}
	r.run()
	r.until("a board of ours", func() bool { return r.index.theBoard().root != "" && r.index.theBoard().pinned })
	if board := r.index.theBoard(); strings.Contains(board.message, "FFFF") {
		t.Errorf("a forged case is listed:\n%s", board.message)
	}
}

// TestInTurn: however much happens, there are so many edits and no more, and the last
// change is shown.
func TestInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		began := time.Now()
		x := newIndex()
		var shown []time.Duration
		go inTurn(ctx, 5*time.Second, x.fresh, func() { shown = append(shown, time.Since(began)) })
		for range 120 { // Changes all the time for 12 s.
			x.wake()
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(2*time.Minute - 12*time.Second)
		synctest.Wait()
		want := []time.Duration{0, 5 * time.Second, 10 * time.Second, 15 * time.Second, time.Minute, 2 * time.Minute}
		if !slices.Equal(shown, want) {
			t.Errorf("shown at %v, want %v", shown, want)
		}
	})
}

func TestDutyText(t *testing.T) {
	w := mattermosttest.StandIn(t)
	book := withBoard(t)
	parse := func(text string) func() *roster.Roster {
		r, err := roster.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return func() *roster.Roster { return r }
	}
	duty := parse(`
version: 1
zone: Asia/Vientiane
officers:
  - {name: siti, role: lead}
  - {name: budi, role: officer}
shifts:
  - {days: [mon], from: "06:00", to: "18:00", first: siti, second: budi}
`)
	at := func(text string) time.Time {
		when, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, c := range []struct {
		what   string
		roster func() *roster.Roster
		onCall []string
		at     time.Time
		want   []string
	}{
		{"somebody is", duty, nil, at("2026-11-23T12:00:00+07:00"), []string{"siti", "budi", "18:00", "desk.duty.next.nobody"}},
		{"nobody is", duty, nil, at("2026-11-24T12:00:00+07:00"), []string{"desk.duty.nobody", "siti", "2026-11-30 06:00"}},
		{"without a roster", nil, []string{"rina"}, at("2026-11-24T12:00:00+07:00"), []string{"rina"}},
		{"nobody at all", nil, nil, at("2026-11-24T12:00:00+07:00"), []string{"desk.duty.nobody"}},
	} {
		r := newRig(t, w, book, func(cfg *Config) { cfg.Roster, cfg.OnCall = c.roster, c.onCall })
		text := r.dutyText(c.at)
		for _, part := range c.want {
			if strings.HasPrefix(part, "desk.") {
				part = r.say(part)
			}
			if !strings.Contains(text, part) {
				t.Errorf("%s: %q lacks %q", c.what, text, part)
			}
		}
	}
}

// TestTheQueue: the board has the order of the rule, also where the wait outweighs
// another case's rank.
func TestTheQueue(t *testing.T) {
	r := newRig(t, mattermosttest.StandIn(t), func(c *Config) {
		c.RankAt = func(i flows.Index, at time.Time) int { return i.Rank + int(at.Sub(i.Waiting)/time.Minute) }
	})
	now := time.Now()
	of := func(code string, rank int, waits time.Duration) entry {
		return entry{root: code, Index: flows.Index{Code: code, Phase: flows.Alerting, Rank: rank, Waiting: now.Add(-waits)}}
	}
	waiting, open := r.queues([]entry{of("young", 0, time.Minute), of("danger", 100, 0), of("long", 0, 2*time.Hour), of("minor", 50, time.Minute)}, now)
	var codes []string
	for _, e := range waiting {
		codes = append(codes, e.Code)
	}
	if want := []string{"long", "danger", "minor", "young"}; !slices.Equal(codes, want) || len(open) != 0 {
		t.Errorf("the queue is %v and %d, want %v", codes, len(open), want)
	}
}
