package handoff

import (
	"context"
	"net/http"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"suar/handoff/roster"
	"suar/internal/engine"
)

// The levels of a call, as flows counts them: up to firstLevel who is on duty, then
// who is behind, then the lead, and from then on everybody.
const (
	firstLevel  = 2
	secondLevel = 3
	leadLevel   = 4
)

// A call is whom to call.
type call struct {
	names []string
	// unattended says that nobody is on duty, so that the leads are called; next is
	// when somebody is, zero if the roster knows nobody.
	unattended bool
	next       time.Time
}

// call resolves a level at this moment. Without a roster it is always all who are on
// call.
func (d *Desk) call(level int) call {
	if d.Roster == nil {
		return call{names: d.OnCall}
	}
	r := d.Roster()
	return callOf(r, r.Duty(d.Now()), level)
}

func callOf(r *roster.Roster, duty roster.Duty, level int) call {
	c := call{unattended: duty.Nobody()}
	if c.unattended {
		c.next = duty.Until
	}
	switch {
	case level > leadLevel:
		c.names = r.Everybody()
	case level == leadLevel, c.unattended:
		c.names = duty.Leads
	case level == secondLevel && duty.Second != "":
		c.names = []string{duty.Second}
	case level == secondLevel: // Nobody is behind: it is the lead's turn.
		c.names = duty.Leads
	default:
		c.names = []string{duty.First}
	}
	return c
}

// ring sends a direct message, with the case's code only, to each who is called.
// Mattermost shows it where a mention in a thread is not seen. The call is in the
// thread already, so that whatever goes wrong here is only counted in the log.
func (d *Desk) ring(ctx context.Context, p place, dl engine.Delivery, c call, code string) {
	if d.Roster == nil || code == "" {
		return
	}
	failed := 0
	for i, name := range c.names {
		// The part of each message is far from those of the thread.
		if err := d.ringOne(ctx, p, dl, firstRing+i, name, code); err != nil {
			failed++
		}
	}
	if failed > 0 {
		d.Log.WarnContext(ctx, "officers could not be called by a direct message", "failed", failed, "called", len(c.names))
	}
}

// firstRing is the number of the first direct message of a delivery.
const firstRing = 1 << 16

func (d *Desk) ringOne(ctx context.Context, p place, dl engine.Delivery, part int, name, code string) error {
	user, _, err := d.client.GetUserByUsername(ctx, name, "")
	if err != nil {
		return err
	}
	if _, err := d.officer(ctx, p, user.Id); err != nil {
		return err // Somebody who was taken out of the channel is not called any more.
	}
	channel, _, err := d.client.CreateDirectChannel(ctx, p.bot, user.Id)
	if err != nil {
		return err
	}
	if dl.Tries > 1 {
		if rung, err := d.rung(ctx, p, channel.Id, d.relayKey(dl.ID, part)); rung || err != nil {
			return err
		}
	}
	dl.Thread = ""
	post := d.newPost(p, dl, part, ours(d.Words.Called)+" **"+ours(code)+"**")
	post.ChannelId = channel.Id
	if dl.Urgent {
		post.Metadata = urgently()
	}
	_, err = d.create(ctx, p, post)
	return err
}

// rung looks for a direct message of an earlier try.
func (d *Desk) rung(ctx context.Context, p place, channel, key string) (bool, error) {
	list, resp, err := d.client.GetPostsForChannel(ctx, channel, 0, pageSize, "", false, false)
	if err != nil {
		if resp != nil && resp.StatusCode == http.StatusNotFound {
			return false, nil
		}
		return false, err
	}
	for _, post := range list.Posts {
		if post.UserId == p.bot && post.GetProp(propKey) == key {
			return true, nil
		}
	}
	return false, nil
}

// urgently marks a post that begins a thread as urgent.
func urgently() *model.PostMetadata {
	urgent, no := model.PostPriorityUrgent, false
	return &model.PostMetadata{Priority: &model.PostPriority{
		Priority: &urgent, RequestedAck: &no, PersistentNotifications: &no,
	}}
}
