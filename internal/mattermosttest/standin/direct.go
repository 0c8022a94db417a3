package standin

import (
	"slices"

	"github.com/mattermost/mattermost/server/public/model"
)

// createDirect makes the channel of two accounts for direct messages, or returns
// the one that there is.
func (s *Server) createDirect(c *call) (any, *refusal) {
	var ids []string
	if no := c.decode(&ids); no != nil {
		return nil, no
	}
	if len(ids) != 2 {
		return nil, invalid("user_ids")
	}
	if !slices.Contains(ids, c.user.Id) && !c.user.admin() {
		return nil, forbidden()
	}
	for _, id := range ids {
		if s.users[id] == nil {
			return nil, missing("app.user.missing_account.const")
		}
	}
	name := model.GetDMNameFromIds(ids[0], ids[1])
	for _, ch := range s.channels {
		if ch.Type == model.ChannelTypeDirect && ch.Name == name {
			return created{&ch.Channel}, nil
		}
	}
	ch := &channel{members: map[string]*model.ChannelMember{}, Channel: model.Channel{
		Id: model.NewId(), CreateAt: millis(), Type: model.ChannelTypeDirect, Name: name,
	}}
	for _, id := range ids {
		ch.members[id] = &model.ChannelMember{ChannelId: ch.Id, UserId: id, Roles: "channel_user", SchemeUser: true, LastUpdateAt: millis()}
	}
	s.channels[ch.Id] = ch
	return created{&ch.Channel}, nil
}
