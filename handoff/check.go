package handoff

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mattermost/mattermost/server/public/model"
)

// A Fault is something wrong with the Mattermost that the configuration names.
type Fault struct {
	// What is wrong, and what to do about it: a sentence each, without a token,
	// an id or a name of a person.
	What, Do string
	// Grave says that the hotline must not be opened with it. Otherwise it
	// works, but tells more than it should or less than it could.
	Grave bool
	// Unseen says that Mattermost does not show a bot whether it is wrong: an
	// administrator has to look once.
	Unseen bool
}

func (f Fault) String() string { return f.What + " " + f.Do }

const (
	// oldestServer is the first major version of Mattermost with what we use.
	oldestServer = 10
	// skew is how far apart the clocks may be; presses are refused beyond
	// pressAge.
	skew = time.Minute
)

// Check returns everything that is wrong, nil if nothing is.
func (d *Desk) Check(ctx context.Context) []Fault {
	var faults []Fault
	grave := func(what, do string) { faults = append(faults, Fault{What: what, Do: do, Grave: true}) }
	note := func(what, do string) { faults = append(faults, Fault{What: what, Do: do}) }
	unseen := func(what, do string) { faults = append(faults, Fault{What: what, Do: do, Unseen: true}) }

	me, resp, err := d.client.GetMe(ctx, "")
	switch {
	case resp != nil && resp.StatusCode == http.StatusUnauthorized:
		grave("Mattermost does not accept the token.", "Make a new access token for the bot account and configure that.")
		return faults
	case err != nil:
		grave(fmt.Sprintf("Mattermost does not answer as it should (status %d).", statusOf(resp)), "Check the address, and that it is the one of the server's API and not of a page before it.")
		return faults
	}
	if !me.IsBot {
		grave("The token is that of a person.", "Make a bot account and use its token: a person's messages would be taken for the hotline's.")
	}
	if strings.Contains(me.Roles, model.SystemAdminRoleId) {
		grave("The bot is a system administrator.", "Give it the role of a member; whoever has the token could read and change everything.")
	}
	if major, err := strconv.Atoi(strings.SplitN(resp.ServerVersion, ".", 2)[0]); err == nil && major < oldestServer {
		grave(fmt.Sprintf("Mattermost is of version %d.", major), fmt.Sprintf("Install version %d or newer.", oldestServer))
	}
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		if apart := d.Now().Sub(date).Abs(); apart > skew {
			grave(fmt.Sprintf("The clocks of Mattermost and of this machine are %v apart.", apart.Round(time.Second)), "Set both by NTP; presses that seem old are refused.")
		}
	}
	d.checkChannel(ctx, me, grave, note)
	d.checkSettings(ctx, grave, note, unseen)
	return faults
}

func statusOf(resp *model.Response) int {
	if resp == nil {
		return 0
	}
	return resp.StatusCode
}

// checkChannel looks at the channel and who is called in it.
func (d *Desk) checkChannel(ctx context.Context, me *model.User, grave, note func(what, do string)) {
	var channel *model.Channel
	var err error
	if team, name, ok := strings.Cut(d.Channel, "/"); ok {
		channel, _, err = d.client.GetChannelByNameForTeamName(ctx, name, team, "")
	} else {
		channel, _, err = d.client.GetChannel(ctx, d.Channel)
	}
	var member *model.ChannelMember
	if err == nil {
		member, _, err = d.client.GetChannelMember(ctx, channel.Id, me.Id, "")
	}
	if err != nil {
		grave("The bot is not in the officers' channel, or there is no such channel.", "Add the bot to its team and to the channel, and check the channel's name or id.")
		return
	}
	if channel.Type != model.ChannelTypePrivate {
		grave("The officers' channel is not private.", "Make it private: everybody in the team could read the cases.")
	}
	if channel.DeleteAt != 0 {
		grave("The officers' channel is archived.", "Restore it or name another.")
	}
	d.checkRights(ctx, me, channel, member, grave, note)
	p := place{bot: me.Id, channel: channel.Id}
	if d.Roster != nil {
		names := d.Roster().Everybody()
		uncalled, err := d.Uncallable(ctx, names)
		if err == nil && len(uncalled) > 0 {
			grave(fmt.Sprintf("%d of the %d officers of the roster are no active members of the officers' channel.", len(uncalled), len(names)), "suar roster check --config names them: add the accounts to the channel, or take them off the roster.")
		}
		return
	}
	for i, name := range d.OnCall {
		user, _, err := d.client.GetUserByUsername(ctx, name, "")
		if err == nil {
			_, err = d.officer(ctx, p, user.Id)
		}
		if err != nil {
			grave(fmt.Sprintf("Number %d of those on call is no active member of the officers' channel.", i+1), "Add the account to the channel, or take it off the list.")
		}
	}
}

