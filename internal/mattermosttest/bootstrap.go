package mattermosttest

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"
)

// A prepared is what bootstrap made: the ids and tokens are in the database,
// so that they hold in each copy of it.
type prepared struct {
	team, channel        string
	bot, outsider, admin Account
	officers             []Account
}

// password is that of every invented person.
const password = "invented-Password-1"

// permissions is all that the roles keep. Without a licence roles are global,
// so that this binds the officers too.
var permissions = map[string]string{
	"system_user":  "view_members create_direct_channel",
	"team_user":    "view_team",
	"channel_user": "read_channel read_channel_content create_post edit_post delete_post upload_file add_reaction remove_reaction",
}

// bootstrap fills an empty server through its API, as an administrator would.
func bootstrap(ctx context.Context, url string) (prepared, error) {
	var p prepared
	root := model.NewAPIv4Client(url)
	// The first account of an empty server becomes its administrator.
	admin, err := newUser(ctx, root, url, "admin")
	if err != nil {
		return p, err
	}
	p.admin = admin
	c := admin.Client()

	team, _, err := c.CreateTeam(ctx, &model.Team{Name: "embassy", DisplayName: "Embassy", Type: model.TeamInvite})
	if err != nil {
		return p, fmt.Errorf("create the team: %w", err)
	}
	p.team = team.Id
	channel, _, err := c.CreateChannel(ctx, &model.Channel{TeamId: team.Id, Name: "hotline", DisplayName: "Hotline", Type: model.ChannelTypePrivate})
	if err != nil {
		return p, fmt.Errorf("create the channel: %w", err)
	}
	p.channel = channel.Id

	for _, name := range []string{"siti", "budi", "rina", "outsider"} {
		a, err := newUser(ctx, c, url, name)
		if err != nil {
			return p, err
		}
		if name == "outsider" {
			p.outsider = a
		} else {
			p.officers = append(p.officers, a)
		}
	}
	bot, _, err := c.CreateBot(ctx, &model.Bot{Username: "suar", DisplayName: "Suar"})
	if err != nil {
		return p, fmt.Errorf("create the bot: %w", err)
	}
	token, _, err := c.CreateUserAccessToken(ctx, bot.UserId, "tests", 0)
	if err != nil {
		return p, fmt.Errorf("create the bot's token: %w", err)
	}
	p.bot = Account{ID: bot.UserId, Username: bot.Username, Token: token.Token}

	members := append([]Account{p.bot}, p.officers...)
	for _, a := range append(members, p.outsider) {
		if _, _, err := c.AddTeamMember(ctx, team.Id, a.ID); err != nil {
			return p, fmt.Errorf("add %s to the team: %w", a.Username, err)
		}
	}
	for _, a := range members {
		if _, _, err := c.AddChannelMember(ctx, channel.Id, a.ID); err != nil {
			return p, fmt.Errorf("add %s to the channel: %w", a.Username, err)
		}
	}
	// Whoever creates a channel is in it; the administrator must not be.
	if _, err := c.RemoveUserFromChannel(ctx, channel.Id, admin.ID); err != nil {
		return p, fmt.Errorf("take the administrator out of the channel: %w", err)
	}
	for name, kept := range permissions {
		role, _, err := c.GetRoleByName(ctx, name)
		if err != nil {
			return p, fmt.Errorf("read role %s: %w", name, err)
		}
		list := strings.Fields(kept)
		if _, _, err := c.PatchRole(ctx, role.Id, &model.RolePatch{Permissions: &list}); err != nil {
			return p, fmt.Errorf("trim role %s: %w", name, err)
		}
	}
	return p, nil
}

// newUser makes an account and logs in with it.
func newUser(ctx context.Context, c *model.Client4, url, name string) (Account, error) {
	user, _, err := c.CreateUser(ctx, &model.User{Username: name, Email: name + "@example.test", Password: password})
	if err != nil {
		return Account{}, fmt.Errorf("create %s: %w", name, err)
	}
	own := model.NewAPIv4Client(url)
	if _, _, err := own.Login(ctx, name, password); err != nil {
		return Account{}, fmt.Errorf("log in as %s: %w", name, err)
	}
	return Account{URL: url, ID: user.Id, Username: name, Token: own.AuthToken}, nil
}

// world is the prepared world on a server at url.
func (p prepared) world(t testing.TB, url string, h host) *World {
	w := &World{
		URL: url, TeamID: p.team, ChannelID: p.channel,
		Bot: p.bot, Outsider: p.outsider, Admin: p.admin,
		t: t, host: h,
	}
	w.Officers = append(w.Officers, p.officers...)
	for _, a := range []*Account{&w.Bot, &w.Outsider, &w.Admin} {
		a.URL = url
	}
	for i := range w.Officers {
		w.Officers[i].URL = url
	}
	return w
}
