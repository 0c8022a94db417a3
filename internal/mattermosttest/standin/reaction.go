package standin

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/mattermost/mattermost/server/public/model"
)

func (s *Server) addReaction(c *call) (any, *refusal) {
	r := &model.Reaction{}
	if no := c.decode(r); no != nil {
		return nil, no
	}
	if !model.IsValidId(r.UserId) || !model.IsValidId(r.PostId) || r.EmojiName == "" || len(r.EmojiName) > model.EmojiNameMaxLength {
		return nil, bad("api.reaction.save_reaction.invalid.app_error")
	}
	p := s.posts[r.PostId]
	if r.UserId != c.user.Id || p == nil || !s.mayRead(c.user, p.ChannelId) {
		return nil, forbidden()
	}
	if p.DeleteAt != 0 {
		return nil, missing("app.post.get.app_error")
	}
	if _, known := model.GetSystemEmojiId(r.EmojiName); !known {
		return nil, missing("app.emoji.get_by_name.no_result")
	}
	now := millis()
	r.CreateAt, r.UpdateAt, r.DeleteAt, r.ChannelId = now, now, 0, p.ChannelId
	if !slices.ContainsFunc(s.reacted[p.Id], same(r)) {
		s.reacted[p.Id] = append(s.reacted[p.Id], r)
	}
	p.HasReactions, p.UpdateAt = true, now
	s.react(model.WebsocketEventReactionAdded, r)
	return r, nil
}

func (s *Server) removeReaction(c *call) (any, *refusal) {
	u, no := s.named(c)
	if no != nil {
		return nil, no
	}
	p := s.posts[c.PathValue("post")]
	if p == nil || !s.mayRead(c.user, p.ChannelId) || u != c.user && !c.user.admin() {
		return nil, forbidden()
	}
	if p.DeleteAt != 0 {
		return nil, missing("app.post.get.app_error")
	}
	r := &model.Reaction{UserId: u.Id, PostId: p.Id, EmojiName: c.PathValue("emoji"), ChannelId: p.ChannelId}
	s.reacted[p.Id] = slices.DeleteFunc(s.reacted[p.Id], same(r))
	p.HasReactions, p.UpdateAt = len(s.reacted[p.Id]) > 0, millis()
	s.react(model.WebsocketEventReactionRemoved, r)
	return ok(), nil
}

func (s *Server) getReactions(c *call) (any, *refusal) {
	p := s.posts[c.PathValue("post")]
	if p == nil || !s.mayRead(c.user, p.ChannelId) {
		return nil, forbidden()
	}
	return append([]*model.Reaction{}, s.reacted[p.Id]...), nil
}

func same(r *model.Reaction) func(*model.Reaction) bool {
	return func(q *model.Reaction) bool { return q.UserId == r.UserId && q.EmojiName == r.EmojiName }
}

// react tells the channel of a reaction that came or went.
func (s *Server) react(kind model.WebsocketEventType, r *model.Reaction) {
	raw, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("standin: a reaction does not survive JSON: %v", err))
	}
	ev := model.NewWebSocketEvent(kind, "", r.ChannelId, "", nil, "")
	ev.Add("reaction", string(raw))
	s.publish(ev)
	s.changed()
}
