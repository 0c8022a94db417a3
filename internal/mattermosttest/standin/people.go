package standin

import (
	"fmt"
	"strings"

	"github.com/mattermost/mattermost/server/public/model"
)

// A Person is an account to make.
type Person struct {
	Username, FirstName, LastName string
	Admin, Bot                    bool
}

// AddPerson makes an account and returns its id and a token for it.
func (s *Server) AddPerson(p Person) (id, tok string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := &user{bot: p.Bot, User: model.User{
		Id: model.NewId(), CreateAt: millis(), UpdateAt: millis(),
		Username: p.Username, FirstName: p.FirstName, LastName: p.LastName,
		Email: p.Username + "@example.test", Roles: "system_user", Locale: "en", IsBot: p.Bot,
	}}
	if p.Admin {
		u.Roles = "system_admin system_user"
	}
	s.users[u.Id] = u
	tok = model.NewId()
	s.tokens[tok] = &token{id: model.NewId(), user: u.Id, bot: p.Bot}
	s.changed()
	return u.Id, tok
}

// AddTeam makes a team.
func (s *Server) AddTeam(name, display string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &model.Team{Id: model.NewId(), CreateAt: millis(), Name: name, DisplayName: display, Type: model.TeamInvite}
	s.teams[t.Id] = t
	return t.Id
}

// AddChannel makes a private channel of a team. Every account is in every
// team.
func (s *Server) AddChannel(team, name, display string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &channel{members: map[string]*model.ChannelMember{}, Channel: model.Channel{
		Id: model.NewId(), CreateAt: millis(), TeamId: team, Type: model.ChannelTypePrivate, Name: name, DisplayName: display,
	}}
	s.channels[c.Id] = c
	return c.Id
}

// Join puts accounts into a channel.
func (s *Server) Join(channel string, users ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range users {
		s.join(channel, u, u)
	}
}

// SetStatus sets what others see of an account: "online", "away", "dnd" or
// "offline", or empty for online while it has a websocket.
func (s *Server) SetStatus(id, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.users[id]; u != nil {
		u.status = status
	}
	s.changed()
}

// join adds a member, tells the channel so and posts the server's own line.
func (s *Server) join(channelID, id, by string) *model.ChannelMember {
	c := s.channels[channelID]
	if m := c.members[id]; m != nil {
		return m
	}
	m := &model.ChannelMember{ChannelId: channelID, UserId: id, Roles: "channel_user", SchemeUser: true, LastUpdateAt: millis()}
	c.members[id] = m
	line := fmt.Sprintf("%s added to the channel by %s.", s.users[id].Username, s.users[by].Username)
	s.system(c, by, model.PostTypeAddToChannel, line)

	ev := model.NewWebSocketEvent(model.WebsocketEventUserAdded, "", channelID, "", nil, "")
	ev.Add("user_id", id)
	ev.Add("team_id", c.TeamId)
	s.publish(ev)
	return m
}

// leave removes a member and tells the channel and the member so.
func (s *Server) leave(channelID, id, by string) {
	c := s.channels[channelID]
	delete(c.members, id)
	s.system(c, by, model.PostTypeRemoveFromChannel, s.users[id].Username+" was removed from the channel.")

	ev := model.NewWebSocketEvent(model.WebsocketEventUserRemoved, "", channelID, "", nil, "")
	ev.Add("user_id", id)
	ev.Add("remover_id", by)
	s.publish(ev)
	own := model.NewWebSocketEvent(model.WebsocketEventUserRemoved, "", "", id, nil, "")
	own.Add("channel_id", channelID)
	own.Add("remover_id", by)
	s.publish(own)
}

// admin says whether the account is an administrator's.
func (u *user) admin() bool { return strings.Contains(u.Roles, "system_admin") }

// shown is the account as the API shows it.
func (u *user) shown() *model.User {
	v := u.User
	v.Email = ""
	return &v
}

// presence is the account's status as the API shows it.
func (s *Server) presence(id string) *model.Status {
	st := &model.Status{UserId: id, Status: model.StatusOffline}
	for _, c := range s.conns {
		if c.user == id && c.socket != nil {
			st.Status = model.StatusOnline
		}
	}
	if u := s.users[id]; u != nil && u.status != "" {
		st.Status, st.Manual = u.status, true
	}
	return st
}

// mayRead says whether the account may read a channel. Administrators may read
// all of them, as on the real server.
func (s *Server) mayRead(u *user, channelID string) bool {
	c := s.channels[channelID]
	return c != nil && (u.admin() || c.members[u.Id] != nil)
}
