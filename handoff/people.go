package handoff

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"suar/flows"
)

// errNotOfficer says that somebody may not act for the officers.
var errNotOfficer = errors.New("handoff: not an officer")

// officer returns who pressed, if he may: an active person, not a bot, and a
// member of the channel at this moment. Nothing of it is remembered, so that
// somebody who was removed is out at once. An administrator who is no member
// can press in Mattermost, and a deactivated account stays a member there.
func (d *Desk) officer(ctx context.Context, p place, id string) (flows.Officer, error) {
	user, resp, err := d.client.GetUser(ctx, id, "")
	switch {
	case resp != nil && resp.StatusCode == http.StatusNotFound:
		return flows.Officer{}, errNotOfficer
	case err != nil:
		return flows.Officer{}, failed(resp, err)
	case user.Id != id || user.DeleteAt != 0 || user.IsBot:
		return flows.Officer{}, errNotOfficer
	}
	member, resp, err := d.client.GetChannelMember(ctx, p.channel, id, "")
	switch {
	case resp != nil && resp.StatusCode == http.StatusNotFound:
		return flows.Officer{}, errNotOfficer
	case err != nil:
		return flows.Officer{}, failed(resp, err)
	case member.UserId != id || member.ChannelId != p.channel:
		return flows.Officer{}, errNotOfficer
	}
	return flows.Officer{ID: id, Name: user.Username}, nil
}

// peopleLife is how long a user name is remembered. It decides nothing: what is
// in the thread was let in by Mattermost.
const peopleLife = 10 * time.Minute

// people remembers the names of those who write in threads.
type people struct {
	mu    sync.Mutex
	known map[string]person
}

type person struct {
	name string
	bot  bool
	at   time.Time
}

// author returns who wrote a post, and whether it is a person.
func (d *Desk) author(ctx context.Context, id string) (flows.Officer, bool, error) {
	d.people.mu.Lock()
	known, ok := d.people.known[id]
	d.people.mu.Unlock()
	if !ok || d.Now().Sub(known.at) > peopleLife {
		user, resp, err := d.client.GetUser(ctx, id, "")
		if err != nil {
			return flows.Officer{}, false, failed(resp, err)
		}
		known = person{name: user.Username, bot: user.IsBot, at: d.Now()}
		d.people.mu.Lock()
		if d.people.known == nil || len(d.people.known) > 1000 {
			d.people.known = map[string]person{}
		}
		d.people.known[id] = known
		d.people.mu.Unlock()
	}
	return flows.Officer{ID: id, Name: known.name}, !known.bot, nil
}
