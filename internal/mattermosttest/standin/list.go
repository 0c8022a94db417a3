package standin

import (
	"cmp"
	"slices"

	"github.com/mattermost/mattermost/server/public/model"
)

// sinceLimit is how many changed posts the server returns at most.
const sinceLimit = 1000

// perPageLimit is the longest page.
const perPageLimit = 200

// list makes the answer of posts in order. Others are carried along without a
// place in the order.
func (s *Server) list(order, others []*model.Post) *model.PostList {
	l := model.NewPostList()
	for _, p := range order {
		l.AddPost(s.shownPost(p))
		l.AddOrder(p.Id)
	}
	for _, p := range others {
		if l.Posts[p.Id] == nil {
			l.AddPost(s.shownPost(p))
		}
	}
	return l
}

// getThread pages through a thread by a cursor of a time and an id. The post
// that was asked for is in each page.
func (s *Server) getThread(c *call) (any, *refusal) {
	q := c.URL.Query()
	perPage, no := c.number("perPage")
	if no != nil || perPage > perPageLimit {
		return nil, invalid("perPage")
	}
	fromCreate, no := c.number("fromCreateAt")
	if no != nil {
		return nil, no
	}
	fromUpdate, no := c.number("fromUpdateAt")
	if no != nil {
		return nil, no
	}
	fromPost, direction, updates := q.Get("fromPost"), q.Get("direction"), q.Get("updatesOnly") == "true"
	switch {
	case fromPost != "" && fromCreate == 0:
		return nil, invalid("if fromPost is set, then fromCreateAt must also be set")
	case fromUpdate != 0 && fromCreate != 0, updates && fromUpdate == 0:
		return nil, invalid("fromUpdateAt")
	case direction != "" && direction != "up" && direction != "down":
		return nil, invalid("direction")
	case updates && direction == "up":
		return nil, invalid("updatesOnly")
	}
	asked, no := s.existing(c)
	if no != nil {
		return nil, no
	}
	if !s.mayRead(c.user, asked.ChannelId) {
		return nil, forbidden()
	}

	// The real server compares the update times only when it is asked for
	// updates, and the times of creation otherwise.
	root := cmp.Or(asked.RootId, asked.Id)
	at := func(p *model.Post) int64 { return p.CreateAt }
	from := fromCreate
	if fromUpdate != 0 {
		at, from = func(p *model.Post) int64 { return p.UpdateAt }, fromUpdate
	}
	down := direction == "down"
	var found []*model.Post
	for _, row := range s.rows {
		p := s.posts[row]
		if p.DeleteAt != 0 || p.Id != root && p.RootId != root {
			continue
		}
		if from != 0 {
			after := at(p) > from || at(p) == from && fromPost != "" && p.Id > fromPost
			before := at(p) < from || at(p) == from && fromPost != "" && p.Id < fromPost
			if down && !after || !down && !before {
				continue
			}
		}
		found = append(found, p)
	}
	if direction != "" {
		slices.SortFunc(found, func(a, b *model.Post) int {
			by := func(p *model.Post) int64 { return p.CreateAt }
			if updates {
				by = func(p *model.Post) int64 { return p.UpdateAt }
			}
			n := cmp.Or(cmp.Compare(by(a), by(b)), cmp.Compare(a.Id, b.Id))
			if !down {
				n = -n
			}
			return n
		})
	}
	more := perPage != 0 && int64(len(found)) > perPage
	if more {
		found = found[:perPage]
	}
	order := []*model.Post{asked}
	for _, p := range found {
		if p != asked {
			order = append(order, p)
		}
	}
	l := s.list(order, nil)
	l.HasNext = &more
	return l, nil
}

// getPosts lists a channel: what changed since a time, what came after or
// before a post, or a page, the newest first.
func (s *Server) getPosts(c *call) (any, *refusal) {
	ch, no := s.readable(c)
	if no != nil {
		return nil, no
	}
	since, no := c.number("since")
	if no != nil {
		return nil, no
	}
	q := c.URL.Query()
	deleted := q.Get("include_deleted") == "true"
	if deleted && !c.user.admin() {
		return nil, forbidden()
	}
	collapsed := q.Get("collapsedThreads") == "true"
	skip := q.Get("skipFetchThreads") == "true"

	if since > 0 {
		return s.since(ch.Id, since, collapsed), nil
	}
	var all []*model.Post
	for _, row := range s.rows {
		p := s.posts[row]
		if p.ChannelId == ch.Id && (p.DeleteAt == 0 || deleted) && (p.RootId == "" || !collapsed) {
			all = append(all, p)
		}
	}
	newest := func(a, b *model.Post) int { return cmp.Compare(b.CreateAt, a.CreateAt) }
	slices.SortStableFunc(all, newest)
	after, before := s.posts[q.Get("after")], s.posts[q.Get("before")]
	switch {
	case after != nil:
		all = slices.DeleteFunc(all, func(p *model.Post) bool { return p.CreateAt <= after.CreateAt })
		slices.Reverse(all) // a page is counted from the cursor on
	case before != nil:
		all = slices.DeleteFunc(all, func(p *model.Post) bool { return p.CreateAt >= before.CreateAt })
	case q.Get("after")+q.Get("before") != "":
		all = nil
	}
	cut, no := page(c, all)
	if no != nil {
		return nil, no
	}
	order := slices.Clone(cut)
	slices.SortStableFunc(order, newest)
	var others []*model.Post
	if !collapsed {
		roots := map[string]bool{}
		for _, p := range order {
			roots[cmp.Or(p.RootId, p.Id)] = true
		}
		for _, row := range s.rows {
			p := s.posts[row]
			if p.DeleteAt == 0 && (roots[p.Id] || roots[p.RootId] && !skip) {
				others = append(others, p)
			}
		}
	}
	return s.list(order, others), nil
}

// since is what changed after a time: with the deleted posts and the history of
// edits, but never more than a thousand, whichever come first to hand.
func (s *Server) since(channelID string, since int64, collapsed bool) *model.PostList {
	var order, roots []*model.Post
	for _, row := range s.rows {
		p := s.posts[row]
		if p.ChannelId != channelID || p.UpdateAt <= since {
			continue
		}
		if collapsed && (p.RootId != "" || p.DeleteAt != 0) {
			continue
		}
		if len(order) == sinceLimit {
			break
		}
		order = append(order, p)
		if root := s.posts[p.RootId]; root != nil {
			roots = append(roots, root)
		}
	}
	slices.SortStableFunc(order, func(a, b *model.Post) int { return cmp.Compare(b.CreateAt, a.CreateAt) })
	return s.list(order, roots)
}
