package handoff

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/flows"
)

const (
	// propCase is the property of a card that holds its [flows.Index].
	propCase = "suar_case"
	// indexSince is how far back cards are looked for: longer than a case is open in
	// which nothing happens.
	indexSince = 180 * 24 * time.Hour
	// indexPages is more cards than there can be in that time.
	indexPages = 500
)

// An index knows the open cases by their cards, and which post is the board. It is
// for showing: what an officer does to a case is checked against its state. The
// listener fills it: it reads the channel once, and then hears every change, also
// those that other processes make.
type index struct {
	mu    sync.Mutex
	cards map[string]entry
	board entry
	// reading counts the readings of the channel; whole says that one has ended since
	// something may have been missed.
	reading int
	whole   bool
	// left says that somebody may be no officer any more.
	left atomic.Bool
	// fresh holds a value when something may have changed.
	fresh chan struct{}
}

// An entry is a card as it was at an update, or the board.
type entry struct {
	root    string
	updated int64
	reading int
	flows.Index
	// message and pinned are the board's.
	message string
	pinned  bool
	// gone says that it was deleted.
	gone bool
}

func newIndex() *index {
	return &index{cards: map[string]entry{}, fresh: make(chan struct{}, 1)}
}

// wake has somebody look at the index.
func (x *index) wake() {
	select {
	case x.fresh <- struct{}{}:
	default:
	}
}

// lost says that changes may have been missed, so that the channel must be read.
func (x *index) lost() {
	x.mu.Lock()
	x.whole = false
	x.reading++ // One that is under way does not make it whole.
	x.mu.Unlock()
	x.wake()
}

// hear takes note of a root post of the channel that was made, changed or deleted.
func (x *index) hear(p place, post *model.Post, gone bool) {
	if post.ChannelId != p.channel || post.RootId != "" || post.OriginalId != "" || post.UserId != p.bot {
		return
	}
	e := entry{root: post.Id, updated: max(post.UpdateAt, post.EditAt, post.DeleteAt), gone: gone || post.DeleteAt != 0}
	isBoard := post.GetProp(propBoard) != nil
	if isBoard {
		e.message, e.pinned = post.Message, post.IsPinned
	} else if raw, err := json.Marshal(post.GetProp(propCase)); err != nil || json.Unmarshal(raw, &e.Index) != nil || e.Code == "" {
		return // A card of a version that had none, or a line of ours.
	}
	x.mu.Lock()
	e.reading = x.reading
	changed := isBoard && x.hearBoard(e, post.CreateAt) || !isBoard && x.hearCard(e)
	x.mu.Unlock()
	if changed {
		x.wake()
	}
}

func (x *index) hearCard(e entry) bool {
	old, known := x.cards[e.root]
	if known && (old.gone || old.updated > e.updated && !e.gone) {
		old.reading = e.reading
		x.cards[e.root] = old
		return false
	}
	x.cards[e.root] = e
	return true
}

// hearBoard takes the newest of several boards, though there is one.
func (x *index) hearBoard(e entry, made int64) bool {
	old := x.board
	e.Opened = time.UnixMilli(made)
	switch {
	case old.root != e.root:
		if e.gone || old.root != "" && !old.gone && old.Opened.After(e.Opened) {
			return false
		}
	case old.gone || old.updated > e.updated && !e.gone:
		return false
	}
	x.board = e
	return true
}

// all returns the cases whose cards hang in the channel, and whether they are all of
// them. A case that has two cards is known by the newer one.
func (x *index) all() (cases []entry, whole bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	newest := map[string]entry{}
	for _, e := range x.cards {
		if !e.gone && (newest[e.Code].root == "" || newest[e.Code].updated < e.updated) {
			newest[e.Code] = e
		}
	}
	return slices.Collect(maps.Values(newest)), x.whole
}

// open returns those of them that are still worked on.
func (x *index) open() (cases []entry, whole bool) {
	cases, whole = x.all()
	return only(cases, func(e entry) bool { return e.Open() }), whole
}

// theBoard returns the board as it was last heard of; its root is "" if there is none.
func (x *index) theBoard() entry {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.board.gone {
		return entry{}
	}
	return x.board
}

// read reads the cards of the channel into the index. What it hears meanwhile counts
// as well.
func (d *Desk) readIndex(ctx context.Context, p place, x *index) error {
	x.mu.Lock()
	x.reading++
	reading := x.reading
	x.mu.Unlock()
	oldest := d.Now().Add(-indexSince).UnixMilli()
	for page := range indexPages {
		list, resp, err := d.client.GetPostsForChannel(ctx, p.channel, page, pageSize, "", true, false)
		if err != nil {
			return failed(resp, err)
		}
		old := false
		for _, id := range list.Order {
			if post := list.Posts[id]; post != nil {
				x.hear(p, post, false)
				old = old || post.CreateAt < oldest
			}
		}
		if len(list.Order) < pageSize || old {
			break
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for root, e := range x.cards {
		if e.reading < reading { // It is there no longer, which was not heard.
			delete(x.cards, root)
		}
	}
	x.whole = x.whole || x.reading == reading
	return nil
}

// placed is where a case stands in the queue at an instant.
func (d *Desk) placed(e entry, now time.Time) flows.Place {
	p := flows.Place{Points: e.Rank, Since: e.Waiting, Code: e.Code}
	if d.RankAt != nil {
		p.Points = d.RankAt(e.Index, now)
	}
	if p.Since.IsZero() {
		p.Since = e.Opened
	}
	return p
}

// cards returns the cases whose cards hang in the channel. The process that listens
// knows them; another one reads the channel.
func (d *Desk) cards(ctx context.Context, p place) ([]entry, error) {
	if cases, whole := d.index.all(); whole && d.Listening() {
		return cases, nil
	}
	x := newIndex()
	if err := d.readIndex(ctx, p, x); err != nil {
		return nil, err
	}
	cases, _ := x.all()
	return cases, nil
}
