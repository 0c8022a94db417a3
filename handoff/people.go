package handoff

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"suar/flows"
	"suar/handoff/roster"
)

var (
	// errNotOfficer says that somebody may not act for the officers.
	errNotOfficer = errors.New("handoff: not an officer")
	// errBot is errNotOfficer of an account that nobody writes with.
	errBot = fmt.Errorf("%w: a bot", errNotOfficer)
)

// officer returns who acted, if he may: an active person, not a bot, a member of
// the channel and, where there is a roster, in the one that is served at this
// moment. Nothing of it is remembered, so that somebody who was removed is out at
// once, in every process. An administrator who is no member can press in
// Mattermost, and a deactivated account stays a member there.
//
// Without a roster nobody can say who leads, so that everybody does.
func (d *Desk) officer(ctx context.Context, p place, id string) (flows.Officer, error) {
	user, resp, err := d.client.GetUser(ctx, id, "")
	switch {
	case resp != nil && resp.StatusCode == http.StatusNotFound:
		return flows.Officer{}, errNotOfficer
	case err != nil:
		return flows.Officer{}, failed(resp, err)
	}
	role, listed := d.role(user.Username)
	who := flows.Officer{ID: id, Name: user.Username}
	switch {
	case user.Id != id:
		return flows.Officer{}, errNotOfficer
	case user.IsBot:
		return who, errBot
	case user.DeleteAt != 0 || !listed:
		return who, errNotOfficer
	}
	member, resp, err := d.client.GetChannelMember(ctx, p.channel, id, "")
	switch {
	case resp != nil && resp.StatusCode == http.StatusNotFound:
		return who, errNotOfficer
	case err != nil:
		return flows.Officer{}, failed(resp, err)
	case member.UserId != id || member.ChannelId != p.channel:
		return who, errNotOfficer
	}
	who.Role = flows.Role(role)
	return who, nil
}

// role returns what the account of a user name is in the roster, and whether it is
// in it.
func (d *Desk) role(name string) (roster.Role, bool) {
	if d.Roster == nil {
		return roster.RoleLead, true
	}
	o, ok := d.Roster().Officer(name)
	return o.Role, ok
}