// Uncallable returns those of some user names that have no account which can be
// called: an active person's who is a member of the officers' channel.
func (d *Desk) Uncallable(ctx context.Context, names []string) ([]string, error) {
	p, err := d.where(ctx)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range names {
		user, resp, err := d.client.GetUserByUsername(ctx, name, "")
		if err == nil {
			_, err = d.officer(ctx, p, user.Id)
		} else if resp == nil || resp.StatusCode != http.StatusNotFound {
			return nil, failed(resp, err)
		} else {
			err = errNotOfficer
		}
		switch {
		case errors.Is(err, errNotOfficer):
			out = append(out, name)
		case err != nil:
			return nil, err
		}
	}
	return out, nil
}

// checkSettings looks at what a bot can see of the server's settings.
func (d *Desk) checkSettings(ctx context.Context, grave, note, unseen func(what, do string)) {
	config, resp, err := d.client.GetClientConfig(ctx, "")
	if err != nil {
		grave(fmt.Sprintf("Mattermost does not show its settings (status %d).", statusOf(resp)), "Check what stands between this machine and the server.")
		return
	}
	shown := config["AsymmetricSigningPublicKey"]
	switch _, err := parseServerKey(shown); {
	case err != nil:
		grave("Mattermost shows no public key.", "Check that the address is that of a Mattermost server; presses cannot be verified without.")
	case d.ServerKey != "" && d.ServerKey != shown:
		grave("Mattermost's public key is not the configured one.", "Find out why: another server answers at the address, or its database was made anew.")
	}
	if limit := config["PostEditTimeLimit"]; limit != "" && limit != "-1" {
		grave("Mattermost limits how long posts can be edited.", "Set ServiceSettings.PostEditTimeLimit to -1, or cards stop changing.")
	}
	if config["SendEmailNotifications"] == "true" {
		grave("Mattermost sends posts by e-mail.", "Set EmailSettings.SendEmailNotifications to false: without a licence nothing else keeps a case's words out of the mails.")
	}
	if config["SendPushNotifications"] == "true" {
		// Telephones must ring, so that it sends them is right. What is in them
		// no version that we know shows to anybody but an administrator.
		const do = "EmailSettings.PushNotificationContents must be generic_no_channel, or a case's words pass through the push service and stand on a locked telephone."
		switch config["PushNotificationContents"] {
		case model.GenericNoChannelNotification:
		case "":
			unseen("Mattermost sends push notifications, and does not show a bot what is in them.", do)
		default:
			note("Mattermost's push notifications say more than they should.", do)
		}
	}
	if config["EnableLinkPreviews"] == "true" {
		note("Mattermost fetches previews of links.", "Set ServiceSettings.EnableLinkPreviews to false: officers' own links would be fetched, which a site can see.")
	}
}

// probe is the action of a question that nobody was asked: CheckCallback's.
const probe = "probe"

// CheckCallback asks Mattermost to reach ServeHTTP as it does for a press, and
// returns what is wrong if it could not, nil otherwise. ServeHTTP must be
// served already.
func (d *Desk) CheckCallback(ctx context.Context) *Fault {
	nonce := rand.Text()
	state, err := d.signQuestion(question{Action: probe, Press: nonce, Expiry: d.Now().Add(time.Minute).Unix()})
	if err != nil {
		return &Fault{What: "The callback could not be tried.", Do: "Try again.", Grave: true}
	}
	p, err := d.where(ctx)
	if err != nil {
		return &Fault{What: sentence(err), Do: "Check the address and the token.", Grave: true}
	}
	channel, resp, err := d.client.GetChannel(ctx, p.channel)
	if err != nil {
		return &Fault{What: sentence(failed(resp, err)), Do: "Add the bot to the officers' channel.", Grave: true}
	}
	answer, _, err := d.client.SubmitInteractiveDialog(ctx, model.SubmitDialogRequest{
		URL: d.CallbackURL + dialogPath, CallbackId: probe, State: state,
		ChannelId: channel.Id, TeamId: channel.TeamId, Submission: map[string]any{},
	})
	if err != nil || answer == nil || answer.Error != nonce {
		return &Fault{
			What:  "Mattermost does not reach the hotline for buttons.",
			Do:    "Check the callback's address as the Mattermost server sees it, and that ServiceSettings.AllowedUntrustedInternalConnections names it if it is a private one; name no other address there.",
			Grave: true,
		}
	}
	return nil
}

// sentence is an error for people.
func sentence(err error) string { return strings.TrimPrefix(err.Error(), "handoff: ") + "." }
