package handoff

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
)

// propBoard is the property by which the board is known again.
const propBoard = "suar_board"

const (
	// boardEvery is how often the board is written anew for the ages in it.
	boardEvery = time.Minute
	// boardLife is after how long another post becomes the board: it must be found
	// again among the posts of [indexSince].
	boardLife = 90 * 24 * time.Hour
	// boardMost is how many cases of a kind the board lists.
	boardMost = 40
)

// keepBoard keeps the board as the index is, until ctx ends. What goes wrong is tried
// again with the next change, a minute later at most.
func (d *Desk) keepBoard(ctx context.Context, r *right) {
	var looked time.Time
	inTurn(ctx, d.BoardPause, d.index.fresh, func() {
		p, err := d.where(ctx)
		if err == nil && !d.index.complete() {
			err = d.readIndex(ctx, p, d.index)
		}
		if now := d.Now(); err == nil && (d.index.left.Swap(false) || now.Sub(looked) >= reconcileEvery) {
			if err = d.reconcile(ctx, p, r); err == nil {
				looked = now
			} else {
				d.index.left.Store(true)
			}
		}
		if err == nil && d.Board {
			err = d.showBoard(ctx, p)
		}
		if err != nil && ctx.Err() == nil {
			if n, ok := d.boardFaults.count(d.Now()); ok {
				d.Log.WarnContext(ctx, "the board of the officers' channel is not up to date", "tries", n, "status", statusOfError(err))
			}
		}
	})
}

// inTurn calls show when something is fresh and each boardEvery, with a pause between
// two calls at least, until ctx ends.
func inTurn(ctx context.Context, pause time.Duration, fresh <-chan struct{}, show func()) {
	ages := time.NewTicker(boardEvery)
	defer ages.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-fresh:
		case <-ages.C:
		}
		show()
		if sleep(ctx, pause) != nil {
			return
		}
	}
}

// showBoard brings the board up to date, in the place of one that is gone or old.
func (d *Desk) showBoard(ctx context.Context, p place) error {
	now := d.Now()
	board := d.index.theBoard()
	if board.root != "" && now.Sub(board.Opened) > boardLife {
		if resp, err := d.client.DeletePost(ctx, board.root); err != nil && resp.StatusCode != http.StatusNotFound {
			return failed(resp, err)
		}
		board = entry{}
	}
	if board.root == "" {
		var err error
		if board, err = d.putBoard(ctx, p); err != nil {
			return err
		}
	}
	cases, _ := d.index.open()
	text := d.boardText(now, cases)
	if text != board.message {
		post, resp, err := d.client.PatchPost(ctx, board.root, &model.PostPatch{Message: &text})
		if err != nil {
			return d.lostBoard(ctx, board, resp, err)
		}
		d.index.hear(p, post, false)
	}
	if !board.pinned {
		if resp, err := d.client.PinPost(ctx, board.root); err != nil {
			return failed(resp, err)
		}
		d.index.pinnedBoard(board.root)
	}
	return nil
}

// putBoard posts a board that says nothing yet: an edit notifies nobody, whatever
// words somebody listens for.
func (d *Desk) putBoard(ctx context.Context, p place) (entry, error) {
	post := &model.Post{ChannelId: p.channel, Message: "**" + ours(d.say("desk.board")) + "**"}
	post.AddProp(propBoard, "1")
	post.AddProp(model.PostPropsUnsafeLinks, "true")
	made, resp, err := d.client.CreatePost(ctx, post)
	if err != nil {
		return entry{}, failed(resp, err)
	}
	d.index.hear(p, made, false)
	return d.index.theBoard(), nil
}

// lostBoard finds out whether the board is gone, so that another is made.
func (d *Desk) lostBoard(ctx context.Context, board entry, resp *model.Response, err error) error {
	cause := failed(resp, err)
	if post, _, err := d.client.GetPost(ctx, board.root, ""); err != nil || post.DeleteAt != 0 {
		d.index.goneBoard(board.root)
	}
	return cause
}

// complete reports whether the index is whole.
func (x *index) complete() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.whole
}

func (x *index) pinnedBoard(root string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.board.root == root {
		x.board.pinned = true
	}
}

func (x *index) goneBoard(root string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.board.root == root {
		x.board.gone = true
	}
}

// boardText is the board: who is on duty, who waits, and which cases are open. It
// holds nothing that a person said, and mentions nobody.
func (d *Desk) boardText(now time.Time, cases []entry) string {
	waiting, open := d.queues(cases, now)
	b := &strings.Builder{}
	fmt.Fprintf(b, "**%s** · %s\n", d.say("desk.board"), d.say("desk.board.at", "time", d.clock(now, now.Truncate(15*time.Minute))))
	b.WriteString(d.dutyText(now))
	d.listed(b, "desk.board.waiting", waiting, now)
	d.listed(b, "desk.board.open", open, now)
	return ours(b.String())
}

// listed writes a list of cases under its heading.
func (d *Desk) listed(b *strings.Builder, heading string, cases []entry, now time.Time) {
	fmt.Fprintf(b, "\n**%s**\n", d.say(heading, "count", fmt.Sprint(len(cases))))
	for i, e := range cases {
		if i == boardMost {
			fmt.Fprintf(b, "- %s\n", d.say("desk.board.more", "count", fmt.Sprint(len(cases)-i)))
			break
		}
		fmt.Fprintf(b, "- %s\n", d.caseLine(e, now))
	}
}

// caseLine is a case in a list: its code, why it is urgent, who has it, its age.
func (d *Desk) caseLine(e entry, now time.Time) string {
	parts := []string{fmt.Sprintf("[%s](%s)", e.Code, d.link(e.root))}
	for _, f := range e.Flags {
		parts = append(parts, d.say("desk.flag."+string(f)))
	}
	if e.Phase == flows.Owned {
		parts = append(parts, e.Owner.Name)
		if !e.Waiting.IsZero() {
			parts = append(parts, d.say("desk.board.unanswered", "age", d.age(now.Sub(e.Waiting))))
		}
		parts = append(parts, d.say("desk.board.since", "age", d.age(now.Sub(e.Opened))))
	} else if !e.Open() {
		parts = append(parts, d.say("desk.cmd.closed"))
	} else {
		parts = append(parts, d.say("desk.board.waits", "age", d.age(now.Sub(e.Waiting))))
	}
	return strings.Join(parts, " · ")
}

// queues are the cases that wait for an officer and those that one has, each in the
// order in which to look at them.
func (d *Desk) queues(cases []entry, now time.Time) (waiting, open []entry) {
	slices.SortFunc(cases, func(a, b entry) int { return d.placed(a, now).Compare(d.placed(b, now)) })
	for _, e := range cases {
		if e.Phase == flows.Owned {
			open = append(open, e)
		} else {
			waiting = append(waiting, e)
		}
	}
	return waiting, open
}

// link is where a card is read. The path needs no team's name.
func (d *Desk) link(root string) string { return d.URL + "/_redirect/pl/" + root }

// age is a time that passed, the coarser the longer it is: a board that changes
// each minute for an old case would fill the server with its former wordings.
func (d *Desk) age(t time.Duration) string {
	unit, n := "desk.age.days", int(t/(24*time.Hour))
	switch {
	case t < 10*time.Minute:
		unit, n = "desk.age.minutes", int(max(t, 0)/time.Minute)
	case t < time.Hour:
		unit, n = "desk.age.minutes", int(t/(5*time.Minute))*5
	case t < 48*time.Hour:
		unit, n = "desk.age.hours", int(t/time.Hour)
	}
	return d.say(unit, "count", fmt.Sprint(n))
}
