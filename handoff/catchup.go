package handoff

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
)

const (
	// sinceMost is how many rows Mattermost gives of what changed since a time,
	// in no order, and without saying that there are more.
	sinceMost = 1000
	// overlap is how much is read twice. A post gets its time before it can be
	// read, so one that is read first may be the later one.
	overlap = 10 * time.Second
	// markCategory and the channel's id name the preference of the bot's account
	// in which the mark is kept: what was read of Mattermost is kept there, as
	// Telegram keeps what was read of it.
	markCategory = "suar_read_until"
)

// catchUp hands over what changed since the mark and was perhaps not heard:
// new, edited and deleted posts of every thread, in the order of their making.
//
// One request tells it all, unless a thousand posts changed. Then the channel
// is read page by page as well, which finds every new post and every edit of
// one; an edit or a deletion of a post from before the mark may then be missed,
// and the log says so. What is beyond the horizon is only told of: see missed.go.
func (l *listener) catchUp(ctx context.Context) error {
	since, until, gap := l.gap()
	from := max(since-overlap.Milliseconds(), until)
	if gap {
		from = since
	}
	list, resp, err := l.client.GetPostsSince(ctx, l.place.channel, from, false)
	if err != nil {
		return failed(resp, err)
	}
	posts := map[string]*model.Post{}
	for _, id := range list.Order {
		posts[id] = list.Posts[id]
	}
	if len(list.Order) >= sinceMost {
		l.Log.Warn("much happened unheard in the officers' channel; edits and deletions of older posts may be missing")
		if err := l.readPages(ctx, from, posts); err != nil {
			return err
		}
	}
	ordered := make([]*model.Post, 0, len(posts))
	for _, post := range posts {
		ordered = append(ordered, post)
	}
	slices.SortFunc(ordered, func(a, b *model.Post) int {
		if later(a, b) {
			return 1
		}
		return -1
	})
	mark := l.mark
	for _, post := range ordered {
		mark = max(mark, post.UpdateAt)
		if !l.place.concerns(post) && (post.DeleteAt == 0 || !l.place.card(post)) {
			continue
		}
		all := changes(post, l.Now(), l.floor)
		if c, is := missedIn(post, since, until); gap && is && post.RootId != "" {
			all = append([]change{c}, all...)
		}
		for _, c := range all {
			if err := l.lanes.add(ctx, c); err != nil {
				return err
			}
		}
	}
	l.mark = mark
	return nil
}

// readPages adds the channel's posts made since a time, newest first. What
// comes in meanwhile only shifts posts to a later page.
func (l *listener) readPages(ctx context.Context, from int64, posts map[string]*model.Post) error {
	for page := 0; ; page++ {
		r, err := l.client.DoAPIGet(ctx, fmt.Sprintf("/channels/%s/posts?page=%d&per_page=%d&skipFetchThreads=true", l.place.channel, page, pageSize), "")
		if err != nil {
			return failed(model.BuildResponse(r), err)
		}
		list, resp, err := model.DecodeJSONFromResponse[*model.PostList](r)
		_ = r.Body.Close()
		if err != nil {
			return failed(resp, err)
		}
		oldest := from
		for i, id := range list.Order {
			post := list.Posts[id]
			if post == nil {
				continue
			}
			posts[id] = post
			if i == 0 || post.CreateAt < oldest {
				oldest = post.CreateAt
			}
		}
		if len(list.Order) < pageSize || oldest < from {
			return nil
		}
	}
}

// safe is the mark, or what the lanes still hold.
func (l *listener) safe() int64 {
	if low, waiting := l.lanes.low(); waiting {
		return min(l.mark, low-1)
	}
	return l.mark
}

// loadMark returns the mark that this or another process saved. Where there is
// none everything is read that the engine can still tell from something new.
func (l *listener) loadMark(ctx context.Context) (int64, error) {
	oldest := l.Now().Add(-horizon).UnixMilli()
	pref, resp, err := l.client.GetPreferenceByCategoryAndName(ctx, l.place.bot, markCategory, l.place.channel)
	none := resp != nil && (resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusBadRequest)
	switch {
	case none:
		return oldest, nil
	case err != nil:
		return 0, failed(resp, err)
	}
	// What is no number is as if there were none.
	l.saved, _ = strconv.ParseInt(pref.Value, 10, 64)
	if l.saved <= 0 {
		return oldest, nil
	}
	return l.saved, nil
}

// saveMark saves the mark if it moved. That it cannot be saved costs reading
// more after a restart, and nothing else.
func (l *listener) saveMark(ctx context.Context) {
	mark := l.safe()
	if l.missed || mark <= l.saved {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err := l.client.UpdatePreferences(ctx, l.place.bot, model.Preferences{{
		UserId: l.place.bot, Category: markCategory, Name: l.place.channel, Value: strconv.FormatInt(mark, 10),
	}})
	if err == nil {
		l.saved = mark
	}
}
